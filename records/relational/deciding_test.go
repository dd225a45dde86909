package relational_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// What stood in version 1 goes on under the rules of version 2: its place in the queue, its deadlines,
// its flags that nobody has taken in yet.
func TestVersion1GoesOn(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		_, err := relational.MigrateTo(t.Context(), d.db, d.dialect, 1)
		require.NoError(t, err)
		due := func(minutes int) int64 { return now.Add(time.Duration(minutes) * time.Minute).UnixMicro() }
		for _, account := range []string{"a1", "a2", "a3"} {
			require.NoError(t, d.exec("INSERT INTO accounts (account, platform, ordinal) VALUES (?, 'example', 1)", account))
		}
		const insertCase = `INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state, revision, queue, severity, confidence, due_at, claim, claim_person)
			VALUES (?, ?, 'example', 1, ?, ?, ?, 3, 'q', ?, 1, ?, ?, ?)`
		claim := `{"number":1,"person":"p-one","role":"reviewer","granted_at":"2026-03-02T10:00:00Z","expires_at":"2026-03-02T10:15:00Z"}`
		require.NoError(t, d.exec(insertCase, "CASE0-00001", "a1", "f1", now.UnixMicro(), "queued", 2, due(10), nil, ""))
		require.NoError(t, d.exec(insertCase, "CASE0-00002", "a2", "f2", now.UnixMicro(), "queued", 5, due(90), nil, ""))
		require.NoError(t, d.exec(insertCase, "CASE0-00003", "a3", "f3", now.UnixMicro(), "claimed", 7, due(20), claim, "p-one"))
		const insertFlag = `INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at)
			VALUES (?, ?, 'example', 'digest', 'sealed', 'p-detector', ?, ?, ?, ?, ?)`
		require.NoError(t, d.exec(insertFlag, "f1", "a1", now.UnixMicro(), "accepted", "CASE0-00001", due(1), due(2)))
		require.NoError(t, d.exec(insertFlag, "late", "a1", due(4), "pending", nil, nil, nil))
		require.NoError(t, d.exec(insertFlag, "later", "a2", due(5), "pending", nil, nil, nil))

		s := d.store()
		page, _, err := s.QueueCases(t.Context(), "q", "", 10)
		require.NoError(t, err)
		require.Equal(t, []casefile.CaseRef{"CASE0-00002", "CASE0-00001"}, []casefile.CaseRef{page[0].Ref, page[1].Ref})
		require.Equal(t, []int{5, 2}, []int{page[0].Rank, page[1].Rank})
		ref, ok, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: "p-two", Now: now, Hold: time.Minute})
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, casefile.CaseRef("CASE0-00002"), ref)
		counts, err := s.Queues(t.Context())
		require.NoError(t, err)
		require.Equal(t, now.Add(10*time.Minute), *counts[0].NextDue)
		require.Equal(t, []int{2, 0, 1}, []int{counts[0].Waiting, counts[0].Snoozed, counts[0].Claimed})

		// The claimed one was held: back in its queue it is late by the deadline of its decision.
		c, err := s.Case(t.Context(), "CASE0-00003")
		require.NoError(t, err)
		c.State, c.Claim, c.Revision, c.Route.DecideBy = casefile.StateQueued, nil, 4, now.Add(5*time.Minute)
		require.NoError(t, s.Project(t.Context(), records.Projection{Case: c, Now: now}))
		counts, err = s.Queues(t.Context())
		require.NoError(t, err)
		require.Equal(t, now.Add(5*time.Minute), *counts[0].NextDue)

		pending, err := s.PendingFlags(t.Context(), now.Add(time.Hour), 10)
		require.NoError(t, err)
		require.Len(t, pending, 2)
		require.Equal(t, []casefile.FlagKey{"late", "later"}, []casefile.FlagKey{pending[0].Flag, pending[1].Flag}, "the older first")
		require.NoError(t, s.NoteSwept(t.Context(), []casefile.FlagKey{"late"}, now.Add(time.Hour)))
		pending, err = s.PendingFlags(t.Context(), now.Add(time.Hour), 10)
		require.NoError(t, err)
		require.Len(t, pending, 1)
		f, err := s.Flag(t.Context(), "f1")
		require.NoError(t, err)
		require.Equal(t, records.FlagAccepted, f.Status)
		require.Equal(t, now.Add(2*time.Minute), *f.QueuedAt)
		in, err := s.TakeIn(t.Context(), "example", "a1", "late", "CASE0-00009", now)
		require.NoError(t, err)
		require.Equal(t, records.TakenNow, in.Outcome)
		require.Equal(t, casefile.CaseRef("CASE0-00001"), in.Case)
	})
}

