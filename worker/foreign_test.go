package worker

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// The ways in which a run under one of our ids is not ours, as the engine tells of it.
func ofType(i *workflowpb.WorkflowExecutionInfo) {
	i.Type = &commonpb.WorkflowType{Name: "Words of a stranger"}
}
func onQueue(i *workflowpb.WorkflowExecutionInfo) { i.TaskQueue = "nobody polls this" }
func pinned(i *workflowpb.WorkflowExecutionInfo) {
	i.VersioningInfo = &workflowpb.WorkflowExecutionVersioningInfo{VersioningOverride: &workflowpb.VersioningOverride{}}
}

func delayed(i *workflowpb.WorkflowExecutionInfo) {
	i.ExecutionTime = timestamppb.New(i.StartTime.AsTime().Add(time.Hour))
}

// refusedStarts are those that wait to go on the ledger.
func (n *town) refusedStarts() []map[string]string {
	n.t.Helper()
	rows, err := n.store.Unappended(n.t.Context(), 100)
	require.NoError(n.t, err)
	var out []map[string]string
	for _, row := range rows {
		if row.Type != casefile.EntryRefusedStart {
			continue
		}
		body := map[string]string{}
		require.NoError(n.t, json.Unmarshal(row.Body, &body))
		out = append(out, body)
	}
	return out
}

// TestForeign: what of a run tells that we did not start it, and that nothing of ours is taken for foreign.
func TestForeign(t *testing.T) {
	t.Parallel()
	const id = "case/synthetic/keyedhash"
	again := enums.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
	for name, c := range map[string]struct {
		id    string
		odd   func(*workflowpb.WorkflowExecutionInfo)
		begun *historypb.WorkflowExecutionStartedEventAttributes
		want  ForeignWhy
	}{
		"ours":                          {id: id},
		"another type":                  {id: id, odd: ofType, want: ForeignType},
		"a type of ours, of another id": {id: "takedown/AAAAA-AAAAA/X", odd: func(i *workflowpb.WorkflowExecutionInfo) { i.Type.Name = workflows.CaseWorkflowType }, want: ForeignType},
		"another queue":                 {id: "appeal/X", odd: onQueue, want: ForeignQueue},
		"a version of workers":          {id: "reinstatement/X", odd: pinned, want: ForeignPinned},
		"not an id of ours":             {id: "somebody/else", odd: ofType},
		"a schedule":                    {id: id, odd: delayed, begun: &historypb.WorkflowExecutionStartedEventAttributes{CronSchedule: "0 0 1 1 *"}, want: ForeignSchedule},
		"the next run of a schedule":    {id: id, odd: delayed, begun: &historypb.WorkflowExecutionStartedEventAttributes{CronSchedule: "@every 1s", Initiator: enums.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE}, want: ForeignSchedule},
		"retries":                       {id: id, odd: delayed, begun: &historypb.WorkflowExecutionStartedEventAttributes{RetryPolicy: &commonpb.RetryPolicy{}}, want: ForeignSchedule},
		"a delay":                       {id: id, odd: delayed, begun: &historypb.WorkflowExecutionStartedEventAttributes{FirstWorkflowTaskBackoff: durationpb.New(time.Hour)}, want: ForeignSchedule},
		"ours that continued early":     {id: id, odd: delayed, begun: &historypb.WorkflowExecutionStartedEventAttributes{Initiator: again, FirstWorkflowTaskBackoff: durationpb.New(time.Second)}},
		"deleted while it is looked at": {id: id, odd: delayed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &cluster{runs: map[string]enums.WorkflowExecutionStatus{c.id: enums.WORKFLOW_EXECUTION_STATUS_RUNNING},
				odd: map[string]func(*workflowpb.WorkflowExecutionInfo){c.id: c.odd}, begun: map[string]*historypb.WorkflowExecutionStartedEventAttributes{c.id: c.begun}}
			run, err := (&Cases{Client: e}).Describe(t.Context(), c.id)
			require.NoError(t, err)
			require.Equal(t, Run{ID: "run of " + c.id, State: RunRunning, Foreign: c.want}, run)
		})
	}
}

