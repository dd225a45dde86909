package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// dryLine is what these tests read of a line of the dry run.
type dryLine struct {
	Op        string
	Key       string
	Reference string
	Account   casefile.AccountRef
	Act       struct {
		Kind  casefile.ActKind
		Post  string
		Until *time.Time
	}
	Notice struct{ Text string }
}

// done reads what the platform wrote down: the acts and notices that really happened.
func (b *bed) done() []dryLine {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "dryrun.ndjson"))
	require.NoError(b.t, err)
	var out []dryLine
	for _, raw := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		if len(raw) == 0 {
			continue
		}
		var l dryLine
		require.NoError(b.t, json.Unmarshal(raw, &l))
		out = append(out, l)
	}
	return out
}

func prepareAsk(in workflows.TakedownInput) workflows.PrepareActsAsk {
	return workflows.PrepareActsAsk{Takedown: in}
}

func doAsk(in workflows.TakedownInput, act casefile.Act) workflows.DoActAsk {
	return workflows.DoActAsk{Takedown: in, Act: act}
}

// prepared has a takedown's acts planned.
func (b *bed) prepared(in workflows.TakedownInput) []casefile.Act {
	b.t.Helper()
	answer, err := b.actor.PrepareActs(b.t.Context(), prepareAsk(in))
	require.NoError(b.t, err)
	var acts []casefile.Act
	for _, p := range answer.Acts {
		require.NotEmpty(b.t, p.UndoDigest)
		acts = append(acts, p.Act)
	}
	return acts
}

func TestTakedown(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1), post("p2", "[another]", 2)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L4), "p1", casefile.EvidenceProfile, "p2"))
	d := in.Decision
	outcomes := l.takedown(in)
	require.Len(t, outcomes, 2)
	lines := b.done()
	require.Len(t, lines, 3)
	for i, want := range []string{"p1", "p2"} {
		require.Equal(t, "do", lines[i].Op)
		require.Equal(t, b.account("a-17"), lines[i].Account)
		require.Equal(t, casefile.ActRemovePost, lines[i].Act.Kind)
		require.Equal(t, want, lines[i].Act.Post)
		require.Equal(t, outcomes[i].Act.Key(casefile.Do), lines[i].Key)
		require.Equal(t, outcomes[i].Reference, lines[i].Reference)
		require.Equal(t, b.clock(), outcomes[i].At)
		row := b.acts(d.ID)[i+1]
		require.Equal(t, casefile.ActDone, row.State)
		require.Equal(t, outcomes[i].Reference, row.Reference)
		var undo enforce.UndoRecord
		b.open(l.account, evidence.KindUndo, row.Undo, &undo)
		require.Equal(t, casefile.ActRemovePost, undo.Kind)
		require.Equal(t, map[string]string{"post_removed": ""}, undo.Before, "how it was before the act")
	}
	var n casefile.Notice
	b.open(l.account, evidence.KindNotice, d.Opinions[0].Notice.Text, &n)
	require.Equal(t, "notice", lines[2].Op)
	require.Equal(t, n.Text, lines[2].Notice.Text, "the notice sent is the one that the author saw")
	row, err := b.records.Notice(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.NoticeSent, row.State)
	decided, err := b.records.Decision(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionDone, decided.State)
	require.Empty(t, b.refusals())
}

