package activities

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Actor is the enforce role's activities. Each of them checks the decision's proof itself, under
// the key pinned in the role's own configuration, before it reads or does anything.
type Actor struct {
	Records   records.Store
	Sealer    evidence.Sealer
	Guard     *enforce.Guard
	Platforms Platforms
	Log       *slog.Logger
	Now       func() time.Time
}

// Platforms finds the adapter that acts on a platform.
type Platforms func(platform string) (enforce.Platform, error)

// warrant is a takedown whose proof holds, with what is needed to carry it out.
type warrant struct {
	decision casefile.Decision
	account  casefile.AccountRef
	relied   []string // ids of the relied-on posts, the profile not counted
	platform enforce.Platform
}

// authorize checks the proof and opens what the acts need. A refusal is on record.
func (a *Actor) authorize(ctx context.Context, in workflows.TakedownInput) (warrant, error) {
	d := in.Decision
	w, err := a.check(ctx, in)
	if casefile.ErrorCode(err) == casefile.CodeUnproven {
		a.Log.ErrorContext(ctx, "takedown refused: not proven", "case", string(d.Case), "decision", d.ID)
		put := a.Records.PutRefusal(ctx, records.Refusal{Case: d.Case, Verb: "act", Code: casefile.CodeUnproven, At: a.Now()})
		if put != nil {
			return warrant{}, fmt.Errorf("record the refused takedown: %w", put)
		}
	}
	return w, err
}

func (a *Actor) check(ctx context.Context, in workflows.TakedownInput) (warrant, error) {
	d := in.Decision
	salter, err := a.Sealer.Salter(ctx, d.Account)
	if err != nil {
		return warrant{}, fmt.Errorf("read the account's salts: %w", err)
	}
	account, err := accountRef(ctx, a.Records, a.Sealer, d.Platform, d.Account)
	if err != nil {
		return warrant{}, err
	}
	err = a.Guard.Check(d, in.Bundle, account, salter)
	if err != nil {
		return warrant{}, fmt.Errorf("check the decision's proof: %w", err)
	}
	first := d.Opinions[0]
	form, err := openProven[casefile.OpinionForm](ctx, a.Sealer, d.Account, evidence.KindOpinion, first.Form, first.Digest)
	if err != nil {
		return warrant{}, fmt.Errorf("open the opinion: %w", err)
	}
	w := warrant{decision: d, account: account}
	for _, id := range form.Relied {
		if id != casefile.EvidenceProfile {
			w.relied = append(w.relied, id)
		}
	}
	if len(w.relied) != first.Relied {
		return warrant{}, casefile.Errorf(casefile.CodeUnproven, "the opinion relies on %d posts, its proof on %d", len(w.relied), first.Relied)
	}
	w.platform, err = a.Platforms(d.Platform)
	return w, err
}

func (w warrant) request(act casefile.Act, dir casefile.Direction) enforce.Request {
	r := enforce.Request{
		Key: act.Key(dir), Account: w.account, Kind: act.Kind, Direction: dir, Until: act.Until,
		Policy: w.decision.Policies[0], Case: w.decision.Case,
	}
	if act.Kind == casefile.ActRemovePost {
		r.Post = w.relied[act.Target]
	}
	return r
}

// PrepareActs plans the decision's acts and writes down, sealed, how to take each back.
func (a *Actor) PrepareActs(ctx context.Context, ask workflows.PrepareActsAsk) (workflows.PrepareActsAnswer, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	d := w.decision
	var rows []records.ActRow
	for _, act := range casefile.PlanActs(d, len(w.relied)) {
		undo, err := w.platform.Prepare(ctx, w.request(act, casefile.Do))
		if err != nil {
			return workflows.PrepareActsAnswer{}, fmt.Errorf("prepare act %d: %w", act.Number, err)
		}
		address, digest, err := seal(ctx, a.Sealer, d.Account, evidence.KindUndo, undo)
		if err != nil {
			return workflows.PrepareActsAnswer{}, fmt.Errorf("seal the undo of act %d: %w", act.Number, err)
		}
		rows = append(rows, records.ActRow{Act: act, Direction: casefile.Do, State: casefile.ActPlanned, Undo: address, UndoDigest: digest, PlannedAt: a.Now()})
	}
	stand, err := a.Records.PlanActs(ctx, rows)
	if err != nil {
		return workflows.PrepareActsAnswer{}, fmt.Errorf("write the acts down: %w", err)
	}
	err = a.planNotice(ctx, d)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	err = a.Records.AdvanceDecision(ctx, d.ID, casefile.DecisionExecuting, "", nil, a.Now())
	if err != nil {
		return workflows.PrepareActsAnswer{}, fmt.Errorf("note that the takedown runs: %w", err)
	}
	var answer workflows.PrepareActsAnswer
	for _, row := range stand {
		answer.Acts = append(answer.Acts, workflows.PreparedAct{Act: row.Act, UndoDigest: row.UndoDigest})
	}
	return answer, nil
}

