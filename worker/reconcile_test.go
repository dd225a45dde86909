package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/workflows"
)

// cluster is a workflow engine as far as reconciling goes: runs by workflow id, with what they know.
type cluster struct {
	client.Client
	runs       map[string]enums.WorkflowExecutionStatus
	states     map[string]workflows.CaseState // what a case's run answers
	queryErr   error
	queries    map[string]int
	meanwhile  func()                                                        // called while a workflow is being looked at
	odd        map[string]func(*workflowpb.WorkflowExecutionInfo)            // what the engine tells of a run otherwise
	begun      map[string]*historypb.WorkflowExecutionStartedEventAttributes // first events of those that waited
	reset      string                                                        // behind the ids of runs
	startErr   error
	terminated []string
	signalled  []string
	started    []client.StartWorkflowOptions
	inputs     []any
}

func (c *cluster) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if c.meanwhile != nil {
		c.meanwhile()
	}
	status, there := c.runs[id]
	if !there {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run of " + id + c.reset}, Status: status,
		Type: &commonpb.WorkflowType{Name: workflows.StartOf(id).Kind}, TaskQueue: workflows.TaskQueueCases,
		StartTime: timestamppb.New(noon), ExecutionTime: timestamppb.New(noon),
	}
	if odd := c.odd[id]; odd != nil {
		odd(info)
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// firstEvent is a history of which nobody needs more.
type firstEvent struct {
	client.HistoryEventIterator
	started *historypb.WorkflowExecutionStartedEventAttributes
}

func (f firstEvent) HasNext() bool { return f.started != nil }
func (f firstEvent) Next() (*historypb.HistoryEvent, error) {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: f.started}}, nil
}

func (c *cluster) GetWorkflowHistory(_ context.Context, id, run string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	if run != "run of "+id+c.reset {
		return firstEvent{}
	}
	return firstEvent{started: c.begun[id]}
}

type encoded struct{ state workflows.CaseState }

func (e encoded) HasValue() bool { return true }
func (e encoded) Get(out any) error {
	*out.(*workflows.CaseState) = e.state
	return nil
}

func (c *cluster) QueryWorkflow(_ context.Context, id, run, query string, _ ...any) (converter.EncodedValue, error) {
	if c.queries != nil {
		c.queries[id]++
	}
	if c.queryErr != nil || query != workflows.QueryState || run != "run of "+id+c.reset {
		return nil, c.queryErr
	}
	return encoded{c.states[id]}, nil
}

func (c *cluster) TerminateWorkflow(_ context.Context, id, run, _ string, _ ...any) error {
	c.terminated = append(c.terminated, id+" "+run)
	c.runs[id] = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	delete(c.odd, id)
	return nil
}

func (c *cluster) SignalWithStartWorkflow(_ context.Context, id, _ string, arg any, _ client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	if c.startErr != nil {
		return nil, c.startErr
	}
	c.signalled = append(c.signalled, id+" "+string(arg.(workflows.FlagSignal).Flag))
	c.runs[id] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	return nil, nil
}

func (c *cluster) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if c.startErr != nil {
		return nil, c.startErr
	}
	c.started = append(c.started, o)
	c.inputs = append(c.inputs, args...)
	c.runs[o.ID] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	return nil, nil
}

// town is records with a cluster beside them.
type town struct {
	t       *testing.T
	store   *sqlite.Store
	cluster *cluster
	r       *Reconciler
	log     *bytes.Buffer
}

func newTown(t *testing.T) *town {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "records.sqlite"), Fast: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	c := &cluster{runs: map[string]enums.WorkflowExecutionStatus{}, states: map[string]workflows.CaseState{}}
	n := &town{t: t, store: store, cluster: c, log: &bytes.Buffer{}}
	log, now := slog.New(slog.NewTextHandler(n.log, nil)), func() time.Time { return noon }
	n.r = &Reconciler{Cases: &Cases{Client: c, Refused: &activities.StartRefuser{Records: store, Log: log, Now: now}}, Records: store, Log: log, Now: now}
	return n
}

func (n *town) once() Report {
	n.t.Helper()
	report, err := n.r.Once(n.t.Context())
	require.NoError(n.t, err)
	require.Equal(n.t, noon, report.At)
	return report
}