// The database itself holds what deciding well promises, should the code be wrong.
func TestDecidingHolds(t *testing.T) {
	t.Parallel()
	const unique, check, foreign = "(?i)unique", "(?i)check", "(?i)foreign key"
	onEach(t, func(t *testing.T, d database) {
		s := d.store()
		_, _, err := s.PutFlag(t.Context(), records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now})
		require.NoError(t, err)
		_, err = s.TakeIn(t.Context(), "example", "a1", "f1", "CASE0-00001", now)
		require.NoError(t, err)
		for _, text := range []string{
			`INSERT INTO decisions (id, case_ref, decision, state, counter, updated_at) VALUES ('d1', 'CASE0-00001', '{}', 'done', 1, 1)`,
			`INSERT INTO acts (decision, number, direction, kind, target, state, planned_at) VALUES ('d1', 1, 'do', 'warn', -1, 'planned', 1)`,
			`INSERT INTO appeals (id, kind, decision, case_ref, platform, account, opened_person, opened_role, opened_at, due_at, state)
				VALUES ('x', 'appeal', 'd1', 'CASE0-00001', 'example', 'a1', 'p', 'service', 1, 2, 'open')`,
		} {
			require.NoError(t, d.exec(text))
		}
		require.NoError(t, d.exec("INSERT INTO break_glass (id, person, case_ref, at, until, reason) VALUES ('g', 'p-one', 'CASE0-00001', 1, 2, ?)", []byte{1}))
		for _, c := range []struct{ name, text, want string }{
			{"an appeal made twice", `INSERT INTO appeals (id, kind, decision, case_ref, platform, account, opened_person, opened_role, opened_at, due_at, state)
				VALUES ('y', 'appeal', 'd1', 'CASE0-00001', 'example', 'a1', 'p', 'service', 1, 2, 'open')`, unique},
			{"an end without a time", "UPDATE appeals SET state = 'rejected'", check},
			{"a time without an end", "UPDATE appeals SET ended_at = 1", check},
			{"an appeal against nothing", "UPDATE appeals SET decision = 'd2'", foreign},
			{"one's own review", "UPDATE break_glass SET reviewed_by = 'p-one', reviewed_at = 3", check},
			{"nobody's review", "UPDATE break_glass SET reviewed_at = 3", check},
			{"TestPromise07 a planned act settled", "UPDATE acts SET settled_at = 3", check},
			{"no such part", "INSERT INTO parts (case_ref, person, part, round, at) VALUES ('CASE0-00001', 'p', 'watched', 0, 1)", check},
			{"a round of a claim", "INSERT INTO parts (case_ref, person, part, round, at) VALUES ('CASE0-00001', 'p', 'claim', 1, 1)", check},
			{"TestPromise02 erased and in a case", "UPDATE flags SET status = 'erased'", check},
			{"TestPromise02 no such status", "UPDATE flags SET status = 'dropped', case_ref = NULL", check},
			{"half a threat", "UPDATE cases SET threat = 2", check},
		} {
			err := d.exec(c.text)
			require.Error(t, err, c.name)
			require.Regexp(t, c.want, err.Error(), c.name)
		}
	})
}

// The flag of an erased account is in no case, for ever: not even should its key come back from a backup.
func TestErasedFlagStaysErased(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		s := d.store()
		_, err := s.PutAccountKey(t.Context(), records.WrappedKey{Account: "a1", Platform: "example", Wrapped: []byte{1}, KeyID: "k", At: now})
		require.NoError(t, err)
		_, _, err = s.PutFlag(t.Context(), records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now})
		require.NoError(t, err)
		take := func() records.TakenIn {
			in, err := s.TakeIn(t.Context(), "example", "a1", "f1", "CASE0-00001", now)
			require.NoError(t, err)
			return in
		}
		require.NoError(t, d.exec("UPDATE account_keys SET wrapped = NULL, destroyed_at = 1"))
		require.Equal(t, records.DroppedErased, take().Outcome)
		require.NoError(t, d.exec("UPDATE account_keys SET wrapped = ?, destroyed_at = NULL", []byte{1}))
		require.Equal(t, records.DroppedErased, take().Outcome)
		st, err := s.FlagStats(t.Context(), now)
		require.NoError(t, err)
		require.Equal(t, records.FlagStats{Flags: 1, Accounts: 1}, st)
	})
}
