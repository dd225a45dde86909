package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// fresh has a case assessed as nobody has touched it yet.
func (b *bed) fresh(account casefile.AccountKey, ref casefile.CaseRef) (workflows.AssessAnswer, casefile.Finding) {
	b.t.Helper()
	ask := b.assessAsk(account, ref)
	ask.Fresh = true
	answer, err := b.work.Assess(b.t.Context(), ask)
	require.NoError(b.t, err)
	var list []casefile.Finding
	b.open(account, evidence.KindFindings, answer.Sealed, &list)
	return answer, list[1]
}

// decidedCase is an account whose one case was decided on posts p1 and p2.
func decidedCase(t *testing.T) (*bed, workflows.TakedownInput) {
	t.Helper()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1), post("p2", "[another]", 2)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L4), "p1"))
	l.takedown(in)
	l.close(casefile.CloseDecided)
	return b, in
}

// TestAlreadyDecided: evidence that an earlier decision had before it, all of it, is answered with that
// decision; anything new goes to people, and the page can say what it is.
func TestAlreadyDecided(t *testing.T) {
	t.Parallel()
	edited := post("p1", "[the same post in other words]", 1)
	media := post("p1", postText, 1)
	media.Media = []casefile.Media{{Type: "image", SHA256: "abcd"}}
	address := post("p1", postText, 1)
	address.Media = []casefile.Media{{Type: "image", URL: "https://media.example.org/1?token=2"}}
	profile := flagOf("f2", post("p1", postText, 1))
	profile.Account.Bio = "[a new bio]"
	counted := flagOf("f2", post("p2", "[another]", 2))
	followers := int64(7)
	counted.Account.Followers = &followers
	cases := map[string]struct {
		flag    casefile.Flag
		decided bool
		added   []string // posts
		items   float64
	}{
		"all of it":              {flagOf("f2", post("p2", "[another]", 2), post("p1", postText, 1)), true, nil, 3},
		"some of it":             {flagOf("f2", post("p1", postText, 9)), true, nil, 2},
		"more followers":         {counted, true, nil, 2},
		"an address of media":    {flagOf("f2", address), true, nil, 2},
		"another post":           {flagOf("f2", post("p1", postText, 1), post("p3", postText, 3)), false, []string{"p3"}, 3},
		"an edited post":         {flagOf("f2", edited), false, []string{"p1"}, 2},
		"another picture":        {flagOf("f2", media), false, []string{"p1"}, 2},
		"a new profile":          {profile, false, nil, 2},
		"a flag without a post":  {flagOf("f2"), false, nil, 1},
		"two wordings, one new":  {flagOf("f2", post("p1", postText, 1), edited), false, []string{"p1"}, 3},
		"a post that is deleted": {flagOf("f2", casefile.Event{Kind: casefile.EventDelete, Platform: platform, ID: "p1", At: morning, Account: casefile.Account{ID: "a-17"}}), false, nil, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in := decidedCase(t)
			a := b.take(b.key("a-17"), b.submit(c.flag))
			answer, finding := b.fresh(b.key("a-17"), a.Ref)
			want := ""
			if c.decided {
				want = in.Decision.ID
			}
			require.Equal(t, want, answer.AlreadyDecided)
			require.Nil(t, answer.Automatic)
			require.Equal(t, c.items, finding.Values["items"])
			if c.decided {
				require.Zero(t, finding.Values["items_new"])
			} else if name != "a flag without a post" {
				require.Positive(t, finding.Values["items_new"])
			}
			var added []string
			for _, item := range finding.Items {
				if item.Label == "new" {
					added = append(added, item.Post)
				}
			}
			require.Equal(t, c.added, added)
		})
	}
}

