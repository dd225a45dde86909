package reviewtest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// KindBlind is the kind under which the codes of an opinion that is not shown are sealed.
const KindBlind evidence.Kind = "blind"

// Workflows stands in for the workflows: it takes flags in and answers verbs at once, by the same
// rules, on the records. Each Update id counts once, and none without the API's signed word.
type Workflows struct {
	Records records.Store
	Sealer  evidence.Sealer
	Clock   *Clock
	Lease   time.Duration
	Grace   time.Duration
	// Keys are those under which signed words count, Deciding the rules by which cases are decided.
	Keys     casefile.AssertionKeys
	Deciding casefile.Deciding

	// Before, if set, is called before every signal (name "signal"), start of an appeal ("start") and
	// verb; an error is answered with, and nothing else happens.
	Before func(ctx context.Context, name string) error
	// After, if set, is called after a verb took effect; an error is answered in place of its result.
	After func(ctx context.Context, name string) error
	// Ledger, if set, is the log that decisions go on.
	Ledger *Ledger
	// Acts is what every act of CarryOut comes to; "" means done, ActPlanned that none begins.
	Acts casefile.ActState
	// Findings, if set, are sealed with every case that a flag opens or grows.
	Findings []casefile.Finding

	mu       sync.Mutex
	answered map[string]any
	cases    map[casefile.CaseRef]*run
	signals  int
	started  []string
	sent     []any
}

// run is what a case's workflow knows beyond its row.
type run struct {
	claims   int
	opinions []casefile.Opinion // of this round
	decision *casefile.Decision
}

// Signals counts the signals that were let through.
func (w *Workflows) Signals() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signals
}

// Started lists the appeals whose workflow was started, each as often as it was.
func (w *Workflows) Started() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.started...)
}

// Sent lists the arguments of every verb that was let through.
func (w *Workflows) Sent() []any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]any(nil), w.sent...)
}

