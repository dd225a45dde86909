package worker

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// What the refusals call that which no interceptor of the SDK is shown.
const (
	verbSignal   = "signal"          // of a name that the workflow does not have, or with content that nobody can read
	verbContinue = "signal.continue" // an operator's, which carries nobody's word: obeyed, for it changes nothing of the case
	verbUpdate   = "update"          // of a name that is no verb's
)

// updateNames are the Updates that some workflow of ours has.
var updateNames = map[string]bool{
	workflows.UpdateClaim: true, workflows.UpdateHeartbeat: true, workflows.UpdateRelease: true, workflows.UpdateComment: true,
	workflows.UpdateOpinion: true, workflows.UpdateWithdraw: true, workflows.UpdateClose: true, workflows.UpdateSnooze: true,
	workflows.UpdateHold: true, workflows.UpdateHandOver: true, workflows.UpdateEscalate: true, workflows.UpdateMoveDeadline: true,
	workflows.UpdateForceRelease: true, workflows.UpdateRefer: true, workflows.UpdateErase: true, workflows.UpdateSettle: true,
	workflows.UpdateAppealClaim: true, workflows.UpdateAppealRelease: true, workflows.UpdateAppealRule: true,
}

// EngineWatch looks at what the engine hands to the role work and what it answers, and puts on record what
// the SDK drops or refuses before any interceptor of a workflow sees it: signals of unknown names or with
// content that cannot be read, Updates of unknown names or with such arguments, and starts with such input.
// It changes nothing of it and holds nothing up. Names and contents are a stranger's words and are not kept.
type EngineWatch struct {
	data     converter.DataConverter
	refusals atomic.Pointer[refusals] // nil until the role work starts: no other role looks
}

// NewEngineWatch makes a watch that opens payloads with data.
func NewEngineWatch(data converter.DataConverter) *EngineWatch { return &EngineWatch{data: data} }

// Option puts the watch into a client's connection.
func (w *EngineWatch) Option() grpc.DialOption { return grpc.WithChainUnaryInterceptor(w.intercept) }

func (w *EngineWatch) intercept(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := call(ctx, method, req, reply, cc, opts...)
	r := w.refusals.Load()
	if err != nil || r == nil {
		return err
	}
	switch req := req.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		if task, ok := reply.(*workflowservice.PollWorkflowTaskQueueResponse); ok {
			w.task(r, task)
		}
	case *workflowservice.RespondWorkflowTaskCompletedRequest:
		for _, m := range req.GetMessages() {
			w.answer(r, m)
		}
		if next, ok := reply.(*workflowservice.RespondWorkflowTaskCompletedResponse); ok {
			w.task(r, next.GetWorkflowTask())
		}
	case *workflowservice.GetWorkflowExecutionHistoryRequest: // the further pages of a long one
		if page, ok := reply.(*workflowservice.GetWorkflowExecutionHistoryResponse); ok && len(req.GetNextPageToken()) > 0 {
			x := req.GetExecution()
			w.signals(r, x.GetWorkflowId(), x.GetRunId(), page.GetHistory().GetEvents(), 0)
		}
	}
	return nil
}

// task looks at what is new to a run.
func (w *EngineWatch) task(r *refusals, task *workflowservice.PollWorkflowTaskQueueResponse) {
	id, run := task.GetWorkflowExecution().GetWorkflowId(), task.GetWorkflowExecution().GetRunId()
	events := task.GetHistory().GetEvents()
	if task.GetPreviousStartedEventId() == 0 && len(events) > 0 {
		w.start(r, id, run, events[0].GetWorkflowExecutionStartedEventAttributes())
	}
	w.signals(r, id, run, events, task.GetPreviousStartedEventId())
}

// start notes a start of one of our types with input that its function will never see: the SDK fails the run.
func (w *EngineWatch) start(r *refusals, id, run string, s *historypb.WorkflowExecutionStartedEventAttributes) {
	if s == nil || s.GetInitiator() != enums.CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED || len(s.GetInput().GetPayloads()) == 0 {
		return
	}
	var in any
	switch s.GetWorkflowType().GetName() {
	case workflows.CaseWorkflowType:
		in = &workflows.CaseInput{}
	case workflows.TakedownWorkflowType:
		in = &workflows.TakedownInput{}
	case workflows.AppealWorkflowType:
		in = &workflows.AppealInput{}
	case workflows.ReinstatementWorkflowType:
		in = &workflows.ReinstatementInput{}
	default:
		return
	}
	if w.data.FromPayloads(s.GetInput(), in) == nil {
		return
	}
	ask := workflows.StartOf(id)
	ask.Why = "input"
	r.noteStart(run, ask)
}

// signals notes the signals after an event that no workflow takes in. Of one signal there is one record, also
// where its event is handed out again.
func (w *EngineWatch) signals(r *refusals, id, run string, events []*historypb.HistoryEvent, after int64) {
	isCase := workflows.StartOf(id).Kind == workflows.CaseWorkflowType
	for _, e := range events {
		s := e.GetWorkflowExecutionSignaledEventAttributes()
		if s == nil || e.GetEventId() <= after {
			continue
		}
		verb, code := verbSignal, casefile.CodeForbidden
		switch {
		case isCase && s.GetSignalName() == workflows.SignalFlag:
			var sig workflows.FlagSignal
			if w.data.FromPayloads(s.GetInput(), &sig) == nil {
				continue
			}
			code = casefile.CodeInvalid
		case isCase && s.GetSignalName() == workflows.SignalContinue:
			verb = verbContinue
		}
		r.add(records.Refusal{Verb: verb, Code: code, At: r.now(), Key: run + "/" + strconv.FormatInt(e.GetEventId(), 10) + "/signal"})
	}
}

// answer notes the refusal of an Update that no validator was asked about.
func (w *EngineWatch) answer(r *refusals, m *protocolpb.Message) {
	var no updatepb.Rejection
	if !m.GetBody().MessageIs(&no) || m.GetBody().UnmarshalTo(&no) != nil {
		return
	}
	name := no.GetRejectedRequest().GetInput().GetName()
	if r.validated(name, m.GetProtocolInstanceId()) {
		return
	}
	row := records.Refusal{Verb: verbUpdate, Code: casefile.CodeForbidden, At: r.now(), Key: casefile.NewID()}
	if updateNames[name] {
		row.Verb, row.Code = name, casefile.CodeInvalid
	}
	r.add(row)
}

// noteStart hands a refused start over without waiting.
func (r *refusals) noteStart(run string, ask workflows.DropStartAsk) {
	if r.refuseStart == nil {
		return
	}
	r.queueUp(refused{row: records.Refusal{Verb: "start", Code: casefile.CodeForbidden}, write: func(ctx context.Context) error {
		err := r.refuseStart(ctx, run, ask)
		if err != nil {
			return fmt.Errorf("put a refused start on record: %w", err)
		}
		return nil
	}})
}
