package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// FoundKind says what was wrong with a workflow.
type FoundKind string

// The kinds.
const (
	FoundMissing FoundKind = "missing" // it should run and does not
	FoundBehind  FoundKind = "behind"  // it knows less than the records have of it: it was reset
	FoundForeign FoundKind = "foreign" // under its id somebody else started a run of another type, queue or kind
)

// FoundThing says what sort of workflow it is.
type FoundThing string

// The things.
const (
	FoundCase          FoundThing = "case"
	FoundTakedown      FoundThing = "takedown"
	FoundAppeal        FoundThing = "appeal"
	FoundReinstatement FoundThing = "reinstatement"
)

// Found is one workflow that was not as the records have it.
type Found struct {
	Kind  FoundKind  `json:"kind"`
	Thing FoundThing `json:"thing"`
	ID    string     `json:"id"` // number of the case, id of the decision, id of the appeal
	// Started says that it was started again; Code is why it was not.
	Started bool          `json:"started"`
	Code    casefile.Code `json:"code,omitempty"`
}

// Report is what one reconciling came to.
type Report struct {
	At time.Time `json:"at"`
	// Cases, Takedowns and Appeals are how many were looked at.
	Cases     int     `json:"cases"`
	Takedowns int     `json:"takedowns"`
	Appeals   int     `json:"appeals"`
	Found     []Found `json:"found"`
	// Ledger is what comparing with the log came to; nil where that was not asked for.
	Ledger *LedgerReport `json:"ledger,omitempty"`
}

// Reconciler finds workflows that were terminated, reset or deleted behind Docket's back, and starts
// them again from the records. It changes no row: what it starts takes its state from there. Several
// processes may reconcile at once: each workflow is started once.
type Reconciler struct {
	Cases   *Cases
	Records records.Store
	// Ledger compares the records with the log when Audit is called; nil for not at all.
	Ledger *LedgerAudit
	// Every is the pause between two rounds of Run; 0 means 10 minutes.
	Every time.Duration
	Log   *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// known are the runs that knew enough when they were asked, by workflow id. A run never comes to
	// know less; a reset one is another run. So each is asked once, and not with every round.
	mu    sync.Mutex
	known map[string]string
}

const (
	reconcileEvery = 10 * time.Minute
	reconcilePage  = 200
	// reconcileCall bounds one question to the engine: a run without a worker answers none.
	reconcileCall = 10 * time.Second
)

func (r *Reconciler) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// Run reconciles at once and then again and again until ctx ends.
func (r *Reconciler) Run(ctx context.Context) {
	pause := r.Every
	if pause <= 0 {
		pause = reconcileEvery
	}
	every(ctx, pause, func(ctx context.Context) {
		_, err := r.Once(ctx)
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "reconciling broken off", "code", string(casefile.ErrorCode(err)))
		}
	})
}

// Once goes through open cases, takedowns that have something left to do, and appeals. One workflow
// that cannot be looked at or started stands in the report with its code and keeps no other from its
// turn; the error is that of a list that could not be read, with the report of what was done before.
func (r *Reconciler) Once(ctx context.Context) (Report, error) {
	report := Report{At: r.now().UTC(), Found: []Found{}}
	for _, part := range []func(context.Context, *Report) error{r.cases, r.takedowns, r.appeals} {
		err := part(ctx, &report)
		if err != nil {
			return report, fmt.Errorf("reconcile: %w", err)
		}
	}
	return report, nil
}

// Audit is Once, and then compares the records with the log, which Run does not: that reads all of both.
// Where the log cannot be compared the report says why.
func (r *Reconciler) Audit(ctx context.Context) (Report, error) {
	report, err := r.Once(ctx)
	if err != nil || r.Ledger == nil {
		return report, err
	}
	compared, err := r.Ledger.Compare(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return report, err
		}
		r.Log.WarnContext(ctx, "records and log could not be compared", "code", string(compared.Code), "error", err.Error())
	}
	report.Ledger = &compared
	return report, nil
}

