package assembly

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	c := testConfig(t)
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("an-invented-password\n"), 0o600))
	c.Records = config.Records{Postgres: at, PasswordFile: password, MaxConns: 2}
	require.NoError(t, c.Check(config.RoleLedger))
	p, log := process(t, c, config.RoleLedger)
	store, err := p.Records(t.Context())
	require.NoError(t, err)
	require.NoError(t, store.Ping(t.Context()))
	require.NotContains(t, log.String(), "an-invented-password")

	// A server that answers and lets nobody in is no outage.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	u, err := url.Parse(at)
	require.NoError(t, err)
	u.Path = "/nowhere"
	c.Records.Postgres = u.String()
	p, log = process(t, c, config.RoleLedger)
	_, err = p.Records(ctx)
	require.ErrorContains(t, err, "nowhere")
	require.NoError(t, ctx.Err(), "it was not tried again and again")
	require.NotContains(t, log.String(), "trying again")
	require.NotContains(t, err.Error(), "an-invented-password")

	// One that is not there is waited for.
	u.RawQuery = url.Values{"host": {t.TempDir()}}.Encode()
	c.Records.Postgres = u.String()
	p, log = process(t, c, config.RoleLedger)
	ctx, cancel = context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := p.Records(ctx)
		ended <- err
	}()
	log.says(t, `"msg":"does not answer, trying again","what":"PostgreSQL"`)
	cancel()
	select {
	case err = <-ended:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(patience):
		require.Fail(t, "goes on waiting")
	}
	require.NotContains(t, log.String(), "an-invented-password")
}