// opened is a case in its queue, of an account and a flag of its own.
func (n *town) opened(ref casefile.CaseRef) records.Case {
	n.t.Helper()
	account, flag := casefile.AccountKey("account of "+ref), casefile.FlagKey("flag of "+ref)
	_, err := n.store.PutAccountKey(n.t.Context(), records.WrappedKey{Account: account, Platform: "synthetic", Wrapped: []byte("key"), KeyID: "k", At: noon})
	require.NoError(n.t, err)
	_, _, err = n.store.PutFlag(n.t.Context(), records.FlagReceipt{Flag: flag, Account: account, Platform: "synthetic", Digest: "d", Sealed: "sealed", Source: "p-detector", At: noon, Status: records.FlagPending})
	require.NoError(n.t, err)
	_, err = n.store.TakeIn(n.t.Context(), "synthetic", account, flag, ref, noon)
	require.NoError(n.t, err)
	n.project(ref, func(*records.Projection) {})
	return n.row(ref)
}

func (n *town) row(ref casefile.CaseRef) records.Case {
	n.t.Helper()
	row, err := n.store.Case(n.t.Context(), ref)
	require.NoError(n.t, err)
	return row
}

func (n *town) project(ref casefile.CaseRef, change func(*records.Projection)) {
	n.t.Helper()
	row := n.row(ref)
	row.Revision++
	row.State, row.EvidenceRevision = casefile.StateQueued, 1
	row.Route = casefile.Route{Queue: "general", Tier: casefile.TierAlert, DueAt: noon, DecideBy: noon, Rule: "r", RuleSet: "v"}
	p := records.Projection{Case: row, Now: noon}
	change(&p)
	require.NoError(n.t, n.store.Project(n.t.Context(), p))
}

func workflowOf(row records.Case) string { return casefile.CaseWorkflowID(row.Platform, row.Account) }

// decided is a closed case whose decision is proven.
func (n *town) decided(ref casefile.CaseRef, action casefile.Action, state casefile.DecisionState) records.DecisionRow {
	n.t.Helper()
	row := n.opened(ref)
	o := casefile.Opinion{ID: "OPINION" + string(ref[:5]), Person: "p-anna0000", Role: casefile.RoleReviewer, At: noon, Relied: 1, Form: "form", Digest: "digest",
		Judgement: casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}},
		Notice:    &casefile.NoticeRef{Number: "NOTICE" + string(ref[:5]), Text: "text", Digest: "digest"}}
	if action.Timed() {
		o.Days = 7
	}
	d := casefile.Decision{ID: o.ID, Case: ref, Platform: "synthetic", Account: row.Account, Judgement: o.Judgement, DecidedBy: casefile.ByOneOpinion, DecidedAt: noon,
		Opinions: []casefile.Opinion{o}, OpinionEvents: []casefile.EventID{casefile.NewEventID(casefile.CaseChain(ref), 3)}}
	bundle := casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("entry of " + d.ID)}
	n.project(ref, func(p *records.Projection) {
		p.Case.State, p.Case.Decision = casefile.StateProven, d.ID
		p.Decision = &records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: casefile.NewEventID(casefile.CaseChain(ref), 4), Hash: casefile.EntryHash(bundle.Entry), Bundle: &bundle}
	})
	n.project(ref, func(p *records.Projection) {
		p.Case.State, p.Case.ClosedAt, p.Case.CloseReason = casefile.StateClosed, &noon, casefile.CloseDecided
	})
	if state != casefile.DecisionRecorded {
		require.NoError(n.t, n.store.AdvanceDecision(n.t.Context(), d.ID, casefile.DecisionExecuting, "", nil, noon))
		if state == casefile.DecisionEnded {
			require.NoError(n.t, n.store.AdvanceDecision(n.t.Context(), d.ID, casefile.DecisionDone, "", nil, noon))
		}
		require.NoError(n.t, n.store.AdvanceDecision(n.t.Context(), d.ID, state, "", nil, noon))
	}
	out, err := n.store.Decision(n.t.Context(), d.ID)
	require.NoError(n.t, err)
	return out
}

