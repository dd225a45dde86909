package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/dryrun"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/workflows"
)

const platform = "synthetic"

// Words that stand in the tests' flags and opinions, none of which may leave the sealed store and
// the index.
const (
	handle    = "grey_gull_17"
	name      = "Quiet Harbour"
	bio       = "[collects lighthouses]"
	postText  = "[praise of a designated group], said the second time"
	rationale = "[the post praises the group without any mitigation]"
)

var morning = time.Date(2026, 3, 2, 10, 0, 0, 123456000, time.UTC)

// bed is all that the activities stand on, for real, in the test's own folder. A test may put
// something else in the place of a part of work, actor or led.
type bed struct {
	t        *testing.T
	dir      string
	records  *sqlite.Store
	sealer   *evidence.Store
	identity evidence.Identity
	index    *embedded.Index
	log      *ledger.Log
	vkey     string
	platform *dryrun.Platform
	door     *intake.Door
	work     *activities.Work
	actor    *activities.Actor
	led      *activities.Ledger
	said     *said

	mu   sync.Mutex
	now  time.Time
	draw int // what samples draw
}

// outOfEverySample is a draw that no sample of less than everything takes.
const outOfEverySample = 999

// said keeps what was logged.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func newBed(t *testing.T) *bed {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	b := &bed{t: t, dir: dir, now: morning, said: &said{}, draw: outOfEverySample}
	logger := slog.New(slog.NewJSONHandler(b.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ring, err := evidence.OpenKeyring(ctx, evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String, LogName: "log.test.example/docket"})
	require.NoError(t, err)
	b.identity = ring.Identity()
	b.vkey, err = ring.LogVerifierKey()
	require.NoError(t, err)
	b.records, err = sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "records.sqlite"), Fast: true, Logger: logger})
	require.NoError(t, err)
	b.sealer, err = evidence.Open(evidence.Options{Dir: filepath.Join(dir, "evidence"), Fast: true, Keyring: ring, Rows: b.records})
	require.NoError(t, err)
	b.index, err = embedded.Open(ctx, filepath.Join(dir, "index.sqlite"), embedded.Options{Fast: true, Now: b.clock})
	require.NoError(t, err)
	b.platform, err = dryrun.OpenWith(filepath.Join(dir, "dryrun.ndjson"), dryrun.Options{Now: b.clock})
	require.NoError(t, err)
	skey, err := ring.LogSigner()
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	b.log, err = ledger.Open(ctx, ledger.Options{Dir: filepath.Join(dir, "ledger"), Signer: signer, Logger: logger})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, b.log.Close(ctx))
		require.NoError(t, b.platform.Close())
		require.NoError(t, b.index.Close())
		require.NoError(t, b.sealer.Close())
		require.NoError(t, b.records.Close())
		require.NoError(t, ring.Close())
	})
	b.door, err = intake.New(intake.Options{Records: b.records, Sealer: b.sealer, Identity: b.identity, Signals: deaf{}, Log: logger, Now: b.clock, Wait: time.Nanosecond})
	require.NoError(t, err)
	rules, err := shippedRules()
	require.NoError(t, err)
	scorer, err := local.Default()
	require.NoError(t, err)
	guard, err := enforce.NewGuard(b.vkey)
	require.NoError(t, err)
	b.work = &activities.Work{
		Records: b.records, Sealer: b.sealer, Identity: b.identity, History: b.index, Scorer: scorer, Router: rules, Log: logger, Now: b.clock,
		Settings: workflows.Settings{Lease: 10 * time.Minute, Grace: time.Minute}, Draw: func(int) int { return b.draw },
	}
	b.actor = &activities.Actor{
		Records: b.records, Sealer: b.sealer, Guard: guard, Log: logger, Now: b.clock,
		Platforms: func(string) (enforce.Platform, error) { return b.platform, nil },
	}
	b.led = &activities.Ledger{Log: b.log}
	return b
}

// shippedRules are read once for all tests.
var shippedRules = sync.OnceValues(policy.Default)

// deaf is a workflow engine that takes signals and starts nothing: the test calls the activities.
type deaf struct{}

func (deaf) SignalFlag(context.Context, string, casefile.AccountKey, casefile.FlagKey) error {
	return nil
}