// SignalFlag takes the flag in and shows its case in the queue.
func (w *Workflows) SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error {
	if w.Before != nil {
		err := w.Before(ctx, "signal")
		if err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signals++
	now := w.Clock.Now()
	in, err := w.Records.TakeIn(ctx, platform, account, flag, casefile.NewCaseRef(), now)
	if err != nil {
		return err
	}
	if in.Outcome != records.TakenNow {
		return nil
	}
	findings := w.Findings
	if findings == nil {
		findings = []casefile.Finding{}
	}
	sealed, err := w.seal(ctx, account, evidence.KindFindings, findings)
	if err != nil {
		return err
	}
	flags, err := w.Records.CaseFlags(ctx, in.Case)
	if err != nil {
		return err
	}
	row := records.Case{
		Ref: in.Case, Account: account, Platform: platform, Ordinal: in.Ordinal, State: casefile.StateQueued,
		OpenedAt: in.OpenedAt, Previous: in.Previous,
	}
	if in.Revision > 0 {
		row, err = w.Records.Case(ctx, in.Case)
		if err != nil {
			return err
		}
	} else {
		row.Route = casefile.Route{
			Queue: Queue, Severity: 3, Confidence: 2, Tier: casefile.TierAlert, DueAt: now.Add(24 * time.Hour), DecideBy: now.Add(48 * time.Hour),
			Rule: "default", RuleSet: "test",
		}
	}
	row.EvidenceRevision++
	row.Flags, row.Findings = len(flags), sealed
	parts := []records.PartRow{{Case: row.Ref, Person: in.Receipt.Source, Part: records.PartFlag, At: now}}
	return w.project(ctx, &row, records.Projection{Parts: parts})
}

func (w *Workflows) seal(ctx context.Context, account casefile.AccountKey, kind evidence.Kind, v any) (casefile.Address, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	address, _, err := w.Sealer.Seal(ctx, account, kind, data)
	return address, err
}

func (w *Workflows) project(ctx context.Context, row *records.Case, p records.Projection) error {
	row.Revision++
	row.Rank = records.RankOf(row.Route.Severity, row.Raised, row.Threat)
	p.Case, p.Now = *row, w.Clock.Now()
	return w.Records.Project(ctx, p)
}

func (w *Workflows) of(ref casefile.CaseRef) *run {
	if w.cases[ref] == nil {
		w.cases[ref] = &run{}
	}
	return w.cases[ref]
}

// head gives what a verb carries.
func head(args any) (workflows.Verb, error) {
	var v workflows.Verb
	data, err := json.Marshal(args)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	return v, err
}

// take lets a verb through as a workflow's validator and its list of answers do: hooks, the signed word,
// and each id once.
func take[R any](ctx context.Context, w *Workflows, name, on, id string, args any, apply func() (R, error)) (R, error) {
	var none R
	if w.Before != nil {
		err := w.Before(ctx, name)
		if err != nil {
			return none, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := head(args)
	if err != nil {
		return none, err
	}
	err = w.Keys.Check(v.Assertion, casefile.Use{Verb: name, On: on, ID: id, By: v.Actor, Args: args}, w.Clock.Now())
	if err != nil {
		return none, err
	}
	result, done := w.answered[id].(R)
	if !done {
		result, err = apply()
		if err != nil {
			return none, err
		}
		w.sent = append(w.sent, args)
		w.answered[id] = result
	}
	if w.After != nil {
		err = w.After(ctx, name)
		if err != nil {
			return none, err
		}
	}
	return result, nil
}

// Update carries a verb on a case out.
func (w *Workflows) Update(ctx context.Context, _ string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error) {
	v, err := head(args)
	if err != nil {
		return workflows.VerbResult{}, err
	}
	return take(ctx, w, name, casefile.CaseChain(v.Case), verbID, args, func() (workflows.VerbResult, error) { return w.apply(ctx, account, name, args) })
}

func (w *Workflows) apply(ctx context.Context, account casefile.AccountKey, name string, args any) (workflows.VerbResult, error) {
	state, err := w.Records.Account(ctx, account)
	if err != nil {
		return workflows.VerbResult{}, err
	}
	if state.OpenCase == "" {
		return workflows.VerbResult{}, casefile.Errorf(casefile.CodeState, "this case is not open")
	}
	row, err := w.Records.Case(ctx, state.OpenCase)
	if err != nil {
		return workflows.VerbResult{}, err
	}
	var p records.Projection
	var result workflows.VerbResult
	switch a := args.(type) {
	case workflows.ClaimArgs:
		err = w.claim(&row, a, &p)
	case workflows.HeartbeatArgs:
		err = w.held(row, a.Verb, a.Claim)
		until := w.Clock.Now().Add(w.Lease)
		if err == nil && until.After(row.Claim.ExpiresAt) {
			row.Claim.ExpiresAt = until
		}
	case workflows.ReleaseArgs:
		err = w.held(row, a.Verb, a.Claim)
		requeue(&row)
	case workflows.SnoozeArgs:
		err = w.held(row, a.Verb, a.Claim)
		requeue(&row)
		row.NotBefore = &a.Until
	case workflows.HoldArgs:
		err = w.held(row, a.Verb, a.Claim)
		if err == nil {
			row.Claim.ExpiresAt = a.Until
		}
	case workflows.HandOverArgs:
		err = w.held(row, a.Verb, a.Claim)
		requeue(&row)
		row.AssignedTo = a.To
		if a.Queue != "" {
			row.Route.Queue = a.Queue
		}
		w.handled(a.Verb, a.Reason, &p, casefile.HandlingNote{What: casefile.HandlingHandOver, To: a.To, Queue: row.Route.Queue})
	case workflows.EscalateArgs:
		err = w.escalate(&row, a)
		what := casefile.HandlingEscalated
		if a.Threat {
			what = casefile.HandlingThreat
		}
		w.handled(a.Verb, a.Reason, &p, casefile.HandlingNote{What: what, Queue: row.Route.Queue})
	case workflows.MoveDeadlineArgs:
		err = moveDeadline(&row, a)
		w.handled(a.Verb, a.Reason, &p, casefile.HandlingNote{What: casefile.HandlingDeadline, Deadline: a.Deadline, Until: &a.To})
	case workflows.ForceReleaseArgs:
		note := casefile.HandlingNote{What: casefile.HandlingReleased, Queue: row.Route.Queue}
		if a.Disabled {
			note.What = casefile.HandlingDisabled
		}
		if row.Claim != nil {
			note.To = row.Claim.Person
		}
		err = forceRelease(&row, a)
		w.handled(a.Verb, a.Reason, &p, note)
	case workflows.ReferArgs:
		err = w.held(row, a.Verb, a.Claim)
		if err == nil {
			err = w.refer(ctx, &row, a, &p)
		}
	case workflows.CommentArgs:
		p.Comments = []records.CommentRow{{ID: a.ID, Case: row.Ref, Person: a.Actor.Person, At: w.Clock.Now(), Text: a.Text}}
	case workflows.OpinionArgs:
		err = w.opinion(ctx, &row, a, &p, &result)
	case workflows.WithdrawArgs:
		err = w.withdraw(ctx, &row, a, &p)
	case workflows.CloseArgs:
		err = w.held(row, a.Verb, a.Claim)
		if err == nil {
			err = w.close(ctx, &row, a)
		}
	default:
		err = casefile.Errorf(casefile.CodeInternal, "no verb %s", name)
	}
	if err != nil {
		return workflows.VerbResult{}, err
	}
	err = w.project(ctx, &row, p)
	if err != nil {
		return workflows.VerbResult{}, err
	}
	result.Case, result.State, result.Revision, result.EvidenceRevision = row.Ref, row.State, row.Revision, row.EvidenceRevision
	if row.State == casefile.StateClaimed {
		claim := *row.Claim
		result.Claim = &claim
	}
	return result, nil
}

func requeue(row *records.Case) { row.State, row.Claim = casefile.StateQueued, nil }

func (w *Workflows) claim(row *records.Case, a workflows.ClaimArgs, p *records.Projection) error {
	now := w.Clock.Now()
	opined := func(o casefile.Opinion) bool { return o.Person == a.Actor.Person }
	switch {
	case slices.ContainsFunc(w.of(row.Ref).opinions, opined):
		return casefile.Errorf(casefile.CodeForbidden, "you have given your opinion on this case")
	case row.Stage == casefile.StageAdjudication && a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeForbidden, "a lead decides this case")
	case row.AssignedTo != "" && row.AssignedTo != a.Actor.Person && a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeState, "this case was handed over to somebody else")
	case row.State != casefile.StateQueued && !(row.State == casefile.StateClaimed && !row.Claim.Live(now)):
		return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be claimed", row.State)
	}
	r := w.of(row.Ref)
	r.claims++
	row.State = casefile.StateClaimed
	row.NotBefore, row.AssignedTo = nil, ""
	row.Claim = &casefile.Claim{Number: r.claims, Person: a.Actor.Person, Role: a.Actor.Role, GrantedAt: now, ExpiresAt: now.Add(w.Lease)}
	p.Parts = append(p.Parts, records.PartRow{Case: row.Ref, Person: a.Actor.Person, Part: records.PartClaim, At: now})
	return nil
}

func (w *Workflows) held(row records.Case, v workflows.Verb, number int) error {
	if row.State != casefile.StateClaimed || row.Claim.Number != number || row.Claim.Person != v.Actor.Person || !row.Claim.Live(w.Clock.Now()) {
		return casefile.Errorf(casefile.CodeStaleClaim, "the claim is not yours any more")
	}
	return nil
}

// handled notes what somebody did with a case, as its workflow does.
func (w *Workflows) handled(v workflows.Verb, why workflows.Reason, p *records.Projection, h casefile.HandlingNote) {
	h.ID, h.Person, h.Role, h.At, h.Words = v.ID, v.Actor.Person, v.Actor.Role, w.Clock.Now(), why.Words
	p.Handlings = append(p.Handlings, h)
}

func (w *Workflows) escalate(row *records.Case, a workflows.EscalateArgs) error {
	switch {
	case row.State != casefile.StateQueued && row.State != casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be escalated", row.State)
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	}
	row.Route.Queue, row.NotBefore, row.AssignedTo = w.Deciding.LeadQueue, nil, ""
	row.Threat = row.Threat || a.Threat
	row.Raised = row.Raised || a.Threat
	if row.Claim != nil && row.Claim.Person == a.Actor.Person {
		requeue(row)
	}
	return nil
}

func moveDeadline(row *records.Case, a workflows.MoveDeadlineArgs) error {
	if a.Actor.Role != casefile.RoleLead {
		return casefile.Errorf(casefile.CodeForbidden, "only a lead moves a deadline")
	}
	if a.Deadline == casefile.DeadlineTouch {
		row.Route.DueAt = a.To
	} else {
		row.Route.DecideBy = a.To
	}
	return nil
}

func forceRelease(row *records.Case, a workflows.ForceReleaseArgs) error {
	var whose casefile.Person
	switch {
	case row.State == casefile.StateClaimed:
		whose = row.Claim.Person
	case row.State == casefile.StateQueued:
		whose = row.AssignedTo
	}
	switch {
	case whose == "":
		return casefile.Errorf(casefile.CodeState, "nobody holds this case")
	case a.Person != "" && a.Person != whose:
		return casefile.Errorf(casefile.CodeState, "somebody else holds this case by now")
	case a.Disabled && a.Actor.Role == casefile.RoleAdmin:
	case a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeForbidden, "a lead ends somebody else's claim")
	}
	requeue(row)
	row.AssignedTo = ""
	return nil
}

