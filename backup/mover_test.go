package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/records"
)

const (
	done      = casefile.ActDone
	failed    = casefile.ActFailed
	uncertain = casefile.ActUncertain
)

// TestMoveOn: a decision that the log has goes as far as the log says, whether or not the records knew of it.
func TestMoveOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action   casefile.Action
		log      func(l *life)
		lost     bool
		known    casefile.DecisionState
		acts     map[string]casefile.ActState
		unknown  casefile.DecisionState // where the records had no row of the decision
		wordless map[string]casefile.ActState
		open     bool // the case stays open then
	}{
		"nothing begun": {
			action: casefile.L4, log: func(*life) {}, known: casefile.DecisionRecorded, acts: map[string]casefile.ActState{},
			unknown: casefile.DecisionRecorded, wordless: map[string]casefile.ActState{}, open: true,
		},
		"planned": {
			action: casefile.L4, log: func(l *life) { l.plan() }, known: casefile.DecisionExecuting,
			acts:    map[string]casefile.ActState{"1/do": "begun", "2/do": "begun"},
			unknown: casefile.DecisionExecuting, wordless: map[string]casefile.ActState{"1/do": uncertain, "2/do": uncertain},
		},
		"planned, and the end is lost": {
			action: casefile.L4, log: func(l *life) { l.plan() }, lost: true, known: casefile.DecisionExecuting,
			acts:    map[string]casefile.ActState{"1/do": uncertain, "2/do": uncertain},
			unknown: casefile.DecisionExecuting, wordless: map[string]casefile.ActState{"1/do": uncertain, "2/do": uncertain},
		},
		"done": {
			action: casefile.L4, log: func(l *life) { l.plan().outcome(done, done) }, known: casefile.DecisionDone,
			acts:    map[string]casefile.ActState{"1/do": done, "2/do": done},
			unknown: casefile.DecisionDone, wordless: map[string]casefile.ActState{"1/do": done, "2/do": done},
		},
		"done, and planned again by a run that took another's place": {
			action: casefile.L4, log: func(l *life) { l.plan().outcome(done, done).plan() }, known: casefile.DecisionDone,
			acts:    map[string]casefile.ActState{"1/do": done, "2/do": done},
			unknown: casefile.DecisionDone, wordless: map[string]casefile.ActState{"1/do": done, "2/do": done},
		},
		"one refused": {
			action: casefile.L4, log: func(l *life) { l.plan().outcome(done, failed) }, known: casefile.DecisionFailed,
			acts:    map[string]casefile.ActState{"1/do": done, "2/do": failed},
			unknown: casefile.DecisionFailed, wordless: map[string]casefile.ActState{"1/do": done, "2/do": failed},
		},
		"the first uncertain, the second never begun": {
			action: casefile.L4, log: func(l *life) { l.plan().outcome(uncertain) }, known: casefile.DecisionExecuting,
			acts:    map[string]casefile.ActState{"1/do": uncertain},
			unknown: casefile.DecisionExecuting, wordless: map[string]casefile.ActState{"1/do": uncertain},
		},
		"the first settled, the second perhaps begun": {
			action: casefile.L4, log: func(l *life) {
				l.plan().outcome(uncertain)
				l.put(casefile.TakedownChain(l.decision.ID), "", casefile.Draft{Type: casefile.EntryActSettled,
					Settled: &casefile.SettledBody{Decision: l.decision.ID, Number: 1, Direction: casefile.Do, State: done, Digest: "digest"}})
			}, known: casefile.DecisionExecuting,
			acts:    map[string]casefile.ActState{"1/do": done, "2/do": "begun"},
			unknown: casefile.DecisionExecuting, wordless: map[string]casefile.ActState{"1/do": done, "2/do": uncertain},
		},
		"a timed act that has ended": {
			action: casefile.L5, log: func(l *life) {
				l.plan().outcome(done).say(casefile.TakedownChain(l.decision.ID), casefile.Undo, done)
			}, known: casefile.DecisionEnded,
			acts:    map[string]casefile.ActState{"1/do": done, "1/undo": done},
			unknown: casefile.DecisionEnded, wordless: map[string]casefile.ActState{"1/do": done, "1/undo": done},
		},
		"a timed act that stands": {
			action: casefile.L5, log: func(l *life) { l.plan().outcome(done) }, known: casefile.DecisionDone,
			acts:    map[string]casefile.ActState{"1/do": done},
			unknown: casefile.DecisionDone, wordless: map[string]casefile.ActState{"1/do": done},
		},
		"no act": {
			action: casefile.L0, log: func(*life) {}, known: casefile.DecisionDone, acts: map[string]casefile.ActState{},
			unknown: casefile.DecisionDone, wordless: map[string]casefile.ActState{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, grace := range []bool{true, false} {
				b := newBed(t)
				b.mover.Lost = c.lost
				l := b.decided("7K2QX-9MDT4", c.action, grace)
				c.log(l)
				moved := b.moveOn()
				state, acts := c.unknown, c.wordless
				if grace {
					state, acts = c.known, c.acts
					require.Equal(t, casefile.StateProven, l.caseState(), "its run goes on from the proof")
				} else {
					require.Equal(t, []string{l.decision.ID}, moved.Wordless)
					require.Equal(t, c.open, l.caseState().Open())
					require.Equal(t, c.open, len(moved.Again) == 1)
				}
				if c.lost && !grace && name == "nothing begun" {
					continue
				}
				require.Equal(t, state, l.row().State, grace)
				require.Equal(t, acts, l.states(), grace)
				require.Equal(t, l.entry.Hash(), casefile.EntryHash(l.row().Bundle.Entry))
				before, counter := l.states(), l.row().Counter
				if !c.lost {
					again := b.moveOn()
					require.Zero(t, again.Acts)
					require.Equal(t, before, l.states(), "again changes nothing")
					require.Equal(t, counter, l.row().Counter)
				}
			}
		})
	}
}

