package worker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

// office is a town with a real log beside its real records.
type office struct {
	*town
	log   *ledger.Log
	audit *LedgerAudit
	db    string // the records' file
	heads map[string]casefile.FixedEntry
}

func newOffice(t *testing.T) *office {
	t.Helper()
	n := newTown(t)
	o := &office{town: n, db: filepath.Join(t.TempDir(), "records.sqlite"), heads: map[string]casefile.FixedEntry{}}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: o.db, Fast: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	n.store, n.r.Records = store, store
	skey, vkey, err := ledger.GenerateKey("ledger.test.example/log")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	dir := t.TempDir()
	o.log, err = ledger.Open(t.Context(), ledger.Options{Dir: dir, Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, o.log.Close(ctx))
	})
	o.audit = &LedgerAudit{Records: store, Source: verify.Dir(dir), Key: vkey, Log: slog.New(slog.DiscardHandler)}
	n.r.Ledger = o.audit
	return o
}

// compare compares; what is found is checked to stand on the report's own word.
func (o *office) compare() LedgerReport {
	o.t.Helper()
	report, err := o.r.Audit(o.t.Context())
	require.NoError(o.t, err)
	require.NotNil(o.t, report.Ledger)
	require.True(o.t, report.Ledger.Compared)
	require.Empty(o.t, report.Ledger.Faults)
	require.Equal(o.t, len(report.Ledger.Differences) == 0, report.Ledger.OK())
	return *report.Ledger
}

// exec changes the records behind their back.
func (o *office) exec(statement string, args ...any) {
	o.t.Helper()
	db, err := sql.Open("sqlite", "file:"+o.db+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(0)")
	require.NoError(o.t, err)
	res, err := db.ExecContext(o.t.Context(), statement, args...)
	require.NoError(o.t, err)
	n, err := res.RowsAffected()
	require.NoError(o.t, err)
	require.Positive(o.t, n, statement)
	require.NoError(o.t, db.Close())
}

type plainSalts struct{}

// Salt is an HMAC of the event and the label.
func (plainSalts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("an invented key"))
	mac.Write([]byte(string(event) + " " + label))
	return mac.Sum(nil)
}

// put appends the next entry of a chain. It is not published when put returns.
func (o *office) put(chain, cause string, d casefile.Draft) (casefile.FixedEntry, uint64) {
	o.t.Helper()
	pos := casefile.Position{At: noon}
	seq := 0
	if head, begun := o.heads[chain]; begun {
		_, n, err := head.Event.Split()
		require.NoError(o.t, err)
		seq, pos.Prev = n, head.Hash()
	} else {
		pos.Cause = cause
	}
	pos.Event = casefile.NewEventID(chain, seq+1)
	if d.Actor == (casefile.Actor{}) {
		d.Actor = casefile.System
	}
	e, err := casefile.FixEntry(d, pos, plainSalts{}, casefile.AccountRef{Platform: "synthetic", ID: "a-1"})
	require.NoError(o.t, err)
	receipts, err := o.log.Append(o.t.Context(), []casefile.FixedEntry{e})
	require.NoError(o.t, err)
	o.heads[chain] = e
	return e, receipts[0].Index
}

// life is one case from its decision to the end of its takedown and perhaps its reinstatement, a step at a
// time in the order in which workflows take them.
type life struct {
	o        *office
	ref      casefile.CaseRef
	decision casefile.Decision
	acts     []casefile.Act
	bundle   casefile.Bundle
	entry    casefile.FixedEntry
	appeal   string
	ruling   casefile.FixedEntry
	proof    casefile.Bundle
	rules    casefile.AppealRuling
}

func (o *office) life(ref casefile.CaseRef, action casefile.Action) *life {
	row := o.opened(ref)
	opinion := casefile.Opinion{ID: "OPINION" + string(ref[:5]), Person: "p-anna0000", Role: casefile.RoleReviewer, At: noon, Relied: 2, Form: "form", Digest: "digest",
		Judgement: casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}}
	if action.Timed() {
		opinion.Days = 7
	}
	said, _ := o.put(casefile.CaseChain(ref), "", casefile.Draft{Type: casefile.EntryOpinion, Opinion: &opinion})
	l := &life{o: o, ref: ref, appeal: "APPEAL" + string(ref[:5])}
	l.decision = casefile.Decision{ID: "DECISION" + string(ref[:5]), Case: ref, Platform: "synthetic", Account: row.Account, Judgement: opinion.Judgement,
		DecidedBy: casefile.ByOneOpinion, DecidedAt: noon, Opinions: []casefile.Opinion{opinion}, OpinionEvents: []casefile.EventID{said.Event}}
	l.acts = casefile.PlanActs(l.decision, 2)
	return l
}