// TestAlreadyDecidedGoesToPeople where it was drawn, where the earlier decision does not stand, or
// where it is not all known.
func TestAlreadyDecidedGoesToPeople(t *testing.T) {
	t.Parallel()
	same := flagOf("f2", post("p1", postText, 1))
	fell := func(b *bed, in workflows.TakedownInput, state casefile.AppealState) {
		l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
		re := l.upheld(in)
		for _, act := range b.prepareUndo(re) {
			_, err := b.undo(re, act)
			require.NoError(b.t, err)
		}
		if state != casefile.AppealUpheld {
			require.NoError(b.t, b.work.FinishUndo(b.t.Context(), workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: state, Why: "forbidden"}))
		}
	}
	for name, c := range map[string]struct {
		before func(b *bed, in workflows.TakedownInput)
		why    string
	}{
		"it was drawn":                   {func(b *bed, _ workflows.TakedownInput) { b.draw = 0 }, "sampled"},
		"the acts failed":                {func(b *bed, in workflows.TakedownInput) { b.advance(in, casefile.DecisionFailed) }, "decision_not_standing"},
		"an act is uncertain":            {func(b *bed, in workflows.TakedownInput) { b.advance(in, casefile.DecisionUncertain) }, "decision_not_standing"},
		"it is being taken back":         {func(b *bed, in workflows.TakedownInput) { fell(b, in, casefile.AppealUpheld) }, "decision_not_standing"},
		"it was taken back":              {func(b *bed, in workflows.TakedownInput) { fell(b, in, casefile.AppealReinstated) }, ""},
		"it could not all be taken back": {func(b *bed, in workflows.TakedownInput) { fell(b, in, casefile.AppealIncomplete) }, "decision_not_standing"},
		"the decision cannot be read":    {func(b *bed, _ workflows.TakedownInput) { b.work.Records = broken{b.work.Records, "decision"} }, "decision_unavailable"},
		"a flag is lost": {func(b *bed, _ workflows.TakedownInput) {
			b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.sealedFlag("f3"): evidence.ErrDamaged}}
		}, "flags_unopened"},
		"the records cannot say": {func(b *bed, _ workflows.TakedownInput) { b.work.Records = broken{b.work.Records, "items"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in := decidedCase(t)
			a := b.take(b.key("a-17"), b.submit(same), b.submit(flagOf("f3", post("p2", "[another]", 2))))
			c.before(b, in)
			answer, finding := b.fresh(b.key("a-17"), a.Ref)
			require.Empty(t, answer.AlreadyDecided)
			require.Nil(t, answer.Automatic)
			require.NotEmpty(t, answer.Route.Queue)
			if c.why != "" {
				require.Contains(t, b.said.String(), fmt.Sprintf(`"from":"already_decided","why":%q`, c.why))
			}
			if name == "the records cannot say" {
				require.Equal(t, casefile.StatusFailed, finding.Status)
			}
		})
	}
	t.Run("somebody has touched it", func(t *testing.T) {
		t.Parallel()
		b, _ := decidedCase(t)
		a := b.take(b.key("a-17"), b.submit(same))
		answer, _ := b.assess(b.key("a-17"), a.Ref)
		require.Empty(t, answer.AlreadyDecided)
	})
	t.Run("somebody asked for another look", func(t *testing.T) {
		t.Parallel()
		b, in := decidedCase(t)
		l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
		a := b.take(l.account, b.reopen(l))
		answer, _ := b.fresh(l.account, a.Ref)
		require.Empty(t, answer.AlreadyDecided)
	})
	t.Run("two decisions had one half each", func(t *testing.T) {
		t.Parallel()
		b, _ := decidedCase(t)
		second := &life{bed: b, account: b.key("a-17")}
		second.taken(b.take(second.account, b.submit(flagOf("f4", post("p3", "[a third]", 3)))))
		in := second.decide(second.opinion("p-anna0000", judgement(casefile.L4), "p3"))
		second.takedown(in)
		second.close(casefile.CloseDecided)
		a := b.take(second.account, b.submit(flagOf("f5", post("p1", postText, 1), post("p3", "[a third]", 3))))
		answer, finding := b.fresh(second.account, a.Ref)
		require.Empty(t, answer.AlreadyDecided)
		require.Zero(t, finding.Values["items_new"], "nothing is new, and yet nobody had it all before them")
		require.Contains(t, b.said.String(), `"why":"several_decisions"`)
	})
}

// advance moves a decision's row on.
func (b *bed) advance(in workflows.TakedownInput, state casefile.DecisionState) {
	b.t.Helper()
	require.NoError(b.t, b.records.AdvanceDecision(b.t.Context(), in.Decision.ID, state, "a_code", nil, b.clock()))
}

// autoRules are rules of which one labels and one closes.
const autoRules = `
version: 1
queues:
  - {name: general, title: General, deadline: 48h, roles: [reviewer], team: first-line}
  - {name: lead, title: Leads, deadline: 24h, roles: [lead]}
lead_queue: lead
appeals: {team: appeals}
deciding: {two_people: {actions: [L5, L6]}, sample: 0.1}
already_decided: {sample: 0.05}
automatic:
  close:
    - {id: close-weak, when: "flags.weight < 2.0", sample: 0.1}
  act:
    - {id: label-it, when: "flags.weight > 8.0 && flags.weight < 10.0", action: L2, policy: VE-09, sample: 0.2}
    - {id: warn-it, when: "flags.weight >= 10.0", action: L1, policy: VE-08, sample: 0.2}
  breaker: {per_hour: 2, share: 1, min_cases: 1000}
on_unknown: {queue: general, severity: 3, confidence: 0, tier: alert}
rules:
  - {id: all, when: "true", queue: general, severity: 2, confidence: 1, tier: alert}
`

