package activities_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// stored puts posts of the account a-17 into history, and one of another account beside them.
func (b *bed) stored(posts ...casefile.Event) {
	b.t.Helper()
	other := post("of-another", "[nothing]", 0)
	other.Account.ID = "a-99"
	list := []indexing.Post{{Event: other, Account: b.key("a-99")}}
	for _, e := range posts {
		list = append(list, indexing.Post{Event: e, Account: b.key("a-17")})
	}
	_, err := b.index.PutPosts(b.t.Context(), list)
	require.NoError(b.t, err)
}

// storedOf puts posts of any account into history.
func (b *bed) storedOf(account string, posts ...casefile.Event) {
	b.t.Helper()
	var list []indexing.Post
	for _, e := range posts {
		list = append(list, indexing.Post{Event: e, Account: b.key(account)})
	}
	_, err := b.index.PutPosts(b.t.Context(), list)
	require.NoError(b.t, err)
}

// known is a bed on which every source knows the account a-17: it has a history, a case that ended
// with a suspension and its strike, and the handle of a suspended account.
func known(t *testing.T) (*bed, casefile.CaseRef) {
	b := newBed(t)
	before := b.begin(flagOf("f1", post("p1", postText, 1)))
	before.takedown(before.decide(before.opinion("p-anna0000", judgement(casefile.L5), "p1")))
	before.close(casefile.CloseDecided)

	alike := flagOf("f2")
	alike.Account = casefile.Account{ID: "a-18", Handle: handle + "_returns"}
	twin := b.begin(alike)
	twin.takedown(twin.decide(twin.opinion("p-anna0000", judgement(casefile.L5), casefile.EvidenceProfile)))
	twin.close(casefile.CloseDecided)

	b.stored(post("p1", postText, 1), post("p2", "[breaking news about it]", 2), post("p3", "[more]", 30))
	a := b.take(b.key("a-17"), b.submit(flagOf("f3", post("p2", "[breaking news about it]", 2))))
	require.NotEmpty(t, a.Ref)
	return b, a.Ref
}

func TestAssess(t *testing.T) {
	t.Parallel()
	b, ref := known(t)
	answer, found := b.assess(b.key("a-17"), ref)
	for kind, f := range found {
		require.Equal(t, casefile.StatusKnown, f.Status, "%s: %s", kind, f.Why)
		require.NotEmpty(t, f.Source, kind)
		require.NotEmpty(t, f.Version, kind)
		require.Equal(t, b.clock(), f.At, kind)
		require.Subset(t, policy.FindingValues(kind), slices.Collect(maps.Keys(f.Values)), "rules could not read all of %s", kind)
	}
	require.Equal(t, map[string]float64{"posts": 3, "reposts": 0, "replies": 0, "days": 29.0 / (24 * 60)}, found[casefile.FindingHistory].Values)
	require.Len(t, found[casefile.FindingHistory].Items, 3)
	require.Contains(t, found[casefile.FindingHistory].Why, "history covers 2026-03-02")
	require.Equal(t, map[string]float64{"closed": 1, "violations": 1, "highest_action": 5, "items": 2, "items_new": 1}, found[casefile.FindingEarlierCases].Values)
	require.Equal(t, map[string]float64{"live": 1}, found[casefile.FindingStrikes].Values)
	require.Equal(t, map[string]float64{"accounts": 1}, found[casefile.FindingLookAlike].Values)
	require.Equal(t, b.key("a-18"), found[casefile.FindingLookAlike].Items[0].Account)
	require.Equal(t, float64(3), found[casefile.FindingScore].Values["posts"], "each post once, from flag and history")
	require.Positive(t, found[casefile.FindingScore].Values["score"])
	require.NotEmpty(t, found[casefile.FindingScore].Items)

	require.Equal(t, 1, answer.Flags)
	require.NotEmpty(t, answer.Route.Queue)
	require.NotEmpty(t, answer.Route.RuleSet)
	require.False(t, answer.Route.DueAt.IsZero())

	again, _ := b.assess(b.key("a-17"), ref)
	require.Equal(t, answer, again, "the same case at the same time is assessed the same, and sealed in one place")
}

