package postgrestest_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

// dir is where the server of a database lives.
func dir(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	return u.Query().Get("host")
}

func answer(t *testing.T, database string) (string, error) {
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		return "", err
	}
	var name string
	err = conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name)
	require.NoError(t, conn.Close(t.Context()))
	return name, err
}

func TestServer(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t, false)
	one, two := s.Database(t), s.Database(t)
	a, err := answer(t, one)
	require.NoError(t, err)
	b, err := answer(t, two)
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	for _, end := range []func(testing.TB){s.Stop, s.Kill, s.Kill} {
		end(t)
		_, err = answer(t, one)
		require.Error(t, err)
		s.Restart(t)
		_, err = answer(t, one)
		require.NoError(t, err)
	}
}

// A test's process that dies leaves neither a server nor a folder.
func TestServerGoesWithItsProcess(t *testing.T) {
	t.Parallel()
	const asked = "POSTGRESTEST_DIE"
	if os.Getenv(asked) != "" {
		fmt.Println(dir(t, postgrestest.Database(t)))
		os.Exit(1) // as a panic or a signal would: nothing is cleaned up
	}
	postgrestest.Database(t) // skips where there is no server
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), asked+"=1")
	var said bytes.Buffer
	child.Stdout = &said
	require.Error(t, child.Run())
	folder := strings.TrimSpace(said.String())
	require.Contains(t, folder, "docket-pg-")
	require.Eventually(t, func() bool {
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	}, time.Minute, 20*time.Millisecond)
}