// TestPromise01NothingWithoutItsProof: whatever is changed of a takedown, the actor itself refuses
// every step of it, for good and on record, and nothing happens on the platform or to the rows.
func TestPromise01NothingWithoutItsProof(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1), post("p2", "[another]", 2)))
	first := l.opinion("p-anna0000", judgement(casefile.L5), "p1")
	sound := l.decide(first)
	alike := flagOf("f2", post("p3", "[of another]", 1))
	alike.Account = casefile.Account{ID: "a-18"}
	alike.Evidence[0].Account.ID = "a-18"
	o := b.begin(alike)
	other := o.decide(o.opinion("p-bert0000", judgement(casefile.L3), "p3"))
	otherForm, otherDigest := l.seal(l.account, evidence.KindOpinion, casefile.OpinionForm{Judgement: judgement(casefile.L5), Rationale: rationale, Relied: []string{"p2"}})
	otherNotice := l.notice(first.Notice.Number, first.ID, judgement(casefile.L3))

	_, otherKey, err := ledger.GenerateKey("log.test.example/docket")
	require.NoError(t, err)
	elsewhere, err := enforce.NewGuard(otherKey)
	require.NoError(t, err)

	changed := func(change func(*workflows.TakedownInput)) workflows.TakedownInput {
		in := wire(t, sound)
		change(&in)
		return in
	}
	of := func(change func(*casefile.Decision)) workflows.TakedownInput {
		return changed(func(in *workflows.TakedownInput) { change(&in.Decision) })
	}
	cases := map[string]workflows.TakedownInput{
		"no bundle":                 changed(func(in *workflows.TakedownInput) { in.Bundle = casefile.Bundle{} }),
		"another decision's bundle": changed(func(in *workflows.TakedownInput) { in.Bundle = other.Bundle }),
		"another decision":          changed(func(in *workflows.TakedownInput) { in.Decision = other.Decision }),
		"a byte of the entry":       changed(func(in *workflows.TakedownInput) { in.Bundle.Entry[40] ^= 1 }),
		"another index":             changed(func(in *workflows.TakedownInput) { in.Bundle.Index++ }),
		"another checkpoint":        changed(func(in *workflows.TakedownInput) { in.Bundle.Checkpoint = "x" + in.Bundle.Checkpoint }),
		"a stronger action":         of(func(d *casefile.Decision) { d.Action, d.Days = casefile.L6, 0 }),
		"more days":                 of(func(d *casefile.Decision) { d.Days = 300 }),
		"another account":           of(func(d *casefile.Decision) { d.Account = b.key("a-18") }),
		"an account never heard of": of(func(d *casefile.Decision) { d.Account = b.key("a-404") }),
		"another platform":          of(func(d *casefile.Decision) { d.Platform = "other" }),
		"another case":              of(func(d *casefile.Decision) { d.Case = o.s.Ref }),
		"words for a case":          of(func(d *casefile.Decision) { d.Case = "words of a person" }),
		"another policy":            of(func(d *casefile.Decision) { d.Policies = []casefile.PolicyCode{casefile.VE01} }),
		"nobody's opinion":          of(func(d *casefile.Decision) { d.Opinions, d.OpinionEvents = nil, nil }),
		"another person":            of(func(d *casefile.Decision) { d.Opinions[0].Person = "p-carl0000" }),
		"automation":                of(func(d *casefile.Decision) { d.DecidedBy = casefile.ByAutomation }),
		"another form's address":    of(func(d *casefile.Decision) { d.Opinions[0].Form = otherForm }),
		"another form in full":      of(func(d *casefile.Decision) { d.Opinions[0].Form, d.Opinions[0].Digest = otherForm, otherDigest }),
		"a form that is not there": of(func(d *casefile.Decision) {
			d.Opinions[0].Form = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		}),
		"more posts than were proven": of(func(d *casefile.Decision) { d.Opinions[0].Relied = 2 }),
		"another notice in full":      of(func(d *casefile.Decision) { d.Opinions[0].Notice = otherNotice }),
	}
	row := func() records.DecisionRow {
		r, err := b.records.Decision(t.Context(), sound.Decision.ID)
		require.NoError(t, err)
		return r
	}
	before := row()
	act := casefile.PlanActs(sound.Decision, 1)[0]
	refused := func(t *testing.T, actor *activities.Actor, in workflows.TakedownInput) {
		t.Helper()
		counted := len(b.refusals())
		_, err := actor.PrepareActs(t.Context(), prepareAsk(in))
		requireCode(t, casefile.CodeUnproven, err)
		_, err = actor.DoAct(t.Context(), doAsk(in, act))
		requireCode(t, casefile.CodeUnproven, err)
		_, err = actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		requireCode(t, casefile.CodeUnproven, err)
		require.Len(t, b.refusals(), counted+3, "every refusal is on record")
		require.Empty(t, b.done(), "nothing happened on the platform")
		require.Empty(t, b.acts(sound.Decision.ID), "nothing was planned")
		require.Equal(t, before, row(), "the decision's row is as it was")
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) { refused(t, b.actor, in) })
	}
	t.Run("the key of another log is pinned", func(t *testing.T) {
		actor := *b.actor
		actor.Guard = elsewhere
		refused(t, &actor, sound)
	})
	t.Run("no key is pinned", func(t *testing.T) {
		actor := *b.actor
		actor.Guard = nil
		refused(t, &actor, sound)
	})
	for _, r := range b.refusals() {
		require.Equal(t, "act", r.Verb)
		require.Equal(t, casefile.CodeUnproven, r.Code)
		require.Equal(t, b.clock(), r.At)
		require.Contains(t, []casefile.CaseRef{l.s.Ref, o.s.Ref, ""}, r.Case, "only a case's number goes on record")
	}
	require.NotContains(t, b.said.String(), "words of a person")

	t.Run("a notice of another address", func(t *testing.T) {
		in := of(func(d *casefile.Decision) { d.Opinions[0].Notice.Text = otherNotice.Text })
		_, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
		requireCode(t, casefile.CodeUnproven, err)
		_, err = b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		requireCode(t, casefile.CodeUnproven, err)
		in = of(func(d *casefile.Decision) { d.Opinions[0].Notice.Number = "another" })
		_, err = b.actor.PrepareActs(t.Context(), prepareAsk(in))
		requireCode(t, casefile.CodeUnproven, err)
		require.Empty(t, b.done())
		require.Empty(t, b.acts(sound.Decision.ID))
	})
	t.Run("acts that are not the decision's", func(t *testing.T) {
		require.Len(t, b.prepared(sound), 1)
		terminate, longer, second := act, act, act
		terminate.Kind, terminate.Until = casefile.ActTerminate, nil
		end := act.Until.Add(time.Hour)
		longer.Until = &end
		second.Number = 2
		for _, wrong := range []casefile.Act{terminate, longer, second, {}} {
			_, err := b.actor.DoAct(t.Context(), doAsk(sound, wrong))
			requireCode(t, casefile.CodeUnproven, err)
		}
		require.Empty(t, b.done())
	})
	t.Run("the sound one passes", func(t *testing.T) {
		l.takedown(sound)
		require.Len(t, b.done(), 2)
	})
}