// TestPromise04LostCasesAreStartedAgain: a case whose run was terminated or deleted, and one whose run
// was reset behind what the records have shown, go on; every other run is left alone.
func TestPromise04LostCasesAreStartedAgain(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	status := func(s enums.WorkflowExecutionStatus, knows func(records.Case) workflows.CaseState) func(records.Case) {
		return func(row records.Case) {
			n.cluster.runs[workflowOf(row)] = s
			if knows != nil {
				n.cluster.states[workflowOf(row)] = knows(row)
			}
		}
	}
	running := enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	at := func(more int) func(records.Case) workflows.CaseState {
		return func(row records.Case) workflows.CaseState {
			return workflows.CaseState{Ref: row.Ref, Revision: row.Revision + more}
		}
	}
	cases := map[casefile.CaseRef]struct {
		set  func(records.Case)
		want FoundKind
	}{
		"AAAAA-AAAAA": {func(records.Case) {}, FoundMissing}, // deleted
		"BBBBB-BBBBB": {status(enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, nil), FoundMissing},
		"CCCCC-CCCCC": {status(enums.WORKFLOW_EXECUTION_STATUS_FAILED, nil), FoundMissing},
		"DDDDD-DDDDD": {status(enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, nil), FoundMissing}, // and yet its case is open
		"EEEEE-EEEEE": {status(running, at(-1)), FoundBehind},
		"FFFFF-FFFFF": {status(running, at(0)), ""},
		"GGGGG-GGGGG": {status(running, at(3)), ""},
		"HHHHH-HHHHH": {status(running, func(records.Case) workflows.CaseState { return workflows.CaseState{} }), ""},                   // just started
		"JJJJJ-JJJJJ": {status(running, func(records.Case) workflows.CaseState { return workflows.CaseState{Ref: "KKKKK-KKKKK"} }), ""}, // at the case before
	}
	var want []Found
	for ref, c := range cases {
		row := n.opened(ref)
		n.project(ref, func(*records.Projection) {})
		row = n.row(row.Ref)
		c.set(row)
		if c.want != "" {
			want = append(want, Found{Kind: c.want, Thing: FoundCase, ID: string(ref), Started: true})
		}
	}
	report := n.once()
	require.Equal(t, len(cases), report.Cases)
	require.ElementsMatch(t, want, report.Found)
	var signals []string
	for _, f := range want {
		ref := casefile.CaseRef(f.ID)
		signals = append(signals, workflowOf(n.row(ref))+" flag of "+f.ID)
	}
	require.ElementsMatch(t, signals, n.cluster.signalled, "each by one of its own flags")
	behind := workflowOf(n.row("EEEEE-EEEEE"))
	require.Equal(t, []string{behind + " run of " + behind}, n.cluster.terminated, "that very run")

	n.cluster.states[behind] = workflows.CaseState{Ref: "EEEEE-EEEEE", Revision: 9}
	require.Empty(t, n.once().Found, "once is enough")
}

// TestReconcileLooksAgainBeforeItStarts: what came to its end while it was looked at needs nothing.
func TestReconcileLooksAgainBeforeItStarts(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.opened("AAAAA-AAAAA")
	n.cluster.meanwhile = func() {
		n.project("AAAAA-AAAAA", func(p *records.Projection) {
			p.Case.State, p.Case.ClosedAt, p.Case.CloseReason = casefile.StateClosed, &noon, casefile.CloseTest
		})
	}
	require.Empty(t, n.once().Found)
	require.Empty(t, n.cluster.signalled)

	n.cluster.meanwhile = nil
	d := n.decided("BBBBB-BBBBB", casefile.L4, casefile.DecisionExecuting).Decision
	n.cluster.meanwhile = func() {
		require.NoError(t, n.store.AdvanceDecision(t.Context(), d.ID, casefile.DecisionDone, "", nil, noon))
	}
	require.Empty(t, n.once().Found)
	require.Empty(t, n.cluster.started)

	// A takedown that came to its end is not done again, whatever its row says.
	n.cluster.meanwhile = nil
	e := n.decided("CCCCC-CCCCC", casefile.L4, casefile.DecisionExecuting).Decision
	n.cluster.runs[casefile.TakedownWorkflowID(e.Case, e.ID)] = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	require.Empty(t, n.once().Found)
	require.Empty(t, n.cluster.started)
}

