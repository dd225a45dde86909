package activities

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Actor is the enforce role's activities. Each of them checks the decision's proof itself, under
// the key pinned in the role's own configuration, before it reads or does anything; those that take
// acts back check the ruling's as well.
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

// authorize checks the proof of a decision and opens what its acts need. A refusal is on record.
func (a *Actor) authorize(ctx context.Context, in workflows.TakedownInput) (warrant, error) {
	w, err := a.check(ctx, in.Decision, func(account casefile.AccountRef, salter casefile.Salter) error {
		return a.Guard.Check(in.Decision, in.Bundle, account, salter)
	})
	return w, a.onRecord(ctx, in.Decision, err)
}

// authorizeRuling checks the proofs of a decision and of the ruling on it, and that whoever ruled had
// nothing to do with the case.
func (a *Actor) authorizeRuling(ctx context.Context, in workflows.ReinstatementInput) (warrant, error) {
	d := in.Takedown.Decision
	w, err := a.check(ctx, d, func(account casefile.AccountRef, salter casefile.Salter) error {
		err := a.Guard.CheckRuling(d, in.Takedown.Bundle, in.Ruling, in.Bundle, account, salter)
		if err != nil {
			return err
		}
		people, err := tookPart(ctx, a.Records, d)
		if err != nil {
			return err
		}
		if slices.Contains(people, in.Ruling.Person) {
			return casefile.Errorf(casefile.CodeUnproven, "whoever ruled took part in the case")
		}
		return nil
	})
	return w, a.onRecord(ctx, d, err)
}

// authorizeUndo is authorizeRuling for what only a ruling against the decision allows.
func (a *Actor) authorizeUndo(ctx context.Context, in workflows.ReinstatementInput) (warrant, error) {
	w, err := a.authorizeRuling(ctx, in)
	if err != nil {
		return warrant{}, err
	}
	if in.Ruling.Outcome != casefile.OutcomeUpheld {
		err = casefile.Errorf(casefile.CodeUnproven, "the ruling lets the decision stand")
		return warrant{}, a.onRecord(ctx, w.decision, err)
	}
	return w, nil
}

// onRecord passes an error on; a refusal goes on record first.
func (a *Actor) onRecord(ctx context.Context, d casefile.Decision, err error) error {
	if casefile.ErrorCode(err) == casefile.CodeUnproven {
		// What claims to be a case's number may be anything: only a number goes on record.
		ref, _ := casefile.ParseCaseRef(string(d.Case))
		a.Log.ErrorContext(ctx, "act refused: not proven", "case", string(ref))
		put := a.Records.PutRefusal(ctx, records.Refusal{Case: ref, Verb: "act", Code: casefile.CodeUnproven, At: a.Now(), Key: onceKey(ctx, "act")})
		if put != nil {
			return fmt.Errorf("record the refused act: %w", put)
		}
	}
	return err
}

// check has prove look at the account's name and salts, and opens what the decision's acts need.
func (a *Actor) check(ctx context.Context, d casefile.Decision, prove func(casefile.AccountRef, casefile.Salter) error) (warrant, error) {
	salter, err := a.Sealer.Salter(ctx, d.Account)
	if err != nil {
		return warrant{}, unproven("read the account's salts", err)
	}
	account, err := accountRef(ctx, a.Records, a.Sealer, d.Platform, d.Account)
	if err != nil {
		return warrant{}, unproven("read the account's name", err)
	}
	err = prove(account, salter)
	if err != nil {
		return warrant{}, fmt.Errorf("check the proof: %w", err)
	}
	w := warrant{decision: d, account: account}
	w.relied, err = a.relied(ctx, d)
	if err != nil {
		return warrant{}, err
	}
	w.platform, err = a.Platforms(d.Platform)
	return w, err
}

// relied opens the form of the opinion that stands and lists the posts that it relies on. An automatic
// rule's decision has none.
func (a *Actor) relied(ctx context.Context, d casefile.Decision) ([]string, error) {
	stands := d.Stands()
	if stands == nil {
		return nil, nil
	}
	form, err := openProven[casefile.OpinionForm](ctx, a.Sealer, d.Account, evidence.KindOpinion, stands.Form, stands.Digest)
	if err != nil {
		return nil, unproven("open the opinion", err)
	}
	var posts []string
	for _, id := range form.Relied {
		if id != casefile.EvidenceProfile {
			posts = append(posts, id)
		}
	}
	if len(posts) != d.Relied() {
		return nil, casefile.Errorf(casefile.CodeUnproven, "the opinion relies on %d posts, its proof on %d", len(posts), d.Relied())
	}
	return posts, nil
}

