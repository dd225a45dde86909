package workflows_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

const (
	ref      = casefile.CaseRef("7K2QX-9MDT4")
	account  = casefile.AccountKey("account-key")
	platform = "synthetic"
)

var (
	reviewer = casefile.Actor{Person: "p-reviewer", Role: casefile.RoleReviewer}
	other    = casefile.Actor{Person: "p-other", Role: casefile.RoleReviewer}
)

// salts stands in for an account's content key.
type salts struct{}

func (salts) Salt(event casefile.EventID, label string) []byte {
	return []byte(string(event) + label)
}

// stage runs the case workflow with skipped time over activities that keep what they were asked.
type stage struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	mu        sync.Mutex
	known     map[casefile.FlagKey]bool // receipt rows
	taken     map[casefile.FlagKey]bool
	projected []workflows.ProjectAsk
	entries   []casefile.Entry
	underWay  []casefile.Entry // of a lost run, that come in once the head was asked for
	archived  []workflows.ArchiveAsk
	takedowns []workflows.TakedownInput
	assessed  int
	lost      workflows.TakeInAnswer // what records know of a lost run's case
	settings  workflows.Settings
	deciding  casefile.Deciding
	answers   func(*workflows.AssessAnswer) // changes what an assessment says
	dropped   []workflows.DropStartAsk
	reviews   []workflows.OrderReviewAsk
	appeals   []workflows.AppealInput
}

// The key under which the stage's verbs are signed, as the API signs them.
var signingKey = ed25519.NewKeyFromSeed([]byte("a seed of a key that signs tests"))

func verify(a *casefile.Assertion, u casefile.Use) error {
	keys := casefile.AssertionKeys{"test": signingKey.Public().(ed25519.PublicKey)}
	return keys.Check(a, u, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

// sign puts the API's word into a verb's arguments.
func sign(name, on string, args any) any {
	out := reflect.New(reflect.TypeOf(args)).Elem()
	out.Set(reflect.ValueOf(args))
	head := out.FieldByName("Verb").Addr().Interface().(*workflows.Verb)
	if head.Assertion != nil {
		return args
	}
	digest, err := casefile.ArgumentDigest(args)
	if err != nil {
		panic(err)
	}
	a, err := casefile.Assertion{
		Person: head.Actor.Person, Role: head.Actor.Role, Verb: name, On: on, ID: head.ID, Digest: digest,
		Expires: time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC),
	}.Sign("test", signingKey)
	if err != nil {
		panic(err)
	}
	head.Assertion = &a
	return out.Interface()
}

// within gives the stage's cases a grace time.
func (s *stage) within(grace time.Duration) *stage {
	s.settings.Grace = grace
	return s
}

func (s *stage) dropStart(_ context.Context, ask workflows.DropStartAsk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = append(s.dropped, ask)
	return nil
}

func (s *stage) orderReview(_ context.Context, ask workflows.OrderReviewAsk) (workflows.OrderReviewAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reviews = append(s.reviews, ask)
	return workflows.OrderReviewAnswer{Appeal: "REVIEW-1"}, nil
}

func (s *stage) appeal(_ workflow.Context, in workflows.AppealInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appeals = append(s.appeals, in)
	return nil
}

func newStage(t *testing.T, flags ...casefile.FlagKey) *stage {
	var suite testsuite.WorkflowTestSuite
	s := &stage{t: t, env: suite.NewTestWorkflowEnvironment(), known: map[casefile.FlagKey]bool{}, taken: map[casefile.FlagKey]bool{}}
	for _, f := range flags {
		s.known[f] = true
	}
	s.env.SetTestTimeout(30 * time.Second)
	s.env.SetStartTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: casefile.CaseWorkflowID(platform, account)})
	s.env.RegisterWorkflowWithOptions(workflows.Workflows{Verify: verify}.Case, workflow.RegisterOptions{Name: workflows.CaseWorkflowType})
	s.env.RegisterWorkflowWithOptions(s.takedown, workflow.RegisterOptions{Name: workflows.TakedownWorkflowType})
	s.env.RegisterWorkflowWithOptions(s.appeal, workflow.RegisterOptions{Name: workflows.AppealWorkflowType})
	for name, fn := range map[string]any{
		workflows.ActivityTakeIn: s.takeIn, workflows.ActivityAssess: s.assess, workflows.ActivityProject: s.project,
		workflows.ActivityFixEntries: s.fix, workflows.ActivityArchive: s.archive, workflows.ActivityAppend: s.append,
		workflows.ActivityChainHead: s.chainHead, workflows.ActivityDropStart: s.dropStart, workflows.ActivityOrderReview: s.orderReview,
	} {
		s.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return s
}

