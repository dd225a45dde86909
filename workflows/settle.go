package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// actRun is what takedowns and reinstatements share: their ledger chain, and the verb by which a
// person who looked establishes the outcome of an uncertain act.
type actRun struct {
	w        Workflows
	decision string
	on       string // the chain that signed words are about
	chain    *numberer
	// settleAsk writes the outcome down. In a reinstatement and in a takedown another proof is checked.
	settleAsk func(ctx workflow.Context, act casefile.Act, dir casefile.Direction, a SettleArgs) (casefile.ActOutcome, error)

	waiting []*casefile.ActOutcome // uncertain outcomes that wait for a person
	settled map[string]SettleResult
	busy    bool
}

func (r *actRun) handleSettle(ctx workflow.Context) error {
	r.settled = map[string]SettleResult{}
	guard := func(a SettleArgs) error {
		if _, done := r.settled[a.ID]; done {
			return nil
		}
		err := r.checkSettle(a)
		if err != nil {
			return refuse(err, 0)
		}
		return nil
	}
	validator := func(_ workflow.Context, a SettleArgs) error {
		err := r.w.check(UpdateSettle, r.on, a.Verb, a)
		if err != nil {
			return refuse(err, 0)
		}
		return guard(a)
	}
	handler := func(ctx workflow.Context, a SettleArgs) (SettleResult, error) {
		err := workflow.Await(ctx, func() bool { return !r.busy })
		if err != nil {
			return SettleResult{}, err
		}
		if before, done := r.settled[a.ID]; done {
			return before, nil
		}
		err = guard(a)
		if err != nil {
			return SettleResult{}, err
		}
		r.busy = true
		defer func() { r.busy = false }()
		return r.settle(ctx, a)
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateSettle, handler, workflow.UpdateHandlerOptions{Validator: validator})
}

func (r *actRun) find(a SettleArgs) *casefile.ActOutcome {
	for _, o := range r.waiting {
		if o.Act.Number == a.Number && o.Direction == a.Direction && o.State == casefile.ActUncertain {
			return o
		}
	}
	return nil
}

func (r *actRun) checkSettle(a SettleArgs) error {
	switch {
	case a.Decision != r.decision:
		return casefile.Invalid("decision", "not the decision that is carried out here")
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required: what was looked at, and what was seen")
	case r.find(a) == nil:
		return casefile.Errorf(casefile.CodeState, "this act is not uncertain")
	}
	return checkPerson(a.Verb)
}

func (r *actRun) settle(ctx workflow.Context, a SettleArgs) (SettleResult, error) {
	o := r.find(a)
	out, err := r.settleAsk(ctx, o.Act, o.Direction, a)
	if err != nil {
		return SettleResult{}, refuse(casefile.Errorf(casefile.Code(errorType(err)), "the outcome could not be written down"), 0)
	}
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryActSettled, Actor: a.Actor, Settled: &casefile.SettledBody{
		Decision: r.decision, Number: a.Number, Direction: a.Direction, State: out.State, Digest: a.Reason.Digest,
	}})
	*o = out
	res := SettleResult{Decision: r.decision, Number: a.Number, State: out.State, Of: a.Direction}
	r.settled[a.ID] = res
	return res, nil
}

// waitFor has a person settle those of the outcomes that are uncertain.
func (r *actRun) waitFor(outcomes []casefile.ActOutcome) {
	for i := range outcomes {
		if outcomes[i].State == casefile.ActUncertain && !slices.Contains(r.waiting, &outcomes[i]) {
			r.waiting = append(r.waiting, &outcomes[i])
		}
	}
}

// await waits until a person has established an uncertain outcome.
func (r *actRun) await(ctx workflow.Context, out casefile.ActOutcome) (casefile.ActOutcome, error) {
	o := out
	r.waiting = append(r.waiting, &o)
	err := workflow.Await(ctx, func() bool { return o.State != casefile.ActUncertain && !r.busy })
	return o, err
}

// leave lets verbs under way be answered before the run ends.
func (r *actRun) leave(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}