// TestPromise01RefusalThatCannotBeRecorded is tried again: no refusal stays off the record.
func TestPromise01RefusalThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	in.Bundle = casefile.Bundle{}
	b.actor.Records = deafToRefusals{b.records}
	_, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
	requireCode(t, casefile.CodeUnavailable, err)
}

type deafToRefusals struct{ records.Store }

func (deafToRefusals) PutRefusal(context.Context, records.Refusal) error { return fault }

// TestPromise01TwoPeopleForTheEnd: a proven L6 of one person is refused all the same, of two it is done.
func TestPromise01TwoPeopleForTheEnd(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	alone := l.decide(l.opinion("p-anna0000", judgement(casefile.L6), "p1"))
	_, err := b.actor.PrepareActs(t.Context(), prepareAsk(alone))
	requireCode(t, casefile.CodeUnproven, err)
	twice := l.decide(l.opinion("p-anna0000", judgement(casefile.L6), "p1"), l.opinion("p-anna0000", judgement(casefile.L6), "p1"))
	_, err = b.actor.PrepareActs(t.Context(), prepareAsk(twice))
	requireCode(t, casefile.CodeUnproven, err)
	require.Empty(t, b.done())

	both := l.decide(l.opinion("p-anna0000", judgement(casefile.L6), "p1"), l.opinion("p-bert0000", judgement(casefile.L6), "p1"))
	l.takedown(both)
	require.Equal(t, map[string]string{"terminated": "true", "identifiers_blocked": "true"}, b.platform.State(b.account("a-17")))
}

// crashing stands before the records: the process dies where it is told to.
type crashing struct {
	records.Store
	mu   sync.Mutex
	ends int // how many outcomes are never written
}

func (c *crashing) EndAct(ctx context.Context, o casefile.ActOutcome) (records.ActRow, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends > 0 {
		c.ends--
		return records.ActRow{}, fault
	}
	return c.Store.EndAct(ctx, o)
}

// altered is the dry run with other manners.
type altered struct {
	enforce.Platform
	caps       func(enforce.Capabilities) enforce.Capabilities
	do, lookup func() error
	after      func() error // once the act has happened
	undo       func() error
	prepare    error
	notify     error
	dos        *int
	undos      *int
}

func (p altered) Capabilities() enforce.Capabilities {
	if p.caps == nil {
		return p.Platform.Capabilities()
	}
	return p.caps(p.Platform.Capabilities())
}

func (p altered) Prepare(ctx context.Context, r enforce.Request) (enforce.UndoRecord, error) {
	if p.prepare != nil {
		return enforce.UndoRecord{}, p.prepare
	}
	return p.Platform.Prepare(ctx, r)
}