func (w *Workflows) refer(ctx context.Context, row *records.Case, a workflows.ReferArgs, p *records.Projection) error {
	before, err := w.Records.Referrals(ctx, row.Ref)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(before, func(x casefile.Referral) bool { return x.Kind == a.Kind }) {
		return casefile.Errorf(casefile.CodeState, "this case was referred there already")
	}
	p.Referrals = []casefile.Referral{{
		ID: a.ID, Kind: a.Kind, Person: a.Actor.Person, At: w.Clock.Now(), Note: a.Reason.Words, Digest: a.Reason.Digest,
		Event: casefile.NewEventID(casefile.CaseChain(row.Ref), 9),
	}}
	if a.Kind.Restricts() && row.Restricted == "" {
		row.Restricted = a.Kind
	}
	return nil
}

func (w *Workflows) opinion(ctx context.Context, row *records.Case, a workflows.OpinionArgs, p *records.Projection, result *workflows.VerbResult) error {
	err := w.held(*row, a.Verb, a.Claim)
	r := w.of(row.Ref)
	switch {
	case err != nil:
		return err
	case a.EvidenceRevision != row.EvidenceRevision:
		return casefile.Errorf(casefile.CodeNewEvidence, "evidence came in after you looked")
	case row.Stage == casefile.StageAdjudication:
		err = casefile.CheckBackers(r.opinions, a.Judgement)
		if err != nil {
			return err
		}
	}
	now := w.Clock.Now()
	o := casefile.Opinion{
		ID: a.ID, Person: a.Actor.Person, Role: a.Actor.Role, At: now, Judgement: a.Judgement, Claim: a.Claim,
		EvidenceRevision: a.EvidenceRevision, Relied: a.Relied, Form: a.Form, Digest: a.Digest, Notice: a.Notice, Emergency: a.Emergency,
	}
	p.Parts = []records.PartRow{{Case: row.Ref, Person: o.Person, Part: records.PartOpinion, Round: row.Round, At: now}}
	if a.Emergency {
		w.void(row, r, p)
	}
	r.opinions = append(r.opinions, o)
	settled := casefile.Settle(r.opinions, w.Deciding)
	if a.Emergency {
		settled = casefile.Settlement{Next: casefile.NextDecided, By: casefile.ByEmergency}
	}
	switch settled.Next {
	case casefile.NextDecided:
		w.decide(row, r, settled, o, p, result)
	case casefile.NextAdjudicate:
		row.Stage, row.Route.Queue = casefile.StageAdjudication, w.Deciding.LeadQueue
		requeue(row)
		for _, each := range r.opinions { // shown to the lead: the rows are there, undecided
			p.Opinions = append(p.Opinions, records.OpinionRow{Case: row.Ref, Opinion: each})
		}
	default:
		sealed, err := w.seal(ctx, row.Account, KindBlind, o)
		if err != nil {
			return err
		}
		p.Blind = []records.BlindOpinion{{ID: o.ID, Case: row.Ref, Person: o.Person, At: now, Sealed: sealed}}
		requeue(row)
	}
	return nil
}

