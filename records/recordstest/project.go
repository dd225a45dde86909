package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// fullCase is a row with every projected field set.
func fullCase(c records.Case) records.Case {
	c.State, c.Revision, c.EvidenceRevision = casefile.StateClaimed, 4, 2
	c.Route = route("urgent", 7, 3, at(60))
	c.Route.Values = map[string]string{"score": "0.91", "strikes": "unknown"}
	c.Claim = &casefile.Claim{Number: 2, Person: "p-one", Role: casefile.RoleReviewer, GrantedAt: at(2), ExpiresAt: at(17)}
	c.Findings, c.File, c.FileDigest, c.Decision = "findings", "file", "file-digest", "d1"
	c.Flags, c.ChainSeq, c.ChainHash = 3, 9, "hash9"
	c.ClosedAt, c.CloseReason = ptr(at(90)), casefile.CloseTest
	c.Route.DecideBy = at(600)
	c.Stage, c.Rank, c.Raised, c.Threat = casefile.StageAdjudication, records.RankThreat+1, true, true
	c.NotBefore, c.AssignedTo, c.Missed = ptr(at(30)), "p-three", []casefile.DeadlineKind{casefile.DeadlineTouch}
	c.Restricted, c.Attached, c.Round = casefile.ReferChildSafety, "d0", 3
	return c
}

func projectRoundTrip(t *testing.T, b bench) {
	want := fullCase(b.openCase("f1", accountKeyOf(1), case1, start))
	given := want
	given.Ordinal, given.OpenedAt, given.Previous, given.Platform = 99, at(99), case3, "elsewhere"
	given.ReservedBy, given.ReservedUntil = "p-two", ptr(at(99))
	b.project(given, at(3))
	require.Equal(t, want, b.row(case1), "what TakeIn wrote and the reservation stand")
	// Everything optional can be taken back.
	bare := records.Case{Ref: case1, Account: want.Account, State: casefile.StateDecided, Revision: 5}
	b.project(bare, at(4))
	bare.Platform, bare.Ordinal, bare.OpenedAt = want.Platform, want.Ordinal, want.OpenedAt
	require.Equal(t, bare, b.row(case1))
}

func projectOlderChangesNothing(t *testing.T, b bench) {
	c := fullCase(b.openCase("f1", accountKeyOf(1), case1, start))
	b.project(c, at(1))
	for _, revision := range []int{4, 3, 0} {
		older := c
		older.Revision, older.State, older.Flags = revision, casefile.StateClosed, 77
		err := b.Project(b.ctx(), records.Projection{
			Case: older, Opinions: []records.OpinionRow{{Case: case1, Opinion: opinion("o1", "p-one", start)}},
			Comments: []records.CommentRow{{ID: "c1", Case: case1, Person: "p-one", At: start, Text: "text"}},
			Decision: &records.DecisionRow{Decision: decision("d1", c, start), State: casefile.DecisionGrace}, Now: at(9),
		})
		require.NoError(t, err)
		require.Equal(t, c, b.row(case1))
	}
	opinions, err := b.Opinions(b.ctx(), case1)
	require.NoError(t, err)
	require.Empty(t, opinions)
	comments, err := b.Comments(b.ctx(), case1)
	require.NoError(t, err)
	require.Empty(t, comments)
	_, err = b.Decision(b.ctx(), "d1")
	b.code(casefile.CodeNotFound, err)
}