// TestReconcileAsksARunOnce: as long as it is the same run; a reset one is another.
func TestReconcileAsksARunOnce(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	row := n.opened("AAAAA-AAAAA")
	id := workflowOf(row)
	n.cluster.runs[id] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	n.cluster.states[id] = workflows.CaseState{Ref: row.Ref, Revision: row.Revision}
	n.cluster.queries = map[string]int{}
	n.project(row.Ref, func(*records.Projection) {})
	n.cluster.states[id] = workflows.CaseState{Ref: row.Ref, Revision: row.Revision + 1}
	for range 3 {
		require.Empty(t, n.once().Found)
	}
	require.Equal(t, 1, n.cluster.queries[id])
	n.cluster.reset = " reset"
	n.cluster.states[id] = workflows.CaseState{Ref: row.Ref, Revision: row.Revision}
	require.Equal(t, []Found{{Kind: FoundBehind, Thing: FoundCase, ID: "AAAAA-AAAAA", Started: true}}, n.once().Found)
}

// TestReconcileGoesOn: what cannot be looked at or started keeps nothing else from its turn.
func TestReconcileGoesOn(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.opened("AAAAA-AAAAA")
	row := n.opened("BBBBB-BBBBB")
	n.cluster.runs[workflowOf(row)] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	n.cluster.queryErr = serviceerror.NewUnavailable("words of the engine")
	n.cluster.startErr = serviceerror.NewUnavailable("words of the engine")
	report := n.once()
	require.Equal(t, []Found{{Kind: FoundMissing, Thing: FoundCase, ID: "AAAAA-AAAAA", Code: casefile.CodeUnavailable}}, report.Found)
	require.Empty(t, n.cluster.terminated, "a run that does not answer is not one that is behind")
	require.NotContains(t, n.log.String(), "words of the engine")
	raw, err := json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, `{"at":"2026-03-02T12:00:00Z","cases":2,"takedowns":0,"appeals":0,"found":[{"kind":"missing","thing":"case","id":"AAAAA-AAAAA","started":false,"code":"unavailable"}]}`, string(raw))

	n.r.Records = brokenList{n.store}
	_, err = n.r.Once(t.Context())
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

type brokenList struct{ records.Store }

func (brokenList) OpenCases(context.Context, casefile.CaseRef, int) ([]records.Case, error) {
	return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "down", Err: errors.New("down")}
}

// TestReconcileTakedowns: a decision whose takedown has something left to do and does not run.
func TestReconcileTakedowns(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	rows := map[casefile.CaseRef]records.DecisionRow{}
	for ref, c := range map[casefile.CaseRef]struct {
		action casefile.Action
		state  casefile.DecisionState
	}{
		"AAAAA-AAAAA": {casefile.L4, casefile.DecisionRecorded},
		"BBBBB-BBBBB": {casefile.L4, casefile.DecisionExecuting},
		"CCCCC-CCCCC": {casefile.L5, casefile.DecisionDone}, // has to end
		"DDDDD-DDDDD": {casefile.L4, casefile.DecisionDone}, // has yet to be told
		"EEEEE-EEEEE": {casefile.L4, casefile.DecisionUncertain},
		"FFFFF-FFFFF": {casefile.L4, casefile.DecisionDone},
		"GGGGG-GGGGG": {casefile.L4, casefile.DecisionFailed},
		"HHHHH-HHHHH": {casefile.L0, casefile.DecisionRecorded},
		"JJJJJ-JJJJJ": {casefile.L4, casefile.DecisionRecorded}, // its takedown runs
		"KKKKK-KKKKK": {casefile.L5, casefile.DecisionEnded},
		"MMMMM-MMMMM": {casefile.L4, casefile.DecisionExecuting}, // a forged start of its id failed
		"NNNNN-NNNNN": {casefile.L4, casefile.DecisionUncertain}, // and nothing of it waits for anybody
	} {
		rows[ref] = n.decided(ref, c.action, c.state)
	}
	id := func(ref casefile.CaseRef) string { return casefile.TakedownWorkflowID(ref, rows[ref].Decision.ID) }
	n.cluster.runs[id("JJJJJ-JJJJJ")] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	n.cluster.runs[id("MMMMM-MMMMM")] = enums.WORKFLOW_EXECUTION_STATUS_FAILED
	n.cluster.runs[id("BBBBB-BBBBB")] = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	notice := func(ref casefile.CaseRef, state casefile.NoticeState) {
		d := rows[ref].Decision
		_, err := n.store.PutNotice(t.Context(), records.NoticeRow{Number: d.Notice().Number, Decision: d.ID, Case: ref, State: casefile.NoticePlanned, Text: "text", Digest: "digest", At: noon})
		require.NoError(t, err)
		require.NoError(t, n.store.SetNoticeState(t.Context(), d.Notice().Number, state, noon))
	}
	notice("DDDDD-DDDDD", casefile.NoticePlanned)
	notice("FFFFF-FFFFF", casefile.NoticeSent)
	act := casefile.PlanActs(rows["EEEEE-EEEEE"].Decision, 1)[0]
	_, err := n.store.PlanActs(t.Context(), []records.ActRow{{Act: act, Direction: casefile.Do, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "digest", PlannedAt: noon}})
	require.NoError(t, err)
	_, err = n.store.EndAct(t.Context(), casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActUncertain, At: noon, Why: "no_lookup"})
	require.NoError(t, err)

	report := n.once()
	var want []Found
	for _, ref := range []casefile.CaseRef{"AAAAA-AAAAA", "BBBBB-BBBBB", "CCCCC-CCCCC", "DDDDD-DDDDD", "EEEEE-EEEEE", "MMMMM-MMMMM"} {
		want = append(want, Found{Kind: FoundMissing, Thing: FoundTakedown, ID: rows[ref].Decision.ID, Started: true})
	}
	require.ElementsMatch(t, want, report.Found)
	require.Equal(t, 7, report.Takedowns)
	for i, o := range n.cluster.started {
		in := n.cluster.inputs[i].(workflows.TakedownInput)
		row := rows[in.Decision.Case]
		require.Equal(t, row.Decision, in.Decision)
		require.Equal(t, *row.Bundle, in.Bundle)
		require.Equal(t, id(in.Decision.Case), o.ID)
	}
	require.Empty(t, n.once().Found)
}