func (l *life) project(state casefile.DecisionState, proven bool) {
	l.o.project(l.ref, func(p *records.Projection) {
		p.Case.State, p.Case.Decision = casefile.StateDecided, l.decision.ID
		p.Decision = &records.DecisionRow{Decision: l.decision, State: state}
		if proven {
			p.Case.State = casefile.StateProven
			p.Decision.Event, p.Decision.Hash, p.Decision.Bundle = l.entry.Event, l.entry.Hash(), &l.bundle
		}
	})
}

func (l *life) decide() { l.project(casefile.DecisionGrace, false) }

func (l *life) prove() {
	var index uint64
	var err error
	l.entry, index = l.o.put(casefile.CaseChain(l.ref), "", casefile.Draft{Type: casefile.EntryDecision, Decision: &l.decision})
	l.bundle, err = l.o.log.Prove(l.o.t.Context(), index)
	require.NoError(l.o.t, err)
}

func (l *life) record() { l.project(casefile.DecisionRecorded, true) }

func (l *life) shut() {
	l.o.put(casefile.CaseChain(l.ref), "", casefile.Draft{Type: casefile.EntryClosed, Closed: &casefile.ClosedBody{Reason: casefile.CloseDecided, Decision: l.decision.ID, File: "file"}})
}

func (l *life) state(s casefile.DecisionState, why string) func() {
	return func() {
		require.NoError(l.o.t, l.o.store.AdvanceDecision(l.o.t.Context(), l.decision.ID, s, why, nil, noon))
	}
}

func (l *life) planRows(dir casefile.Direction) func() {
	return func() {
		for _, a := range l.acts {
			_, err := l.o.store.PlanActs(l.o.t.Context(), []records.ActRow{{Act: a, Direction: dir, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "digest", PlannedAt: noon}})
			require.NoError(l.o.t, err)
		}
	}
}

func (l *life) plan() casefile.Draft {
	body := &casefile.PlannedBody{Decision: l.decision.ID, Platform: "synthetic"}
	for _, a := range l.acts {
		body.Acts = append(body.Acts, casefile.PlannedAct{Number: a.Number, Kind: a.Kind, Until: a.Until, Undo: "digest"})
	}
	return casefile.Draft{Type: casefile.EntryActsPlanned, Planned: body}
}

func (l *life) announce() { l.o.put(casefile.TakedownChain(l.decision.ID), l.entry.Hash(), l.plan()) }

func (l *life) begin(number int, dir casefile.Direction) func() {
	return func() {
		_, _, err := l.o.store.BeginAct(l.o.t.Context(), l.acts[number-1], dir, noon)
		require.NoError(l.o.t, err)
	}
}

func (l *life) outcome(number int, dir casefile.Direction, s casefile.ActState) casefile.ActOutcome {
	return casefile.ActOutcome{Act: l.acts[number-1], Direction: dir, State: s, At: noon}
}

func (l *life) finish(number int, dir casefile.Direction, s casefile.ActState) func() {
	return func() {
		_, err := l.o.store.EndAct(l.o.t.Context(), l.outcome(number, dir, s))
		require.NoError(l.o.t, err)
	}
}

func (l *life) say(chain string, dir casefile.Direction, states ...casefile.ActState) func() {
	return func() {
		body := &casefile.OutcomeBody{Decision: l.decision.ID, Direction: dir}
		for i, s := range states {
			body.Outcomes = append(body.Outcomes, l.outcome(i+1, dir, s))
		}
		l.o.put(chain, "", casefile.Draft{Type: casefile.EntryActsOutcome, Outcome: body})
	}
}

func (l *life) settleRow() {
	_, err := l.o.store.SettleAct(l.o.t.Context(), casefile.ActOutcome{Act: l.acts[0], Direction: casefile.Do, State: casefile.ActDone, At: noon, By: "p-anna0000"})
	require.NoError(l.o.t, err)
}

func (l *life) settleEntry() {
	l.o.put(casefile.TakedownChain(l.decision.ID), "", casefile.Draft{Type: casefile.EntryActSettled,
		Settled: &casefile.SettledBody{Decision: l.decision.ID, Number: 1, Direction: casefile.Do, State: casefile.ActDone, Digest: "digest"}})
}

