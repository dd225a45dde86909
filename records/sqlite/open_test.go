package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

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

// The database itself holds what the code promises, should the code be wrong.
func TestSchemaHolds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	s := open(t, sqlite.Options{Path: path})
	_, _, err := s.PutFlag(t.Context(), records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now})
	require.NoError(t, err)
	_, err = s.TakeIn(t.Context(), "example", "a1", "f1", "CASE0-00001", now)
	require.NoError(t, err)
	require.NoError(t, s.PutView(t.Context(), records.View{Person: "p", Case: "CASE0-00001", Purpose: "review", At: now}))
	require.NoError(t, s.PutRefusal(t.Context(), records.Refusal{Person: "p", Verb: "claim", Code: casefile.CodeState, At: now}))
	for _, c := range []struct{ name, text, want string }{
		{"TestPromise03 a second open case", `INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state)
			VALUES ('X', 'a1', 'example', 2, 'f1', 1, 'queued_again')`, "UNIQUE"},
		{"TestPromise03 one case twice", "INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state) VALUES ('X', 'a1', 'example', 1, 'f1', 1, 'closed')", "UNIQUE"},
		{"TestPromise02 accepted in no case", "UPDATE flags SET case_ref = NULL WHERE flag = 'f1'", "CHECK"},
		{"a queued case without a queue", "UPDATE cases SET state = 'queued'", "CHECK"},
		{"text in a number", "UPDATE cases SET revision = 'many'", "cannot store TEXT"},
		{"TestPromise12 a view changed", "UPDATE views SET purpose = 'audit'", "append-only"},
		{"TestPromise12 a view taken out", "DELETE FROM views", "append-only"},
		{"TestPromise12 a refusal changed", "UPDATE refusals SET verb = 'x'", "append-only"},
		{"TestPromise12 a refusal taken out", "DELETE FROM refusals", "append-only"},
	} {
		_, err := beside(t, path).ExecContext(t.Context(), c.text)
		require.ErrorContains(t, err, c.want, c.name)
	}
}

// A destroyed key stays destroyed, and with it every flag that was sealed under it.
func TestDestroyedKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	s := open(t, sqlite.Options{Path: path})
	key := records.WrappedKey{Account: "a1", Platform: "example", Wrapped: []byte{1}, KeyID: "k", At: now}
	_, err := s.PutAccountKey(t.Context(), key)
	require.NoError(t, err)
	for _, f := range []casefile.FlagKey{"taken", "pending"} {
		_, _, err = s.PutFlag(t.Context(), records.FlagReceipt{Flag: f, Account: "a1", Platform: "example", At: now})
		require.NoError(t, err)
	}
	_, err = s.TakeIn(t.Context(), "example", "a1", "taken", "CASE0-00001", now)
	require.NoError(t, err)
	_, err = beside(t, path).ExecContext(t.Context(), "UPDATE account_keys SET wrapped = NULL, destroyed_at = 1")
	require.NoError(t, err)
	_, err = s.AccountKey(t.Context(), "a1")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	_, err = s.PutAccountKey(t.Context(), key)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	in, err := s.TakeIn(t.Context(), "example", "a1", "pending", "CASE0-00002", now)
	require.NoError(t, err)
	require.Equal(t, records.DroppedErased, in.Outcome)
	require.Equal(t, records.FlagErased, in.Receipt.Status)
	pending, err := s.PendingFlags(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Empty(t, pending, "nobody looks after it any more")
	in, err = s.TakeIn(t.Context(), "example", "a1", "pending", "CASE0-00002", now)
	require.NoError(t, err)
	require.Equal(t, records.DroppedErased, in.Outcome)
	in, err = s.TakeIn(t.Context(), "example", "a1", "taken", "CASE0-00002", now)
	require.NoError(t, err)
	require.Equal(t, records.TakenBefore, in.Outcome)
}