// TestPromise04ForeignRunsMakeWay: a run of another type or queue under one of our ids is ended, that run and
// no other, put on record once, and the true one is started.
func TestPromise04ForeignRunsMakeWay(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.cluster.odd = map[string]func(*workflowpb.WorkflowExecutionInfo){}
	running := enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	foreign := func(id string, status enums.WorkflowExecutionStatus, odd func(*workflowpb.WorkflowExecutionInfo)) string {
		n.cluster.runs[id], n.cluster.odd[id] = status, odd
		return id
	}
	a := n.opened("AAAAA-AAAAA")
	ofCase := foreign(workflowOf(a), running, ofType)
	d := n.decided("BBBBB-BBBBB", casefile.L4, casefile.DecisionExecuting).Decision
	ofTakedown := foreign(casefile.TakedownWorkflowID(d.Case, d.ID), running, onQueue)
	// One that a stranger's own worker brought to its end counts for nothing.
	e := n.decided("CCCCC-CCCCC", casefile.L4, casefile.DecisionExecuting).Decision
	ended := foreign(casefile.TakedownWorkflowID(e.Case, e.ID), enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, ofType)
	appeal := func(id string, of casefile.Decision, upheld bool) {
		_, _, err := n.store.PutAppeal(t.Context(), records.AppealRow{ID: id, Kind: casefile.AppealByAccount, Decision: of.ID, Case: of.Case, Platform: "synthetic",
			Account: of.Account, OpenedBy: casefile.System, OpenedAt: noon, DueAt: noon})
		require.NoError(t, err)
		if !upheld {
			return
		}
		require.NoError(t, n.store.ProjectAppeal(t.Context(), records.AppealProjection{ID: id, State: casefile.AppealUpheld, Revision: 1, Now: noon,
			Ruling: &casefile.AppealRuling{ID: "RULING", Appeal: id, Decision: of.ID, Outcome: casefile.OutcomeUpheld, Person: "p-dora0000", Role: casefile.RoleSenior, At: noon},
			Bundle: &casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("ruling")}}))
	}
	first, second := casefile.NewID(), casefile.NewID()
	appeal(first, n.decided("DDDDD-DDDDD", casefile.L4, casefile.DecisionDone).Decision, false)
	appeal(second, n.decided("EEEEE-EEEEE", casefile.L4, casefile.DecisionDone).Decision, true)
	ofAppeal := foreign(casefile.AppealWorkflowID(first), running, ofType)
	ofReinstatement := foreign(casefile.ReinstatementWorkflowID(second), running, pinned)

	found := n.once().Found
	require.ElementsMatch(t, []Found{
		{Kind: FoundForeign, Thing: FoundCase, ID: "AAAAA-AAAAA", Started: true},
		{Kind: FoundForeign, Thing: FoundTakedown, ID: d.ID, Started: true},
		{Kind: FoundForeign, Thing: FoundTakedown, ID: e.ID, Started: true},
		{Kind: FoundForeign, Thing: FoundAppeal, ID: first, Started: true},
		{Kind: FoundForeign, Thing: FoundReinstatement, ID: second, Started: true},
	}, found)
	var ends []string
	for _, id := range []string{ofCase, ofTakedown, ofAppeal, ofReinstatement} {
		ends = append(ends, id+" run of "+id)
	}
	require.ElementsMatch(t, ends, n.cluster.terminated, "those very runs, and none that had ended")
	require.Equal(t, []string{ofCase + " flag of AAAAA-AAAAA"}, n.cluster.signalled)
	for _, o := range n.cluster.started {
		require.Contains(t, []string{ofTakedown, ended, ofAppeal, ofReinstatement}, o.ID)
		require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy, "also where the foreign one ended well")
	}
	want := []map[string]string{
		{"kind": "Case", "platform": "synthetic", "thing": "", "why": "type"}, // the account's key of this test has no key's form
		{"kind": "Takedown", "platform": "", "thing": "", "why": "queue"},
		{"kind": "Takedown", "platform": "", "thing": "", "why": "type"},
		{"kind": "Appeal", "platform": "", "thing": first, "why": "type"},
		{"kind": "Reinstatement", "platform": "", "thing": second, "why": "pinned"},
	}
	require.ElementsMatch(t, want, n.refusedStarts())
	require.NotContains(t, n.log.String(), "stranger")

	n.cluster.states[ofCase] = workflows.CaseState{Ref: a.Ref, Revision: a.Revision}
	delete(n.cluster.odd, ended)
	require.Empty(t, n.once().Found)
	require.Len(t, n.refusedStarts(), len(want), "each once")
}

// TestForeignRunIsOnRecordBeforeItEnds: what cannot be put on record is not ended; and what is ended twice,
// because a process died between, stands there once.
func TestForeignRunIsOnRecordBeforeItEnds(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	row := n.opened("AAAAA-AAAAA")
	id := workflowOf(row)
	n.cluster.runs[id] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	n.cluster.odd = map[string]func(*workflowpb.WorkflowExecutionInfo){id: onQueue}
	refused := n.r.Cases.Refused
	n.r.Cases.Refused = nil
	require.Equal(t, []Found{{Kind: FoundForeign, Thing: FoundCase, ID: "AAAAA-AAAAA", Code: casefile.CodeInternal}}, n.once().Found)
	require.Empty(t, n.cluster.terminated)
	require.Empty(t, n.cluster.signalled, "what it would be signalled would be lost")

	n.r.Cases.Refused = refused
	for range 2 { // the account's flags go on without a case's row as well
		n.cluster.runs[id], n.cluster.odd[id] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING, onQueue
		require.NoError(t, n.r.Cases.Reclaim(t.Context(), row.Platform, row.Account))
	}
	require.Equal(t, []string{id + " run of " + id, id + " run of " + id}, n.cluster.terminated)
	require.Len(t, n.refusedStarts(), 1)

	// Our own run, and one that ended, are left alone.
	n.cluster.terminated = nil
	n.cluster.runs[id] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	require.NoError(t, n.r.Cases.Reclaim(t.Context(), row.Platform, row.Account))
	n.cluster.runs[id], n.cluster.odd[id] = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, onQueue
	require.NoError(t, n.r.Cases.Reclaim(t.Context(), row.Platform, row.Account))
	delete(n.cluster.runs, id)
	require.NoError(t, n.r.Cases.Reclaim(t.Context(), row.Platform, row.Account))
	require.Empty(t, n.cluster.terminated)
}