// TestAssessCountsOnlyClosedCasesAndViolations: neither this case nor a decision for nothing counts
// as a violation.
func TestAssessCountsOnlyClosedCasesAndViolations(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	none := b.begin(flagOf("f1", post("p1", postText, 1)))
	none.decide(none.opinion("p-anna0000", judgement(casefile.L0)))
	none.close(casefile.CloseDecided)
	twice := b.begin(flagOf("f2"))
	twice.close(casefile.CloseDuplicate)
	a := b.take(b.key("a-17"), b.submit(flagOf("f3")))
	_, found := b.assess(b.key("a-17"), a.Ref)
	f := found[casefile.FindingEarlierCases]
	require.Equal(t, map[string]float64{"closed": 2, "violations": 0, "items": 1, "items_new": 0}, f.Values)
	require.Equal(t, "closed: duplicate", f.Items[0].Label)
	require.Equal(t, "L0 VE-00", f.Items[1].Label)
	require.Zero(t, found[casefile.FindingStrikes].Values["live"])
}

// broken stands before the records and fails one thing.
type broken struct {
	records.Store
	what string
}

// fault is how the sources fail here; its words must go nowhere.
var fault = &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the source", Err: errors.New("words of the engine")}

func (s broken) AccountCases(ctx context.Context, a casefile.AccountKey) ([]records.Case, error) {
	if s.what == "cases" {
		return nil, fault
	}
	return s.Store.AccountCases(ctx, a)
}

func (s broken) Decision(ctx context.Context, id string) (records.DecisionRow, error) {
	if s.what == "decision" {
		return records.DecisionRow{}, fault
	}
	return s.Store.Decision(ctx, id)
}

func (s broken) Strikes(ctx context.Context, a casefile.AccountKey, now time.Time) ([]records.Strike, error) {
	if s.what == "strikes" {
		return nil, fault
	}
	return s.Store.Strikes(ctx, a, now)
}

func (s broken) LookAlikes(ctx context.Context, a casefile.AccountKey, platform string, hashes []string) ([]casefile.AccountKey, error) {
	if s.what == "lookalikes" {
		return nil, fault
	}
	return s.Store.LookAlikes(ctx, a, platform, hashes)
}

// brokenHistory fails, or hangs until it is given up.
type brokenHistory struct {
	indexing.History
	what string
}

func (h brokenHistory) AccountHistory(ctx context.Context, platform string, a casefile.AccountKey, limit int) (indexing.AccountHistory, error) {
	switch h.what {
	case "history":
		return indexing.AccountHistory{}, fault
	case "hangs":
		<-ctx.Done()
		return indexing.AccountHistory{}, ctx.Err()
	}
	if h.what == "lies" {
		return indexing.AccountHistory{Posts: 1, Reposts: 2}, nil
	}
	return h.History.AccountHistory(ctx, platform, a, limit)
}

func (h brokenHistory) Coverage(ctx context.Context, platform string) (indexing.Coverage, error) {
	if h.what == "coverage" {
		return indexing.Coverage{}, fault
	}
	if h.what == "window" {
		return indexing.Coverage{Posts: -1}, nil
	}
	return h.History.Coverage(ctx, platform)
}

type brokenScorer struct {
	classify.Scorer
	answer func(context.Context) error
}

func (s brokenScorer) ScoreAccount(ctx context.Context, _ string, _ casefile.Account, _ []casefile.Event) (classify.Score, error) {
	return classify.Score{Score: 0.5, Posts: 1}, s.answer(ctx)
}

