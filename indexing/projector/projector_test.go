package projector_test

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

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

const platform = "synthetic"

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// bed is a projector over real records, a real sealed store and a real index.
type bed struct {
	*projector.Projector
	t       *testing.T
	records *sqlite.Store
	sealer  *evidence.Store
	index   *embedded.Index
	said    *bytes.Buffer
}

func newBed(t *testing.T) *bed {
	t.Helper()
	dir := t.TempDir()
	b := &bed{t: t, said: &bytes.Buffer{}}
	ring, err := evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String})
	require.NoError(t, err)
	b.records, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "records.sqlite"), Fast: true})
	require.NoError(t, err)
	b.sealer, err = evidence.Open(evidence.Options{Dir: filepath.Join(dir, "evidence"), Fast: true, Keyring: ring, Rows: b.records})
	require.NoError(t, err)
	b.index, err = embedded.Open(t.Context(), filepath.Join(dir, "index.sqlite"), embedded.Options{Fast: true})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, b.index.Close())
		require.NoError(t, b.sealer.Close())
		require.NoError(t, b.records.Close())
		require.NoError(t, ring.Close())
	})
	b.Projector = &projector.Projector{Records: b.records, Sealer: b.sealer, Index: b.index, Log: slog.New(slog.NewTextHandler(b.said, nil))}
	return b
}

func (b *bed) seal(account casefile.AccountKey, kind evidence.Kind, v any) casefile.Address {
	b.t.Helper()
	data, err := json.Marshal(v)
	require.NoError(b.t, err)
	require.NoError(b.t, b.sealer.EnsureKey(b.t.Context(), platform, account))
	address, _, err := b.sealer.Seal(b.t.Context(), account, kind, data)
	require.NoError(b.t, err)
	return address
}

// flag puts a flag with one post on record and takes it into the account's case.
func (b *bed) flag(n int, key casefile.FlagKey, ref casefile.CaseRef, rule, text string) casefile.Address {
	b.t.Helper()
	account := accountOf(n)
	sealed := b.seal(account, evidence.KindFlag, casefile.Flag{
		ID: string(key), Platform: platform, Account: casefile.Account{ID: fmt.Sprintf("acct%d", n)}, At: now,
		Reasons:  []casefile.Reason{{Rule: rule, Policy: casefile.VE08, Weight: 1}},
		Evidence: []casefile.Event{{Kind: casefile.EventPost, Platform: platform, ID: "p-" + string(key), Text: text, At: now}},
	})
	_, _, err := b.records.PutFlag(b.t.Context(), records.FlagReceipt{Flag: key, Account: account, Platform: platform, Digest: "d", Sealed: sealed, Source: "p-detector", At: now, Status: records.FlagPending})
	require.NoError(b.t, err)
	_, err = b.records.TakeIn(b.t.Context(), platform, account, key, ref, now)
	require.NoError(b.t, err)
	return sealed
}

func accountOf(n int) casefile.AccountKey { return casefile.AccountKey(fmt.Sprintf("account%025d", n)) }

// opened puts a case in a queue.
func (b *bed) opened(n int, ref casefile.CaseRef, text string) casefile.Address {
	b.t.Helper()
	account := accountOf(n)
	profile := b.seal(account, evidence.KindProfile, evidence.Profile{Platform: platform, Account: casefile.Account{
		ID: fmt.Sprintf("acct%d", n), Handle: fmt.Sprintf("gull%d", n), DisplayName: fmt.Sprintf("Harbour %d", n),
	}})
	require.NoError(b.t, b.records.SetProfile(b.t.Context(), platform, account, profile, now))
	sealed := b.flag(n, casefile.FlagKey("f-"+string(ref)), ref, "praise", text)
	b.project(ref, func(p *records.Projection) {})
	return sealed
}

// project moves a case's row on.
func (b *bed) project(ref casefile.CaseRef, change func(*records.Projection)) {
	b.t.Helper()
	c, err := b.records.Case(b.t.Context(), ref)
	require.NoError(b.t, err)
	if c.State == casefile.StateNew {
		c.State = casefile.StateQueued
		c.Route = casefile.Route{Queue: "general", Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: now.Add(time.Hour), Rule: "r1", RuleSet: "rs1"}
	}
	c.Revision++
	p := records.Projection{Case: c, Now: now}
	change(&p)
	require.NoError(b.t, b.records.Project(b.t.Context(), p))
}

func (b *bed) drain() {
	b.t.Helper()
	for more := true; more; {
		var err error
		more, err = b.Drain(b.t.Context())
		require.NoError(b.t, err)
	}
	left, err := b.records.IndexChanges(b.t.Context(), 10)
	require.NoError(b.t, err)
	require.Empty(b.t, left)
}

func (b *bed) find(q indexing.CaseQuery) []indexing.CaseDoc {
	b.t.Helper()
	page, err := b.index.Search(b.t.Context(), q)
	require.NoError(b.t, err)
	return page.Cases
}