// TestReconcileAppeals: appeals that wait for their ruling, and reinstatements of those upheld.
func TestReconcileAppeals(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	ids := map[casefile.AppealState]string{}
	var want []Found
	for ref, state := range map[casefile.CaseRef]casefile.AppealState{
		"AAAAA-AAAAA": casefile.AppealOpen, "BBBBB-BBBBB": casefile.AppealClaimed, "CCCCC-CCCCC": casefile.AppealDecided, "DDDDD-DDDDD": casefile.AppealRejected,
		"EEEEE-EEEEE": casefile.AppealUpheld, "FFFFF-FFFFF": casefile.AppealIncomplete, "GGGGG-GGGGG": casefile.AppealReinstated,
	} {
		d := n.decided(ref, casefile.L4, casefile.DecisionDone)
		id := "APPEAL" + string(ref[:5])
		ids[state] = id
		_, _, err := n.store.PutAppeal(t.Context(), records.AppealRow{ID: id, Kind: casefile.AppealByAccount, Decision: d.Decision.ID, Case: ref, Platform: "synthetic",
			Account: d.Decision.Account, OpenedBy: casefile.System, OpenedAt: noon, DueAt: noon})
		require.NoError(t, err)
		p := records.AppealProjection{ID: id, State: state, Revision: 1, Now: noon}
		if !state.Open() {
			p.Ruling = &casefile.AppealRuling{ID: "RULING", Appeal: id, Decision: d.Decision.ID, Outcome: casefile.OutcomeUpheld, Person: "p-dora0000", Role: casefile.RoleSenior, At: noon}
		}
		switch state {
		case casefile.AppealUpheld, casefile.AppealIncomplete, casefile.AppealReinstated:
			p.State, p.Bundle = casefile.AppealUpheld, &casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("ruling of " + id)}
		}
		require.NoError(t, n.store.ProjectAppeal(t.Context(), p))
		if state != p.State {
			require.NoError(t, n.store.EndAppeal(t.Context(), id, state, "uncertain", noon))
		}
		if state == casefile.AppealIncomplete {
			act := casefile.PlanActs(d.Decision, 1)[0]
			_, err = n.store.PlanActs(t.Context(), []records.ActRow{{Act: act, Direction: casefile.Undo, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "digest", PlannedAt: noon}})
			require.NoError(t, err)
		}
	}
	for state, thing := range map[casefile.AppealState]FoundThing{
		casefile.AppealOpen: FoundAppeal, casefile.AppealClaimed: FoundAppeal, casefile.AppealDecided: FoundAppeal, casefile.AppealUpheld: FoundReinstatement,
	} {
		want = append(want, Found{Kind: FoundMissing, Thing: thing, ID: ids[state], Started: true})
	}
	report := n.once()
	require.ElementsMatch(t, want, report.Found, "what could not be taken back for good stays so")
	require.Equal(t, 4, report.Appeals)
	reinstated := 0
	for i, o := range n.cluster.started {
		switch in := n.cluster.inputs[i].(type) {
		case workflows.AppealInput:
			require.Equal(t, casefile.AppealWorkflowID(in.Appeal), o.ID)
		case workflows.ReinstatementInput:
			reinstated++
			require.Equal(t, casefile.ReinstatementWorkflowID(ids[casefile.AppealUpheld]), o.ID)
			require.Equal(t, ids[casefile.AppealUpheld], in.Ruling.Appeal)
			require.Equal(t, []byte("ruling of "+in.Ruling.Appeal), in.Bundle.Entry)
			require.Equal(t, in.Ruling.Decision, in.Takedown.Decision.ID)
			require.NotEmpty(t, in.Takedown.Bundle.Entry)
		}
	}
	require.Equal(t, 1, reinstated)
	require.Empty(t, n.once().Found)

	// An act that waits for a person keeps its reinstatement waiting for it.
	rows, err := n.store.Appeal(t.Context(), ids[casefile.AppealIncomplete])
	require.NoError(t, err)
	d, err := n.store.Decision(t.Context(), rows.Decision)
	require.NoError(t, err)
	_, err = n.store.EndAct(t.Context(), casefile.ActOutcome{Act: casefile.PlanActs(d.Decision, 1)[0], Direction: casefile.Undo, State: casefile.ActUncertain, At: noon, Why: "no_lookup"})
	require.NoError(t, err)
	require.Equal(t, []Found{{Kind: FoundMissing, Thing: FoundReinstatement, ID: rows.ID, Started: true}}, n.once().Found)
}