// TestPromise05FailingSources: a source that fails gives a finding that says so, with no value in
// it, and takes nothing else down; the case is routed all the same.
func TestPromise05FailingSources(t *testing.T) {
	t.Parallel()
	b, ref := known(t)
	sources := map[string]struct {
		breaks func(*activities.Work)
		hangs  bool
		kind   casefile.FindingKind
		why    string
	}{
		"history":        {func(w *activities.Work) { w.History = brokenHistory{w.History, "history"} }, false, casefile.FindingHistory, "the source failed: unavailable"},
		"coverage":       {func(w *activities.Work) { w.History = brokenHistory{w.History, "coverage"} }, false, casefile.FindingHistory, "the source failed: unavailable"},
		"history hangs":  {func(w *activities.Work) { w.History = brokenHistory{w.History, "hangs"} }, true, casefile.FindingHistory, "the source failed: internal"},
		"earlier cases":  {func(w *activities.Work) { w.Records = broken{w.Records, "cases"} }, false, casefile.FindingEarlierCases, "the source failed: unavailable"},
		"their decision": {func(w *activities.Work) { w.Records = broken{w.Records, "decision"} }, false, casefile.FindingEarlierCases, "the source failed: unavailable"},
		"strikes":        {func(w *activities.Work) { w.Records = broken{w.Records, "strikes"} }, false, casefile.FindingStrikes, "the source failed: unavailable"},
		"look-alikes":    {func(w *activities.Work) { w.Records = broken{w.Records, "lookalikes"} }, false, casefile.FindingLookAlike, "the source failed: unavailable"},
		"scores": {func(w *activities.Work) {
			w.Scorer = brokenScorer{w.Scorer, func(context.Context) error { return fault }}
		}, false, casefile.FindingScore, "the source failed: unavailable"},
		"scores lie": {func(w *activities.Work) {
			w.Scorer = brokenScorer{w.Scorer, func(context.Context) error { return nil }} // of no account and no model
		}, false, casefile.FindingScore, "the source failed: internal"},
		"history lies":  {func(w *activities.Work) { w.History = brokenHistory{w.History, "lies"} }, false, casefile.FindingHistory, "the source failed: internal"},
		"coverage lies": {func(w *activities.Work) { w.History = brokenHistory{w.History, "window"} }, false, casefile.FindingHistory, "the source failed: internal"},
		"scores hang": {func(w *activities.Work) {
			w.Scorer = brokenScorer{w.Scorer, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		}, true, casefile.FindingScore, "the source failed: internal"},
	}
	whole, sound := b.assess(b.key("a-17"), ref)
	for name, c := range sources {
		t.Run(name, func(t *testing.T) {
			w := *b.work
			w.SourceTimeout = time.Minute
			if c.hangs {
				w.SourceTimeout = 200 * time.Millisecond
			}
			c.breaks(&w)
			alone := &bed{t: t, work: &w, sealer: b.sealer, now: b.now}
			answer, found := alone.assess(b.key("a-17"), ref)
			for kind, f := range found {
				if kind != c.kind {
					// On a slow machine the short time-out may also end the other source that has one.
					timed := c.hangs && (kind == casefile.FindingHistory || kind == casefile.FindingScore)
					require.True(t, timed || f.Status == casefile.StatusKnown, "%s is %s", kind, f.Status)
					continue
				}
				require.Equal(t, casefile.StatusFailed, f.Status)
				require.Empty(t, f.Values, "a failed finding has no value, and no zero")
				require.Empty(t, f.Items)
				require.Equal(t, c.why, f.Why)
				require.Equal(t, sound[kind].Source, f.Source)
				require.Equal(t, sound[kind].Version, f.Version)
			}
			require.NotEmpty(t, answer.Route.Queue)
			require.NotEqual(t, whole.Sealed, answer.Sealed)
		})
	}
	require.NotContains(t, b.said.String(), "words of the")
	require.Contains(t, b.said.String(), `"msg":"finding failed"`)
}

// TestPromise05Unknown: what a source does not know is unknown, not zero and not failed.
func TestPromise05Unknown(t *testing.T) {
	t.Parallel()
	status := func(t *testing.T, f casefile.Finding, want casefile.FindingStatus) {
		t.Helper()
		require.Equal(t, want, f.Status, f.Why)
		if want == casefile.StatusUnknown {
			require.Empty(t, f.Values)
			require.Empty(t, f.Items)
			require.NotEmpty(t, f.Why)
		}
	}
	b := newBed(t)
	bare := flagOf("f1")
	bare.Account = casefile.Account{ID: "a-17"}
	account := b.key("a-17")
	ref := b.take(account, b.submit(bare)).Ref
	_, found := b.assess(account, ref)
	status(t, found[casefile.FindingHistory], casefile.StatusUnknown) // nothing of the platform was ever seen
	status(t, found[casefile.FindingScore], casefile.StatusUnknown)   // there is no post
	status(t, found[casefile.FindingLookAlike], casefile.StatusUnknown)
	status(t, found[casefile.FindingMitigations], casefile.StatusUnknown)
	status(t, found[casefile.FindingEarlierCases], casefile.StatusKnown) // records know that there is none
	status(t, found[casefile.FindingStrikes], casefile.StatusKnown)

	b.stored()
	_, found = b.assess(account, ref)
	status(t, found[casefile.FindingHistory], casefile.StatusKnown)
	require.Zero(t, found[casefile.FindingHistory].Values["posts"])

	b.take(account, b.submit(flagOf("f2", post("p1", ". . .", 0))))
	_, found = b.assess(account, ref)
	status(t, found[casefile.FindingHistory], casefile.StatusUnknown) // it lacks a post of its own time
	status(t, found[casefile.FindingScore], casefile.StatusUnknown)   // no post has words
	status(t, found[casefile.FindingLookAlike], casefile.StatusKnown)
	status(t, found[casefile.FindingMitigations], casefile.StatusKnown)
}

// seen keeps the posts that a scorer was given.
type seen struct {
	classify.Scorer
	posts map[string]string
}

func (s *seen) ScoreAccount(ctx context.Context, platform string, a casefile.Account, posts []casefile.Event) (classify.Score, error) {
	s.posts = map[string]string{}
	for _, e := range posts {
		s.posts[e.ID] += e.Text
	}
	return s.Scorer.ScoreAccount(ctx, platform, a, posts)
}

// TestScoreSeesEachPostOnceInItsLatestForm: from whatever flag or history it came.
func TestScoreSeesEachPostOnceInItsLatestForm(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	edit := post("p1", "[the edit]", 5)
	edit.Kind = casefile.EventEdit
	wordless := post("p4", "", 6)
	gone := post("p5", "", 7)
	gone.Kind = casefile.EventDelete
	profile := casefile.Event{Kind: casefile.EventAccount, Platform: platform, Account: casefile.Account{ID: "a-17", Bio: bio}, At: morning}
	b.stored(post("p2", "[newer in history]", 9), post("p3", "[older in history]", 1), post("p6", "[only in history]", 2))
	account := b.key("a-17")
	a := b.take(account,
		b.submit(flagOf("f1", edit, post("p2", "[older in the flag]", 2), post("p3", "[newer in the flag]", 3), wordless, gone, profile)),
		b.submit(flagOf("f2", post("p1", "[the post]", 1))))
	s := &seen{Scorer: b.work.Scorer}
	b.work.Scorer = s
	b.assess(account, a.Ref)
	require.Equal(t, map[string]string{
		"p1": "[the edit]", "p2": "[newer in history]", "p3": "[newer in the flag]", "p6": "[only in history]",
	}, s.posts)
}

// holes is a sealed store that has lost some of what it held.
type holes struct {
	evidence.Sealer
	lost map[casefile.Address]error
}

func (h holes) Open(ctx context.Context, a casefile.AccountKey, kind evidence.Kind, address casefile.Address) ([]byte, error) {
	err, ok := h.lost[address]
	if ok {
		return nil, err
	}
	return h.Sealer.Open(ctx, a, kind, address)
}

func (b *bed) sealedFlag(id string) casefile.Address {
	b.t.Helper()
	row, err := b.records.Flag(b.t.Context(), b.identity.Flag(platform, id))
	require.NoError(b.t, err)
	return row.Sealed
}

// TestAssessWithLostFlags: what is gone or damaged is counted, and the rest reaches a person; what
// may come back is waited for.
func TestAssessWithLostFlags(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	first, second, third := flagOf("f1", post("p1", postText, 1)), flagOf("f2", post("p2", "[another]", 2)), flagOf("f3", post("p3", "[a third]", 3))
	second.Reasons[0].Rule, third.Reasons[0].Rule = "of-two", "of-three"
	second.Account.Handle = "newer_handle"
	ref := b.take(account, b.submit(first), b.submit(second), b.submit(third)).Ref
	missing := casefile.Errorf(casefile.CodeNotFound, "not there")
	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.sealedFlag("f1"): missing, b.sealedFlag("f3"): evidence.ErrDamaged}}
	rules := &rulesSeen{Router: b.work.Router}
	b.work.Router = rules
	answer, found := b.assess(account, ref)
	require.Equal(t, 3, answer.Flags, "lost flags count")
	require.Equal(t, policy.FlagSummary{Count: 1, Weight: 9, Policies: []casefile.PolicyCode{casefile.VE08}, Rules: []string{"of-two"}, Posts: 1, Lost: 2}, rules.in.Flags)
	require.Equal(t, float64(1), found[casefile.FindingScore].Values["posts"])
	require.Contains(t, b.said.String(), `"lost_flags":2`)

	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.sealedFlag("f1"): casefile.Errorf(casefile.CodeUnavailable, "the store is down")}}
	_, err := b.work.Assess(t.Context(), b.assessAsk(account, ref))
	requireCode(t, casefile.CodeUnavailable, err)
}

