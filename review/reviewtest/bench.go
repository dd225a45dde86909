// Package reviewtest gives tests a desk, a flag door and people over real stores (records in
// SQLite, the sealed store and the embedded index, all in the test's own folder), with a stand-in
// for the workflows that keeps their rules but not their engine. Tests of the real workflows stand
// elsewhere.
package reviewtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
)

// Platform is the platform of every flag that a Bench makes.
const Platform = "example"

// Queue is where every case of a Bench stands at first; the leads' own is LeadQueue, OtherQueue is
// another team's.
const (
	Queue      = "general"
	LeadQueue  = "lead"
	OtherQueue = "other"
)

// Reconciled is the report of a Bench's reconciler.
type Reconciled struct {
	Cases int `json:"cases"`
}

// OtherTeam is the team of OtherQueue. Nobody of the demo people is of it: see Bench.Add.
const OtherTeam = "other"

const rules = `
version: 1
queues:
  - {name: general, title: general, deadline: 48h, roles: [reviewer, senior, lead]}
  - {name: lead, title: Leads, deadline: 24h, roles: [lead]}
  - {name: other, title: Another team, deadline: 24h, roles: [reviewer, senior, lead], team: other}
lead_queue: lead
appeals: {team: review}
on_unknown: {queue: general, severity: 3, confidence: 0, tier: alert}
rules:
  - {id: default, when: "true", queue: general, severity: 3, confidence: 2, tier: alert}
`

// Bench is a desk with all around it.
type Bench struct {
	Desk      *review.Desk
	Door      *intake.Door
	Records   *sqlite.Store
	Sealer    *evidence.Store
	Identity  evidence.Identity
	Index     *embedded.Index
	Access    *access.Access
	Glass     *access.Glass
	Rules     *policy.RuleSet
	Workflows *Workflows
	Clock     *Clock
	Log       *slog.Logger
	// Options are those that Desk was made of, to make another with a change.
	Options review.Options

	t testing.TB
}

// Clock is a clock that tests move.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock on.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// New makes a Bench in a folder of the test's own. log nil is silence.
func New(t testing.TB, log *slog.Logger) *Bench {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Bench{t: t, Log: log, Clock: &Clock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}}
	var err error
	b.Records, err = sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "records.db"), Fast: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Records.Close() })
	ring, err := evidence.OpenKeyring(ctx, evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: func(s string) string { return s }})
	require.NoError(t, err)
	b.Identity = ring.Identity()
	b.Sealer, err = evidence.Open(evidence.Options{Dir: filepath.Join(dir, "sealed"), Fast: true, Keyring: ring, Rows: b.Records})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Sealer.Close() })
	b.Index, err = embedded.Open(ctx, filepath.Join(dir, "index.db"), embedded.Options{Fast: true, Now: b.Clock.Now})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Index.Close() })

	b.Access = access.New(b.Records, access.Options{Clock: b.Clock.Now, Guarded: b.Records})
	_, err = b.Access.EnsurePeople(ctx, access.DemoPeople())
	require.NoError(t, err)
	b.Glass = access.NewGlass(b.Records, ring, b.Clock.Now)
	b.Rules, err = policy.Load(strings.NewReader(rules), "rules.yaml")
	require.NoError(t, err)
	keyID, key, err := ring.AssertionSigner()
	require.NoError(t, err)
	signer, err := access.NewSigner(keyID, key, 0, b.Clock.Now)
	require.NoError(t, err)
	keys, err := ring.AssertionKeys()
	require.NoError(t, err)
	const lease = 10 * time.Minute
	b.Workflows = &Workflows{
		Records: b.Records, Sealer: b.Sealer, Clock: b.Clock, Lease: lease, Grace: time.Minute, Keys: keys,
		Deciding: b.Rules.Deciding(999), answered: map[string]any{}, cases: map[casefile.CaseRef]*run{},
	}
	b.Door, err = intake.New(intake.Options{
		Records: b.Records, Sealer: b.Sealer, Identity: b.Identity, Signals: b.Workflows, Log: log, Now: b.Clock.Now,
	})
	require.NoError(t, err)
	b.Options = review.Options{
		Records: b.Records, Sealer: b.Sealer, Identity: b.Identity, Search: b.Index, Workflows: b.Workflows, Log: log,
		Signer: signer, Rules: b.Rules, People: b.Access, Glass: b.Glass, Reasons: ring,
		Reconciler: review.ReconcilerFunc[Reconciled](func(context.Context) (Reconciled, error) { return Reconciled{Cases: 1}, nil }),
		CanNotify:  func(string) bool { return true }, Platforms: []string{Platform}, Grace: time.Minute, Lease: lease, Now: b.Clock.Now,
	}
	b.Desk = review.New(b.Options)
	return b
}

