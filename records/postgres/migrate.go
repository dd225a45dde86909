package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/docket-triage/docket/records/relational"
)

// migrate brings the schema up. Of several processes that start together one does it while the
// others wait, as long as it takes.
func migrate(ctx context.Context, config *pgx.ConnConfig, logger *slog.Logger) (err error) {
	patient := config.Copy()
	patient.RuntimeParams["lock_timeout"] = "0"
	db := stdlib.OpenDB(*patient)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	number := lockNumber("schema")
	_, err = conn.ExecContext(ctx, "SELECT pg_advisory_lock($1, $2)", lockSpace, number)
	if err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	err = relational.Migrate(ctx, db, relational.PostgreSQL, logger)
	_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1, $2)", lockSpace, number)
	return errors.Join(err, unlockErr)
}