// rulesSeen keeps what the rules were asked.
type rulesSeen struct {
	activities.Router
	in policy.Input
}

func (r *rulesSeen) Route(in policy.Input) (casefile.Route, error) {
	r.in = in
	return r.Router.Route(in)
}

// TestAssessRoutesOnWhatItGathered: the rules see all flags, and every finding's code.
func TestAssessRoutesOnWhatItGathered(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	heavy := flagOf("f2", post("p1", postText, 1), post("p2", "[another]", 2))
	heavy.Reasons = []casefile.Reason{{Rule: "b", Policy: casefile.VE05, Weight: 5}, {Rule: "a", Policy: casefile.VE08, Weight: 6.5}}
	ref := b.take(account, b.submit(flagOf("f1", post("p1", postText, 1))), b.submit(heavy)).Ref
	rules := &rulesSeen{Router: b.work.Router}
	b.work.Router = rules
	answer, _ := b.assess(account, ref)
	require.Equal(t, policy.Input{
		Platform: platform, OpenedAt: morning, Findings: answer.Findings,
		Flags: policy.FlagSummary{Count: 2, Weight: 11.5, Policies: []casefile.PolicyCode{casefile.VE05, casefile.VE08}, Rules: []string{"a", "b", "praise"}, Posts: 2},
	}, rules.in)
}