// found adds what was found to the report and to the log.
func (r *Reconciler) found(ctx context.Context, report *Report, f Found, err error) {
	f.Code = casefile.ErrorCode(err)
	report.Found = append(report.Found, f)
	r.Log.ErrorContext(ctx, "a workflow was not as the records have it", "kind", string(f.Kind), "thing", string(f.Thing), "id", f.ID,
		"started", f.Started, "code", string(f.Code))
}

func (r *Reconciler) cases(ctx context.Context, report *Report) error {
	known := map[string]string{}
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.known = known // closed cases are forgotten
	}()
	after := casefile.CaseRef("")
	for {
		rows, err := r.Records.OpenCases(ctx, after, reconcilePage)
		if err != nil {
			return fmt.Errorf("list open cases: %w", err)
		}
		for _, row := range rows {
			report.Cases++
			r.oneCase(ctx, report, row, known)
		}
		if len(rows) < reconcilePage {
			return nil
		}
		after = rows[len(rows)-1].Ref
	}
}

func (r *Reconciler) oneCase(ctx context.Context, report *Report, row records.Case, known map[string]string) {
	kind, run, err := r.lookAtCase(ctx, row, known)
	if err != nil {
		r.Log.WarnContext(ctx, "a case's workflow could not be looked at", "case", string(row.Ref), "code", string(casefile.ErrorCode(err)))
		return
	}
	if kind == "" {
		return
	}
	f := Found{Kind: kind, Thing: FoundCase, ID: string(row.Ref)}
	id := casefile.CaseWorkflowID(row.Platform, row.Account)
	switch kind {
	case FoundBehind:
		err = r.Cases.terminate(ctx, id, run.ID, reasonBehind)
	case FoundForeign:
		err = r.Cases.evict(ctx, id, run)
	}
	if err == nil {
		f.Started, err = r.restartCase(ctx, row)
	}
	r.found(ctx, report, f, err)
}

// lookAtCase says what is wrong with the workflow of a case, "" for nothing. The row was read before
// the workflow is asked, so that one that goes on meanwhile knows no less than it. known gets the runs
// that know enough.
func (r *Reconciler) lookAtCase(ctx context.Context, row records.Case, known map[string]string) (FoundKind, Run, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileCall)
	defer cancel()
	id := casefile.CaseWorkflowID(row.Platform, row.Account)
	run, err := r.Cases.Describe(ctx, id)
	if err != nil {
		return "", run, err
	}
	if run.State != RunRunning || run.Foreign != "" {
		// The case may have been closed since the row was read.
		now, err := r.Records.Case(ctx, row.Ref)
		switch {
		case err != nil || !now.State.Open():
			return "", run, err
		case run.Foreign != "":
			return FoundForeign, run, nil
		}
		return FoundMissing, run, nil
	}
	if r.knew(id) == run.ID {
		known[id] = run.ID
		return "", run, nil
	}
	state, err := r.Cases.state(ctx, row.Platform, row.Account, run.ID)
	switch {
	case err != nil:
		return "", run, err
	case state.Ref != row.Ref: // it has not read its case yet, or is about the case before
		return "", run, nil
	case state.Revision < row.Revision:
		return FoundBehind, run, nil
	}
	known[id] = run.ID
	return "", run, nil
}

func (r *Reconciler) knew(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[id]
}

// restartCase signals one of the case's own flags: the workflow takes the case up from its row.
func (r *Reconciler) restartCase(ctx context.Context, row records.Case) (bool, error) {
	flags, err := r.Records.CaseFlags(ctx, row.Ref)
	if err != nil {
		return false, fmt.Errorf("list the case's flags: %w", err)
	}
	if len(flags) == 0 {
		return false, casefile.Errorf(casefile.CodeNotFound, "the case has no flag to be started by")
	}
	err = r.Cases.SignalFlag(ctx, row.Platform, row.Account, flags[0].Flag)
	return err == nil, err
}

