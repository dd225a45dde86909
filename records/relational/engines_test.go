package relational_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/records/relational"
	"github.com/docket-triage/docket/records/sqlite"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// database is an empty database of one engine.
type database struct {
	t       *testing.T
	dialect relational.Dialect
	db      *sql.DB // past any store
	// store opens a store on it, which migrates it.
	store func() records.Store
}

// exec runs a statement of this package's SQL past the store.
func (d database) exec(text string, args ...any) error {
	_, err := d.db.ExecContext(d.t.Context(), d.dialect.Statement(text), args...)
	return err
}

// strings reads one column of text.
func (d database) strings(text string, args ...any) []string {
	d.t.Helper()
	rows, err := d.db.QueryContext(d.t.Context(), d.dialect.Statement(text), args...)
	require.NoError(d.t, err)
	var list []string
	for rows.Next() {
		var s string
		require.NoError(d.t, rows.Scan(&s))
		list = append(list, s)
	}
	require.NoError(d.t, rows.Err())
	require.NoError(d.t, rows.Close())
	return list
}

// onEach runs a test on every engine; on PostgreSQL it is skipped where that is not installed.
func onEach(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, onSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, onPostgreSQL(t))
	})
}

func onSQLite(t *testing.T) database {
	path := filepath.Join(t.TempDir(), "records.db")
	return made(t, relational.SQLite, "sqlite", path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)", func(ctx context.Context) (records.Store, error) {
		return sqlite.Open(ctx, sqlite.Options{Path: path})
	})
}

func onPostgreSQL(t *testing.T) database {
	at := postgrestest.Database(t)
	return made(t, relational.PostgreSQL, "pgx", at, func(ctx context.Context) (records.Store, error) {
		return postgres.Open(ctx, postgres.Options{URL: at})
	})
}

func made(t *testing.T, d relational.Dialect, driver, dsn string, open func(ctx context.Context) (records.Store, error)) database {
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return database{t: t, dialect: d, db: db, store: func() records.Store {
		s, err := open(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}}
}