func (p altered) Do(ctx context.Context, r enforce.Request) (string, error) {
	if p.dos != nil {
		*p.dos++
	}
	if p.do != nil {
		err := p.do()
		if err != nil {
			return "", err
		}
	}
	reference, err := p.Platform.Do(ctx, r)
	if err == nil && p.after != nil {
		return "", p.after()
	}
	return reference, err
}

func (p altered) Undo(ctx context.Context, r enforce.Request, u enforce.UndoRecord) (string, error) {
	if p.undos != nil {
		*p.undos++
	}
	if p.undo != nil {
		err := p.undo()
		if err != nil {
			return "", err
		}
	}
	return p.Platform.Undo(ctx, r, u)
}

func (p altered) Lookup(ctx context.Context, r enforce.Request) (bool, string, error) {
	if p.lookup != nil {
		err := p.lookup()
		if err != nil {
			return false, "", err
		}
	}
	return p.Platform.Lookup(ctx, r)
}

func (p altered) Notify(ctx context.Context, a casefile.AccountRef, n casefile.Notice) error {
	if p.notify != nil {
		return p.notify
	}
	return p.Platform.Notify(ctx, a, n)
}

func (b *bed) on(p altered) {
	p.Platform = b.platform
	b.actor.Platforms = func(string) (enforce.Platform, error) { return p, nil }
}

// suspended is a takedown whose one act is planned.
func suspended(t *testing.T) (*bed, workflows.TakedownInput, casefile.Act) {
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	acts := b.prepared(in)
	require.Len(t, acts, 1)
	return b, in, acts[0]
}

// TestPromise07CrashBetweenActAndRecord: an act that happened is found again and not done twice, by a
// look-up where the platform does not keep keys apart, and by sending it again where it does.
func TestPromise07CrashBetweenActAndRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caps func(enforce.Capabilities) enforce.Capabilities
		sent int
	}{"it keeps keys apart": {nil, 3}, "it does not": {forgetful, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in, act := suspended(t)
			dos := 0
			b.on(altered{caps: c.caps, dos: &dos})
			b.actor.Records = &crashing{Store: b.records, ends: 2}
			for range 2 {
				_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
				requireCode(t, casefile.CodeUnavailable, err)
				require.Len(t, b.done(), 1, "the act has happened")
				require.Equal(t, casefile.ActPlanned, b.acts(in.Decision.ID)[1].State, "and nobody knows")
			}
			b.pass(time.Minute)
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActDone, At: b.clock(), Reference: b.done()[0].Reference}, out)
			for range 3 {
				b.pass(time.Minute)
				again, err := b.actor.DoAct(t.Context(), doAsk(in, act))
				require.NoError(t, err)
				require.Equal(t, out, again, "the outcome that stands")
			}
			require.Len(t, b.done(), 1)
			require.Equal(t, c.sent, dos, "what the platform was asked to do")
		})
	}
}

func TestPromise07CrashBeforeTheAct(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	started, _, err := b.records.BeginAct(t.Context(), act, casefile.Do, b.clock())
	require.NoError(t, err)
	require.True(t, started)
	out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	require.Len(t, b.done(), 1, "looked up, not found, done")
}

// removal is a takedown of n posts, an act for each, planned.
func removal(t *testing.T, n int) (*bed, workflows.TakedownInput, []casefile.Act) {
	b := newBed(t)
	var posts []casefile.Event
	var relied []string
	for i := range n {
		id := fmt.Sprintf("p%d", i)
		posts, relied = append(posts, post(id, "[a post]", i)), append(relied, id)
	}
	l := b.begin(flagOf("f1", posts...))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L4), relied...))
	acts := b.prepared(in)
	require.Len(t, acts, n)
	return b, in, acts
}

// forgetful is a platform that does not keep keys apart.
func forgetful(c enforce.Capabilities) enforce.Capabilities {
	c.Idempotent = false
	return c
}

