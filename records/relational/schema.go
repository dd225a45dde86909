package relational

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"

	"github.com/pressly/goose/v3"

	"github.com/docket-triage/docket/casefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to the newest version that this program knows. A schema newer than
// that is refused with CodeState: an older program must not write into tables it does not know.
// Where several processes may do it at once, the caller lets one at a time.
func Migrate(ctx context.Context, db *sql.DB, d Dialect, logger *slog.Logger) error {
	provider, err := newProvider(db, d, logger)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	known := sources[len(sources)-1].Version
	stands, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if stands > known {
		return casefile.Errorf(casefile.CodeState,
			"the records have schema version %d, written by a newer Docket; this one knows versions up to %d", stands, known)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	for _, r := range results {
		logger.InfoContext(ctx, "records schema migrated", slog.Int64("version", r.Source.Version), slog.Duration("took", r.Duration))
	}
	return nil
}

func newProvider(db *sql.DB, d Dialect, logger *slog.Logger) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open migrations: %w", err)
	}
	kind := goose.DialectSQLite3
	if d == PostgreSQL {
		kind = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(kind, db, translated{FS: dir, to: d},
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"), goose.WithSlog(logger))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// translated is the migrations in a dialect.
type translated struct {
	fs.FS
	to Dialect
}

// Open opens a migration in the dialect.
func (t translated) Open(name string) (fs.File, error) {
	if path.Ext(name) != ".sql" {
		return t.FS.Open(name)
	}
	text, err := fs.ReadFile(t.FS, name)
	if err != nil {
		return nil, err
	}
	original, err := t.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return file{File: original, text: bytes.NewReader([]byte(t.to.migration(string(text))))}, nil
}

// file is a migration with another text.
type file struct {
	fs.File
	text *bytes.Reader
}

// Read reads the translated text.
func (f file) Read(p []byte) (int, error) { return f.text.Read(p) }