func (w *Workflows) void(row *records.Case, r *run, p *records.Projection) {
	for _, o := range r.opinions {
		p.VoidOpinions = append(p.VoidOpinions, o.ID)
	}
	if len(r.opinions) > 0 {
		row.Round++
	}
	r.opinions = nil
	row.Stage = casefile.StageOpinion
}

func (w *Workflows) decide(row *records.Case, r *run, s casefile.Settlement, last casefile.Opinion, p *records.Projection, result *workflows.VerbResult) {
	d := casefile.Decision{
		ID: last.ID, Case: row.Ref, Platform: row.Platform, Account: row.Account, Judgement: r.opinions[s.Standing].Judgement, DecidedBy: s.By,
		DecidedAt: last.At, EvidenceRevision: row.EvidenceRevision, RuleSet: row.Route.RuleSet, Opinions: slices.Clone(r.opinions), Standing: s.Standing,
	}
	for i, o := range r.opinions {
		d.OpinionEvents = append(d.OpinionEvents, casefile.NewEventID(casefile.CaseChain(row.Ref), 3+i))
		p.Opinions = append(p.Opinions, records.OpinionRow{Case: row.Ref, Opinion: o})
	}
	r.decision = &d
	p.Decision = &records.DecisionRow{Decision: d, State: casefile.DecisionGrace, Counter: 1, UpdatedAt: last.At}
	row.State, row.Decision, row.Stage = casefile.StateDecided, d.ID, casefile.StageOpinion
	result.Decision = d.ID
	until := last.At
	if s.By != casefile.ByEmergency {
		until = last.At.Add(w.Grace)
	}
	result.GraceUntil = &until
}