// takedown are the steps of a decision whose two acts are done; the first was uncertain.
func (l *life) takedown() []func() {
	on := casefile.TakedownChain(l.decision.ID)
	return []func(){
		l.decide, l.prove, l.record, l.planRows(casefile.Do), l.state(casefile.DecisionExecuting, ""), l.announce, l.shut,
		l.begin(1, casefile.Do), l.finish(1, casefile.Do, casefile.ActUncertain), l.say(on, casefile.Do, casefile.ActUncertain), l.state(casefile.DecisionUncertain, "no_answer"),
		l.settleRow, l.settleEntry,
		l.begin(2, casefile.Do), l.finish(2, casefile.Do, casefile.ActDone), l.say(on, casefile.Do, casefile.ActDone, casefile.ActDone), l.state(casefile.DecisionDone, ""),
	}
}

func (l *life) complain() {
	_, _, err := l.o.store.PutAppeal(l.o.t.Context(), records.AppealRow{ID: l.appeal, Kind: casefile.AppealByAccount, Decision: l.decision.ID, Case: l.ref, Platform: "synthetic",
		Account: l.decision.Account, OpenedAt: noon, DueAt: noon, State: casefile.AppealOpen, OpenedBy: casefile.System})
	require.NoError(l.o.t, err)
	l.o.put(casefile.AppealChain(l.appeal), l.entry.Hash(), casefile.Draft{Type: casefile.EntryAppealOpened,
		Appeal: &casefile.AppealBody{Appeal: l.appeal, Kind: casefile.AppealByAccount, Decision: l.decision.ID, DueAt: noon}})
}

func (l *life) rule() {
	l.rules = casefile.AppealRuling{ID: "RULING", Appeal: l.appeal, Kind: casefile.AppealByAccount, Decision: l.decision.ID, DecisionHash: l.entry.Hash(), Case: l.ref,
		Platform: "synthetic", Account: l.decision.Account, Outcome: casefile.OutcomeUpheld, Person: "p-bert0000", Role: casefile.RoleReviewer, At: noon, Digest: "digest"}
	var index uint64
	var err error
	l.ruling, index = l.o.put(casefile.AppealChain(l.appeal), "", casefile.Draft{Type: casefile.EntryAppealRuling, Ruling: &l.rules})
	l.proof, err = l.o.log.Prove(l.o.t.Context(), index)
	require.NoError(l.o.t, err)
}

func (l *life) upheld() {
	require.NoError(l.o.t, l.o.store.ProjectAppeal(l.o.t.Context(), records.AppealProjection{ID: l.appeal, State: casefile.AppealUpheld, Revision: 5,
		Ruling: &l.rules, Event: l.ruling.Event, Hash: l.ruling.Hash(), Bundle: &l.proof, Now: noon}))
}

func (l *life) announceUndo() {
	l.o.put(casefile.ReinstatementChain(l.appeal), l.ruling.Hash(), l.plan())
}

// reinstatement are the steps by which everything is taken back.
func (l *life) reinstatement() []func() {
	on := casefile.ReinstatementChain(l.appeal)
	return []func(){
		l.complain, l.rule, l.upheld, l.planRows(casefile.Undo), l.announceUndo,
		l.begin(1, casefile.Undo), l.finish(1, casefile.Undo, casefile.ActDone), l.finish(2, casefile.Undo, casefile.ActSkipped),
		l.say(on, casefile.Undo, casefile.ActDone, casefile.ActSkipped), l.state(casefile.DecisionUndone, ""),
		func() {
			require.NoError(l.o.t, l.o.store.EndAppeal(l.o.t.Context(), l.appeal, casefile.AppealReinstated, "", noon))
		},
	}
}

// timed are the steps of a decision whose act ends by itself.
func (l *life) timed() []func() {
	on := casefile.TakedownChain(l.decision.ID)
	return []func(){
		l.decide, l.prove, l.record, l.planRows(casefile.Do), l.state(casefile.DecisionExecuting, ""), l.announce, l.begin(1, casefile.Do),
		l.finish(1, casefile.Do, casefile.ActDone), l.say(on, casefile.Do, casefile.ActDone), l.state(casefile.DecisionDone, ""), l.shut,
		l.planRows(casefile.Undo), l.begin(1, casefile.Undo), l.finish(1, casefile.Undo, casefile.ActDone), l.say(on, casefile.Undo, casefile.ActDone), l.state(casefile.DecisionEnded, ""),
	}
}