// reopen writes the row that asks for a closed case's reopening, and gives its key.
func (b *bed) reopen(l *life) casefile.FlagKey {
	b.t.Helper()
	closed, err := b.records.Case(b.t.Context(), l.s.Ref)
	require.NoError(b.t, err)
	key := b.identity.Flag(platform, "reopening of "+string(l.s.Ref))
	_, _, err = b.records.PutFlag(b.t.Context(), records.FlagReceipt{
		Flag: key, Account: l.account, Platform: platform, Digest: closed.FileDigest, Sealed: closed.File, Source: "p-anna0000",
		At: b.clock(), Status: records.FlagPending, Reopens: l.s.Ref,
	})
	require.NoError(b.t, err)
	return key
}

// TestReopenedCaseBringsItsFlags: through two reopenings, and with one flag gone.
func TestReopenedCaseBringsItsFlags(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	first := b.begin(flagOf("f1", post("p1", postText, 1)), flagOf("f2", post("p2", "[another]", 2)))
	first.close(casefile.CloseOutOfScope)
	second := &life{bed: b, account: first.account}
	second.taken(b.take(first.account, b.reopen(first)))
	require.Equal(t, 2, second.s.Flags)
	require.Equal(t, first.s.Ref, second.s.Previous)
	file := second.close(casefile.CloseOutOfScope)
	var archived activities.CaseFile
	b.open(first.account, evidence.KindCaseFile, file.File, &archived)
	require.Equal(t, []casefile.Address{b.sealedFlag("f1"), b.sealedFlag("f2")}, archived.Flags)

	reopening := b.reopen(second)
	third := b.take(first.account, reopening, b.submit(flagOf("f3", post("p3", "[a third]", 3))))
	answer, found := b.assess(first.account, third.Ref)
	require.Equal(t, 3, answer.Flags)
	require.Equal(t, float64(3), found[casefile.FindingScore].Values["posts"])

	missing := casefile.Errorf(casefile.CodeNotFound, "not there")
	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.sealedFlag("f1"): missing}}
	answer, found = b.assess(first.account, third.Ref)
	require.Equal(t, 3, answer.Flags)
	require.Equal(t, float64(2), found[casefile.FindingScore].Values["posts"], "the other flags of the file are there")

	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{file.File: missing}}
	answer, found = b.assess(first.account, third.Ref)
	require.Equal(t, 2, answer.Flags)
	require.Equal(t, float64(1), found[casefile.FindingScore].Values["posts"])
	ask := workflows.ArchiveAsk{Platform: platform, Account: first.account, State: workflows.CaseState{Ref: third.Ref}, ClosedAt: b.clock()}
	last, err := b.work.Archive(t.Context(), ask)
	require.NoError(t, err, "a case ends also where the file of the one before is gone")
	b.open(first.account, evidence.KindCaseFile, last.File, &archived)
	require.Equal(t, []casefile.Address{b.sealedFlag("f3")}, archived.Flags)

	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{file.File: casefile.Errorf(casefile.CodeUnavailable, "the store is down")}}
	_, err = b.work.Archive(t.Context(), ask)
	requireCode(t, casefile.CodeUnavailable, err)
	_, err = b.work.Assess(t.Context(), b.assessAsk(first.account, third.Ref))
	requireCode(t, casefile.CodeUnavailable, err)
}

// TestAssessErrs where there is nothing to show or nowhere to keep it: then it is tried again.
func TestAssessErrs(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	ref := b.take(account, b.submit(flagOf("f1"))).Ref
	w := *b.work
	w.Router = noRoute{}
	_, err := w.Assess(t.Context(), b.assessAsk(account, ref))
	requireCode(t, casefile.CodeUnavailable, err)
	_, err = b.work.Assess(t.Context(), b.assessAsk("no such account", ref))
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.work.Assess(ctx, b.assessAsk(account, ref))
	require.ErrorIs(t, err, context.Canceled)
}

type noRoute struct{ activities.Router }

func (noRoute) Route(policy.Input) (casefile.Route, error) { return casefile.Route{}, fault }