func (a *Actor) planNotice(ctx context.Context, d casefile.Decision) error {
	n := d.Opinions[0].Notice
	if n == nil {
		return nil
	}
	_, err := a.Records.PutNotice(ctx, records.NoticeRow{
		Number: n.Number, Decision: d.ID, Case: d.Case, State: casefile.NoticePlanned, Text: n.Text, Digest: n.Digest, At: a.Now(),
	})
	if err != nil {
		return fmt.Errorf("write the notice down: %w", err)
	}
	return nil
}

// DoAct does one planned act, once: an attempt whose outcome was never written is looked up on the
// platform before anything is done again, and what cannot be established is uncertain.
func (a *Actor) DoAct(ctx context.Context, ask workflows.DoActAsk) (casefile.ActOutcome, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = enforce.CheckActs(w.decision, len(w.relied), ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	started, row, err := a.Records.BeginAct(ctx, ask.Act, ask.Direction, a.Now())
	if casefile.ErrorCode(err) == casefile.CodeState {
		return outcomeOf(row), nil
	}
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("note that the act begins: %w", err)
	}
	out, err := a.attempt(ctx, w, ask, started)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	row, err = a.Records.EndAct(ctx, out)
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("write the act's outcome: %w", err)
	}
	a.Log.InfoContext(ctx, "act", "case", string(w.decision.Case), "decision", w.decision.ID, "number", ask.Act.Number,
		"kind", string(ask.Act.Kind), "state", string(row.State), "why", row.Why)
	return outcomeOf(row), nil
}

// attempt asks the platform. Its error means: not known, try again.
func (a *Actor) attempt(ctx context.Context, w warrant, ask workflows.DoActAsk, first bool) (casefile.ActOutcome, error) {
	out := casefile.ActOutcome{Act: ask.Act, Direction: ask.Direction, State: casefile.ActDone}
	request := w.request(ask.Act, ask.Direction)
	if !first {
		if !w.platform.Capabilities().Lookup {
			out.State, out.Why, out.At = casefile.ActUncertain, "no_lookup", a.Now()
			return out, nil
		}
		done, reference, err := w.platform.Lookup(ctx, request)
		if err != nil {
			return out, fmt.Errorf("look act %d up: %w", ask.Act.Number, err)
		}
		if done {
			out.Reference, out.At = reference, a.Now()
			return out, nil
		}
	}
	reference, err := w.platform.Do(ctx, request)
	switch casefile.ErrorCode(err) {
	case "":
		out.Reference, out.At = reference, a.Now()
		return out, nil
	case casefile.CodeState, casefile.CodeInvalid, casefile.CodeNotFound, casefile.CodeForbidden:
		out.State, out.Why, out.At = casefile.ActFailed, string(casefile.ErrorCode(err)), a.Now()
		return out, nil
	}
	return out, fmt.Errorf("do act %d: %w", ask.Act.Number, err)
}

func outcomeOf(row records.ActRow) casefile.ActOutcome {
	out := casefile.ActOutcome{Act: row.Act, Direction: row.Direction, State: row.State, Reference: row.Reference, Why: row.Why}
	if row.EndedAt != nil {
		out.At = *row.EndedAt
	}
	return out
}

// Notify delivers the exact notice that the author of the opinion confirmed.
func (a *Actor) Notify(ctx context.Context, ask workflows.NotifyAsk) (workflows.NotifyAnswer, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return workflows.NotifyAnswer{}, err
	}
	ref := w.decision.Opinions[0].Notice
	if ref == nil {
		return workflows.NotifyAnswer{}, casefile.Errorf(casefile.CodeState, "the decision has no notice")
	}
	state := casefile.NoticeUndelivered
	if w.platform.Capabilities().Notify {
		n, err := openProven[casefile.Notice](ctx, a.Sealer, w.decision.Account, evidence.KindNotice, ref.Text, ref.Digest)
		if err != nil {
			return workflows.NotifyAnswer{}, fmt.Errorf("open the notice: %w", err)
		}
		err = w.platform.Notify(ctx, w.account, n)
		if err != nil {
			return workflows.NotifyAnswer{}, fmt.Errorf("deliver the notice: %w", err)
		}
		state = casefile.NoticeSent
	}
	err = a.Records.SetNoticeState(ctx, ref.Number, state, a.Now())
	if err != nil {
		return workflows.NotifyAnswer{}, fmt.Errorf("note the notice's state: %w", err)
	}
	return workflows.NotifyAnswer{State: state}, nil
}