// automated is a bed where automation is switched on under autoRules.
func automated(t *testing.T) *bed {
	t.Helper()
	b := ruled(t)
	b.automation(true)
	return b
}

// ruled is a bed with autoRules, where nobody has touched the switch of automation.
func ruled(t *testing.T) *bed {
	t.Helper()
	b := newBed(t)
	rules, err := policy.Load(strings.NewReader(autoRules), "auto.yaml")
	require.NoError(t, err)
	b.work.Router = rules
	b.work.Service, b.work.Complaints = "Synthetic", "https://synthetic.example.org/complaints"
	return b
}

func (b *bed) automation(on bool) {
	b.t.Helper()
	require.NoError(b.t, b.records.SetSwitch(b.t.Context(), records.SwitchRow{
		Name: records.SwitchAutomation, On: on, By: casefile.Actor{Person: "p-lead0000", Role: casefile.RoleLead}, At: b.clock(), Reason: []byte("sealed"),
	}))
}

// plain is a flag on an account of its own, about which every source knows something.
func (b *bed) plain(n int, weight float64) (casefile.AccountKey, casefile.CaseRef) {
	b.t.Helper()
	id := fmt.Sprintf("a-%d", n)
	e := post(fmt.Sprintf("p-%d", n), "[a post of nothing in particular]", n%50)
	e.Account.ID = id
	f := flagOf(fmt.Sprintf("f-%d", n), e)
	f.Account = casefile.Account{ID: id, Handle: fmt.Sprintf("plain_handle_%d", n*7919)}
	f.Reasons[0].Weight = weight
	b.storedOf(id, e)
	account := b.key(id)
	return account, b.take(account, b.submit(f)).Ref
}

// TestPromise06AutomaticIsOffByDefault: shipped, and with rules, nothing is decided by itself before
// somebody switched it on.
func TestPromise06AutomaticIsOffByDefault(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account, ref := b.plain(1, 9)
	answer, _ := b.fresh(account, ref)
	require.Nil(t, answer.Automatic)

	for name, b := range map[string]*bed{"never switched on": ruled(t), "switched off again": automated(t)} {
		if name == "switched off again" {
			b.automation(false)
		}
		account, ref = b.plain(1, 9)
		answer, _ = b.fresh(account, ref)
		require.Nil(t, answer.Automatic, name)
		require.Contains(t, b.said.String(), `"from":"label-it","why":"switched_off"`, name)
		breakers, err := b.records.Breakers(t.Context())
		require.NoError(t, err)
		require.Empty(t, breakers, "nothing was counted")
	}
}

// TestPromise06Automatic: a named rule decides, with the notice that says so; the guard and the
// platform take it as what it is.
func TestPromise06Automatic(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weight float64
		rule   string
		action casefile.Action
		policy casefile.PolicyCode
	}{
		"a label":                {9, "label-it", casefile.L2, casefile.VE09},
		"a warning":              {11, "warn-it", casefile.L1, casefile.VE08},
		"a violation of nothing": {1, "close-weak", casefile.L0, casefile.VE00},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := automated(t)
			account, ref := b.plain(1, c.weight)
			answer, _ := b.fresh(account, ref)
			require.NotNil(t, answer.Automatic)
			a := *answer.Automatic
			require.Equal(t, c.rule, a.Rule)
			require.Equal(t, c.action, a.Judgement.Action)
			require.Equal(t, []casefile.PolicyCode{c.policy}, a.Judgement.Policies)
			require.Empty(t, policy.ValidateAutomatic(a.Judgement))
			require.NotEmpty(t, a.Decision)
			if c.action == casefile.L0 {
				require.Nil(t, a.Notice)
			} else {
				var n casefile.Notice
				b.open(account, evidence.KindNotice, a.Notice.Text, &n)
				require.Equal(t, a.Notice.Number, n.Number)
				require.Equal(t, a.Decision, n.Decision)
				require.Contains(t, n.Text, c.rule)
				require.Contains(t, n.Text, "Synthetic")
				require.Contains(t, n.Text, "[a post of nothing in particular]")
				require.True(t, notice.Due(c.action))
			}

			// The decision that the workflow makes of it passes the actor.
			l := &life{bed: b, account: account, s: workflows.CaseState{Ref: ref, Chain: workflows.Chain{Name: casefile.CaseChain(ref)}, State: casefile.StateNew,
				Ordinal: 1, OpenedAt: b.clock(), Route: answer.Route, Queue: answer.Route.Queue, EvidenceRevision: 1}}
			d := casefile.Decision{ID: a.Decision, Case: ref, Platform: platform, Account: account, Judgement: a.Judgement, DecidedBy: casefile.ByAutomation,
				DecidedAt: b.clock(), EvidenceRevision: 1, RuleSet: answer.Route.RuleSet, Rule: a.Rule, AutoNotice: a.Notice,
				Opinions: []casefile.Opinion{}, OpinionEvents: []casefile.EventID{}}
			l.s.Decision, l.s.DecisionState, l.s.State = &d, casefile.DecisionGrace, casefile.StateDecided
			l.project(workflows.ProjectAsk{})
			event := casefile.NewEventID(l.s.Chain.Name, 1)
			l.append(event, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d})
			l.s.State, l.s.DecisionState = casefile.StateProven, casefile.DecisionRecorded
			l.project(workflows.ProjectAsk{Bundle: l.bundle})
			if c.action != casefile.L0 {
				l.takedown(workflows.TakedownInput{Decision: d, Bundle: *l.bundle})
				lines := b.done()
				require.Len(t, lines, 2)
				require.Contains(t, lines[1].Notice.Text, c.rule)
				require.NotEmpty(t, b.platform.State(b.account("a-1")))
			}
		})
	}
}