// TestPromise07Uncertain: where it cannot be established whether the act happened, it is not done
// again, and that stands; people are told.
func TestPromise07Uncertain(t *testing.T) {
	t.Parallel()
	blind := func(c enforce.Capabilities) enforce.Capabilities {
		c.Idempotent, c.Lookup = false, false
		return c
	}
	fails := func(code casefile.Code) func() error {
		return func() error { return casefile.Errorf(code, "no") }
	}
	cases := map[string]struct {
		begun    bool // by an attempt whose outcome was never written
		platform altered
		why      string
	}{
		"the platform cannot look up":     {true, altered{caps: blind}, "no_lookup"},
		"the look-up is refused":          {true, altered{caps: forgetful, lookup: fails(casefile.CodeForbidden)}, "lookup_forbidden"},
		"the look-up is not found":        {true, altered{caps: forgetful, lookup: fails(casefile.CodeNotFound)}, "lookup_not_found"},
		"the look-up does not see it":     {true, altered{caps: forgetful}, "not_seen"},
		"something else has this key":     {false, altered{do: fails(casefile.CodeConflict)}, "conflict"},
		"no answer, and no look-up":       {false, altered{caps: blind, do: fails(casefile.CodeUncertain)}, "no_lookup"},
		"no answer, and it is not seen":   {false, altered{do: fails(casefile.CodeUncertain)}, "not_seen"},
		"no answer, the look-up refused":  {false, altered{do: fails(casefile.CodeUncertain), lookup: fails(casefile.CodeForbidden)}, "lookup_forbidden"},
		"the adapter does not know":       {false, altered{caps: forgetful, do: fails(casefile.CodeInternal)}, "not_seen"},
		"the adapter does not know, once": {false, altered{caps: blind, do: fails(casefile.CodeInternal)}, "no_lookup"},
	}
	b, in, acts := removal(t, len(cases))
	for name, c := range cases {
		act := acts[0]
		acts = acts[1:]
		t.Run(name, func(t *testing.T) {
			if c.begun {
				_, _, err := b.records.BeginAct(t.Context(), act, casefile.Do, b.clock())
				require.NoError(t, err)
			}
			b.on(c.platform)
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActUncertain, At: b.clock(), Why: c.why}, out)
			b.on(altered{})
			again, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, out, again, "a person's turn, not another attempt's")
			require.Empty(t, b.done())
		})
	}
	told := b.tellings()
	require.Len(t, told, len(cases), "each is told of once")
	for _, m := range told {
		require.Equal(t, telling.KindActUncertain, m.Kind)
		require.Equal(t, in.Decision.ID, m.Subject)
		require.Equal(t, telling.Notice, m.Urgency, "nobody is woken for a removed post")
	}
}

// tellings are what people are told of, each as its sender would read it.
func (b *bed) tellings() []telling.Message {
	b.t.Helper()
	rows, err := b.records.UnroutedTellings(b.t.Context(), 1000)
	require.NoError(b.t, err)
	var out []telling.Message
	for _, r := range rows {
		m := telling.Message{ID: r.ID, Kind: telling.Kind(r.Kind), Urgency: telling.Notice, Team: r.Team, Queue: r.Queue,
			Platform: r.Platform, Case: r.Case, Subject: r.Subject, At: r.At, DueAt: r.DueAt}
		if r.Page {
			m.Urgency = telling.Page
		}
		require.NoError(b.t, m.Validate(), "the sender would tell nobody of it")
		out = append(out, m)
	}
	return out
}

// TestPromise07LostAnswer: an act that happened although its answer was lost is found by the look-up
// and not done again.
func TestPromise07LostAnswer(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	lost := altered{caps: forgetful}
	lost.after = func() error { return casefile.Errorf(casefile.CodeUncertain, "the answer was lost") }
	b.on(lost)
	out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	require.Equal(t, b.done()[0].Reference, out.Reference)
	require.Len(t, b.done(), 1)
}

// TestPromise07LookUpIsDown: while the platform cannot be asked whether an act happened, the act waits
// and is sent to nobody.
func TestPromise07LookUpIsDown(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	_, _, err := b.records.BeginAct(t.Context(), act, casefile.Do, b.clock())
	require.NoError(t, err)
	dos := 0
	b.on(altered{caps: forgetful, lookup: func() error { return fault }, dos: &dos})
	for range 2 {
		b.pass(time.Second)
		_, err = b.actor.DoAct(t.Context(), doAsk(in, act))
		requireCode(t, casefile.CodeUnavailable, err)
	}
	row := b.acts(in.Decision.ID)[1]
	require.Equal(t, 2, row.Tries)
	require.Equal(t, "lookup_unavailable", row.LastError, "which says nothing of the attempt before")
	b.on(altered{caps: forgetful, dos: &dos})
	out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	require.Equal(t, "not_seen", out.Why)
	require.Zero(t, dos)
}