func (w *Workflows) withdraw(ctx context.Context, row *records.Case, a workflows.WithdrawArgs, p *records.Projection) error {
	if row.State != casefile.StateDecided {
		return casefile.Errorf(casefile.CodeState, "there is no decision that can still be withdrawn")
	}
	d, err := w.Records.Decision(ctx, a.Decision)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(d.Decision.Opinions, func(o casefile.Opinion) bool { return o.Person == a.Actor.Person }) {
		return casefile.Errorf(casefile.CodeForbidden, "only somebody whose opinion it rests on withdraws a decision")
	}
	d.State, d.UpdatedAt = casefile.DecisionWithdrawn, w.Clock.Now()
	d.Counter++
	p.Decision = &d
	w.void(row, w.of(row.Ref), p)
	row.Decision = ""
	requeue(row)
	return nil
}

// close archives the case with the addresses of its flags, as a reopening needs them.
func (w *Workflows) close(ctx context.Context, row *records.Case, a workflows.CloseArgs) error {
	err := w.archive(ctx, row)
	row.CloseReason = a.Reason
	return err
}

func (w *Workflows) archive(ctx context.Context, row *records.Case) error {
	receipts, err := w.Records.CaseFlags(ctx, row.Ref)
	if err != nil {
		return err
	}
	var flags []casefile.Address
	for _, r := range receipts {
		flags = append(flags, r.Sealed)
	}
	row.File, err = w.seal(ctx, row.Account, evidence.KindCaseFile, map[string]any{"format": "docket-casefile/1", "flags": flags})
	now := w.Clock.Now()
	row.State, row.ClosedAt, row.FileDigest = casefile.StateClosed, &now, "digest"
	row.Claim = nil
	return err
}

