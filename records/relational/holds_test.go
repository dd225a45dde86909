package relational_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// The database itself holds what the code promises, should the code be wrong.
func TestSchemaHolds(t *testing.T) {
	t.Parallel()
	const unique, check, typed, appendOnly = "(?i)unique", "(?i)check", "cannot store TEXT|invalid input syntax for type bigint", "append-only"
	onEach(t, func(t *testing.T, d database) {
		s := d.store()
		_, _, err := s.PutFlag(t.Context(), records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now})
		require.NoError(t, err)
		_, err = s.TakeIn(t.Context(), "example", "a1", "f1", "CASE0-00001", now)
		require.NoError(t, err)
		require.NoError(t, s.PutView(t.Context(), records.View{Person: "p", Case: "CASE0-00001", Purpose: "review", At: now}))
		require.NoError(t, s.PutRefusal(t.Context(), records.Refusal{Person: "p", Verb: "claim", Code: casefile.CodeState, At: now}))
		for _, c := range []struct{ name, text, want string }{
			{"TestPromise03 a second open case", `INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state)
				VALUES ('X', 'a1', 'example', 2, 'f1', 1, 'queued_again')`, unique},
			{"TestPromise03 one case twice", "INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state) VALUES ('X', 'a1', 'example', 1, 'f1', 1, 'closed')", unique},
			{"TestPromise02 accepted in no case", "UPDATE flags SET case_ref = NULL WHERE flag = 'f1'", check},
			{"a queued case without a queue", "UPDATE cases SET state = 'queued'", check},
			{"text in a number", "UPDATE cases SET revision = 'many'", typed},
			{"a case of no account", "UPDATE cases SET account = 'a2'", "(?i)foreign key"},
			{"TestPromise12 a view changed", "UPDATE views SET purpose = 'audit'", appendOnly},
			{"TestPromise12 a view taken out", "DELETE FROM views", appendOnly},
			{"TestPromise12 a refusal changed", "UPDATE refusals SET verb = 'x'", appendOnly},
			{"TestPromise12 a refusal taken out", "DELETE FROM refusals", appendOnly},
		} {
			err := d.exec(c.text)
			require.Error(t, err, c.name)
			require.Regexp(t, c.want, err.Error(), c.name)
		}
		if d.dialect == relational.PostgreSQL {
			for _, table := range []string{"views", "refusals"} {
				require.ErrorContains(t, d.exec("TRUNCATE "+table), appendOnly)
			}
		}
	})
}

// A destroyed key stays destroyed, and with it every flag that was sealed under it.
func TestDestroyedKey(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		s := d.store()
		key := records.WrappedKey{Account: "a1", Platform: "example", Wrapped: []byte{1}, KeyID: "k", At: now}
		_, err := s.PutAccountKey(t.Context(), key)
		require.NoError(t, err)
		for _, f := range []casefile.FlagKey{"taken", "pending"} {
			_, _, err = s.PutFlag(t.Context(), records.FlagReceipt{Flag: f, Account: "a1", Platform: "example", At: now})
			require.NoError(t, err)
		}
		_, err = s.TakeIn(t.Context(), "example", "a1", "taken", "CASE0-00001", now)
		require.NoError(t, err)
		require.NoError(t, d.exec("UPDATE account_keys SET wrapped = NULL, destroyed_at = 1"))
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
	})
}