// TestMoveOnWithdrawnAndClosed: what was withdrawn is not carried out; a closed case is closed.
func TestMoveOnWithdrawnAndClosed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	row := b.opened("7K2QX-9MDT4")
	d := casefile.Decision{ID: "DECISION1", Case: row.Ref, Platform: "synthetic", Account: row.Account, Judgement: casefile.Judgement{Action: casefile.L2}}
	row.State, row.Revision, row.Decision = casefile.StateDecided, 2, d.ID
	require.NoError(t, b.store.Project(t.Context(), records.Projection{Case: row, Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionGrace}, Now: noon}))
	b.put(casefile.CaseChain(row.Ref), "", casefile.Draft{Type: casefile.EntryWithdrawn, Withdraw: &casefile.WithdrawBody{Decision: d.ID, Event: "case.7K2QX-9MDT4/1"}})
	closed := b.opened("8K2QX-9MDT4")
	b.put(casefile.CaseChain(closed.Ref), "", casefile.Draft{Type: casefile.EntryClosed, Closed: &casefile.ClosedBody{Reason: casefile.CloseAlreadyDecided, File: "file"}})
	require.Equal(t, 1, b.moveOn().Cases)
	now, err := b.store.Decision(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionWithdrawn, now.State)
	c, err := b.store.Case(t.Context(), closed.Ref)
	require.NoError(t, err)
	require.Equal(t, casefile.StateClosed, c.State)
	require.Equal(t, casefile.CloseAlreadyDecided, c.CloseReason)
	a, err := b.store.Account(t.Context(), closed.Account)
	require.NoError(t, err)
	require.Empty(t, a.OpenCase)
}

// TestMoveOnAppeal: what was taken back since is taken back, and its appeal has its ruling.
func TestMoveOnAppeal(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.decided("7K2QX-9MDT4", casefile.L4, true)
	l.plan().outcome(done, done)
	chain := casefile.ReinstatementChain("APPEAL1")
	b.put(casefile.AppealChain("APPEAL1"), l.entry.Hash(), casefile.Draft{Type: casefile.EntryAppealOpened,
		Appeal: &casefile.AppealBody{Appeal: "APPEAL1", Kind: casefile.AppealByAccount, Decision: l.decision.ID, DueAt: noon.Add(time.Hour)}})
	ruling := b.put(casefile.AppealChain("APPEAL1"), "", casefile.Draft{Type: casefile.EntryAppealRuling, Actor: casefile.Actor{Person: "p-bert0000", Role: casefile.RoleReviewer},
		Ruling: &casefile.AppealRuling{ID: "RULING", Appeal: "APPEAL1", Kind: casefile.AppealByAccount, Decision: l.decision.ID, DecisionHash: l.entry.Hash(), Case: l.ref,
			Platform: "synthetic", Account: l.decision.Account, Outcome: casefile.OutcomeUpheld, Person: "p-bert0000", Role: casefile.RoleReviewer, At: noon, Digest: "digest"}})
	require.Equal(t, []string{"APPEAL1"}, b.moveOn().LostAppeals, "nothing was taken back yet: it can be made again")

	body := &casefile.PlannedBody{Decision: l.decision.ID, Platform: "synthetic", Acts: []casefile.PlannedAct{{Number: 2, Kind: casefile.ActRemovePost, Undo: "d"}, {Number: 1, Kind: casefile.ActRemovePost, Undo: "d"}}}
	b.put(chain, ruling.Hash(), casefile.Draft{Type: casefile.EntryActsPlanned, Planned: body})
	l.say(chain, casefile.Undo, done, done)
	b.moveOn()
	require.Equal(t, casefile.DecisionUndone, l.row().State)
	require.Equal(t, map[string]casefile.ActState{"1/do": done, "2/do": done, "1/undo": done, "2/undo": done}, l.states())
	a, err := b.store.Appeal(t.Context(), "APPEAL1")
	require.NoError(t, err)
	require.Equal(t, casefile.AppealReinstated, a.State)
	require.Equal(t, ruling.Hash(), casefile.EntryHash(a.Bundle.Entry))
}