// unproven makes what is not there a final refusal: a proof that cannot be checked proves nothing.
// Everything else may pass, and is tried again.
func unproven(op string, err error) error {
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return &casefile.Error{Code: casefile.CodeUnproven, Op: op, Message: "it is not there", Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// notice opens a notice that the ledger binds; nil where there is none. of are the ids that it may say
// it is about.
func (a *Actor) notice(ctx context.Context, d casefile.Decision, ref *casefile.NoticeRef, of ...string) (*casefile.Notice, error) {
	if ref == nil {
		return nil, nil
	}
	n, err := openProven[casefile.Notice](ctx, a.Sealer, d.Account, evidence.KindNotice, ref.Text, ref.Digest)
	if err != nil {
		return nil, unproven("open the notice", err)
	}
	if n.Number != ref.Number || n.Case != d.Case || !slices.Contains(of, n.Decision) {
		return nil, casefile.Errorf(casefile.CodeUnproven, "the notice is another decision's")
	}
	return &n, nil
}

// decisionNotice opens the notice of a decision: that of the opinion that stands, or of the rule.
func (a *Actor) decisionNotice(ctx context.Context, d casefile.Decision) (*casefile.Notice, error) {
	of := d.ID
	if stands := d.Stands(); stands != nil {
		of = stands.ID // it was written with the opinion, before there was a decision
	}
	n, err := a.notice(ctx, d, d.Notice(), of)
	return n, a.onRecord(ctx, d, err)
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

// checkAct refuses, on record, an act that is not one of the decision's.
func (a *Actor) checkAct(ctx context.Context, w warrant, act casefile.Act) error {
	return a.onRecord(ctx, w.decision, enforce.CheckActs(w.decision, len(w.relied), act))
}

// PrepareActs plans the decision's acts and writes down, sealed, how to take each back. What stands
// planned from an earlier attempt or run stays as it is.
func (a *Actor) PrepareActs(ctx context.Context, ask workflows.PrepareActsAsk) (workflows.PrepareActsAnswer, error) {
	crashpoint.Reach("21") // the takedown that asks has been started
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	d := w.decision
	notice, err := a.decisionNotice(ctx, d)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	rows, err := a.planned(ctx, w)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
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
	err = a.execute(ctx, d)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	crashpoint.Reach("23")
	var answer workflows.PrepareActsAnswer
	for _, row := range stand {
		answer.Acts = append(answer.Acts, workflows.PreparedAct{Act: row.Act, UndoDigest: row.UndoDigest})
	}
	return answer, nil
}

// planned reads the state before each act and seals how to get back to it.
func (a *Actor) planned(ctx context.Context, w warrant) ([]records.ActRow, error) {
	acts := casefile.PlanActs(w.decision, len(w.relied))
	for _, act := range acts {
		if !slices.Contains(w.platform.Capabilities().Acts, act.Kind) {
			return nil, casefile.Errorf(casefile.CodeState, "the platform cannot %s", act.Kind)
		}
	}
	now := a.Now().UTC().Truncate(time.Microsecond) // as rows keep it
	var rows []records.ActRow
	for _, act := range acts {
		undo, err := w.platform.Prepare(ctx, w.request(act, casefile.Do))
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			return nil, &casefile.Error{Code: casefile.CodeState, Op: "prepare an act", Message: "the platform does not know the target", Err: err}
		}
		if err != nil {
			return nil, fmt.Errorf("prepare act %d: %w", act.Number, err)
		}
		address, digest, err := seal(ctx, a.Sealer, w.decision.Account, evidence.KindUndo, undo)
		if err != nil {
			return nil, fmt.Errorf("seal the undo of act %d: %w", act.Number, err)
		}
		rows = append(rows, records.ActRow{Act: act, Direction: casefile.Do, State: casefile.ActPlanned, Undo: address, UndoDigest: digest, PlannedAt: now})
	}
	return rows, nil
}

// pastExecuting are the states of a decision whose takedown may go on in a new run without the row
// going back to executing.
var pastExecuting = []casefile.DecisionState{
	casefile.DecisionExecuting, casefile.DecisionDone, casefile.DecisionUncertain, casefile.DecisionEnded,
}

// execute notes that the takedown runs. The error is CodeState for a decision that was withdrawn or
// taken back.
func (a *Actor) execute(ctx context.Context, d casefile.Decision) error {
	refused := a.Records.AdvanceDecision(ctx, d.ID, casefile.DecisionExecuting, "", nil, a.Now())
	if casefile.ErrorCode(refused) == casefile.CodeState {
		row, err := a.Records.Decision(ctx, d.ID)
		if err != nil {
			return fmt.Errorf("read how far the decision has come: %w", err)
		}
		if slices.Contains(pastExecuting, row.State) {
			return nil
		}
	}
	if refused != nil {
		return fmt.Errorf("note that the takedown runs: %w", refused)
	}
	return nil
}

func (a *Actor) planNotice(ctx context.Context, d casefile.Decision) error {
	n := d.Notice()
	_, err := a.Records.PutNotice(ctx, records.NoticeRow{
		Number: n.Number, Decision: d.ID, Case: d.Case, State: casefile.NoticePlanned, Text: n.Text, Digest: n.Digest, At: a.Now(),
	})
	if err != nil {
		return fmt.Errorf("write the notice down: %w", err)
	}
	return nil
}

// Notify delivers the exact notice that the author of the opinion that stands confirmed, or that of
// the automatic rule.
func (a *Actor) Notify(ctx context.Context, ask workflows.NotifyAsk) (workflows.NotifyAnswer, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return workflows.NotifyAnswer{}, err
	}
	notice, err := a.decisionNotice(ctx, w.decision)
	if err != nil {
		return workflows.NotifyAnswer{}, err
	}
	if notice != nil { // an attempt whose answer was lost, or a run that was, has told them
		row, err := a.Records.Notice(ctx, w.decision.ID)
		if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
			return workflows.NotifyAnswer{}, fmt.Errorf("read the notice's row: %w", err)
		}
		if err == nil && row.Number == notice.Number && row.State == casefile.NoticeSent {
			return workflows.NotifyAnswer{State: row.State}, nil
		}
	}
	state, err := a.deliver(ctx, w, notice)
	if err != nil {
		return workflows.NotifyAnswer{}, err
	}
	crashpoint.Reach("29")
	err = a.Records.SetNoticeState(ctx, notice.Number, state, a.Now())
	if err != nil {
		return workflows.NotifyAnswer{}, fmt.Errorf("note the notice's state: %w", err)
	}
	return workflows.NotifyAnswer{State: state}, nil
}