// prove gives a decision's row its proof, whose bytes are no true ones without a Ledger.
func (w *Workflows) prove(ctx context.Context, ref casefile.CaseRef, d *records.DecisionRow) error {
	d.Event, d.Hash = casefile.NewEventID(casefile.CaseChain(ref), 5), "hash"
	d.Bundle = &casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("{}"), Index: 7, Checkpoint: "docket.test/log\n8\nroot\n\nsignature\n"}
	if w.Ledger == nil {
		return nil
	}
	receipt, err := w.Append(ctx, ref)
	if err != nil {
		return err
	}
	d.Event, d.Hash = receipt.Event, receipt.Hash
	*d.Bundle, err = w.Ledger.Prove(ctx, receipt.Index)
	return err
}

// CarryOut takes a case's decision to its end, as its takedown does: proven, its acts done, its notice
// sent, the case closed.
func (w *Workflows) CarryOut(ctx context.Context, ref casefile.CaseRef) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	row, err := w.Records.Case(ctx, ref)
	if err != nil {
		return err
	}
	d, err := w.Records.Decision(ctx, row.Decision)
	if err != nil {
		return err
	}
	now := w.Clock.Now()
	err = w.prove(ctx, ref, &d)
	if err != nil {
		return err
	}
	d.State = casefile.DecisionRecorded
	d.Counter++
	row.State = casefile.StateProven
	err = w.project(ctx, &row, records.Projection{Decision: &d})
	if err != nil {
		return err
	}
	var acts []records.ActRow
	for _, a := range casefile.PlanActs(d.Decision, d.Decision.Relied()) {
		acts = append(acts, records.ActRow{Act: a, Direction: casefile.Do, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "undo", PlannedAt: now})
	}
	_, err = w.Records.PlanActs(ctx, acts)
	if err != nil {
		return err
	}
	outcome, end := casefile.ActDone, casefile.DecisionDone
	switch w.Acts {
	case casefile.ActPlanned:
		acts, end = nil, casefile.DecisionExecuting
	case casefile.ActUncertain:
		outcome, end = casefile.ActUncertain, casefile.DecisionUncertain
	case casefile.ActFailed:
		outcome, end = casefile.ActFailed, casefile.DecisionFailed
	}
	for _, a := range acts {
		_, _, err = w.Records.BeginAct(ctx, a.Act, casefile.Do, now)
		if err == nil {
			_, err = w.Records.EndAct(ctx, casefile.ActOutcome{Act: a.Act, Direction: casefile.Do, State: outcome, At: now, Reference: "ref"})
		}
		if err != nil {
			return err
		}
	}
	n := d.Decision.Notice()
	if n != nil {
		_, err = w.Records.PutNotice(ctx, records.NoticeRow{
			Number: n.Number, Decision: d.Decision.ID, Case: ref, State: casefile.NoticePlanned, Text: n.Text, Digest: n.Digest, At: now, StateAt: now,
		})
		if err == nil {
			err = w.Records.SetNoticeState(ctx, n.Number, casefile.NoticeSent, now)
		}
		if err != nil {
			return err
		}
	}
	err = w.Records.AdvanceDecision(ctx, d.Decision.ID, end, "", nil, now)
	if err == nil {
		err = w.archive(ctx, &row)
	}
	if err != nil {
		return err
	}
	row.CloseReason = casefile.CloseDecided
	return w.project(ctx, &row, records.Projection{})
}