func (s *stage) takedown(_ workflow.Context, in workflows.TakedownInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takedowns = append(s.takedowns, in)
	return nil
}

func (s *stage) takeIn(_ context.Context, ask workflows.TakeInAsk) (workflows.TakeInAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a workflows.TakeInAnswer
	for _, f := range ask.Flags {
		if !s.known[f] {
			continue
		}
		if s.lost.Unproven != nil && !ask.Undecided {
			a.Unproven = s.lost.Unproven
		} else {
			a.Taken = append(a.Taken, workflows.TakenFlag{Flag: f, Digest: "digest-" + string(f)})
			s.taken[f] = true
		}
		a.Revision, a.EvidenceRevision, a.LastClaim = s.lost.Revision, s.lost.EvidenceRevision, s.lost.LastClaim
		a.Round, a.Proven = s.lost.Round, s.lost.Proven
		if a.Unproven == nil {
			a.VoidIDs, a.Kept = s.lost.VoidIDs, s.lost.Kept
		}
		a.Ref, a.Ordinal, a.OpenedAt = ref, 1, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		a.Settings = s.settings
		a.FlagAuthors = []casefile.Person{"p-detector"}
	}
	return a, nil
}

func (s *stage) assess(_ context.Context, ask workflows.AssessAsk) (workflows.AssessAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assessed++
	a := workflows.AssessAnswer{
		Sealed: casefile.Address(fmt.Sprintf("findings-%d", s.assessed)), Digest: "findings", Flags: len(s.taken), Deciding: s.deciding,
		Route: casefile.Route{Queue: "speech", Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: ask.OpenedAt.Add(24 * time.Hour),
			DecideBy: ask.OpenedAt.Add(48 * time.Hour), Rule: "r", RuleSet: "v"},
	}
	if s.answers != nil {
		s.answers(&a)
	}
	return a, nil
}

func (s *stage) project(_ context.Context, ask workflows.ProjectAsk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.projected = append(s.projected, ask)
	return nil
}

func (s *stage) fix(_ context.Context, ask workflows.FixEntriesAsk) ([]casefile.FixedEntry, error) {
	prev, cause := ask.Prev, ask.Cause
	var out []casefile.FixedEntry
	for _, d := range ask.Drafts {
		f, err := casefile.FixEntry(d.Draft, casefile.Position{Event: d.Event, Prev: prev, Cause: cause, At: d.At}, salts{},
			casefile.AccountRef{Platform: platform, ID: "1"})
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		prev, cause = f.Hash(), ""
	}
	return out, nil
}

// append keeps entries and refuses what the real ledger refuses: gaps and wrong predecessors.
func (s *stage) append(_ context.Context, ask workflows.AppendAsk) (workflows.AppendAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a workflows.AppendAnswer
	for _, f := range ask.Entries {
		e, err := casefile.ParseEntry(f.Data)
		if err != nil {
			return a, err
		}
		_, seq, err := e.Event.Split()
		if err != nil {
			return a, err
		}
		if seq != len(s.entries)+1 && ask.Fence {
			return workflows.AppendAnswer{Taken: true}, nil
		}
		if seq != len(s.entries)+1 {
			return a, temporal.NewNonRetryableApplicationError("gap", "state", errors.New("gap"))
		}
		s.entries = append(s.entries, e)
		a.Receipts = append(a.Receipts, casefile.Receipt{Event: f.Event, Hash: f.Hash(), Index: uint64(seq - 1)})
		if f.Event == ask.Prove {
			a.Bundle = &casefile.Bundle{Format: casefile.BundleFormat, Entry: f.Data, Index: uint64(seq - 1)}
		}
	}
	return a, nil
}