func (b *bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bed) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// post is a post of the account.
func post(id, text string, minute int) casefile.Event {
	return casefile.Event{Kind: casefile.EventPost, Platform: platform, ID: id, Text: text, At: morning.Add(time.Duration(minute-60) * time.Minute), Account: casefile.Account{ID: "a-17"}}
}

// flagOf is a flag on the account a-17 with posts as its evidence.
func flagOf(id string, posts ...casefile.Event) casefile.Flag {
	return casefile.Flag{
		ID: id, Platform: platform, Account: casefile.Account{ID: "a-17", Handle: handle, DisplayName: name, Bio: bio},
		Detector: casefile.Detector{Name: "test", Version: "1"},
		Reasons:  []casefile.Reason{{Rule: "praise", Policy: casefile.VE08, Weight: 9}},
		Evidence: posts, At: morning,
	}
}

// submit hands a flag in at the door and gives the key of its row.
func (b *bed) submit(f casefile.Flag) casefile.FlagKey { return b.submitAs("p-detector", f) }

func (b *bed) submitAs(who casefile.Person, f casefile.Flag) casefile.FlagKey {
	b.t.Helper()
	raw, err := json.Marshal(f)
	require.NoError(b.t, err)
	_, err = b.door.Submit(b.t.Context(), access.Who{Person: who, Roles: []casefile.Role{casefile.RoleService}}, raw)
	require.NoError(b.t, err)
	return b.identity.Flag(f.Platform, f.ID)
}

func (b *bed) key(accountID string) casefile.AccountKey {
	return b.identity.Account(casefile.AccountRef{Platform: platform, ID: accountID})
}

func (b *bed) take(account casefile.AccountKey, flags ...casefile.FlagKey) workflows.TakeInAnswer {
	b.t.Helper()
	answer, err := b.work.TakeIn(b.t.Context(), workflows.TakeInAsk{Platform: platform, Account: account, Flags: flags})
	require.NoError(b.t, err)
	return answer
}

// takeUndecided takes flags into a case of which the ledger holds no decision.
func (b *bed) takeUndecided(account casefile.AccountKey, flags ...casefile.FlagKey) workflows.TakeInAnswer {
	b.t.Helper()
	answer, err := b.work.TakeIn(b.t.Context(), workflows.TakeInAsk{Platform: platform, Account: account, Flags: flags, Undecided: true})
	require.NoError(b.t, err)
	return answer
}

func (b *bed) assessAsk(account casefile.AccountKey, ref casefile.CaseRef) workflows.AssessAsk {
	return workflows.AssessAsk{Platform: platform, Account: account, Ref: ref, OpenedAt: b.clock()}
}

// assess gives the answer and the findings as they were sealed, by kind.
func (b *bed) assess(account casefile.AccountKey, ref casefile.CaseRef) (workflows.AssessAnswer, map[casefile.FindingKind]casefile.Finding) {
	b.t.Helper()
	answer, err := b.work.Assess(b.t.Context(), b.assessAsk(account, ref))
	require.NoError(b.t, err)
	var list []casefile.Finding
	b.open(account, evidence.KindFindings, answer.Sealed, &list)
	require.Len(b.t, answer.Findings, len(list))
	found := map[casefile.FindingKind]casefile.Finding{}
	for i, f := range list {
		require.Equal(b.t, f.CodeOf(), answer.Findings[i])
		require.NotContains(b.t, found, f.Kind)
		found[f.Kind] = f
	}
	require.Len(b.t, found, 6)
	return answer, found
}

func (b *bed) open(account casefile.AccountKey, kind evidence.Kind, address casefile.Address, v any) {
	b.t.Helper()
	data, err := b.sealer.Open(b.t.Context(), account, kind, address)
	require.NoError(b.t, err)
	require.NoError(b.t, json.Unmarshal(data, v))
}

func (b *bed) seal(account casefile.AccountKey, kind evidence.Kind, v any) (casefile.Address, string) {
	b.t.Helper()
	data, err := json.Marshal(v)
	require.NoError(b.t, err)
	address, digest, err := b.sealer.Seal(b.t.Context(), account, kind, data)
	require.NoError(b.t, err)
	return address, digest
}