// TestPromise07OutageOfAForgetfulPlatform: what is known not to have begun is sent again; what was cut
// off is not.
func TestPromise07OutageOfAForgetfulPlatform(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]bool{"comes back": false, "cut off at the next attempt": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in, act := suspended(t)
			dos := 0
			down := altered{caps: forgetful, dos: &dos, do: func() error { return fault }}
			b.on(down)
			for range 2 {
				b.pass(time.Second)
				_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
				requireCode(t, casefile.CodeUnavailable, err)
				require.Equal(t, "unavailable", b.acts(in.Decision.ID)[1].LastError)
			}
			if cut {
				ctx, cancel := context.WithCancel(t.Context())
				down.do = func() error { cancel(); return fault } // the process dies: nothing more is written
				b.on(down)
				b.pass(time.Second)
				_, err := b.actor.DoAct(ctx, doAsk(in, act))
				require.Error(t, err)
				require.Equal(t, "no_answer", b.acts(in.Decision.ID)[1].LastError)
			}
			b.on(altered{caps: forgetful, dos: &dos})
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			if cut {
				require.Equal(t, casefile.ActUncertain, out.State)
				require.Equal(t, "not_seen", out.Why)
				require.Empty(t, b.done())
				return
			}
			require.Equal(t, casefile.ActDone, out.State)
			require.Equal(t, 3, dos)
			require.Len(t, b.done(), 1)
		})
	}
}

// TestPromise06Paused: once a pause has answered, no act starts; it starts once somebody resumes.
func TestPromise06Paused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{records.SwitchActs, records.ActsOf(platform)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in, act := suspended(t)
			set := func(on bool) {
				require.NoError(t, b.records.SetSwitch(t.Context(), records.SwitchRow{
					Name: name, On: on, By: casefile.Actor{Person: "p-lead0000", Role: casefile.RoleLead}, At: b.clock(), Reason: []byte("sealed"),
				}))
			}
			set(false)
			for range 2 {
				_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
				requireCode(t, casefile.CodePaused, err)
			}
			row := b.acts(in.Decision.ID)[1]
			require.Nil(t, row.StartedAt, "nothing was begun")
			require.Zero(t, row.Tries)
			require.Empty(t, b.done())
			set(true)
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, casefile.ActDone, out.State)
		})
	}
}

// TestRetryAfterIsPassedOn with its error, which the worker hands to the engine.
func TestRetryAfterIsPassedOn(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	b.on(altered{do: func() error { return enforce.WithRetryAfter(fault, 42*time.Second) }})
	_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	requireCode(t, casefile.CodeUnavailable, err)
	after, told := enforce.RetryAfter(err)
	require.True(t, told)
	require.Equal(t, 42*time.Second, after)
}

// TestPromise07Outage: while the platform is down the act waits; once it is back it happens once,
// also where an attempt timed out after it had happened.
func TestPromise07Outage(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	b.platform.SetDown(true)
	for range 3 {
		_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
		requireCode(t, casefile.CodeUnavailable, err)
		_, err = b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		requireCode(t, casefile.CodeUnavailable, err)
	}
	row := b.acts(in.Decision.ID)[1]
	require.Equal(t, casefile.ActPlanned, row.State)
	require.NotNil(t, row.StartedAt)
	b.platform.SetDown(false)
	out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	for range 2 {
		told, err := b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		require.NoError(t, err)
		require.Equal(t, casefile.NoticeSent, told.State)
	}
	require.Len(t, b.done(), 2, "one act, one notice")
}

// TestPromise07AtOnce: attempts that overlap do one act and agree on its outcome.
func TestPromise07AtOnce(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	const attempts = 8
	outs := make([]casefile.ActOutcome, attempts)
	errs := make([]error, attempts)
	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() { outs[i], errs[i] = b.actor.DoAct(t.Context(), doAsk(in, act)) })
	}
	all.Wait()
	for i := range attempts {
		require.NoError(t, errs[i])
		require.Equal(t, outs[0], outs[i])
	}
	require.Equal(t, casefile.ActDone, outs[0].State)
	require.Len(t, b.done(), 1)
}

