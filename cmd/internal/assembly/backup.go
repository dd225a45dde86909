package assembly

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records/sqlite"
)

// Backup copies the stores that a configuration names into a folder, while roles run on them: it writes to
// none, and takes none of their locks. With keys, whoever has the backup can open what is in it.
func Backup(ctx context.Context, cfg config.Config, to string, withKeys bool) (backup.Manifest, error) {
	if cfg.Records.Postgres != "" {
		return backup.Manifest{}, casefile.Invalid("records", "are in PostgreSQL: docket backup copies records in SQLite alone; see docs/operations/backup.md for PostgreSQL's own tools")
	}
	if cfg.Records.SQLite == "" {
		return backup.Manifest{}, casefile.Invalid("records.sqlite", "required: what is to be copied")
	}
	key, err := (&Process{Config: cfg}).verifierKey()
	if err == nil && key == "" {
		err = casefile.Invalid("ledger.verifier_key", "required: the copied log is checked with it")
	}
	if err != nil {
		return backup.Manifest{}, err
	}
	s := backup.Sources{
		Records:  func(ctx context.Context, copied string) error { return sqlite.Copy(ctx, cfg.Records.SQLite, copied) },
		Identity: identityOf,
		Evidence: cfg.Evidence.Dir, LogKey: key, Snapshot: cfg.Detect.Snapshot, Now: time.Now,
	}
	if withKeys {
		s.Keys = cfg.Keys.Dir
	}
	s.Log, err = logOf(cfg)
	if err != nil {
		return backup.Manifest{}, err
	}
	return backup.Make(ctx, to, s)
}

// logOf is the log that a configuration names, to be read.
func logOf(cfg config.Config) (verify.Source, error) {
	if cfg.Ledger.Dir != "" {
		return verify.Open(cfg.Ledger.Dir)
	}
	if cfg.Ledger.URL == "" {
		return nil, casefile.Invalid("ledger.dir", "required, or ledger.url: the log is part of a backup")
	}
	return verify.HTTP(cfg.Ledger.URL, nil)
}

// identityOf reads the fingerprint of the identity key that a copy of the records names.
func identityOf(ctx context.Context, copied string) (string, error) {
	path, err := filepath.Abs(copied)
	if err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: "mode=ro&immutable=1"}).String())
	if err != nil {
		return "", fmt.Errorf("open the copied records: %w", err)
	}
	defer func() { _ = db.Close() }()
	var print string
	err = db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'identity_key_fingerprint'").Scan(&print)
	if err != nil {
		return "", fmt.Errorf("read whose records were copied: %w", err)
	}
	return print, nil
}

// CheckBackup checks a backup, and that nothing in its records lacks its sealed object or its ledger entry.
// key is the log's, "" for the one in the backup.
func CheckBackup(ctx context.Context, dir, key string) (r backup.Report, err error) {
	r, err = backup.Check(ctx, dir, key)
	if err != nil || !r.OK() {
		return r, err
	}
	// The records are opened as a copy: whoever opens records writes to them.
	scratch, err := os.MkdirTemp("", "docket-backup-")
	if err != nil {
		return r, fmt.Errorf("make a folder to open the records in: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	copied := filepath.Join(scratch, "records.sqlite")
	err = sqlite.Copy(ctx, filepath.Join(dir, backup.RecordsFile), copied)
	if err != nil {
		return r, err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Path: copied, Fast: true})
	if err != nil {
		return r, err
	}
	defer func() { _ = store.Close() }()
	c := backup.Contents{Dir: dir, Key: strings.TrimSpace(key), Records: store, Stored: evidence.ObjectPath}
	return r, c.Check(ctx, &r)
}