func projectWholeOrNothing(t *testing.T, b bench) {
	one, d := b.decided(1, case1, "d1")
	two := b.queued(2, case2, route("q", 1, 1, at(60)), start)
	next := two
	next.State, next.Revision = casefile.StateClosed, 5
	stolen := d
	stolen.Case = case2
	err := b.Project(b.ctx(), records.Projection{
		Case: next, Opinions: []records.OpinionRow{{Case: case2, Opinion: opinion("o1", "p-one", start)}},
		Decision: &records.DecisionRow{Decision: stolen, State: casefile.DecisionRecorded}, Now: at(9),
	})
	b.code(casefile.CodeConflict, err)
	require.Equal(t, two, b.row(case2))
	opinions, err := b.Opinions(b.ctx(), case2)
	require.NoError(t, err)
	require.Empty(t, opinions)
	row, err := b.Decision(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, one.Ref, row.Decision.Case)
	require.Equal(t, 1, row.Counter)
	a, err := b.Account(b.ctx(), two.Account)
	require.NoError(t, err)
	require.Equal(t, case2, a.OpenCase)
}

func projectRefused(t *testing.T, b bench) {
	open := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	done := b.closed(b.openCase("f2", accountKeyOf(2), case2, start), at(1))
	for _, bad := range []struct {
		name string
		code casefile.Code
		make func() records.Projection
	}{
		{"a case that was never opened", casefile.CodeNotFound, func() records.Projection {
			c := open
			c.Ref, c.Revision = case3, 2
			return records.Projection{Case: c, Now: start}
		}},
		{"another account's case", casefile.CodeConflict, func() records.Projection {
			c := open
			c.Account, c.Revision = accountKeyOf(2), 2
			return records.Projection{Case: c, Now: start}
		}},
		{"a closed case opens again", casefile.CodeState, func() records.Projection {
			c := done
			c.State, c.Revision, c.Route = casefile.StateQueued, 9, open.Route
			return records.Projection{Case: c, Now: start}
		}},
		{"no such state", casefile.CodeInvalid, func() records.Projection {
			c := open
			c.State, c.Revision = "open", 2
			return records.Projection{Case: c, Now: start}
		}},
		{"queued without a queue", casefile.CodeInvalid, func() records.Projection {
			c := open
			c.Route.Queue, c.Revision = "", 2
			return records.Projection{Case: c, Now: start}
		}},
		{"queued without a deadline", casefile.CodeInvalid, func() records.Projection {
			c := open
			c.Route.DueAt, c.Revision = time.Time{}, 2
			return records.Projection{Case: c, Now: start}
		}},
		{"without a time", casefile.CodeInvalid, func() records.Projection { return records.Projection{Case: open} }},
		{"another case's opinion", casefile.CodeInvalid, func() records.Projection {
			return records.Projection{Case: open, Opinions: []records.OpinionRow{{Case: case2}}, Now: start}
		}},
		{"another case's comment", casefile.CodeInvalid, func() records.Projection {
			return records.Projection{Case: open, Comments: []records.CommentRow{{Case: case2}}, Now: start}
		}},
		{"another case's decision", casefile.CodeInvalid, func() records.Projection {
			return records.Projection{Case: open, Decision: &records.DecisionRow{Decision: decision("d", done, start)}, Now: start}
		}},
	} {
		err := b.Project(b.ctx(), bad.make())
		require.Error(t, err, bad.name)
		require.Equal(t, bad.code, casefile.ErrorCode(err), bad.name)
	}
	require.Equal(t, open, b.row(case1))
	require.Equal(t, done, b.row(case2))
}

func projectFlags(t *testing.T, b bench) {
	queuedAt := func(key casefile.FlagKey) *time.Time {
		f, err := b.Flag(b.ctx(), key)
		require.NoError(t, err)
		return f.QueuedAt
	}
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	b.openCase("other", accountKeyOf(2), case2, start)
	c.Revision, c.State = 1, casefile.StateNew
	b.project(c, at(1))
	require.Nil(t, queuedAt("f1"))
	c.Revision, c.State, c.Route = 2, casefile.StateQueued, route("q", 1, 1, at(60))
	b.project(c, at(2))
	require.Equal(t, ptr(at(2)), queuedAt("f1"))
	b.put("f2", accountKeyOf(1), at(3))
	b.take("f2", accountKeyOf(1), case3, at(3))
	c.Revision, c.State = 3, casefile.StateDecided
	b.project(c, at(4))
	require.Nil(t, queuedAt("f2"))
	c.Revision, c.State = 4, casefile.StateClaimed
	b.project(c, at(5))
	require.Equal(t, ptr(at(2)), queuedAt("f1"), "the first time stands")
	require.Equal(t, ptr(at(5)), queuedAt("f2"))
	require.Nil(t, queuedAt("other"))
}