func (r *Reconciler) takedowns(ctx context.Context, report *Report) error {
	for after := ""; ; {
		rows, err := r.Records.UnfinishedDecisions(ctx, after, reconcilePage)
		if err != nil {
			return fmt.Errorf("list unfinished decisions: %w", err)
		}
		for _, row := range rows {
			due, err := r.takedownDue(ctx, row)
			switch {
			case err != nil:
				r.Log.WarnContext(ctx, "a takedown could not be looked at", "decision", row.Decision.ID, "code", string(casefile.ErrorCode(err)))
			case due:
				report.Takedowns++
				r.oneTakedown(ctx, report, row)
			}
		}
		if len(rows) < reconcilePage {
			return nil
		}
		after = rows[len(rows)-1].Decision.ID
	}
}

// takedownDue says whether a decision's takedown must be running: its acts are not through, a person
// has to establish one, the person concerned was not told, or a timed act has yet to end.
func (r *Reconciler) takedownDue(ctx context.Context, row records.DecisionRow) (bool, error) {
	d := row.Decision
	acts := casefile.PlanActs(d, d.Relied())
	if row.Bundle == nil || len(acts) == 0 || d.WordsLost() {
		return false, nil // the actor could check no proof of one that was read back from the log
	}
	switch row.State {
	case casefile.DecisionRecorded, casefile.DecisionExecuting:
		return true, nil
	case casefile.DecisionUncertain:
		waits, err := r.uncertain(ctx, d.ID, casefile.Do)
		if err != nil || waits {
			return waits, err
		}
		return r.endUncertain(ctx, d.ID)
	case casefile.DecisionDone:
		if slices.ContainsFunc(acts, func(a casefile.Act) bool { return a.Until != nil }) {
			return true, nil
		}
		return r.untold(ctx, d)
	}
	return false, nil
}

// uncertain says whether an act waits for a person in a direction.
func (r *Reconciler) uncertain(ctx context.Context, decision string, dir casefile.Direction) (bool, error) {
	rows, err := r.Records.Acts(ctx, decision)
	return slices.ContainsFunc(rows, func(a records.ActRow) bool { return a.Direction == dir && a.State == casefile.ActUncertain }), err
}

// endUncertain says whether the end of a timed act waits for a person. Once the decision fell, that is its
// reinstatement's.
func (r *Reconciler) endUncertain(ctx context.Context, decision string) (bool, error) {
	waits, err := r.uncertain(ctx, decision, casefile.Undo)
	if err != nil || !waits {
		return false, err
	}
	appeals, err := r.Records.DecisionAppeals(ctx, decision)
	fell := slices.ContainsFunc(appeals, func(a records.AppealRow) bool {
		return a.State == casefile.AppealUpheld || a.State == casefile.AppealIncomplete || a.State == casefile.AppealReinstated
	})
	return !fell, err
}

// untold says that the person concerned has yet to be told.
func (r *Reconciler) untold(ctx context.Context, d casefile.Decision) (bool, error) {
	if d.Notice() == nil {
		return false, nil
	}
	n, err := r.Records.Notice(ctx, d.ID)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return false, nil
	}
	return n.State == casefile.NoticePlanned, err
}

func (r *Reconciler) oneTakedown(ctx context.Context, report *Report, row records.DecisionRow) {
	d := row.Decision
	f := Found{Kind: FoundMissing, Thing: FoundTakedown, ID: d.ID}
	// The first thing that a takedown does is to leave this state: a run that ended in it was none of ours.
	untouched := row.State == casefile.DecisionRecorded
	r.ensure(ctx, report, f, casefile.TakedownWorkflowID(d.Case, d.ID), untouched, func(ctx context.Context, evenDone bool) (bool, error) {
		// A decision that was carried out meanwhile needs nothing.
		now, err := r.Records.Decision(ctx, d.ID)
		if err != nil || now.State != row.State {
			return false, err
		}
		return r.Cases.startTakedown(ctx, workflows.TakedownInput{Decision: now.Decision, Bundle: *now.Bundle}, evenDone)
	})
}

