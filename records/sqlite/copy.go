package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/docket-triage/docket/casefile"
)

// Copy writes the records in a file, as they stand at one moment, into another file that is not there
// yet. Whoever uses the records goes on meanwhile: the file is read alone. The copy holds nothing of
// what was deleted or changed before. CodeNotFound where there are no records.
func Copy(ctx context.Context, from, to string) error {
	path, err := filepath.Abs(from)
	if err != nil {
		return fmt.Errorf("find records file: %w", err)
	}
	_, err = os.Stat(path)
	if err != nil {
		return &casefile.Error{Code: casefile.CodeNotFound, Op: "copy records", Message: "there are no records at " + from, Err: err}
	}
	q := url.Values{"mode": {"ro"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMillis))
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return fmt.Errorf("open records to copy: %w", err)
	}
	db.SetMaxOpenConns(1)
	// SQLite makes the file for all to read otherwise.
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	}
	err = errors.Join(err, db.Close())
	if err != nil {
		return fmt.Errorf("copy records: %w", err)
	}
	f, err = os.OpenFile(to, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("put the copied records on the disk: %w", err)
	}
	return nil
}