func projectOpinionsAndComments(t *testing.T, b bench) {
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	// The second opinion carries the earlier time: the order is that in which they came.
	o1, o2 := opinion("o2", "p-one", at(9)), opinion("o1", "p-two", at(1))
	o2.Judgement = casefile.Judgement{Action: casefile.L5, Days: 30, Policies: []casefile.PolicyCode{casefile.VE05}, EntityTier: casefile.E0,
		Mitigations: map[casefile.Mitigation]casefile.Answer{casefile.M1: casefile.AnswerYes}}
	m1 := records.CommentRow{ID: "m2", Case: case1, Person: "p-one", At: at(9), Text: "sealed-2"}
	m2 := records.CommentRow{ID: "m1", Case: case1, Person: "p-two", At: at(1), Text: "sealed-1"}
	project := func(revision int, opinions []casefile.Opinion, comments ...records.CommentRow) {
		c.Revision = revision
		p := records.Projection{Case: c, Comments: comments, Now: start}
		for _, o := range opinions {
			p.Opinions = append(p.Opinions, records.OpinionRow{Case: case1, Opinion: o})
		}
		require.NoError(t, b.Project(b.ctx(), p))
	}
	project(1, []casefile.Opinion{o1}, m1)
	changed, reworded := o1, m1
	changed.Person, reworded.Text = "p-other", "sealed-other"
	project(2, []casefile.Opinion{changed, o2}, reworded, m2)
	opinions, err := b.Opinions(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, []casefile.Opinion{o1, o2}, opinions)
	comments, err := b.Comments(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, []records.CommentRow{m1, m2}, comments)
}

func projectAccounts(t *testing.T, b bench) {
	account := func() records.Account {
		a, err := b.Account(b.ctx(), accountKeyOf(1))
		require.NoError(t, err)
		return a
	}
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	c.Revision = 5
	b.project(c, at(1))
	want := records.Account{Account: accountKeyOf(1), Platform: platform, Revision: 5, Ordinal: 1, OpenCase: case1}
	require.Equal(t, want, account())
	first := b.closed(c, at(2))
	want.Revision, want.OpenCase, want.LastCase = 6, "", case1
	require.Equal(t, want, account())
	second := b.openCase("f2", accountKeyOf(1), case2, at(3))
	second.Revision = 2
	b.project(second, at(4))
	want.Ordinal, want.OpenCase = 2, case2
	require.Equal(t, want, account(), "the account's revision never falls")
	first.Revision, first.File = 9, "file"
	b.project(first, at(5))
	want.Revision = 9
	require.Equal(t, want, account(), "an earlier case, projected again, leaves the open one be")
	b.closed(second, at(6))
	first.Revision = 10
	b.project(first, at(7))
	want.Revision, want.OpenCase, want.LastCase = 10, "", case2
	require.Equal(t, want, account(), "nor does it become the last one again")
}

func projectRacingRevisions(t *testing.T, b bench) {
	const callers = 30
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	errs := make([]error, callers)
	race(callers, func(i int) {
		p := c
		p.Revision, p.ChainHash = i+1, fmt.Sprint(i+1)
		errs[i] = b.Project(b.ctx(), records.Projection{Case: p, Now: start})
	})
	for _, err := range errs {
		require.NoError(t, err)
	}
	got := b.row(case1)
	require.Equal(t, callers, got.Revision)
	require.Equal(t, fmt.Sprint(callers), got.ChainHash)
}