// TestWhatIsUnderWayIsNoDifference compares after each single step: records and log are then as a crash
// there leaves them, and what was appended a moment ago is under no checkpoint yet.
func TestWhatIsUnderWayIsNoDifference(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	full, timed := o.life("AAAAA-AAAAA", casefile.L4), o.life("BBBBB-BBBBB", casefile.L5)
	for name, steps := range map[string][]func(){"takedown": append(full.takedown(), full.reinstatement()...), "timed": timed.timed()} {
		for i, step := range steps {
			step()
			report := o.compare()
			require.Empty(t, report.Differences, "%s, behind step %d", name, i)
		}
	}
	report := o.compare()
	require.Zero(t, report.InFlight, "nothing is under way any more")
	require.Equal(t, []int{2, 6, 1}, []int{report.Decisions, report.Acts, report.Appeals})
	size, err := o.log.Size(t.Context())
	require.NoError(t, err)
	require.Equal(t, size, report.Entries)
}

// TestPromise12WhatRecordsAndLogLackIsFound: one row, or one entry's row, is taken away, added or changed
// behind a sound history; it is named, and nothing else is.
func TestPromise12WhatRecordsAndLogLackIsFound(t *testing.T) {
	t.Parallel()
	const decision, appeal = "DECISIONAAAAA", "APPEALAAAAA"
	ghost := func(l *life) *life {
		g := *l
		g.decision.ID, g.appeal = "GHOST", "GHOST"
		return &g
	}
	for name, c := range map[string]struct {
		spoil func(o *office, l *life)
		want  []Difference // What aside
	}{
		"a decision's row is gone": {
			func(o *office, _ *life) {
				o.exec("DELETE FROM acts WHERE decision = ?", decision)
				o.exec("DELETE FROM decisions WHERE id = ?", decision)
			},
			[]Difference{
				{Missing: MissingRow, Type: casefile.EntryDecision, Event: "case.AAAAA-AAAAA/2", Decision: decision},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/1", Decision: decision, Act: 1, Direction: casefile.Do},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "reinstatement.APPEALAAAAA/1", Decision: decision, Act: 1, Direction: casefile.Undo},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/1", Decision: decision, Act: 2, Direction: casefile.Do},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "reinstatement.APPEALAAAAA/1", Decision: decision, Act: 2, Direction: casefile.Undo},
			},
		},
		"an act's row is gone": {
			func(o *office, _ *life) {
				o.exec("DELETE FROM acts WHERE decision = ? AND number = 2 AND direction = 'do'", decision)
			},
			[]Difference{{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/1", Decision: decision, Act: 2, Direction: casefile.Do}},
		},
		"an act's outcome is gone": {
			func(o *office, _ *life) {
				o.exec("UPDATE acts SET state = 'planned', ended_at = NULL, settled_at = NULL WHERE decision = ? AND number = 2 AND direction = 'do'", decision)
			},
			[]Difference{{Missing: MissingRow, Type: casefile.EntryActsOutcome, Event: "takedown.DECISIONAAAAA/4", Decision: decision, Act: 2, Direction: casefile.Do}},
		},
		"an act's outcome is another": {
			func(o *office, _ *life) {
				o.exec("UPDATE acts SET state = 'failed' WHERE decision = ? AND number = 2 AND direction = 'undo'", decision)
			},
			[]Difference{{Missing: MissingAgreement, Type: casefile.EntryActsOutcome, Event: "reinstatement.APPEALAAAAA/2", Decision: decision, Act: 2, Direction: casefile.Undo}},
		},
		"an act that no entry names": {
			func(o *office, _ *life) {
				o.exec(`INSERT INTO acts (decision, number, direction, kind, target, state, planned_at, started_at, ended_at) VALUES (?, 3, 'do', 'terminate', -1, 'done', 1, 1, 1)`, decision)
				o.exec("UPDATE decisions SET state = 'done' WHERE id = ?", decision)
			},
			[]Difference{
				{Missing: MissingEntry, Type: casefile.EntryActsPlanned, Decision: decision, Act: 3, Direction: casefile.Do},
				{Missing: MissingEntry, Type: casefile.EntryActsOutcome, Decision: decision, Act: 3, Direction: casefile.Do},
			},
		},
		"a decision's proof is gone from its row": {
			func(o *office, _ *life) {
				o.exec("UPDATE decisions SET event = '', hash = '', bundle = NULL, state = 'grace' WHERE id = ?", decision)
			},
			[]Difference{{Missing: MissingRow, Type: casefile.EntryDecision, Event: "case.AAAAA-AAAAA/2", Decision: decision}},
		},
		"a decision's row names another entry": {
			func(o *office, _ *life) { o.exec("UPDATE decisions SET hash = 'another' WHERE id = ?", decision) },
			[]Difference{{Missing: MissingAgreement, Type: casefile.EntryDecision, Event: "case.AAAAA-AAAAA/2", Decision: decision}},
		},
		"an appeal's row is gone": {
			func(o *office, _ *life) { o.exec("DELETE FROM appeals WHERE id = ?", appeal) },
			[]Difference{
				{Missing: MissingRow, Type: casefile.EntryAppealRuling, Event: "appeal.APPEALAAAAA/2", Appeal: appeal},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "reinstatement.APPEALAAAAA/1", Appeal: appeal},
			},
		},
		"a decision in records alone": {
			func(o *office, _ *life) { o.decided("CCCCC-CCCCC", casefile.L0, casefile.DecisionRecorded) },
			[]Difference{{Missing: MissingEntry, Type: casefile.EntryDecision, Event: "case.CCCCC-CCCCC/4", Decision: "OPINIONCCCCC"}},
		},
		"a decision on the log alone": {
			func(o *office, l *life) {
				g := o.life("DDDDD-DDDDD", casefile.L4)
				g.prove()
			},
			[]Difference{{Missing: MissingRow, Type: casefile.EntryDecision, Event: "case.DDDDD-DDDDD/2", Decision: "DECISIONDDDDD"}},
		},
		"a plan on the log alone": {
			func(o *office, l *life) {
				g := ghost(l)
				o.put(casefile.TakedownChain(l.decision.ID), "", g.plan())
			},
			[]Difference{
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/5", Decision: "GHOST", Direction: casefile.Do},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/5", Decision: "GHOST", Act: 1, Direction: casefile.Do},
				{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.DECISIONAAAAA/5", Decision: "GHOST", Act: 2, Direction: casefile.Do},
			},
		},
		"a decision that is done without an outcome on the log": {
			func(o *office, _ *life) {
				g := o.life("EEEEE-EEEEE", casefile.L4)
				for _, step := range []func(){g.decide, g.prove, g.record, g.planRows(casefile.Do), g.announce, g.state(casefile.DecisionDone, "")} {
					step()
				}
			},
			[]Difference{{Missing: MissingEntry, Type: casefile.EntryActsOutcome, Decision: "DECISIONEEEEE", Direction: casefile.Do}},
		},
		"a lost case that was judged again": {
			func(o *office, _ *life) {
				g := o.life("FFFFF-FFFFF", casefile.L4)
				g.decide()
				g.prove()
				g.project(casefile.DecisionWithdrawn, false)
				o.put(casefile.CaseChain(g.ref), "", casefile.Draft{Type: casefile.EntryRestarted, Restarted: &casefile.RestartedBody{Revision: 3}})
				o.put(casefile.CaseChain(g.ref), "", casefile.Draft{Type: casefile.EntryOpinion, Opinion: &g.decision.Opinions[0]})
			},
			[]Difference{{Missing: MissingRow, Type: casefile.EntryDecision, Event: "case.FFFFF-FFFFF/2", Decision: "DECISIONFFFFF"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			l := o.life("AAAAA-AAAAA", casefile.L4)
			for _, step := range append(l.takedown(), l.reinstatement()...) {
				step()
			}
			require.Empty(t, o.compare().Differences)
			c.spoil(o, l)
			size, err := o.log.Size(t.Context())
			require.NoError(t, err)
			_, err = o.log.Prove(t.Context(), size-1)
			require.NoError(t, err)
			o.audit.Patience = time.Millisecond
			found := o.compare().Differences
			for i := range found {
				require.NotEmpty(t, found[i].What)
				found[i].What = ""
			}
			require.ElementsMatch(t, c.want, found)
		})
	}
}