// counted tells of every round.
type counted struct {
	records.Store
	rounds chan struct{}
}

func (c counted) UnfinishedDecisions(ctx context.Context, _ string, _ int) ([]records.DecisionRow, error) {
	select {
	case c.rounds <- struct{}{}:
	case <-ctx.Done():
	}
	return nil, nil
}

// TestReconcilerRunsAgain and again until it is stopped.
func TestReconcilerRunsAgain(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	rounds := make(chan struct{})
	n.r.Every = time.Millisecond
	n.r.Records = counted{n.r.Records, rounds}
	l := NewLoop(n.r.Run)
	require.NoError(t, l.Start(t.Context()))
	<-rounds
	<-rounds
	require.NoError(t, l.Stop(t.Context()))
	require.NoError(t, NewLoop(n.r.Run).Stop(t.Context()), "one that was never started")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	c := &cluster{runs: map[string]enums.WorkflowExecutionStatus{}}
	cases := &Cases{Client: c}
	for status, want := range map[enums.WorkflowExecutionStatus]RunState{
		enums.WORKFLOW_EXECUTION_STATUS_RUNNING: RunRunning, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED: RunDone, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: RunDone,
		enums.WORKFLOW_EXECUTION_STATUS_FAILED: RunFailed, enums.WORKFLOW_EXECUTION_STATUS_CANCELED: RunFailed, enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: RunFailed,
		enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: RunFailed,
	} {
		c.runs["takedown/x"] = status
		run, err := cases.Describe(t.Context(), "takedown/x")
		require.NoError(t, err)
		require.Equal(t, Run{ID: "run of takedown/x", State: want}, run, status)
	}
	run, err := cases.Describe(t.Context(), "takedown/y")
	require.NoError(t, err)
	require.Equal(t, Run{State: RunNone}, run)
	running, err := cases.Running(t.Context(), "synthetic", "keyedhash")
	require.NoError(t, err)
	require.False(t, running)
	c.runs["case/synthetic/keyedhash"] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	running, err = cases.Running(t.Context(), "synthetic", "keyedhash")
	require.NoError(t, err)
	require.True(t, running)
}