// Who gives the demo person of a login ("rev1", "lead", ...).
func (b *Bench) Who(login string) access.Who {
	b.t.Helper()
	p, err := b.Records.PersonByLogin(context.Background(), login)
	require.NoError(b.t, err)
	return access.Who{Person: p.Person, Login: p.Login, Name: p.Name, Roles: p.Roles, Team: p.Team}
}

// Add adds somebody of a team with roles.
func (b *Bench) Add(login, team string, roles ...casefile.Role) access.Who {
	b.t.Helper()
	_, err := b.Access.EnsurePeople(context.Background(), []access.NewPerson{{Login: login, Name: "Somebody Else", Roles: roles, Team: team}})
	require.NoError(b.t, err)
	return b.Who(login)
}

// Token gives an API token of a demo person.
func (b *Bench) Token(login string) string {
	b.t.Helper()
	token, err := b.Access.NewAPIToken(context.Background(), b.Who(login).Person)
	require.NoError(b.t, err)
	return token
}

// Flag makes a flag about account n with the given posts, mild placeholders all.
func (b *Bench) Flag(n int, id string, posts ...casefile.Event) casefile.Flag {
	if len(posts) == 0 {
		posts = []casefile.Event{b.Post(n, fmt.Sprintf("post-%d-1", n), "text with [praise of a designated group] in it")}
	}
	f := casefile.Flag{
		ID: id, Platform: Platform, At: b.Clock.Now(),
		Account:  casefile.Account{ID: fmt.Sprintf("account-%d", n), Handle: fmt.Sprintf("synthetic_%d", n), DisplayName: "Synthetic Account"},
		Detector: casefile.Detector{Name: "test", Version: "1"}, Evidence: posts,
		Reasons: []casefile.Reason{{Rule: "praise", Policy: casefile.VE08, Weight: 5}},
	}
	const term = "[praise of a designated group]"
	for _, p := range posts {
		for i := 0; i+len(term) <= len(p.Text); i++ {
			if p.Text[i:i+len(term)] == term {
				f.Reasons[0].Terms = append(f.Reasons[0].Terms, casefile.Match{Post: p.ID, Term: "praise", Start: i, End: i + len(term)})
			}
		}
	}
	return f
}

// Post makes a post of account n.
func (b *Bench) Post(n int, id, text string) casefile.Event {
	return casefile.Event{
		Kind: casefile.EventPost, Platform: Platform, ID: id, Text: text, At: b.Clock.Now(), Lang: "en",
		Account: casefile.Account{ID: fmt.Sprintf("account-%d", n)},
	}
}

// JSON encodes a value for a request.
func (b *Bench) JSON(v any) []byte {
	b.t.Helper()
	data, err := json.Marshal(v)
	require.NoError(b.t, err)
	return data
}

// Submit hands a flag in and returns its case.
func (b *Bench) Submit(f casefile.Flag) casefile.CaseRef {
	b.t.Helper()
	res, err := b.Door.Submit(context.Background(), b.Who("detector"), b.JSON(f))
	require.NoError(b.t, err)
	require.NotEmpty(b.t, res.Case)
	return res.Case
}

// Open makes a case of a new account n with one flag and one post, and returns it with the post's id.
func (b *Bench) Open(n int) (casefile.CaseRef, string) {
	b.t.Helper()
	f := b.Flag(n, fmt.Sprintf("flag-%d", n))
	return b.Submit(f), f.Evidence[0].ID
}

// Form is a valid opinion that relies on the given posts.
func Form(action casefile.Action, relied ...string) casefile.OpinionForm {
	f := casefile.OpinionForm{
		Judgement: casefile.Judgement{
			Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E1,
			Mitigations: map[casefile.Mitigation]casefile.Answer{},
		},
		Rationale: "the post praises the group without any of the contexts", Relied: relied,
	}
	for _, m := range casefile.Mitigations {
		f.Mitigations[m] = casefile.AnswerNo
	}
	if action.Timed() {
		f.Days = 7
	}
	return f
}