func TestReconcileSaysWhyItDidNotCompare(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.life("AAAAA-AAAAA", casefile.L4)
	_, err := o.log.Prove(t.Context(), 0)
	require.NoError(t, err)
	key := o.audit.Key
	_, other, err := ledger.GenerateKey("ledger.test.example/log")
	require.NoError(t, err)
	nobody, err := verify.HTTP("http://127.0.0.1:1/log/", nil)
	require.NoError(t, err)
	for _, c := range []struct {
		source verify.Source
		key    string
		code   casefile.Code
	}{
		{o.audit.Source, "", casefile.CodeNotFound}, {nil, key, casefile.CodeNotFound},
		{o.audit.Source, other, casefile.CodeUnproven}, {nobody, key, casefile.CodeUnavailable},
	} {
		o.audit.Source, o.audit.Key = c.source, c.key
		report, err := o.r.Audit(t.Context())
		require.NoError(t, err)
		require.False(t, report.Ledger.Compared)
		require.False(t, report.Ledger.OK())
		require.Equal(t, c.code, report.Ledger.Code)
		require.Equal(t, 1, report.Cases, "what it did besides")
	}
	o.r.Ledger = nil
	report, err := o.r.Audit(t.Context())
	require.NoError(t, err)
	require.Nil(t, report.Ledger)
}
