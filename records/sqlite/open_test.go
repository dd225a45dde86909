package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records/sqlite"
)

// beside opens the file of a store a second time, past it.
func beside(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestOpenKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"records.db", "with space.db", "what?mode=memory&x#y%41.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
			require.NoError(t, err)
			_, err = s.SetMetaIfAbsent(t.Context(), "k", "v")
			require.NoError(t, err)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			wal, err := os.Stat(path + "-wal")
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), wal.Mode().Perm())
			require.NoError(t, s.Close())
			again := open(t, sqlite.Options{Path: path, Fast: true})
			v, err := again.Meta(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, "v", v)
		})
	}
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = beside(t, path).ExecContext(t.Context(), "INSERT INTO schema_version (version_id, is_applied) VALUES (99, 1)")
	require.NoError(t, err)
	_, err = sqlite.Open(t.Context(), sqlite.Options{Path: path})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "schema version 99, written by a newer Docket")
}

func TestOpenFaults(t *testing.T) {
	t.Parallel()
	_, err := sqlite.Open(t.Context(), sqlite.Options{})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	_, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "none", "records.db")})
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	require.NoError(t, os.WriteFile(garbage, []byte("this is no database, only some words that stand in a file"), 0o600))
	_, err = sqlite.Open(t.Context(), sqlite.Options{Path: garbage})
	require.Error(t, err)
}
