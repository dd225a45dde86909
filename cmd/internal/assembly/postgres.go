package assembly

import (
	"context"
	"log/slog"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
)

// openPostgres opens the records in PostgreSQL, waiting for a server that does not answer.
func (p *Process) openPostgres(ctx context.Context, log *slog.Logger) (records.Store, error) {
	at, err := p.Config.Records.PostgresURL()
	if err != nil {
		return nil, err
	}
	var store *postgres.Store
	err = p.persist(ctx, "PostgreSQL", func() error {
		store, err = postgres.Open(ctx, postgres.Options{URL: at.Reveal(), MaxConns: p.Config.Records.MaxConns, Logger: log})
		return err
	})
	if err != nil {
		return nil, err
	}
	return store, nil
}
