package postgres_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

// beside connects to a store's database past it.
func beside(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

// Nothing that is said of a database shows its password, not even of a URL that is broken.
func TestPasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	const secret = "S3cret"
	for name, c := range map[string]struct {
		url  string
		code casefile.Code
	}{
		"nobody listens":                {"postgres://u:S3cret@127.0.0.1:1/db", casefile.CodeUnavailable},
		"no such host":                  {"postgres://u:S3cret@host.invalid/db", casefile.CodeUnavailable},
		"no port":                       {"postgres://u:S3cret@127.0.0.1:port/db", casefile.CodeInvalid},
		"bad escape":                    {"postgres://u:S3cret%zz@127.0.0.1/db", casefile.CodeInvalid},
		"slash in the password":         {"postgres://u:1/S3cret@127.0.0.1/db", casefile.CodeInvalid},
		"question mark":                 {"postgres://u:1?S3cret@127.0.0.1/db", casefile.CodeInvalid},
		"number sign in the password":   {"postgres://u:1#S3cret@127.0.0.1/db", casefile.CodeInvalid},
		"other slash":                   {"postgres://u:S3cret/x@127.0.0.1/db", casefile.CodeInvalid},
		"space":                         {"postgres://u: S3cret@127.0.0.1:1/db", casefile.CodeUnavailable},
		"another scheme":                {"mysql://u:S3cret@127.0.0.1/db", casefile.CodeInvalid},
		"keywords":                      {"host=127.0.0.1 password=S3cret", casefile.CodeInvalid},
		"unknown TLS mode":              {"postgres://u:S3cret@127.0.0.1/db?sslmode=S3cret", casefile.CodeInvalid},
		"unreadable certificate":        {"postgres://u:S3cret@127.0.0.1/db?sslmode=verify-full&sslrootcert=/S3cret", casefile.CodeInvalid},
		"password among the settings":   {"postgres://127.0.0.1:1/db?user=u&password=S3cret", casefile.CodeUnavailable},
		"nothing but the password":      {"S3cret", casefile.CodeInvalid},
		"nothing":                       {"", casefile.CodeInvalid},
		"percent signs in a good place": {"postgres://u:S3cret%2F@127.0.0.1:1/db", casefile.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			_, err := postgres.Open(t.Context(), postgres.Options{URL: c.url, Logger: slog.New(slog.NewTextHandler(&said, nil))})
			require.Error(t, err)
			require.Equal(t, c.code, casefile.ErrorCode(err), "%v", err)
			require.NotContains(t, err.Error()+said.String(), secret)
		})
	}
}

func TestOpenFaults(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	_, err := postgres.Open(t.Context(), postgres.Options{URL: at, MaxConns: -1})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	other, err := url.Parse(at)
	require.NoError(t, err)
	other.Path = "/none"
	_, err = postgres.Open(t.Context(), postgres.Options{URL: other.String()})
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	require.ErrorContains(t, err, `database "none" does not exist`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = postgres.Open(ctx, postgres.Options{URL: at})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	require.NoError(t, open(t, postgres.Options{URL: at}).Close())
	_, err := beside(t, at).Exec(t.Context(), "INSERT INTO schema_version (version_id, is_applied) VALUES (99, true)")
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), postgres.Options{URL: at})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "schema version 99, written by a newer Docket")
}

// Roles that start at the same moment on an empty database all find the schema made once.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	const processes = 5
	errs := make([]error, processes)
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			var s *postgres.Store
			s, errs[i] = postgres.Open(t.Context(), postgres.Options{URL: at, MaxConns: 1})
			if errs[i] == nil {
				_, errs[i] = s.SetMetaIfAbsent(t.Context(), "k", "v")
				require.NoError(t, s.Close())
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// What a URL sets stands; the rest is ours.
func TestSettings(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	s := open(t, postgres.Options{URL: at + "&application_name=other&lock_timeout=7s", MaxConns: 1})
	require.NoError(t, s.Ping(t.Context()))
	rows, err := beside(t, at).Query(t.Context(), "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, strings.Split("other other", " "), names, "one connection and that of the feed")
}
