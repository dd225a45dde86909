package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/docket-triage/docket/casefile"
)

const (
	tableFile    = "events.sqlite"
	tableVersion = 1
)

// eventTable maps event ids to where they stand in the log, and says up to which size of the log it
// does so. It is a cache: rows are written after the log has them, and whatever a crash loses is
// read from the log's tail again. That is why synchronous=NORMAL is enough: a power cut may take
// the newest transactions, but rows and covered size go together.
type eventTable struct {
	write *sql.DB // one connection
	read  *sql.DB
	find  *sql.Stmt
}

// place is where an event stands in the log.
type place struct {
	seq   int
	index uint64
	hash  string // EntryHash
}

// row is a place with its chain.
type row struct {
	chain string
	place
}

const tableSchema = `
CREATE TABLE IF NOT EXISTS events (
	chain TEXT NOT NULL, seq INTEGER NOT NULL, idx INTEGER NOT NULL, hash TEXT NOT NULL,
	PRIMARY KEY (chain, seq)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS covered (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO covered (one, size) VALUES (1, 0);
`

func openTable(ctx context.Context, dir string) (*eventTable, error) {
	path, err := filepath.Abs(filepath.Join(dir, tableFile))
	if err != nil {
		return nil, fmt.Errorf("find the event table: %w", err)
	}
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)",
	}}.Encode()}).String()
	t := &eventTable{}
	t.write, err = sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the event table: %w", err)
	}
	t.write.SetMaxOpenConns(1)
	t.read, err = sql.Open("sqlite", dsn)
	if err != nil {
		_ = t.close()
		return nil, fmt.Errorf("open the event table: %w", err)
	}
	t.read.SetMaxOpenConns(4)
	t.read.SetMaxIdleConns(4)
	err = t.prepare(ctx)
	if err != nil {
		_ = t.close()
		return nil, err
	}
	return t, nil
}

func (t *eventTable) prepare(ctx context.Context) error {
	var version int
	err := t.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
	if err != nil {
		return fmt.Errorf("read the event table's version: %w", err)
	}
	if version > tableVersion {
		return casefile.Errorf(casefile.CodeState, "the ledger's event table has version %d, this program knows %d", version, tableVersion)
	}
	_, err = t.write.ExecContext(ctx, tableSchema)
	if err != nil {
		return fmt.Errorf("create the event table: %w", err)
	}
	_, err = t.write.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, tableVersion))
	if err != nil {
		return fmt.Errorf("write the event table's version: %w", err)
	}
	t.find, err = t.read.PrepareContext(ctx, `SELECT seq, idx, hash FROM events WHERE chain = ? AND seq BETWEEN ? AND ?`)
	if err != nil {
		return fmt.Errorf("prepare the event table: %w", err)
	}
	return nil
}

func (t *eventTable) close() error {
	var errs []error
	if t.find != nil {
		errs = append(errs, t.find.Close())
	}
	if t.read != nil {
		errs = append(errs, t.read.Close())
	}
	errs = append(errs, t.write.Close())
	err := errors.Join(errs...)
	if err != nil {
		return fmt.Errorf("close the event table: %w", err)
	}
	return nil
}

// covered is the size of the log that the table covers.
func (t *eventTable) covered(ctx context.Context) (uint64, error) {
	var size int64
	err := t.write.QueryRowContext(ctx, `SELECT size FROM covered`).Scan(&size)
	if err != nil {
		return 0, fmt.Errorf("read the size that the event table covers: %w", err)
	}
	return uint64(size), nil
}

// places gives the known events of a chain from first to last, by number.
func (t *eventTable) places(ctx context.Context, chain string, first, last int) (map[int]place, error) {
	rows, err := t.find.QueryContext(ctx, chain, first, last)
	if err != nil {
		return nil, fmt.Errorf("look up a chain's events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[int]place{}
	for rows.Next() {
		var p place
		var index int64
		err = rows.Scan(&p.seq, &index, &p.hash)
		if err != nil {
			return nil, fmt.Errorf("read a chain's events: %w", err)
		}
		p.index = uint64(index)
		out[p.seq] = p
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read a chain's events: %w", err)
	}
	return out, nil
}

// add inserts rows and moves the covered size, in one transaction. The first place of an event
// that is logged twice stays.
func (t *eventTable) add(ctx context.Context, rows []row, covered uint64) error {
	tx, err := t.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin on the event table: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO events (chain, seq, idx, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return fmt.Errorf("prepare the event table: %w", err)
	}
	for _, r := range rows {
		_, err = insert.ExecContext(ctx, r.chain, r.seq, int64(r.index), r.hash)
		if err != nil {
			return fmt.Errorf("insert into the event table: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE covered SET size = ?`, int64(covered))
	if err != nil {
		return fmt.Errorf("move the size that the event table covers: %w", err)
	}
	err = tx.Commit()
	if err != nil {
		return fmt.Errorf("commit the event table: %w", err)
	}
	return nil
}