// TestPromise06AutomaticGoesToPeople: sampled, beyond a limit, or in doubt.
func TestPromise06AutomaticGoesToPeople(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(b *bed)
		why    string
	}{
		"it was drawn":                {func(b *bed) { b.draw = 150 }, "sampled"},
		"a source failed":             {func(b *bed) { b.work.Records = broken{b.work.Records, "strikes"} }, "unknown"},
		"the switch cannot be read":   {func(b *bed) { b.work.Records = broken{b.work.Records, "switches"} }, "switch_unavailable"},
		"the case cannot be counted":  {func(b *bed) { b.work.Records = broken{b.work.Records, "assessed"} }, "count_unavailable"},
		"the breaker cannot be asked": {func(b *bed) { b.work.Records = broken{b.work.Records, "breaker"} }, "breaker_unavailable"},
		"the notice cannot be sealed": {func(b *bed) { b.work.Sealer = noNotices{b.sealer} }, "notice_unavailable"},
		"there is a sign of news": {func(b *bed) {
			e := post("p-news", "Police said that two people were arrested", 7)
			e.Account.ID = "a-1"
			b.storedOf("a-1", e)
		}, "mitigation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := automated(t)
			account, ref := b.plain(1, 9)
			c.before(b)
			answer, _ := b.fresh(account, ref)
			require.Nil(t, answer.Automatic)
			require.NotEmpty(t, answer.Route.Queue, "it is diverted, never dropped")
			require.Contains(t, b.said.String(), fmt.Sprintf(`"why":%q`, c.why))
		})
	}
	t.Run("somebody has touched it", func(t *testing.T) {
		t.Parallel()
		b := automated(t)
		account, ref := b.plain(1, 9)
		answer, _ := b.assess(account, ref)
		require.Nil(t, answer.Automatic)
	})
	t.Run("somebody asked for another look", func(t *testing.T) {
		t.Parallel()
		b := automated(t)
		l := b.begin(flagOf("f1", post("p1", "[nothing in particular]", 1)))
		l.close(casefile.CloseTest)
		a := b.take(l.account, b.reopen(l))
		answer, _ := b.fresh(l.account, a.Ref)
		require.Nil(t, answer.Automatic)
	})
}

// TestPromise06Breaker: the first case beyond a limit trips the rule's breaker; from then on its cases
// go to people, and people are told once.
func TestPromise06Breaker(t *testing.T) {
	t.Parallel()
	b := automated(t)
	for n := range 5 {
		account, ref := b.plain(n+1, 9)
		answer, _ := b.fresh(account, ref)
		require.Equal(t, n < 2, answer.Automatic != nil, "case %d", n+1)
		again, _ := b.fresh(account, ref)
		require.Equal(t, n < 2, again.Automatic != nil, "an attempt that is repeated is answered the same")
		require.NotEmpty(t, answer.Route.Queue)
	}
	account, ref := b.plain(9, 1)
	answer, _ := b.fresh(account, ref)
	require.NotNil(t, answer.Automatic, "another rule's breaker is its own")
	breakers, err := b.records.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, breakers, 2)
	require.Equal(t, "label-it", breakers[1].Rule)
	require.NotNil(t, breakers[1].Tripped)
	require.Equal(t, 6, breakers[0].Cases, "each fresh case counts once")
	told := b.tellings()
	require.Len(t, told, 1)
	require.Equal(t, telling.KindBreakerTripped, told[0].Kind)
	require.Equal(t, telling.Page, told[0].Urgency)
}

