package reviewtest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Workflows stands in for the cases' workflows: it takes flags in and answers verbs at once, by the
// same rules, on the records. Each Update id counts once.
type Workflows struct {
	Records records.Store
	Sealer  evidence.Sealer
	Clock   *Clock
	Lease   time.Duration
	Grace   time.Duration

	// Before, if set, is called before every signal (name "signal") and verb; an error is answered
	// with, and nothing else happens.
	Before func(ctx context.Context, name string) error
	// After, if set, is called after a verb took effect; an error is answered in place of its result.
	After func(ctx context.Context, name string) error
	// Findings, if set, are sealed with every case that a flag opens or grows.
	Findings []casefile.Finding

	mu       sync.Mutex
	answered map[string]answer
	claims   map[casefile.CaseRef]int
	signals  int
	sent     []any
}

type answer struct{ result workflows.VerbResult }

// Signals counts the signals that were let through.
func (w *Workflows) Signals() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signals
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
	data, err := json.Marshal(findings)
	if err != nil {
		return err
	}
	sealed, _, err := w.Sealer.Seal(ctx, account, evidence.KindFindings, data)
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
	}
	row.EvidenceRevision++
	row.Flags, row.Findings = len(flags), sealed
	row.Route = casefile.Route{Queue: Queue, Severity: 3, Confidence: 2, Tier: casefile.TierAlert, DueAt: now.Add(24 * time.Hour), Rule: "default", RuleSet: "test"}
	return w.project(ctx, &row, records.Projection{})
}

func (w *Workflows) project(ctx context.Context, row *records.Case, p records.Projection) error {
	row.Revision++
	p.Case, p.Now = *row, w.Clock.Now()
	return w.Records.Project(ctx, p)
}

// Update carries a verb out.
func (w *Workflows) Update(ctx context.Context, _ string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error) {
	if w.Before != nil {
		err := w.Before(ctx, name)
		if err != nil {
			return workflows.VerbResult{}, err
		}
	}
	result, err := w.apply(ctx, account, name, verbID, args)
	if err == nil && w.After != nil {
		err = w.After(ctx, name)
	}
	if err != nil {
		return workflows.VerbResult{}, err
	}
	return result, nil
}

func (w *Workflows) apply(ctx context.Context, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, done := w.answered[verbID]
	if done {
		return before.result, nil
	}
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
		err = w.claim(&row, a)
	case workflows.HeartbeatArgs:
		err = w.held(row, a.Verb, a.Claim)
		if err == nil {
			row.Claim.ExpiresAt = w.Clock.Now().Add(w.Lease)
		}
	case workflows.ReleaseArgs:
		err = w.held(row, a.Verb, a.Claim)
		if err == nil {
			row.State, row.Claim = casefile.StateQueued, nil
		}
	case workflows.CommentArgs:
		p.Comments = []records.CommentRow{{ID: a.ID, Case: row.Ref, Person: a.Actor.Person, At: w.Clock.Now(), Text: a.Text}}
	case workflows.OpinionArgs:
		err = w.opinion(&row, a, &p, &result)
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
	w.sent = append(w.sent, args)
	w.answered[verbID] = answer{result}
	return result, nil
}

func (w *Workflows) claim(row *records.Case, a workflows.ClaimArgs) error {
	now := w.Clock.Now()
	if row.State != casefile.StateQueued && !(row.State == casefile.StateClaimed && !row.Claim.Live(now)) {
		return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be claimed", row.State)
	}
	w.claims[row.Ref]++
	row.State = casefile.StateClaimed
	row.Claim = &casefile.Claim{Number: w.claims[row.Ref], Person: a.Actor.Person, Role: a.Actor.Role, GrantedAt: now, ExpiresAt: now.Add(w.Lease)}
	return nil
}

func (w *Workflows) held(row records.Case, v workflows.Verb, number int) error {
	if row.State != casefile.StateClaimed || row.Claim.Number != number || row.Claim.Person != v.Actor.Person || !row.Claim.Live(w.Clock.Now()) {
		return casefile.Errorf(casefile.CodeStaleClaim, "the claim is not yours any more")
	}
	return nil
}

func (w *Workflows) opinion(row *records.Case, a workflows.OpinionArgs, p *records.Projection, result *workflows.VerbResult) error {
	err := w.held(*row, a.Verb, a.Claim)
	if err != nil {
		return err
	}
	if a.EvidenceRevision != row.EvidenceRevision {
		return casefile.Errorf(casefile.CodeNewEvidence, "evidence came in after you looked")
	}
	now := w.Clock.Now()
	o := casefile.Opinion{
		ID: a.ID, Person: a.Actor.Person, Role: a.Actor.Role, At: now, Judgement: a.Judgement, Claim: a.Claim,
		EvidenceRevision: a.EvidenceRevision, Relied: a.Relied, Form: a.Form, Digest: a.Digest, Notice: a.Notice,
	}
	p.Opinions = []records.OpinionRow{{Case: row.Ref, Opinion: o}}
	p.Decision = &records.DecisionRow{
		Decision: casefile.Decision{
			ID: a.ID, Case: row.Ref, Platform: row.Platform, Account: row.Account, Judgement: a.Judgement, DecidedBy: casefile.ByOneOpinion,
			DecidedAt: now, EvidenceRevision: row.EvidenceRevision, RuleSet: row.Route.RuleSet, Opinions: []casefile.Opinion{o},
			OpinionEvents: []casefile.EventID{casefile.NewEventID(casefile.CaseChain(row.Ref), 3)},
		},
		State: casefile.DecisionGrace, Counter: 1, UpdatedAt: now,
	}
	row.State, row.Decision = casefile.StateDecided, a.ID
	until := now.Add(w.Grace)
	result.Decision, result.GraceUntil = a.ID, &until
	return nil
}

func (w *Workflows) withdraw(ctx context.Context, row *records.Case, a workflows.WithdrawArgs, p *records.Projection) error {
	if row.State != casefile.StateDecided {
		return casefile.Errorf(casefile.CodeState, "there is no decision that can still be withdrawn")
	}
	d, err := w.Records.Decision(ctx, a.Decision)
	if err != nil {
		return err
	}
	if d.Decision.Opinions[0].Person != a.Actor.Person {
		return casefile.Errorf(casefile.CodeForbidden, "only its author withdraws a decision")
	}
	d.State, d.UpdatedAt = casefile.DecisionWithdrawn, w.Clock.Now()
	d.Counter++
	p.Decision = &d
	row.State, row.Decision, row.Claim = casefile.StateQueued, "", nil
	return nil
}

// close archives the case with the addresses of its flags, as a reopening needs them.
func (w *Workflows) close(ctx context.Context, row *records.Case, a workflows.CloseArgs) error {
	receipts, err := w.Records.CaseFlags(ctx, row.Ref)
	if err != nil {
		return err
	}
	file := map[string]any{"format": "docket-casefile/1"}
	var flags []casefile.Address
	for _, r := range receipts {
		flags = append(flags, r.Sealed)
	}
	file["flags"] = flags
	data, err := json.Marshal(file)
	if err != nil {
		return err
	}
	now := w.Clock.Now()
	row.File, row.FileDigest, err = w.Sealer.Seal(ctx, row.Account, evidence.KindCaseFile, data)
	row.State, row.CloseReason, row.ClosedAt = casefile.StateClosed, a.Reason, &now
	return err
}