// ensure starts a workflow whose last run neither runs nor came to its end; with evenDone also one whose
// run ended, which the caller knows not to have been ours. A foreign run is ended first, and counts for
// nothing also where it ended by itself.
func (r *Reconciler) ensure(ctx context.Context, report *Report, f Found, workflow string, evenDone bool,
	start func(ctx context.Context, evenDone bool) (bool, error),
) {
	ctx, cancel := context.WithTimeout(ctx, reconcileCall)
	defer cancel()
	run, err := r.Cases.Describe(ctx, workflow)
	if err != nil {
		r.Log.WarnContext(ctx, "a workflow could not be looked at", "thing", string(f.Thing), "id", f.ID, "code", string(casefile.ErrorCode(err)))
		return
	}
	foreign := run.Foreign != ""
	if !foreign && (run.State == RunRunning || run.State == RunDone && !evenDone) {
		return
	}
	if foreign {
		f.Kind = FoundForeign
		err = r.Cases.evict(ctx, workflow, run)
	}
	if err == nil {
		f.Started, err = start(ctx, foreign || evenDone)
	}
	if err != nil || f.Started {
		r.found(ctx, report, f, err)
	}
}

// appealStates are those of appeals for which a workflow must be running: their own, or once they were
// upheld that of the reinstatement.
var appealStates = []casefile.AppealState{
	casefile.AppealOpen, casefile.AppealClaimed, casefile.AppealDecided, casefile.AppealUpheld, casefile.AppealIncomplete,
}

func (r *Reconciler) appeals(ctx context.Context, report *Report) error {
	for _, state := range appealStates {
		for after := ""; ; {
			rows, next, err := r.Records.ListAppeals(ctx, state, after, reconcilePage)
			if err != nil {
				return fmt.Errorf("list appeals: %w", err)
			}
			for _, row := range rows {
				r.oneAppeal(ctx, report, row)
			}
			if next == "" {
				break
			}
			after = next
		}
	}
	return nil
}

func (r *Reconciler) oneAppeal(ctx context.Context, report *Report, row records.AppealRow) {
	if row.State != casefile.AppealUpheld && row.State != casefile.AppealIncomplete {
		report.Appeals++
		f := Found{Kind: FoundMissing, Thing: FoundAppeal, ID: row.ID}
		r.ensure(ctx, report, f, casefile.AppealWorkflowID(row.ID), false, func(ctx context.Context, evenDone bool) (bool, error) {
			return r.Cases.startAppeal(ctx, row.ID, evenDone)
		})
		return
	}
	if row.State == casefile.AppealIncomplete {
		if row.Why == casefile.WhyRestored {
			return // its words are gone: the actor could check no proof of the ruling
		}
		waits, err := r.uncertain(ctx, row.Decision, casefile.Undo)
		if err != nil {
			r.Log.WarnContext(ctx, "a reinstatement could not be looked at", "appeal", row.ID, "code", string(casefile.ErrorCode(err)))
		}
		if err != nil || !waits {
			return // what could not be taken back stays so
		}
	}
	report.Appeals++
	f := Found{Kind: FoundMissing, Thing: FoundReinstatement, ID: row.ID}
	r.ensure(ctx, report, f, casefile.ReinstatementWorkflowID(row.ID), false, func(ctx context.Context, evenDone bool) (bool, error) {
		return r.reinstate(ctx, row, evenDone)
	})
}

func (r *Reconciler) reinstate(ctx context.Context, row records.AppealRow, evenDone bool) (bool, error) {
	d, err := r.Records.Decision(ctx, row.Decision)
	if err != nil {
		return false, fmt.Errorf("read the decision that fell: %w", err)
	}
	if row.Ruling == nil || row.Bundle == nil || d.Bundle == nil {
		return false, casefile.Errorf(casefile.CodeUnproven, "the upheld appeal has no proof")
	}
	return r.Cases.startReinstatement(ctx, workflows.ReinstatementInput{
		Takedown: workflows.TakedownInput{Decision: d.Decision, Bundle: *d.Bundle}, Ruling: *row.Ruling, Bundle: *row.Bundle,
	}, evenDone)
}