// life is one case as its workflow would lead it, step by step at the test's word.
type life struct {
	*bed
	account casefile.AccountKey
	s       workflows.CaseState
	bundle  *casefile.Bundle
}

// begin takes flags in, assesses the case and shows it in its queue.
func (b *bed) begin(flags ...casefile.Flag) *life {
	b.t.Helper()
	l := &life{bed: b, account: b.identity.Account(flags[0].Ref())}
	var keys []casefile.FlagKey
	for _, f := range flags {
		keys = append(keys, b.submit(f))
		b.pass(time.Second) // receipts are in order of time
	}
	l.taken(b.take(l.account, keys...))
	return l
}

// taken makes the case's state of what was taken in, and has it assessed.
func (l *life) taken(a workflows.TakeInAnswer) {
	l.t.Helper()
	require.NotEmpty(l.t, a.Ref)
	head, err := l.led.ChainHead(l.t.Context(), workflows.ChainHeadAsk{Chain: casefile.CaseChain(a.Ref)})
	require.NoError(l.t, err)
	l.s = workflows.CaseState{
		Ref: a.Ref, Ordinal: a.Ordinal, State: casefile.StateNew, Revision: a.Revision, EvidenceRevision: a.EvidenceRevision,
		OpenedAt: a.OpenedAt, Previous: a.Previous, Chain: workflows.Chain{Name: casefile.CaseChain(a.Ref), Seq: head.Seq, Hash: head.Hash},
		Settings: a.Settings, Parts: a.FlagAuthors, Referrals: a.Referrals, Threat: a.Threat, Raised: a.Threat,
	}
	var drafts []casefile.Draft
	for _, f := range a.Taken {
		l.s.EvidenceRevision++
		drafts = append(drafts, casefile.Draft{Type: casefile.EntryFlagAccepted, Actor: casefile.System,
			Flag: &casefile.FlagBody{Flag: f.Flag, Digest: f.Digest, EvidenceRevision: l.s.EvidenceRevision}})
	}
	answer, _ := l.assess(l.account, l.s.Ref)
	l.s.Flags, l.s.Findings, l.s.Route, l.s.Queue, l.s.Deciding = answer.Flags, answer.Sealed, answer.Route, answer.Route.Queue, answer.Deciding
	drafts = append(drafts, casefile.Draft{Type: casefile.EntryRoute, Actor: casefile.System,
		Route: &casefile.RouteBody{Route: answer.Route, Findings: answer.Findings, Digest: answer.Digest}})
	l.s.State = casefile.StateQueued
	l.project(workflows.ProjectAsk{})
	l.append("", drafts...)
}

func (l *life) project(ask workflows.ProjectAsk) {
	l.t.Helper()
	l.s.Revision++
	ask.Platform, ask.Account, ask.State = platform, l.account, l.s
	require.NoError(l.t, l.work.Project(l.t.Context(), ask))
	l.s.Comments, l.s.Voided = nil, nil
}

// append fixes drafts and puts them on the log, proving the entry of an event if one is named.
func (l *life) append(prove casefile.EventID, drafts ...casefile.Draft) []casefile.FixedEntry {
	l.t.Helper()
	fixed := l.appendOn(&l.s.Chain, prove, drafts...)
	return fixed
}

func (l *life) appendOn(chain *workflows.Chain, prove casefile.EventID, drafts ...casefile.Draft) []casefile.FixedEntry {
	l.t.Helper()
	ask := workflows.FixEntriesAsk{Platform: platform, Account: l.account, Prev: chain.Hash}
	if chain.Seq == 0 {
		ask.Cause = chain.Cause
	}
	for i, d := range drafts {
		ask.Drafts = append(ask.Drafts, workflows.PendingDraft{Event: casefile.NewEventID(chain.Name, chain.Seq+i+1), At: l.clock(), Draft: d})
	}
	fixed, err := l.work.FixEntries(l.t.Context(), ask)
	require.NoError(l.t, err)
	answer, err := l.led.Append(l.t.Context(), workflows.AppendAsk{Entries: fixed, Prove: prove})
	require.NoError(l.t, err)
	require.Len(l.t, answer.Receipts, len(fixed))
	chain.Seq += len(fixed)
	chain.Hash = fixed[len(fixed)-1].Hash()
	if prove != "" {
		require.NotNil(l.t, answer.Bundle)
		l.bundle = answer.Bundle
	}
	return fixed
}

