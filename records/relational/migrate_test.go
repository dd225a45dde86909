package relational_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// fixture is what a version of the schema was the first to hold, as a program of that version wrote
// it, and what a store of today makes of it.
type fixture struct {
	version int64
	write   []string // statements that the schema of that version takes
	check   func(t *testing.T, s records.Store)
}

// fixtures has one for every version. None is ever changed: its rows stand in somebody's database.
var fixtures = []fixture{
	{1, []string{
		"INSERT INTO meta (name, value) VALUES ('identity_key_fingerprint', 'fingerprint')",
		"INSERT INTO accounts (account, platform, revision, ordinal, open_case, last_case, profile, profile_as_of) VALUES ('a1', 'example', 9, 2, 'CASE0-00002', 'CASE0-00001', 'profile', 1772445600000000)",
		"INSERT INTO accounts (account, platform, ordinal, open_case) VALUES ('a2', 'example', 1, 'CASE0-00003')",
		"INSERT INTO accounts (account, platform) VALUES ('a3', 'example')",
		"INSERT INTO account_keys (account, platform, wrapped, key_id, at) VALUES ('a1', 'example', X'000102', 'k1', 1772445600000000)",
		"INSERT INTO account_keys (account, platform, key_id, at, destroyed_at) VALUES ('a3', 'example', 'k1', 1772445600000000, 1772445660000000)",
		"INSERT INTO taken_down_handles (platform, hash, account, at) VALUES ('example', 'h1', 'a1', 1772445600000000)",
		`INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state, revision, evidence_revision, queue, severity, confidence, tier, due_at,
				rule, rule_set, rule_values, closed_at, close_reason, findings, file, file_digest, decision, flags, chain_seq, chain_hash)
			VALUES ('CASE0-00001', 'a1', 'example', 1, 'f1', 1772445600000000, 'closed', 7, 2, 'q', 4, 3, 'alert', 1772449200000000,
				'r1', 'rs1', '{"score":"0.91"}', 1772445900000000, 'duplicate', 'findings', 'file', 'file-digest', 'd1', 1, 9, 'hash9')`,
		`INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, previous, state, revision, evidence_revision, queue, severity, confidence, tier, due_at,
				rule, rule_set, flags)
			VALUES ('CASE0-00002', 'a1', 'example', 2, 'f2', 1772446200000000, 'CASE0-00001', 'queued', 9, 1, 'q', 5, 1, 'alert', 1772449200000000, 'r1', 'rs1', 1)`,
		`INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state, revision, evidence_revision, queue, severity, confidence, tier, due_at,
				claim, claim_person, flags, reserved_by, reserved_until)
			VALUES ('CASE0-00003', 'a2', 'example', 1, 'f3', 1772446200000000, 'claimed', 3, 1, 'q', 2, 1, 'alert', 1772449200000000,
				'{"number":1,"person":"p-one","role":"reviewer","granted_at":"2026-03-02T10:00:00Z","expires_at":"2026-03-02T10:15:00Z"}', 'p-one', 1, 'p-one', 1772445610000000)`,
		"INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at) VALUES ('f1', 'a1', 'example', 'digest', 'sealed', 'p-det', 1772445600000000, 'accepted', 'CASE0-00001', 1772445601000000, 1772445602000000)",
		"INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at) VALUES ('f2', 'a1', 'example', 'digest', 'sealed', 'p-det', 1772445600000000, 'accepted', 'CASE0-00002', 1772445601000000, 1772445602000000)",
		"INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status, reopens) VALUES ('f3', 'a3', 'example', 'digest', 'sealed', 'p-det', 1772445600000000, 'pending', 'CASE0-00001')",
		"INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status) VALUES ('f4', 'a2', 'example', 'digest', 'sealed', 'p-det', 1772445600000000, 'pending')",
		`INSERT INTO opinions (id, case_ref, person, role, at, action, days, policies, entity_tier, mitigations, claim, evidence_revision, relied, form, digest)
			VALUES ('o1', 'CASE0-00001', 'p-one', 'reviewer', 1772445700000000, 'L4', 0, '["VE-08"]', 'E1', '{"M1":"no"}', 1, 2, 3, 'form', 'digest')`,
		"INSERT INTO comments (id, case_ref, person, at, text) VALUES ('m1', 'CASE0-00001', 'p-one', 1772445700000000, 'sealed')",
		`INSERT INTO decisions (id, case_ref, decision, state, counter, event, hash, why, updated_at)
			VALUES ('d1', 'CASE0-00001', '{"id":"d1","case":"CASE0-00001","platform":"example","account":"a1","action":"L4"}', 'done', 4, 'case.x/4', 'h4', '', 1772445800000000)`,
		"INSERT INTO strikes (decision, account, at, expires_at) VALUES ('d1', 'a1', 1772445800000000, 1787997600000000)",
		`INSERT INTO acts (decision, number, direction, kind, target, state, undo, undo_digest, planned_at, started_at, ended_at, reference)
			VALUES ('d1', 1, 'do', 'limit', -1, 'done', 'undo', 'undo-digest', 1772445700000000, 1772445710000000, 1772445720000000, 'ref')`,
		"INSERT INTO acts (decision, number, direction, kind, target, state, planned_at) VALUES ('d1', 1, 'undo', 'limit', -1, 'planned', 1772445700000000)",
		"INSERT INTO notices (number, decision, case_ref, state, text, digest, at, state_at) VALUES ('N1', 'd1', 'CASE0-00001', 'sent', 'sealed', 'digest', 1772445700000000, 1772445710000000)",
		`INSERT INTO people (person, login, name, roles, team, active) VALUES ('p-one', 'one', '[name]', '["reviewer"]', 'team', 1)`,
		"INSERT INTO tokens (hash, kind, person, created_at, expires_at) VALUES ('" + tokenHash + "', 'api', 'p-one', 1772445600000000, 1787997600000000)",
		"INSERT INTO views (seq, number, person, case_ref, purpose, at, hash) VALUES (1, 1, 'p-one', 'CASE0-00001', 'review', 1772445600000000, '" + viewHash + "')",
		"INSERT INTO refusals (seq, number, person, case_ref, verb, code, at, hash) VALUES (2, 1, 'p-one', 'CASE0-00001', 'claim', 'state', 1772445600000000, '" + refusalHash + "')",
		`INSERT INTO ledger_outbox (type, actor_person, actor_role, body, at, seq, fixed, log_index) VALUES ('policy', 'p-one', 'policy', '{"n":1}', 1772445600000000, 1, X'7B7D', 0)`,
		`INSERT INTO ledger_outbox (type, actor_person, actor_role, body, at, seq, fixed) VALUES ('policy', 'p-one', 'policy', '{"n":2}', 1772445600000000, 2, X'7B7D')`,
		`INSERT INTO ledger_outbox (type, actor_person, actor_role, body, at) VALUES ('policy', 'p-one', 'policy', '{"n":3}', 1772445600000000)`,
		"INSERT INTO index_outbox (case_ref, revision) VALUES ('CASE0-00002', 9)",
		"INSERT INTO index_outbox (decision, revision) VALUES ('d1', 4)",
	}, checkVersion1},
	{2, []string{
		"INSERT INTO switches (name, is_on, by_person, by_role, at) VALUES ('acts/example', 0, 'p-one', 'lead', 1772445600000000)",
		"INSERT INTO parts (case_ref, person, part, round, at) VALUES ('CASE0-00002', 'p-two', 'opinion', 0, 1772445600000000)",
	}, checkVersion2},
	{3, []string{
		"INSERT INTO views (seq, number, person, case_ref, purpose, at, hash, repeat_key) VALUES (3, 2, 'p-one', 'CASE0-00001', 'review', 1772445600000000, '" + keyedHash + "', 'k')",
	}, checkVersion3},
	{4, []string{
		`INSERT INTO decisions (id, case_ref, decision, state, counter, updated_at, unfinished)
			VALUES ('d4', 'CASE0-00002', '{"id":"d4","case":"CASE0-00002","platform":"example","account":"a1","action":"L4"}', 'recorded', 1, 1772445800000000, 1)`,
	}, checkVersion4},
	{5, []string{
		`INSERT INTO handlings (id, case_ref, what, person, role, at, queue, to_person, deadline, words)
			VALUES ('h1', 'CASE0-00002', 'escalated', 'p-one', 'reviewer', 1772445600000000, 'lead', '', '', 'sealed')`,
	}, checkVersion5},
	{6, []string{
		`INSERT INTO legal_holds (id, account, platform, basis, by_person, by_role, at, until) VALUES ('hold1', 'a1', 'example', X'0102', 'p-one', 'policy', 1772445600000000, 1787997600000000)`,
		`INSERT INTO erasures (id, account, platform, name, reason, by_person, by_role, at, state, destroyed_at, cases, flags, objects)
			VALUES ('e1', 'a3', 'example', 'name', X'0304', 'p-one', 'policy', 1772445600000000, 'destroyed', 1772445660000000, 0, 1, 1)`,
	}, checkVersion6},
	{7, []string{
		"INSERT INTO deliveries (number, state, state_at) VALUES ('N1', 'planned', 1772445600000000)",
	}, func(t *testing.T, s records.Store) {
		before, err := s.BeginDelivery(t.Context(), "N1", now)
		require.NoError(t, err)
		require.Equal(t, casefile.NoticePlanned, before)
	}},
}