// TestDeciding: the rules of deciding go along with the route, with a draw of the case's own.
func TestDeciding(t *testing.T) {
	t.Parallel()
	b := automated(t)
	account, ref := b.plain(1, 5)
	b.draw = 42
	answer, _ := b.fresh(account, ref)
	require.Equal(t, casefile.Deciding{TwoActions: []casefile.Action{casefile.L5, casefile.L6}, SamplePermille: 100, Draw: 42, LeadQueue: "lead"}, answer.Deciding)
	require.Equal(t, answer.Route.DueAt.Add(24*time.Hour), answer.Route.DecideBy)

	b.work.Draw = nil
	seen := map[int]bool{}
	for range 20 {
		answer, _ = b.fresh(account, ref)
		require.GreaterOrEqual(t, answer.Deciding.Draw, 0)
		require.Less(t, answer.Deciding.Draw, 1000)
		seen[answer.Deciding.Draw] = true
	}
	require.Greater(t, len(seen), 5, "nobody can foresee it")
}

// noNotices is a sealed store that takes no notices.
type noNotices struct{ evidence.Sealer }

func (s noNotices) Seal(ctx context.Context, a casefile.AccountKey, kind evidence.Kind, data []byte) (casefile.Address, string, error) {
	if kind == evidence.KindNotice {
		return "", "", fault
	}
	return s.Sealer.Seal(ctx, a, kind, data)
}

func (s broken) DecidedItems(ctx context.Context, a casefile.AccountKey, items []string) ([]records.DecidedItem, error) {
	if s.what == "items" {
		return nil, fault
	}
	return s.Store.DecidedItems(ctx, a, items)
}

func (s broken) Switches(ctx context.Context) ([]records.SwitchRow, error) {
	if s.what == "switches" {
		return nil, fault
	}
	return s.Store.Switches(ctx)
}

func (s broken) CountAssessed(ctx context.Context, ref casefile.CaseRef, now time.Time) error {
	if s.what == "assessed" {
		return fault
	}
	return s.Store.CountAssessed(ctx, ref, now)
}

func (s broken) CountAutomatic(ctx context.Context, rule string, ref casefile.CaseRef, limits records.BreakerLimits, now time.Time) (bool, bool, error) {
	if s.what == "breaker" {
		return false, false, fault
	}
	return s.Store.CountAutomatic(ctx, rule, ref, limits, now)
}

func TestDropStart(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := casefile.NewID()
	for _, ask := range []workflows.DropStartAsk{
		{Kind: workflows.TakedownWorkflowType, Platform: platform, Thing: id, Why: "mismatch"},
		{Kind: workflows.CaseWorkflowType, Platform: platform, Thing: string(b.key("a-17")), Why: "state"},
		{Kind: workflows.AppealWorkflowType, Platform: "Words of a person", Thing: "words of a person", Why: "no_row"},
	} {
		require.NoError(t, b.work.DropStart(t.Context(), ask))
	}
	rows, err := b.records.Unappended(t.Context(), 10)
	require.NoError(t, err)
	var got []map[string]string
	for _, row := range rows {
		require.Equal(t, casefile.EntryRefusedStart, row.Type)
		body := map[string]string{}
		require.NoError(t, json.Unmarshal(row.Body, &body))
		got = append(got, body)
	}
	require.Equal(t, []map[string]string{
		{"kind": "Takedown", "platform": platform, "thing": id, "why": "mismatch"},
		{"kind": "Case", "platform": platform, "thing": string(b.key("a-17")), "why": "state"},
		{"kind": "Appeal", "platform": "", "thing": "", "why": "no_row"},
	}, got)
	refused := b.refusals()
	require.Len(t, refused, 3)
	for _, r := range refused {
		require.Equal(t, "start", r.Verb)
		require.Equal(t, casefile.CodeForbidden, r.Code)
		require.Empty(t, r.Person, "a forged name is nobody's word")
	}
	require.NotContains(t, strings.ToLower(b.said.String()), "words of a person")

	b.work.Records = deafToRefusals{b.records}
	requireCode(t, casefile.CodeUnavailable, b.work.DropStart(t.Context(), workflows.DropStartAsk{Kind: workflows.CaseWorkflowType, Why: "state"}))
}

var _ activities.Router = (*policy.RuleSet)(nil)
