package activities

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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
	return w, a.onRecord(ctx, d, err)
}

// onRecord passes an error on; a refusal goes on record first.
func (a *Actor) onRecord(ctx context.Context, d casefile.Decision, err error) error {
	if casefile.ErrorCode(err) == casefile.CodeUnproven {
		// What claims to be a case's number may be anything: only a number goes on record.
		ref, _ := casefile.ParseCaseRef(string(d.Case))
		a.Log.ErrorContext(ctx, "takedown refused: not proven", "case", string(ref))
		put := a.Records.PutRefusal(ctx, records.Refusal{Case: ref, Verb: "act", Code: casefile.CodeUnproven, At: a.Now()})
		if put != nil {
			return fmt.Errorf("record the refused takedown: %w", put)
		}
	}
	return err
}

func (a *Actor) check(ctx context.Context, in workflows.TakedownInput) (warrant, error) {
	d := in.Decision
	salter, err := a.Sealer.Salter(ctx, d.Account)
	if err != nil {
		return warrant{}, unproven("read the account's salts", err)
	}
	account, err := accountRef(ctx, a.Records, a.Sealer, d.Platform, d.Account)
	if err != nil {
		return warrant{}, unproven("read the account's name", err)
	}
	err = a.Guard.Check(d, in.Bundle, account, salter)
	if err != nil {
		return warrant{}, fmt.Errorf("check the decision's proof: %w", err)
	}
	first := d.Opinions[0]
	form, err := openProven[casefile.OpinionForm](ctx, a.Sealer, d.Account, evidence.KindOpinion, first.Form, first.Digest)
	if err != nil {
		return warrant{}, unproven("open the opinion", err)
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

// unproven makes what is not there a final refusal: a proof that cannot be checked proves nothing.
// Everything else may pass, and is tried again.
func unproven(op string, err error) error {
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return &casefile.Error{Code: casefile.CodeUnproven, Op: op, Message: "it is not there", Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// notice opens the notice that the ledger binds; nil where the decision has none.
func (a *Actor) notice(ctx context.Context, d casefile.Decision) (*casefile.Notice, error) {
	ref := d.Opinions[0].Notice
	if ref == nil {
		return nil, nil
	}
	n, err := openProven[casefile.Notice](ctx, a.Sealer, d.Account, evidence.KindNotice, ref.Text, ref.Digest)
	if err != nil {
		return nil, unproven("open the notice", err)
	}
	if n.Number != ref.Number || n.Decision != d.Opinions[0].ID || n.Case != d.Case {
		return nil, casefile.Errorf(casefile.CodeUnproven, "the notice is another decision's")
	}
	return &n, nil
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
	acts := casefile.PlanActs(d, len(w.relied))
	for _, act := range acts {
		if !slices.Contains(w.platform.Capabilities().Acts, act.Kind) {
			return workflows.PrepareActsAnswer{}, casefile.Errorf(casefile.CodeState, "the platform cannot %s", act.Kind)
		}
	}
	notice, err := a.notice(ctx, d)
	if err != nil {
		return workflows.PrepareActsAnswer{}, a.onRecord(ctx, d, err)
	}
	var rows []records.ActRow
	for _, act := range acts {
		undo, err := w.platform.Prepare(ctx, w.request(act, casefile.Do))
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			return workflows.PrepareActsAnswer{}, &casefile.Error{Code: casefile.CodeState, Op: "prepare an act", Message: "the platform does not know the target", Err: err}
		}
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
	if notice != nil {
		err = a.planNotice(ctx, d)
		if err != nil {
			return workflows.PrepareActsAnswer{}, err
		}
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
	if ask.Direction != casefile.Do {
		return casefile.ActOutcome{}, casefile.Invalid("direction", "acts are taken back by a reinstatement")
	}
	err = enforce.CheckActs(w.decision, len(w.relied), ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, a.onRecord(ctx, w.decision, err)
	}
	started, _, err := a.Records.BeginAct(ctx, ask.Act, ask.Direction, a.Now())
	if casefile.ErrorCode(err) == casefile.CodeState {
		return a.standing(ctx, ask)
	}
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("note that the act begins: %w", err)
	}
	out, err := a.attempt(ctx, w, ask, started)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	row, err := a.Records.EndAct(ctx, out)
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("write the act's outcome: %w", err)
	}
	a.Log.InfoContext(ctx, "act", "case", string(w.decision.Case), "decision", w.decision.ID, "number", ask.Act.Number,
		"kind", string(ask.Act.Kind), "state", string(row.State), "why", row.Why)
	return outcomeOf(row), nil
}

// standing is the outcome that an act has already.
func (a *Actor) standing(ctx context.Context, ask workflows.DoActAsk) (casefile.ActOutcome, error) {
	rows, err := a.Records.Acts(ctx, ask.Takedown.Decision.ID)
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("read the act's outcome: %w", err)
	}
	for _, row := range rows {
		if row.Act.Number == ask.Act.Number && row.Direction == ask.Direction {
			return outcomeOf(row), nil
		}
	}
	return casefile.ActOutcome{}, casefile.Errorf(casefile.CodeInternal, "act %d has an outcome and no row", ask.Act.Number)
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
		switch {
		case passing(err):
			return out, fmt.Errorf("look act %d up: %w", ask.Act.Number, err)
		case err != nil:
			out.State, out.Why, out.At = casefile.ActUncertain, "lookup_"+string(casefile.ErrorCode(err)), a.Now()
			return out, nil
		case done:
			out.Reference, out.At = reference, a.Now()
			return out, nil
		}
	}
	reference, err := w.platform.Do(ctx, request)
	switch code := casefile.ErrorCode(err); {
	case err == nil:
		out.Reference, out.At = reference, a.Now()
	case passing(err):
		return out, fmt.Errorf("do act %d: %w", ask.Act.Number, err)
	case code == casefile.CodeConflict: // something else was done under this very key
		out.State, out.Why, out.At = casefile.ActUncertain, string(code), a.Now()
	default:
		out.State, out.Why, out.At = casefile.ActFailed, string(code), a.Now()
	}
	return out, nil
}

// passing says that a platform's error may be another the next time.
func passing(err error) bool {
	code := casefile.ErrorCode(err)
	return code == casefile.CodeUnavailable || code == casefile.CodeInternal
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
	notice, err := a.notice(ctx, w.decision)
	if err != nil {
		return workflows.NotifyAnswer{}, a.onRecord(ctx, w.decision, err)
	}
	if notice == nil {
		return workflows.NotifyAnswer{}, casefile.Errorf(casefile.CodeState, "the decision has no notice")
	}
	state := casefile.NoticeUndelivered
	if w.platform.Capabilities().Notify {
		err = w.platform.Notify(ctx, w.account, *notice)
		if passing(err) {
			return workflows.NotifyAnswer{}, fmt.Errorf("deliver the notice: %w", err)
		}
		if err == nil {
			state = casefile.NoticeSent
		}
	}
	err = a.Records.SetNoticeState(ctx, notice.Number, state, a.Now())
	if err != nil {
		return workflows.NotifyAnswer{}, fmt.Errorf("note the notice's state: %w", err)
	}
	return workflows.NotifyAnswer{State: state}, nil
}