// NotifyUndo delivers the notice of what became of an appeal, whichever way it was ruled.
func (a *Actor) NotifyUndo(ctx context.Context, ask workflows.NotifyUndoAsk) (workflows.NotifyAnswer, error) {
	in := ask.Reinstatement
	w, err := a.authorizeRuling(ctx, in)
	if err != nil {
		return workflows.NotifyAnswer{}, err
	}
	notice, err := a.notice(ctx, w.decision, in.Ruling.Notice, in.Ruling.ID, in.Ruling.Decision)
	if err != nil {
		return workflows.NotifyAnswer{}, a.onRecord(ctx, w.decision, err)
	}
	state, err := a.deliver(ctx, w, notice)
	switch {
	case err != nil:
	case in.Ruling.Outcome == casefile.OutcomeUpheld:
		crashpoint.Reach("41")
	default:
		crashpoint.Reach("37")
	}
	return workflows.NotifyAnswer{State: state}, err
}

// deliver hands a notice to the platform. A delivery that may have happened is sent again only where
// the platform keeps numbers apart: somebody told twice may think that two things were done.
func (a *Actor) deliver(ctx context.Context, w warrant, notice *casefile.Notice) (casefile.NoticeState, error) {
	if notice == nil {
		return "", casefile.Errorf(casefile.CodeState, "there is no notice to deliver")
	}
	caps := w.platform.Capabilities()
	switch {
	case !caps.Notify:
		return casefile.NoticeUndelivered, nil
	case caps.Idempotent:
		return a.send(ctx, w, *notice)
	}
	before, err := a.Records.BeginDelivery(ctx, notice.Number, a.Now())
	switch {
	case err != nil:
		return "", fmt.Errorf("note that the notice is about to be delivered: %w", err)
	case before == casefile.NoticePlanned: // an attempt was cut off, and nobody can say how far it came
		a.Log.WarnContext(ctx, "notice may have been delivered", "case", string(w.decision.Case), "number", notice.Number)
		before = casefile.NoticeUncertain
		fallthrough
	case before == casefile.NoticeUncertain:
		return before, a.endDelivery(ctx, *notice, before)
	case before != "":
		return before, nil
	}
	state, err := a.send(ctx, w, *notice)
	noted := a.endDelivery(ctx, *notice, state)
	if err == nil {
		err = noted
	}
	return state, err
}

// endDelivery writes down what became of a delivery; "" that nothing was begun.
func (a *Actor) endDelivery(ctx context.Context, notice casefile.Notice, state casefile.NoticeState) error {
	err := a.Records.EndDelivery(ctx, notice.Number, state, a.Now())
	if err != nil {
		return fmt.Errorf("note what became of the notice: %w", err)
	}
	return nil
}

// send hands a notice to the platform once. An error means that it is to be sent again.
func (a *Actor) send(ctx context.Context, w warrant, notice casefile.Notice) (casefile.NoticeState, error) {
	caps := w.platform.Capabilities()
	err := w.platform.Notify(ctx, w.account, notice)
	code := casefile.ErrorCode(err)
	state := casefile.NoticeUndelivered
	switch {
	case err == nil:
		return casefile.NoticeSent, nil
	case again(err, caps):
		return "", fmt.Errorf("deliver the notice: %w", err)
	case code == casefile.CodeUncertain, code == casefile.CodeInternal:
		state = casefile.NoticeUncertain
	}
	a.Log.WarnContext(ctx, "notice not known as delivered", "case", string(w.decision.Case), "number", notice.Number, "state", string(state), "code", string(code))
	return state, nil
}

// again says that a request may be sent again after an error: nothing was begun, or the platform keeps
// keys apart, so that whatever was begun is not done twice.
func again(err error, caps enforce.Capabilities) bool {
	switch casefile.ErrorCode(err) {
	case casefile.CodeUnavailable:
		return true
	case casefile.CodeInternal: // the adapter does not know what happened
		return caps.Idempotent
	}
	return false
}