func TestProject(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	const ref = casefile.CaseRef("AAAAA-00001")
	b.opened(1, ref, "glory to lighthouses")
	b.flag(1, "second", ref, "recruit", "join the lighthouse")
	b.project(ref, func(*records.Projection) {})
	b.drain()
	due := now.Add(time.Hour)
	require.Equal(t, []indexing.CaseDoc{{
		Ref: ref, Platform: platform, Account: accountOf(1), AccountID: "acct1", Handle: "gull1", Names: "Harbour 1", Ordinal: 1,
		State: casefile.StateQueued, Queue: "general", Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: &due, OpenedAt: now,
		Rules: []string{"praise", "recruit"}, Policies: []casefile.PolicyCode{casefile.VE08}, Rule: "r1",
		Text: "glory to lighthouses\njoin the lighthouse", Revision: 2,
	}}, b.find(indexing.CaseQuery{Text: "lighthouse"}))
	for _, q := range []string{"gull1", "acct1", "harbour", string(ref), "glory"} {
		require.Len(t, b.find(indexing.CaseQuery{Text: q}), 1, q)
	}

	d := casefile.Decision{ID: "D1", Case: ref, Platform: platform, Account: accountOf(1), DecidedAt: now,
		Judgement: casefile.Judgement{Action: casefile.L5, Days: 3, Policies: []casefile.PolicyCode{casefile.VE05, casefile.VE08}}}
	b.project(ref, func(p *records.Projection) {
		p.Case.State, p.Case.Decision = casefile.StateProven, "D1"
		p.Decision = &records.DecisionRow{Decision: d, State: casefile.DecisionRecorded}
	})
	b.drain()
	doc := b.find(indexing.CaseQuery{Action: casefile.L5})[0]
	require.Equal(t, "recorded", doc.DecidedState)
	require.Equal(t, []casefile.PolicyCode{casefile.VE05, casefile.VE08}, doc.Policies)

	closed := now.Add(time.Minute)
	b.project(ref, func(p *records.Projection) {
		p.Case.State, p.Case.ClosedAt, p.Case.CloseReason = casefile.StateClosed, &closed, casefile.CloseDecided
	})
	b.drain()
	require.NoError(t, b.records.AdvanceDecision(t.Context(), "D1", casefile.DecisionDone, "", nil, now))
	b.drain()
	doc = b.find(indexing.CaseQuery{State: casefile.StateClosed})[0]
	require.Equal(t, "done", doc.DecidedState, "a takedown's end shows in its case's document")
	require.Equal(t, closed, *doc.ClosedAt)
	require.Equal(t, casefile.CloseDecided, doc.CloseReason)
	require.Equal(t, 4, doc.Revision)
}

// TestErasedAndDamagedAreLeftOut: neither holds up a document, its own or another's.
func TestErasedAndDamagedAreLeftOut(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	gone, damaged := casefile.CaseRef("AAAAA-00001"), casefile.CaseRef("AAAAA-00002")
	lost := map[casefile.Address]error{
		b.opened(1, gone, "words that were erased"):     casefile.Errorf(casefile.CodeNotFound, "erased"),
		b.opened(2, damaged, "words in a damaged file"): fmt.Errorf("open it: %w", evidence.ErrDamaged),
	}
	account, err := b.records.Account(t.Context(), accountOf(1))
	require.NoError(t, err)
	lost[account.Profile] = casefile.Errorf(casefile.CodeNotFound, "erased")
	odd := b.flag(2, "odd", damaged, "unread", "words nobody can decode")
	b.opened(3, "AAAAA-00003", "words that stand")
	b.Sealer = holes{b.sealer, lost, map[casefile.Address]bool{odd: true}}
	b.drain()
	require.Len(t, b.find(indexing.CaseQuery{}), 3)
	require.Len(t, b.find(indexing.CaseQuery{Text: "stand"}), 1)
	require.Empty(t, b.find(indexing.CaseQuery{Text: "erased"}))
	require.Empty(t, b.find(indexing.CaseQuery{Text: "damaged"}))
	require.Empty(t, b.find(indexing.CaseQuery{Text: "gull1"}))
	require.Len(t, b.find(indexing.CaseQuery{Text: "gull2"}), 1)
	require.Contains(t, b.said.String(), "AAAAA-00002")
	require.NotContains(t, b.said.String(), "AAAAA-00001", "an erased account is no fault")
	require.NotContains(t, b.said.String(), "words")
}