// TestMoveOnUnplaced: a decision on a case that the records do not know is named.
func TestMoveOnUnplaced(t *testing.T) {
	t.Parallel()
	b, other := newBed(t), newBed(t)
	l := other.decided("7K2QX-9MDT4", casefile.L4, false)
	b.log, b.vkey, b.dir, b.mover.Prove = other.log, other.vkey, other.dir, other.log.Prove
	require.Equal(t, []string{l.decision.ID}, b.moveOn().Unplaced)
}

// TestMoveOnSystem: the numberer of the system chain goes on behind the log, whatever the records had handed
// to it; switches and people stand as the log has them.
func TestMoveOnSystem(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	require.NoError(t, b.store.PutPerson(t.Context(), records.PersonRow{Person: "p-anna0000", Login: "anna", Name: "Anna", Roles: []casefile.Role{casefile.RoleReviewer}, Active: true}, noon))
	waits, err := b.store.Unappended(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, waits, 1)
	e, err := casefile.FixBody(waits[0].Type, waits[0].Actor, b.next(casefile.SystemChain, ""), waits[0].Body)
	require.NoError(t, err)
	b.append(casefile.SystemChain, e)
	b.system(casefile.EntrySwitch, `{"switch":"acts/synthetic","on":false}`)
	b.system(casefile.EntryPeople, `{"person":"p-anna0000","roles":["reviewer"],"active":false}`)
	b.system(casefile.EntryHold, `{"hold":"H1","what":"added","until":"2026-03-03T12:00:00.000000Z"}`)
	require.Equal(t, 1, b.moveOn().Holds)
	switches, err := b.store.Switches(t.Context())
	require.NoError(t, err)
	require.Len(t, switches, 1)
	require.False(t, switches[0].On)
	p, err := b.store.Person(t.Context(), "p-anna0000")
	require.NoError(t, err)
	require.False(t, p.Active)

	seq, fixed, err := b.store.OutboxHead(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, seq)
	require.Equal(t, b.heads[casefile.SystemChain].Data, fixed)
	w := &systemchain.Writer{Records: b.store, Log: b.log}
	_, err = w.Drain(t.Context())
	require.NoError(t, err, "what the switches and people were set by comes behind")
	left, err := b.store.Unappended(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Zero(t, b.moveOn().Holds)
}

// TestDoubt: behind a lost end every act that may have been asked for is uncertain, also of a decision that no
// entry is left of, and a timed one's end if its time has come.
func TestDoubt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.mover.Lost = true
	row := b.opened("7K2QX-9MDT4")
	o := casefile.Opinion{ID: "OPINION1", Person: "p-anna0000", Role: casefile.RoleReviewer, At: noon, Relied: 1, Form: "form", Digest: "digest", Judgement: casefile.Judgement{Action: casefile.L4}}
	grace := &life{bed: b, ref: row.Ref, decision: casefile.Decision{ID: "DECISION1", Case: row.Ref, Platform: "synthetic", Account: row.Account, Judgement: o.Judgement, Opinions: []casefile.Opinion{o}}}
	row.State, row.Revision, row.Decision = casefile.StateDecided, 2, grace.decision.ID
	require.NoError(t, b.store.Project(t.Context(), records.Projection{Case: row, Decision: &records.DecisionRow{Decision: grace.decision, State: casefile.DecisionGrace}, Now: noon}))

	standing := b.decided("8K2QX-9MDT4", casefile.L5, true)
	standing.plan().outcome(done)
	over := b.decided("9K2QX-9MDT4", casefile.L5, true)
	over.plan().outcome(done)
	b.moveOn()
	require.Equal(t, map[string]casefile.ActState{"1/do": uncertain}, grace.states())
	require.Equal(t, map[string]casefile.ActState{"1/do": done}, standing.states())

	b.mover.Now = func() time.Time { return noon.Add(8 * 24 * time.Hour) }
	require.NotEmpty(t, b.moveOn().Uncertain)
	require.Equal(t, map[string]casefile.ActState{"1/do": done, "1/undo": uncertain}, over.states())
	rows, err := b.store.Acts(t.Context(), over.decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.WhyRestored, rows[1].Why)
}
