package worker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Limits of the refusals that wait to be written down.
const (
	maxRefusals     = 1024
	refusalTimeout  = 5 * time.Second
	refusalAttempts = 3
	refusalPause    = 200 * time.Millisecond
)

// refusals puts refused verbs on record, beside the workflows: a workflow must neither wait for the
// records nor depend on them. What cannot be written down is logged.
type refusals struct {
	verify Verify
	put    func(ctx context.Context, r records.Refusal) error
	now    func() time.Time
	log    *slog.Logger
	// refuseStart puts a refused start on record; nil drops those that are handed over.
	refuseStart func(ctx context.Context, run string, ask workflows.DropStartAsk) error

	mu     sync.Mutex // guards closed against a late hand-over, and seen
	closed bool
	seen   map[string]bool // refusals by a validator that the engine has not been told of yet
	queue  chan refused
	done   sync.WaitGroup
}

// refused is what waits to be put on record. write does it; nil puts row.
type refused struct {
	row   records.Refusal
	write func(ctx context.Context) error
}

func newRefusals(verify Verify, put func(context.Context, records.Refusal) error, log *slog.Logger) *refusals {
	return &refusals{verify: verify, put: put, now: time.Now, log: log, seen: map[string]bool{}, queue: make(chan refused, maxRefusals)}
}

func (r *refusals) start() {
	r.done.Go(func() {
		for x := range r.queue {
			r.write(x)
		}
	})
}

// stop writes what waits and ends.
func (r *refusals) stop() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	r.done.Wait()
}

// write writes one refusal, a few times over: its key makes it one row.
func (r *refusals) write(x refused) {
	put := x.write
	if put == nil {
		put = func(ctx context.Context) error { return r.put(ctx, x.row) }
	}
	var err error
	for attempt := range refusalAttempts {
		if attempt > 0 {
			time.Sleep(refusalPause)
		}
		ctx, cancel := context.WithTimeout(context.Background(), refusalTimeout)
		err = put(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	r.log.Error("a refused verb is not on record", "verb", x.row.Verb, "code", string(x.row.Code), "error", string(casefile.ErrorCode(err)))
}

// note hands a refusal over without waiting.
func (r *refusals) note(name string, args []any, err error, accepted bool) {
	row := records.Refusal{Verb: name, Code: refusalCode(err), At: r.now(), Key: casefile.NewID()}
	v, known := verbOf(args)
	if known {
		row.Case = caseOf(v)
		if accepted || r.vouchedFor(name, v, args[0]) {
			row.Person = v.Actor.Person
		}
	}
	r.add(row)
}

// add hands a row over without waiting.
func (r *refusals) add(row records.Refusal) { r.queueUp(refused{row: row}) }

func (r *refusals) queueUp(x refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.log.Error("a refused verb is not on record", "verb", x.row.Verb, "code", string(x.row.Code), "error", "stopped")
		return
	}
	select {
	case r.queue <- x:
	default:
		r.log.Error("a refused verb is not on record", "verb", x.row.Verb, "code", string(x.row.Code), "error", "too many wait")
	}
}

// sawValidated notes that a validator refused an Update: what the engine is told of it soon is on record.
func (r *refusals) sawValidated(name, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) >= maxRefusals { // of tasks that were lost on the way
		clear(r.seen)
	}
	r.seen[name+"/"+id] = true
}

// validated says whether a validator refused an Update, once for each.
func (r *refusals) validated(name, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := name + "/" + id
	was := r.seen[key]
	delete(r.seen, key)
	return was
}

// vouchedFor says whether the API signed this very verb: a name that it did not sign is nobody's word.
func (r *refusals) vouchedFor(name string, v workflows.Verb, args any) bool {
	if v.Assertion == nil || r.verify == nil {
		return false
	}
	use := casefile.Use{Verb: name, On: v.Assertion.On, ID: v.ID, By: v.Actor, Args: args}
	return r.verify(v.Assertion, use) == nil
}

// verbOf reads what every verb's arguments begin with.
func verbOf(args []any) (workflows.Verb, bool) {
	if len(args) != 1 {
		return workflows.Verb{}, false
	}
	data, err := json.Marshal(args[0])
	if err != nil {
		return workflows.Verb{}, false
	}
	var v workflows.Verb
	err = json.Unmarshal(data, &v)
	return v, err == nil
}

// caseOf is the case that a verb names, if it is one: a forged verb may say anything.
func caseOf(v workflows.Verb) casefile.CaseRef {
	ref, err := casefile.ParseCaseRef(string(v.Case))
	if err != nil {
		return ""
	}
	return ref
}

func refusalCode(err error) casefile.Code {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() != "" {
		return casefile.Code(app.Type())
	}
	return casefile.CodeInternal
}

// refusalInterceptor looks at what becomes of Updates. It changes nothing of them and asks the workflow
// for nothing, so that a history replays the same with and without it.
//
// An Update of a name that a workflow does not have, or whose arguments cannot be read, is refused by
// the SDK before any interceptor is asked: EngineWatch sees those.
type refusalInterceptor struct {
	interceptor.WorkerInterceptorBase
	refusals *refusals
}

// InterceptWorkflow wraps the workflow.
func (i *refusalInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	w := &updateRefusals{refusals: i.refusals}
	w.Next = next
	return w
}

type updateRefusals struct {
	interceptor.WorkflowInboundInterceptorBase
	refusals *refusals
}

// ValidateUpdate notes a refusal by a validator. It is not called on replay.
func (w *updateRefusals) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	err := w.Next.ValidateUpdate(ctx, in)
	if err != nil {
		if info := workflow.GetCurrentUpdateInfo(ctx); info != nil {
			w.refusals.sawValidated(in.Name, info.ID)
		}
		w.refusals.note(in.Name, in.Args, err, false)
	}
	return err
}

// ExecuteUpdate notes the refusal of a verb that its validator let pass and that another one overtook.
func (w *updateRefusals) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	out, err := w.Next.ExecuteUpdate(ctx, in)
	if err != nil && !workflow.IsReplaying(ctx) && isRefusal(err) {
		w.refusals.note(in.Name, in.Args, err, true)
	}
	return out, err
}

// isRefusal tells a refused verb from one that could not be carried out.
func isRefusal(err error) bool {
	var app *temporal.ApplicationError
	var d workflows.RefusalDetails
	return errors.As(err, &app) && app.HasDetails() && app.Details(&d) == nil
}