func judgement(a casefile.Action) casefile.Judgement {
	j := casefile.Judgement{Action: a, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNo
	}
	if a == casefile.L0 {
		j.Policies, j.EntityTier = []casefile.PolicyCode{casefile.VE00}, casefile.E0
	}
	if a.Timed() {
		j.Days = 14
	}
	return j
}

// opinion seals a person's opinion with its notice.
func (l *life) opinion(person casefile.Person, j casefile.Judgement, relied ...string) casefile.Opinion {
	l.t.Helper()
	o := casefile.Opinion{
		ID: casefile.NewID(), Person: person, Role: casefile.RoleReviewer, At: l.clock(), Judgement: j, Claim: 1, EvidenceRevision: l.s.EvidenceRevision,
	}
	for _, id := range relied {
		if id != casefile.EvidenceProfile {
			o.Relied++
		}
	}
	o.Form, o.Digest = l.seal(l.account, evidence.KindOpinion, casefile.OpinionForm{Judgement: j, Rationale: rationale, Relied: relied})
	if notice.Due(j.Action) {
		o.Notice = l.notice(casefile.NewID(), o.ID, j)
	}
	return o
}

func (l *life) notice(number, decision string, j casefile.Judgement) *casefile.NoticeRef {
	l.t.Helper()
	n, err := notice.Render(notice.Data{Number: number, Date: l.clock(), Case: l.s.Ref, Decision: decision, Account: casefile.Account{ID: "a-17", Handle: handle}, Judgement: j})
	require.NoError(l.t, err)
	ref := &casefile.NoticeRef{Number: number}
	ref.Text, ref.Digest = l.seal(l.account, evidence.KindNotice, n)
	return ref
}

// settled is the decision that opinions come to, without its place on the ledger.
func (l *life) settled(opinions ...casefile.Opinion) casefile.Decision {
	by, standing := casefile.ByOneOpinion, 0
	if s := casefile.Settle(opinions, casefile.Deciding{Draw: outOfEverySample + 1}); s.Next == casefile.NextDecided {
		by, standing = s.By, s.Standing
	}
	return casefile.Decision{
		ID: opinions[len(opinions)-1].ID, Case: l.s.Ref, Platform: platform, Account: l.account, Judgement: opinions[standing].Judgement,
		DecidedBy: by, DecidedAt: l.clock(), EvidenceRevision: l.s.EvidenceRevision, RuleSet: l.s.Route.RuleSet,
		Opinions: opinions, Standing: standing,
	}
}

// graced settles the case by opinions and shows it within its grace time.
func (l *life) graced(opinions ...casefile.Opinion) casefile.Decision {
	l.t.Helper()
	d := l.settled(opinions...)
	for i := range opinions {
		d.OpinionEvents = append(d.OpinionEvents, casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+i+1))
	}
	until := l.clock().Add(time.Minute)
	l.s.Opinions, l.s.OpinionEvents, l.s.Decision, l.s.GraceUntil = opinions, d.OpinionEvents, &d, &until
	l.s.State, l.s.DecisionState = casefile.StateDecided, casefile.DecisionGrace
	l.project(workflows.ProjectAsk{Opinions: opinions})
	return d
}

// decide settles the case by opinions, puts the decision on the ledger and gives its takedown.
func (l *life) decide(opinions ...casefile.Opinion) workflows.TakedownInput {
	l.t.Helper()
	d := l.logged(opinions...)
	l.project(workflows.ProjectAsk{Bundle: l.bundle})
	return wire(l.t, workflows.TakedownInput{Decision: d, Bundle: *l.bundle})
}

