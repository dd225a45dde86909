package relational

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/docket-triage/docket/casefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to the newest version that this program knows. A schema newer than
// that is refused with CodeState: an older program must not write into tables it does not know.
func Migrate(ctx context.Context, db *sql.DB, logger *slog.Logger) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"), goose.WithSlog(logger))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
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