// literal is a literal of bytes as SQLite has it.
var literal = regexp.MustCompile(`\bX'([0-9A-F]*)'`)

// The running hashes of the fixtures' views and refusals, and the hash of a token.
const (
	viewHash    = "3c2797d6b205c39afc3c9f172efa2c606b78c41ac39092d11c2d9968d57bcafc"
	refusalHash = "473eb14ba68263711b87d7b66bc4c6550bcc27bc68aee3960b4b8b5e5adb555f"
	keyedHash   = "7ebfa8a77d20aa1acf9f5388b5899ffed9b1a64b2633e3231293ba37d400e633"
	tokenHash   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func checkVersion1(t *testing.T, s records.Store) {
	v, err := s.Meta(t.Context(), "identity_key_fingerprint")
	require.NoError(t, err)
	require.Equal(t, "fingerprint", v)
	a, err := s.Account(t.Context(), "a1")
	require.NoError(t, err)
	require.Equal(t, records.Account{
		Account: "a1", Platform: "example", Revision: 9, Ordinal: 2, OpenCase: "CASE0-00002", LastCase: "CASE0-00001", Profile: "profile",
	}, a)
	key, err := s.AccountKey(t.Context(), "a1")
	require.NoError(t, err)
	require.Equal(t, []byte{0, 1, 2}, key.Wrapped)
	_, err = s.AccountKey(t.Context(), "a3")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	alike, err := s.LookAlikes(t.Context(), "a2", "example", []string{"h1"})
	require.NoError(t, err)
	require.Equal(t, []casefile.AccountKey{"a1"}, alike)

	cases, err := s.AccountCases(t.Context(), "a1")
	require.NoError(t, err)
	require.Len(t, cases, 2)
	closed := cases[1]
	require.Equal(t, casefile.StateClosed, closed.State)
	require.Equal(t, []int{7, 2, 1, 9}, []int{closed.Revision, closed.EvidenceRevision, closed.Flags, closed.ChainSeq})
	require.Equal(t, map[string]string{"score": "0.91"}, closed.Route.Values)
	require.Equal(t, now.Add(time.Hour), closed.Route.DueAt)
	require.Equal(t, casefile.Address("file"), closed.File)
	require.Equal(t, casefile.CloseReason("duplicate"), closed.CloseReason)
	held, err := s.ClaimedBy(t.Context(), "p-one")
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.Equal(t, now.Add(15*time.Minute), held[0].Claim.ExpiresAt)
	queues, err := s.Queues(t.Context())
	require.NoError(t, err)
	require.Len(t, queues, 1)
	require.Equal(t, []int{1, 1}, []int{queues[0].Waiting, queues[0].Claimed})
	page, _, err := s.QueueCases(t.Context(), "q", "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, casefile.CaseRef("CASE0-00002"), page[0].Ref)

	st, err := s.FlagStats(t.Context(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, records.FlagStats{Flags: 4, Pending: 2, Cases: 2, Accounts: 3, ToQueueP50: 2 * time.Second, ToQueueP99: 2 * time.Second}, st)
	pending, err := s.PendingFlags(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	require.Equal(t, casefile.CaseRef("CASE0-00001"), pending[0].Reopens)
	opinions, err := s.Opinions(t.Context(), "CASE0-00001")
	require.NoError(t, err)
	require.Len(t, opinions, 1)
	require.Equal(t, casefile.Judgement{
		Action: casefile.L4, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E1,
		Mitigations: map[casefile.Mitigation]casefile.Answer{casefile.M1: casefile.AnswerNo},
	}, opinions[0].Judgement)
	comments, err := s.Comments(t.Context(), "CASE0-00001")
	require.NoError(t, err)
	require.Equal(t, casefile.Address("sealed"), comments[0].Text)

	d, err := s.Decision(t.Context(), "d1")
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionDone, d.State)
	require.Equal(t, casefile.L4, d.Decision.Action)
	strikes, err := s.Strikes(t.Context(), "a1", now)
	require.NoError(t, err)
	require.Len(t, strikes, 1)
	acts, err := s.Acts(t.Context(), "d1")
	require.NoError(t, err)
	require.Len(t, acts, 2)
	require.Equal(t, casefile.ActDone, acts[0].State)
	require.Equal(t, casefile.Address("undo"), acts[0].Undo)
	require.Equal(t, casefile.ActPlanned, acts[1].State)
	n, err := s.Notice(t.Context(), "d1")
	require.NoError(t, err)
	require.Equal(t, casefile.NoticeSent, n.State)
	_, p, err := s.Token(t.Context(), tokenHash, records.TokenAPI, now)
	require.NoError(t, err)
	require.Equal(t, records.PersonRow{Person: "p-one", Login: "one", Name: "[name]", Roles: []casefile.Role{casefile.RoleReviewer}, Team: "team", Active: true}, p)

	rows, err := s.Unappended(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, []int{2, 0}, []int{rows[0].Seq, rows[1].Seq})
	seq, fixed, err := s.OutboxHead(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, seq)
	require.Equal(t, []byte("{}"), fixed)
	changes, err := s.IndexChanges(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	require.Equal(t, 9, changes[0].Revision)
}

func checkVersion2(t *testing.T, s records.Store) {
	parts, err := s.Parts(t.Context(), "CASE0-00002")
	require.NoError(t, err)
	require.Equal(t, []records.PartRow{{Case: "CASE0-00002", Person: "p-two", Part: records.PartOpinion, At: now}}, parts)
	switches, err := s.Switches(t.Context())
	require.NoError(t, err)
	require.Len(t, switches, 1)
	require.False(t, switches[0].On)
}

func checkVersion3(t *testing.T, s records.Store) {
	require.NoError(t, s.PutView(t.Context(), records.View{Person: "p-one", Case: "CASE0-00001", Purpose: "review", At: now, Key: "k"}))
	views, err := s.Views(t.Context(), "", 0, 10)
	require.NoError(t, err)
	require.Len(t, views, 2, "the key stands")
}

func checkVersion4(t *testing.T, s records.Store) {
	rows, err := s.UnfinishedDecisions(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, rows, 2, "one from before may have something left to do")
	require.Equal(t, []string{"d1", "d4"}, []string{rows[0].Decision.ID, rows[1].Decision.ID})
}

func checkVersion5(t *testing.T, s records.Store) {
	notes, err := s.Handlings(t.Context(), "CASE0-00002")
	require.NoError(t, err)
	require.Equal(t, []casefile.HandlingNote{{ID: "h1", What: casefile.HandlingEscalated, Person: "p-one", Role: casefile.RoleReviewer, At: now, Queue: "lead", Words: "sealed"}}, notes)
}

func checkVersion6(t *testing.T, s records.Store) {
	by := casefile.Actor{Person: "p-one", Role: casefile.RolePolicy}
	holds, err := s.AccountHolds(t.Context(), "a1")
	require.NoError(t, err)
	require.Equal(t, []records.HoldRow{{
		ID: "hold1", Account: "a1", Platform: "example", Basis: []byte{1, 2}, By: by, At: now, Until: time.UnixMicro(1787997600000000).UTC(),
	}}, holds)
	e, err := s.Erasure(t.Context(), "e1")
	require.NoError(t, err)
	destroyed := now.Add(time.Minute)
	require.Equal(t, records.ErasureRow{
		Seq: 1, ID: "e1", Account: "a3", Platform: "example", Name: "name", Reason: []byte{3, 4}, By: by, At: now,
		State: casefile.ErasureDestroyed, DestroyedAt: &destroyed, Flags: 1, Objects: 1,
	}, e)
}

// requireWatched computes the running hash of views and refusals again.
func requireWatched(t *testing.T, s records.Store) {
	views, err := s.Views(t.Context(), "", 0, 10)
	require.NoError(t, err)
	refusals, err := s.Refusals(t.Context(), 0, 10)
	require.NoError(t, err)
	hash := ""
	for seq := int64(1); len(views)+len(refusals) > 0; seq++ {
		if len(views) > 0 && views[0].Seq == seq {
			hash, err = views[0].RunningHash(hash)
			views = views[1:]
		} else {
			require.Equal(t, seq, refusals[0].Seq)
			hash, err = refusals[0].RunningHash(hash)
			refusals = refusals[1:]
		}
		require.NoError(t, err)
	}
	digest, _, _, err := s.WatchDigest(t.Context())
	require.NoError(t, err)
	require.Equal(t, hash, digest)
}

// goesOn writes into what was migrated.
func goesOn(t *testing.T, s records.Store) {
	in, err := s.TakeIn(t.Context(), "example", "a3", "f3", "CASE0-00009", now)
	require.NoError(t, err)
	require.Equal(t, records.DroppedErased, in.Outcome)
	in, err = s.TakeIn(t.Context(), "example", "a2", "f4", "CASE0-00009", now)
	require.NoError(t, err)
	require.Equal(t, records.TakenNow, in.Outcome)
	require.Equal(t, casefile.CaseRef("CASE0-00003"), in.Case)
	ref, ok, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: "p-one", Now: now, Hold: time.Minute})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, casefile.CaseRef("CASE0-00002"), ref)
	require.NoError(t, s.AdvanceDecision(t.Context(), "d1", casefile.DecisionUndone, "", nil, now))
	require.NoError(t, s.PutView(t.Context(), records.View{Person: "p-one", Case: "CASE0-00002", Purpose: "review", At: now}))
	rows, err := s.Unappended(t.Context(), 10)
	require.NoError(t, err)
	require.NoError(t, s.AppendedOutbox(t.Context(), rows[0].ID, 1))
	row, err := s.FixOutbox(t.Context(), rows[1].ID, 3, []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, 3, row.Seq)
	require.NoError(t, s.RequeueIndex(t.Context()))
}

// Records of every version of the schema become those of the newest: nothing is lost, everything
// reads as it was written, and work goes on.
func TestMigrations(t *testing.T) {
	t.Parallel()
	versions, err := relational.Versions()
	require.NoError(t, err)
	require.Len(t, fixtures, len(versions), "a new version of the schema needs a fixture, of rows as it is the first to hold")
	for i, last := range fixtures {
		require.Equal(t, versions[i], last.version)
		t.Run(fmt.Sprintf("from version %d", last.version), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, d database) {
				for _, f := range fixtures[:i+1] {
					stands, err := relational.MigrateTo(t.Context(), d.db, d.dialect, f.version)
					require.NoError(t, err)
					require.Equal(t, f.version, stands)
					for _, text := range f.write {
						if d.dialect == relational.PostgreSQL {
							text = literal.ReplaceAllString(text, `'\x$1'`)
						}
						require.NoError(t, d.exec(text), text)
					}
				}
				before := d.counts()
				s := d.store()
				after := d.counts()
				for table, n := range before {
					require.Equal(t, n, after[table], "rows of %s", table)
				}
				for _, f := range fixtures[:i+1] {
					f.check(t, s)
				}
				requireWatched(t, s)
				goesOn(t, s)
				requireWatched(t, s)
			})
		})
	}
}