// logged settles the case by opinions and puts the decision on the ledger; the records have no proof yet.
func (l *life) logged(opinions ...casefile.Opinion) casefile.Decision {
	l.t.Helper()
	d := l.settled(opinions...)
	last := opinions[len(opinions)-1]
	var drafts []casefile.Draft
	for i, o := range opinions {
		d.OpinionEvents = append(d.OpinionEvents, casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+i+1))
		drafts = append(drafts, casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.Actor{Person: o.Person, Role: o.Role}, Opinion: &o})
	}
	l.s.Claims, l.s.Claim = 1, &casefile.Claim{Number: 1, Person: last.Person, Role: last.Role, GrantedAt: l.clock(), ExpiresAt: l.clock().Add(time.Minute)}
	l.s.State = casefile.StateClaimed
	l.project(workflows.ProjectAsk{})
	until := l.clock()
	l.s.Opinions, l.s.OpinionEvents, l.s.Decision, l.s.GraceUntil = opinions, d.OpinionEvents, &d, &until
	l.s.State, l.s.DecisionState = casefile.StateDecided, casefile.DecisionGrace
	l.project(workflows.ProjectAsk{Opinions: opinions})

	event := casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+len(drafts)+1)
	drafts = append(drafts, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.Actor{Person: last.Person, Role: last.Role}, Decision: &d})
	fixed := l.append(event, drafts...)
	l.s.DecisionHash, l.s.State, l.s.Claim, l.s.DecisionState = fixed[len(fixed)-1].Hash(), casefile.StateProven, nil, casefile.DecisionRecorded
	return d
}

// wire gives a value as a workflow's payload would carry it.
func wire[T any](t *testing.T, v T) T {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	var out T
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// close archives the case and shows it closed.
func (l *life) close(reason casefile.CloseReason) workflows.ArchiveAnswer {
	l.t.Helper()
	l.s.State, l.s.Claim, l.s.CloseReason = casefile.StateClosed, nil, reason
	closed := l.clock()
	file, err := l.work.Archive(l.t.Context(), workflows.ArchiveAsk{Platform: platform, Account: l.account, State: l.s, Bundle: l.bundle, ClosedAt: closed})
	require.NoError(l.t, err)
	l.append("", casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: reason, File: file.Digest}})
	l.project(workflows.ProjectAsk{File: file.File, FileDigest: file.Digest, ClosedAt: &closed})
	return file
}

// takedown carries a decision out as its workflow would.
func (l *life) takedown(in workflows.TakedownInput) []casefile.ActOutcome {
	l.t.Helper()
	d := in.Decision
	chain := &workflows.Chain{Name: casefile.TakedownChain(d.ID), Cause: casefile.EntryHash(in.Bundle.Entry)}
	prepared, err := l.actor.PrepareActs(l.t.Context(), workflows.PrepareActsAsk{Takedown: in})
	require.NoError(l.t, err)
	plan := &casefile.PlannedBody{Decision: d.ID, Platform: platform}
	for _, p := range prepared.Acts {
		plan.Acts = append(plan.Acts, casefile.PlannedAct{Number: p.Act.Number, Kind: p.Act.Kind, Until: p.Act.Until, Undo: p.UndoDigest})
	}
	l.appendOn(chain, "", casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: plan})
	var outcomes []casefile.ActOutcome
	for _, p := range prepared.Acts {
		out, err := l.actor.DoAct(l.t.Context(), workflows.DoActAsk{Takedown: in, Act: p.Act})
		require.NoError(l.t, err)
		require.Equal(l.t, casefile.ActDone, out.State)
		outcomes = append(outcomes, out)
	}
	l.appendOn(chain, "", casefile.Draft{Type: casefile.EntryActsOutcome, Actor: casefile.System,
		Outcome: &casefile.OutcomeBody{Decision: d.ID, Direction: casefile.Do, Outcomes: outcomes}})
	if n := d.Notice(); n != nil {
		told, err := l.actor.Notify(l.t.Context(), workflows.NotifyAsk{Takedown: in})
		require.NoError(l.t, err)
		l.appendOn(chain, "", casefile.Draft{Type: casefile.EntryNotice, Actor: casefile.System,
			Notice: &casefile.NoticeBody{Number: n.Number, Decision: d.ID, State: told.State, Digest: n.Digest}})
	}
	require.NoError(l.t, l.work.Finish(l.t.Context(), workflows.FinishAsk{Decision: d, State: casefile.DecisionDone}))
	return outcomes
}

// acts gives the rows of doing a decision's acts by number, undone those of taking them back.
func (b *bed) acts(decision string) map[int]records.ActRow { return b.actsOf(decision, casefile.Do) }