// TestPromise09LateProjection: a projection that read the case before its account was erased, and writes
// after, brings nothing back; nor does one under a key that a process still holds in memory.
func TestPromise09LateProjection(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	const ref = casefile.CaseRef("AAAAA-00001")
	b.opened(1, ref, "words of the erased account")
	b.drain()
	closed := now.Add(time.Minute)
	b.project(ref, func(p *records.Projection) {
		p.Case.State, p.Case.ClosedAt, p.Case.CloseReason = casefile.StateClosed, &closed, casefile.CloseErased
	})
	b.Index = during{b.index, func() {
		b.Index = b.index
		by := casefile.Actor{Person: "p-policy", Role: casefile.RolePolicy}
		e, bars, err := b.records.BeginErasure(t.Context(), records.ErasureRow{
			ID: "e1", Account: accountOf(1), Platform: platform, Name: "name", Reason: []byte("sealed"), By: by, At: now,
		})
		require.NoError(t, err)
		require.Empty(t, bars)
		_, err = b.records.DestroyAccount(t.Context(), e.ID, now)
		require.NoError(t, err)
		b.drain()
		require.Empty(t, b.find(indexing.CaseQuery{Text: "words"}))
	}}
	_, err := b.Drain(t.Context())
	require.NoError(t, err, "the late one is taken, and changes nothing")
	require.Empty(t, b.find(indexing.CaseQuery{Text: "words"}))
	doc := b.find(indexing.CaseQuery{})[0]
	require.Equal(t, []any{"", "", "", "", 3}, []any{doc.Text, doc.Handle, doc.AccountID, doc.Names, doc.Revision})
	require.Nil(t, doc.Rules)
	require.Equal(t, casefile.CloseErased, doc.CloseReason)
	require.NoError(t, b.records.RequeueIndex(t.Context()))
	b.drain()
	require.Empty(t, b.find(indexing.CaseQuery{Text: "words"}), "a rebuild neither")
}

// holes is a sealed store that has lost some of what it held, and gives some back as something else.
type holes struct {
	*evidence.Store
	lost map[casefile.Address]error
	odd  map[casefile.Address]bool
}

func (h holes) Open(ctx context.Context, a casefile.AccountKey, kind evidence.Kind, address casefile.Address) ([]byte, error) {
	if h.odd[address] {
		return []byte(`{"id": 5, "text": "words"}`), nil
	}
	err, ok := h.lost[address]
	if ok {
		return nil, err
	}
	return h.Store.Open(ctx, a, kind, address)
}

// down stands before an index, or a part of records, and fails while it is told to.
type down struct {
	indexing.Cases
	mu   sync.Mutex
	fail bool
	puts []casefile.CaseRef
}

func (d *down) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail {
		return &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the engine"}
	}
	d.puts = append(d.puts, doc.Ref)
	return d.Cases.PutCase(ctx, doc)
}

func (d *down) set(fail bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

// TestIndexDown: nothing is forgotten while the index is down, and everything comes when it is back.
func TestIndexDown(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	x := &down{Cases: b.index, fail: true}
	b.Index = x
	b.opened(1, "AAAAA-00001", "one")
	_, err := b.Drain(t.Context())
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	b.opened(2, "AAAAA-00002", "two")
	b.project("AAAAA-00001", func(*records.Projection) {})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Run(ctx)
	}()
	x.set(false)
	indexed := func(n int) func() bool {
		return func() bool { return len(b.find(indexing.CaseQuery{})) == n }
	}
	require.Eventually(t, indexed(2), 20*time.Second, 10*time.Millisecond)
	b.opened(3, "AAAAA-00003", "three")
	require.Eventually(t, indexed(3), 20*time.Second, 10*time.Millisecond, "what comes while it waits is told to it")
	stop()
	<-ended
	require.NotContains(t, b.said.String(), "words of the engine")
	require.Equal(t, 2, b.find(indexing.CaseQuery{Text: "one"})[0].Revision)
}

// TestDrainInBatches: more says that there may be more, and a rebuild enters everything again.
func TestDrainInBatches(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for n := range 101 {
		b.opened(n, casefile.CaseRef(fmt.Sprintf("AAAAA-%05d", n)), "same words")
	}
	x := &down{Cases: b.index}
	b.Index = x
	more, err := b.Drain(t.Context())
	require.NoError(t, err)
	require.True(t, more)
	require.Len(t, x.puts, 100)
	b.drain()
	require.Len(t, x.puts, 101)
	require.NoError(t, b.records.RequeueIndex(t.Context()))
	b.drain()
	require.Len(t, x.puts, 202)
}

// TestChangeWhileProjecting: a row that changes between being read and being noted is written again.
func TestChangeWhileProjecting(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.opened(1, "AAAAA-00001", "one")
	b.Index = during{b.index, func() { b.project("AAAAA-00001", func(*records.Projection) {}) }}
	_, err := b.Drain(t.Context())
	require.NoError(t, err)
	left, err := b.records.IndexChanges(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, left, 1)
	b.Index = b.index
	b.drain()
	require.Equal(t, 2, b.find(indexing.CaseQuery{})[0].Revision)
}

// during does something while a document is being written.
type during struct {
	indexing.Cases
	what func()
}

func (d during) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	d.what()
	return d.Cases.PutCase(ctx, doc)
}