// TestActRefusedByThePlatform fails for good, with the code that says why.
func TestActRefusedByThePlatform(t *testing.T) {
	t.Parallel()
	codes := []casefile.Code{casefile.CodeState, casefile.CodeInvalid, casefile.CodeNotFound, casefile.CodeForbidden, casefile.CodeTooLarge}
	b, in, acts := removal(t, len(codes))
	for i, code := range codes {
		t.Run(string(code), func(t *testing.T) {
			b.on(altered{do: func() error { return casefile.Errorf(code, "words of the platform") }})
			out, err := b.actor.DoAct(t.Context(), doAsk(in, acts[i]))
			require.NoError(t, err)
			want := casefile.ActOutcome{Act: acts[i], Direction: casefile.Do, State: casefile.ActFailed, At: b.clock(), Why: string(code)}
			require.Equal(t, want, out)
			b.on(altered{})
			out, err = b.actor.DoAct(t.Context(), doAsk(in, acts[i]))
			require.NoError(t, err)
			require.Equal(t, want, out)
			require.Empty(t, b.done())
		})
	}
	require.NotContains(t, b.said.String(), "words of the platform")
}

// TestPrepareActsBeforeAnything: what the platform cannot do is found out before the first act.
func TestPrepareActsBeforeAnything(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L6), "p1"), l.opinion("p-bert0000", judgement(casefile.L6), "p1"))
	for name, c := range map[string]struct {
		platform altered
		code     casefile.Code
	}{
		"an act that it cannot do": {altered{caps: func(c enforce.Capabilities) enforce.Capabilities {
			c.Acts = []casefile.ActKind{casefile.ActTerminate}
			return c
		}}, casefile.CodeState},
		"an account that it does not know": {altered{prepare: casefile.Errorf(casefile.CodeNotFound, "no")}, casefile.CodeState},
		"an outage":                        {altered{prepare: fault}, casefile.CodeUnavailable},
	} {
		b.on(c.platform)
		_, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
		require.Equal(t, c.code, casefile.ErrorCode(err), name)
		require.Empty(t, b.acts(in.Decision.ID), name)
	}
	b.actor.Platforms = func(string) (enforce.Platform, error) { return nil, casefile.Errorf(casefile.CodeState, "no adapter") }
	_, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
	requireCode(t, casefile.CodeState, err)
	require.Empty(t, b.acts(in.Decision.ID))
}

// TestPrepareActsAgain: what was written down first stands, whatever has happened since.
func TestPrepareActsAgain(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	before := b.acts(in.Decision.ID)[1]
	require.Equal(t, casefile.ActPlanned, before.State)
	first, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
	require.NoError(t, err)
	_, err = b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	b.pass(time.Minute)
	again, err := b.actor.PrepareActs(t.Context(), prepareAsk(in))
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, before.Undo, b.acts(in.Decision.ID)[1].Undo)
	row, err := b.records.Decision(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionExecuting, row.State)
}

func TestNotify(t *testing.T) {
	t.Parallel()
	b, in, _ := suspended(t)
	tell := func() (casefile.NoticeState, error) {
		a, err := b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		return a.State, err
	}
	state := func() casefile.NoticeState {
		row, err := b.records.Notice(t.Context(), in.Decision.ID)
		require.NoError(t, err)
		return row.State
	}
	require.Equal(t, casefile.NoticePlanned, state())
	b.on(altered{notify: fault})
	_, err := tell()
	requireCode(t, casefile.CodeUnavailable, err)
	require.Equal(t, casefile.NoticePlanned, state(), "it is tried again")
	b.on(altered{notify: casefile.Errorf(casefile.CodeForbidden, "no")})
	got, err := tell()
	require.NoError(t, err)
	require.Equal(t, casefile.NoticeUndelivered, got, "the platform refused")
	require.Equal(t, casefile.NoticeUndelivered, state())

	none, in2, _ := suspended(t)
	none.on(altered{caps: func(c enforce.Capabilities) enforce.Capabilities { c.Notify = false; return c }})
	answer, err := none.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in2})
	require.NoError(t, err)
	require.Equal(t, casefile.NoticeUndelivered, answer.State, "the platform has no way to tell")
	require.Empty(t, none.done())
}

func TestNotifyWithoutANotice(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	o := l.opinion("p-anna0000", judgement(casefile.L1), "p1")
	o.Notice = nil
	in := l.decide(o)
	b.prepared(in)
	_, err := b.records.Notice(t.Context(), in.Decision.ID)
	requireCode(t, casefile.CodeNotFound, err)
	_, err = b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
	requireCode(t, casefile.CodeState, err)
}