func (b *bed) undone(decision string) map[int]records.ActRow {
	return b.actsOf(decision, casefile.Undo)
}

func (b *bed) actsOf(decision string, dir casefile.Direction) map[int]records.ActRow {
	b.t.Helper()
	rows, err := b.records.Acts(b.t.Context(), decision)
	require.NoError(b.t, err)
	out := map[int]records.ActRow{}
	for _, row := range rows {
		if row.Direction == dir {
			out[row.Act.Number] = row
		}
	}
	return out
}

func (b *bed) refusals() []records.Refusal {
	b.t.Helper()
	list, err := b.records.Refusals(b.t.Context(), 0, 100)
	require.NoError(b.t, err)
	return list
}

func (b *bed) account(id string) casefile.AccountRef {
	return casefile.AccountRef{Platform: platform, ID: id}
}

func requireCode(t *testing.T, want casefile.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, casefile.ErrorCode(err), fmt.Sprint(err))
}

// appeal opens an appeal against a decision, as the API does.
func (b *bed) appeal(in workflows.TakedownInput) records.AppealRow {
	b.t.Helper()
	d := in.Decision
	row, created, err := b.records.PutAppeal(b.t.Context(), records.AppealRow{
		ID: casefile.NewID(), Kind: casefile.AppealByAccount, Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: d.Account,
		Digest: "digest-of-complaint", OpenedBy: casefile.Actor{Person: "p-clerk000", Role: casefile.RoleSenior}, OpenedAt: b.clock(), DueAt: b.clock().Add(casefile.AppealTime),
	})
	require.NoError(b.t, err)
	require.True(b.t, created)
	return row
}

// ruled has an appeal ruled on by a person, its ruling proven and projected.
func (l *life) ruled(in workflows.TakedownInput, row records.AppealRow, person casefile.Person, outcome casefile.AppealOutcome) workflows.ReinstatementInput {
	l.t.Helper()
	d := in.Decision
	r := casefile.AppealRuling{
		ID: casefile.NewID(), Appeal: row.ID, Kind: row.Kind, Decision: d.ID, DecisionHash: casefile.EntryHash(in.Bundle.Entry), Case: d.Case,
		Platform: d.Platform, Account: d.Account, Outcome: outcome, Person: person, Role: casefile.RoleSenior, At: l.clock(),
	}
	r.Form, r.Digest = l.seal(d.Account, evidence.KindOpinion, casefile.AppealForm{Outcome: outcome, Rationale: rationale})
	n := casefile.Notice{Number: casefile.NewID(), Decision: d.ID, Case: d.Case, Lang: "en", Text: "[what became of the appeal]"}
	r.Notice = &casefile.NoticeRef{Number: n.Number}
	r.Notice.Text, r.Notice.Digest = l.seal(d.Account, evidence.KindNotice, n)
	s := workflows.AppealRunState{
		Appeal: row.ID, Kind: row.Kind, Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: d.Account, Revision: row.Revision + 1, DueAt: row.DueAt,
		Ruling: &r, State: casefile.AppealRejected, Chain: workflows.Chain{Name: casefile.AppealChain(row.ID), Cause: casefile.EntryHash(in.Bundle.Entry)},
	}
	if outcome == casefile.OutcomeUpheld {
		s.State = casefile.AppealUpheld
	}
	s.Event = casefile.NewEventID(s.Chain.Name, 1)
	l.appendOn(&s.Chain, s.Event, casefile.Draft{Type: casefile.EntryAppealRuling, Actor: casefile.Actor{Person: person, Role: r.Role}, Ruling: &r})
	s.Hash = s.Chain.Hash
	require.NoError(l.t, l.work.ProjectAppeal(l.t.Context(), workflows.ProjectAppealAsk{State: s, Bundle: l.bundle}))
	return wire(l.t, workflows.ReinstatementInput{Takedown: in, Ruling: r, Bundle: *l.bundle})
}

// upheld has a decision's appeal upheld by somebody who took no part.
func (l *life) upheld(in workflows.TakedownInput) workflows.ReinstatementInput {
	l.t.Helper()
	return l.ruled(in, l.appeal(in), "p-dora0000", casefile.OutcomeUpheld)
}