func (s *stage) chainHead(_ context.Context, ask workflows.ChainHeadAsk) (workflows.ChainHeadAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.entries, s.underWay = append(s.entries, s.underWay...), nil }()
	if len(s.entries) == 0 {
		return workflows.ChainHeadAnswer{}, nil
	}
	last := s.entries[len(s.entries)-1]
	data, err := casefile.Canonical(last)
	a := workflows.ChainHeadAnswer{Seq: len(s.entries), Hash: casefile.EntryHash(data)}
	if ask.Decision && last.Type == casefile.EntryDecision {
		a.Decision = &casefile.Bundle{Format: casefile.BundleFormat, Entry: data, Index: uint64(len(s.entries) - 1)}
		a.Decides = a.Decision.Decides()
	}
	return a, err
}

func (s *stage) archive(_ context.Context, ask workflows.ArchiveAsk) (workflows.ArchiveAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.archived = append(s.archived, ask)
	return workflows.ArchiveAnswer{File: "file", Digest: "file-digest"}, nil
}

// run starts the workflow with the given flags signalled, and runs it to its end.
func (s *stage) run(in workflows.CaseInput, flags ...casefile.FlagKey) {
	in.Platform, in.Account = platform, account
	if s.settings.Lease == 0 {
		s.settings.Lease = 10 * time.Minute
	}
	if s.deciding.LeadQueue == "" {
		s.deciding.LeadQueue = "lead"
	}
	if in.State != nil || len(in.Pending) > 0 {
		s.env.SetContinuedExecutionRunID("the-run-before")
	}
	s.env.RegisterDelayedCallback(func() {
		for _, f := range flags {
			s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: f})
		}
	}, 0)
	s.env.ExecuteWorkflow(workflows.CaseWorkflowType, in)
}

// answer is what a verb came to.
type answer struct {
	rejected error
	err      error
	result   workflows.VerbResult
}

// send sends a verb at a time after the start; the answer is filled in when the run has ended.
func (s *stage) send(after time.Duration, name, id string, args func() any) *answer {
	return s.sendOn(after, name, id, casefile.CaseChain(ref), args)
}

// sendOn is send for a verb on something else than the case.
func (s *stage) sendOn(after time.Duration, name, id, on string, args func() any) *answer {
	a := &answer{}
	s.env.RegisterDelayedCallback(func() {
		s.env.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
			OnReject: func(err error) { a.rejected = err },
			OnAccept: func() {},
			OnComplete: func(v any, err error) {
				a.err = err
				res, ok := v.(workflows.VerbResult)
				if ok {
					a.result = res
				}
			},
		}, sign(name, on, args()))
	}, after)
	return a
}

func (a *answer) refused(t *testing.T, code casefile.Code, field string) {
	t.Helper()
	err := a.rejected
	if err == nil {
		err = a.err
	}
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, string(code), app.Type())
	var d workflows.RefusalDetails
	require.NoError(t, app.Details(&d))
	require.Equal(t, field, d.Field)
}

func (a *answer) accepted(t *testing.T) workflows.VerbResult {
	t.Helper()
	require.NoError(t, a.rejected)
	require.NoError(t, a.err)
	require.NotEmpty(t, a.result.Case)
	return a.result
}

func verb(id string, who casefile.Actor) workflows.Verb {
	return workflows.Verb{ID: id, Case: ref, Actor: who}
}

func claim(id string, who casefile.Actor) func() any {
	return func() any { return workflows.ClaimArgs{Verb: verb(id, who)} }
}

func judgement(action casefile.Action, policy casefile.PolicyCode) casefile.Judgement {
	j := casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{policy}, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNo
	}
	if action == casefile.L5 {
		j.Days = 30
	}
	return j
}

func opinion(id string, who casefile.Actor, claim, evidence int, j casefile.Judgement) func() any {
	return func() any {
		return workflows.OpinionArgs{Verb: verb(id, who), Claim: claim, EvidenceRevision: evidence, Judgement: j, Relied: 1, Form: "form", Digest: "digest"}
	}
}

// types lists the types of the entries on the ledger.
func (s *stage) types() []casefile.EntryType {
	var out []casefile.EntryType
	for _, e := range s.entries {
		out = append(out, e.Type)
	}
	return out
}

// states lists the projected states, repeats left out.
func (s *stage) states() []casefile.State {
	var out []casefile.State
	for _, p := range s.projected {
		if len(out) == 0 || out[len(out)-1] != p.State.State {
			out = append(out, p.State.State)
		}
	}
	return out
}
