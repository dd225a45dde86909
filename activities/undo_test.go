package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// carriedOut is a takedown that was carried out, with the life of its case.
func carriedOut(t *testing.T, action casefile.Action) (*life, workflows.TakedownInput, []casefile.Act) {
	t.Helper()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1), post("p2", "[another]", 2)))
	opinions := []casefile.Opinion{l.opinion("p-anna0000", judgement(action), "p1", "p2")}
	if action == casefile.L6 {
		opinions = append(opinions, l.opinion("p-bert0000", judgement(action), "p1", "p2"))
	}
	in := l.decide(opinions...)
	var acts []casefile.Act
	for _, out := range l.takedown(in) {
		acts = append(acts, out.Act)
	}
	l.close(casefile.CloseDecided)
	return l, in, acts
}

func (b *bed) endAct(in workflows.TakedownInput, act casefile.Act) (casefile.ActOutcome, error) {
	return b.actor.EndAct(b.t.Context(), workflows.EndActAsk{Takedown: in, Act: act})
}

func (b *bed) prepareUndo(in workflows.ReinstatementInput) []casefile.Act {
	b.t.Helper()
	answer, err := b.actor.PrepareUndo(b.t.Context(), workflows.PrepareUndoAsk{Reinstatement: in})
	require.NoError(b.t, err)
	var acts []casefile.Act
	for _, p := range answer.Acts {
		require.NotEmpty(b.t, p.UndoDigest)
		acts = append(acts, p.Act)
	}
	return acts
}

func (b *bed) undo(in workflows.ReinstatementInput, act casefile.Act) (casefile.ActOutcome, error) {
	return b.actor.UndoAct(b.t.Context(), workflows.UndoActAsk{Reinstatement: in, Act: act})
}

// state is what stands against the account a-17 on the platform.
func (b *bed) state() map[string]string { return b.platform.State(b.account("a-17")) }

// TestEndAct: a timed act ends at its time, once, and not before.
func TestEndAct(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	act := acts[0]
	require.NotEmpty(t, l.state()["suspended_until"])
	_, err := l.endAct(in, act)
	requireCode(t, casefile.CodeState, err)

	l.pass(act.Until.Sub(l.clock()) - time.Second)
	_, err = l.endAct(in, act)
	requireCode(t, casefile.CodeUnavailable, err)
	after, told := enforce.RetryAfter(err)
	require.True(t, told, "a clock that is a second behind is no reason to give up")
	require.Equal(t, time.Second, after)
	require.Empty(t, l.undone(in.Decision.ID))

	l.pass(time.Second)
	out, err := l.endAct(in, act)
	require.NoError(t, err)
	lines := l.done()
	last := lines[len(lines)-1]
	require.Equal(t, "undo", last.Op)
	require.Equal(t, act.Key(casefile.Undo), last.Key)
	require.Equal(t, casefile.ActOutcome{Act: act, Direction: casefile.Undo, State: casefile.ActDone, At: l.clock(), Reference: last.Reference}, out)
	require.Empty(t, l.state())
	row := l.undone(in.Decision.ID)[1]
	require.Equal(t, casefile.ActDone, row.State)
	require.Equal(t, l.acts(in.Decision.ID)[1].Undo, row.Undo)

	l.pass(time.Hour)
	again, err := l.endAct(in, act)
	require.NoError(t, err)
	require.Equal(t, out, again)
	require.Len(t, l.done(), len(lines), "once")
	require.NoError(t, l.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionEnded}))
	decided, err := l.records.Decision(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionEnded, decided.State)
}

// TestEndActThatIsNoneOfTheDecisions is refused, on record.
func TestEndActThatIsNoneOfTheDecisions(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	l.pass(acts[0].Until.Sub(l.clock()))
	other := acts[0]
	other.Kind = casefile.ActTerminate
	_, err := l.endAct(in, other)
	requireCode(t, casefile.CodeUnproven, err)
	forged := wire(t, in)
	forged.Decision.Days = 1
	_, err = l.endAct(forged, casefile.PlanActs(forged.Decision, 2)[0])
	requireCode(t, casefile.CodeUnproven, err)
	require.Len(t, l.refusals(), 2)
	require.NotEmpty(t, l.state()["suspended_until"])

	plain, removal, removed := carriedOut(t, casefile.L4)
	_, err = plain.endAct(removal, removed[0])
	requireCode(t, casefile.CodeState, err)
}

// again gives the account a second decision that is carried out while the first one stands.
func (l *life) again(action casefile.Action, days int) (*life, workflows.TakedownInput) {
	l.t.Helper()
	n := &life{bed: l.bed, account: l.account}
	n.taken(l.take(l.account, l.submit(flagOf(casefile.NewID(), post("p9", "[a later post]", 9)))))
	j := judgement(action)
	if days > 0 {
		j.Days = days
	}
	opinions := []casefile.Opinion{n.opinion("p-carl0000", j, "p9")}
	if action == casefile.L6 {
		opinions = append(opinions, n.opinion("p-bert0000", j, "p9"))
	}
	in := n.decide(opinions...)
	n.takedown(in)
	n.close(casefile.CloseDecided)
	return n, in
}

// TestEndActSuperseded: the end of a weaker act takes nothing of a stronger one back with it.
func TestEndActSuperseded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action casefile.Action
		days   int
		state  casefile.ActState
		why    string
	}{
		"the account was ended meanwhile": {casefile.L6, 0, casefile.ActSkipped, "superseded"},
		"it was suspended for longer":     {casefile.L5, 200, casefile.ActSkipped, "superseded"},
		"it was suspended for shorter":    {casefile.L5, 3, casefile.ActDone, ""},
		"it was limited":                  {casefile.L3, 30, casefile.ActDone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, in, acts := carriedOut(t, casefile.L5)
			l.pass(time.Hour)
			l.again(c.action, c.days)
			before := l.state()
			l.pass(acts[0].Until.Sub(l.clock()))
			lines := len(l.done())
			out, err := l.endAct(in, acts[0])
			require.NoError(t, err)
			require.Equal(t, c.state, out.State)
			require.Equal(t, c.why, out.Why)
			if c.state == casefile.ActSkipped {
				require.Len(t, l.done(), lines, "the platform was asked for nothing")
				require.Equal(t, before, l.state())
			}
			again, err := l.endAct(in, acts[0])
			require.NoError(t, err)
			require.Equal(t, out, again)
		})
	}
}

// TestEndActWhatNeedsNoEnd: an act that did not happen, or that was taken back before.
func TestEndActWhatNeedsNoEnd(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	re := l.upheld(in)
	l.prepareUndo(re)
	undone, err := l.undo(re, acts[0])
	require.NoError(t, err)
	l.pass(acts[0].Until.Sub(l.clock()))
	lines := len(l.done())
	out, err := l.endAct(in, acts[0])
	require.NoError(t, err)
	require.Equal(t, undone, out)
	require.Len(t, l.done(), lines)

	b, failed, act := suspended(t)
	b.on(altered{do: func() error { return casefile.Errorf(casefile.CodeState, "no") }})
	done, err := b.actor.DoAct(t.Context(), doAsk(failed, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActFailed, done.State)
	b.on(altered{})
	b.pass(act.Until.Sub(b.clock()))
	out, err = b.endAct(failed, act)
	require.NoError(t, err)
	require.Equal(t, casefile.ActSkipped, out.State)
	require.Equal(t, "not_done", out.Why)
	require.Empty(t, b.done())
}

// TestPromise08ReinstatementTakesEverythingBack, the last act first, whatever the platform was before.
func TestPromise08ReinstatementTakesEverythingBack(t *testing.T) {
	t.Parallel()
	for _, action := range []casefile.Action{casefile.L1, casefile.L2, casefile.L3, casefile.L4, casefile.L5, casefile.L6} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			l, in, acts := carriedOut(t, action)
			require.NotEmpty(t, l.state())
			re := l.upheld(in)
			planned := l.prepareUndo(re)
			require.Len(t, planned, len(acts))
			before := len(l.done())
			for i, act := range planned {
				require.Equal(t, acts[len(acts)-1-i], act, "the last first")
				out, err := l.undo(re, act)
				require.NoError(t, err)
				require.Equal(t, casefile.ActDone, out.State)
				require.Equal(t, casefile.Undo, out.Direction)
			}
			require.Len(t, l.done(), before+len(acts))
			require.Empty(t, l.state(), "nothing stands against the account any more")

			require.NoError(t, l.work.FinishUndo(t.Context(), workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: casefile.AppealReinstated}))
			row, err := l.records.Decision(t.Context(), in.Decision.ID)
			require.NoError(t, err)
			require.Equal(t, casefile.DecisionUndone, row.State)
			require.Empty(t, l.prepareUndo(re), "nothing is left to take back")
			for _, act := range planned {
				_, err = l.undo(re, act)
				require.NoError(t, err)
			}
			require.Len(t, l.done(), before+len(acts), "once")
		})
	}
}

// TestPromise08AfterAnythingTheHistoryHeld: a reinstatement needs nothing that another process kept:
// a new actor over the same stores does the same.
func TestPromise08AfterAnythingTheHistoryHeld(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L4)
	re := l.upheld(in)
	planned := l.prepareUndo(re)
	l.pass(400 * 24 * time.Hour)
	other := *l.actor
	for _, act := range planned {
		out, err := other.UndoAct(t.Context(), workflows.UndoActAsk{Reinstatement: re, Act: act})
		require.NoError(t, err)
		require.Equal(t, casefile.ActDone, out.State)
	}
	require.Empty(t, l.state())
	require.Len(t, acts, 2)
}

// TestPromise08WhatIsNotKnownIsTakenBackToo: an act whose outcome nobody knows is part of what falls.
func TestPromise08WhatIsNotKnownIsTakenBackToo(t *testing.T) {
	t.Parallel()
	b, in, acts := removal(t, 3)
	l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
	// The first was done; the second happened, and is uncertain; the third was never begun.
	_, err := b.actor.DoAct(t.Context(), doAsk(in, acts[0]))
	require.NoError(t, err)
	b.on(altered{caps: func(c enforce.Capabilities) enforce.Capabilities { c.Lookup = false; return c },
		after: func() error { return casefile.Errorf(casefile.CodeUncertain, "no answer") }})
	out, err := b.actor.DoAct(t.Context(), doAsk(in, acts[1]))
	require.NoError(t, err)
	require.Equal(t, casefile.ActUncertain, out.State)
	require.Len(t, b.done(), 2)
	b.on(altered{})

	re := l.upheld(in)
	require.Equal(t, []casefile.Act{acts[1], acts[0]}, b.prepareUndo(re))
	for _, act := range []casefile.Act{acts[1], acts[0]} {
		out, err = b.undo(re, act)
		require.NoError(t, err)
		require.Equal(t, casefile.ActDone, out.State)
	}
	require.Empty(t, b.state())

	// What the takedown still had to do is not done any more.
	out, err = b.actor.DoAct(t.Context(), doAsk(in, acts[2]))
	require.NoError(t, err)
	require.Equal(t, casefile.ActSkipped, out.State)
	require.Equal(t, "fallen", out.Why)
	require.Empty(t, b.state())
}

// TestPromise08UncertainThatDidNotHappen: the platform knows, so that nothing is taken back.
func TestPromise08UncertainThatDidNotHappen(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	b.on(altered{caps: func(c enforce.Capabilities) enforce.Capabilities { c.Lookup = false; return c },
		do: func() error { return casefile.Errorf(casefile.CodeUncertain, "no answer") }})
	_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	undos := 0
	b.on(altered{undos: &undos})
	l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
	re := l.upheld(in)
	require.Len(t, b.prepareUndo(re), 1)
	out, err := b.undo(re, act)
	require.NoError(t, err)
	require.Equal(t, casefile.ActSkipped, out.State)
	require.Equal(t, "not_done", out.Why)
	require.Zero(t, undos)
}

// TestPromise08AnActOnItsWayIsWaitedFor: an act that was just sent when the decision fell is taken back
// once it is known, or can no longer be under way.
func TestPromise08AnActOnItsWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	b.actor.Records = &crashing{Store: b.records, ends: 1}
	_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	requireCode(t, casefile.CodeUnavailable, err)
	require.Len(t, b.done(), 1)
	l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
	re := l.upheld(in)
	b.pass(time.Second)
	_, err = b.actor.PrepareUndo(t.Context(), workflows.PrepareUndoAsk{Reinstatement: re})
	requireCode(t, casefile.CodeUnavailable, err)
	after, told := enforce.RetryAfter(err)
	require.True(t, told)
	require.Equal(t, 30*time.Second, after)
	b.pass(after)
	require.Equal(t, []casefile.Act{act}, b.prepareUndo(re))
	out, err := b.undo(re, act)
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	require.Empty(t, b.state())

	// The takedown's own next attempt finds out what became of its act, and sends it to nobody.
	dos := 0
	b.on(altered{dos: &dos})
	done, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, done.State)
	require.Zero(t, dos)
}

// TestActBegunBeforeTheDecisionFell and never seen on the platform is left, once it cannot be under way.
func TestActBegunBeforeTheDecisionFell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caps  func(enforce.Capabilities) enforce.Capabilities
		noted string
		wait  bool
		state casefile.ActState
	}{
		"it keeps keys apart":                     {nil, "", true, casefile.ActSkipped},
		"it does not":                             {forgetful, "", false, casefile.ActUncertain},
		"it does not, and was down":               {forgetful, "unavailable", false, casefile.ActSkipped},
		"it keeps keys apart, and cannot look up": {func(c enforce.Capabilities) enforce.Capabilities { c.Lookup = false; return c }, "", false, casefile.ActUncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in, act := suspended(t)
			_, _, err := b.records.BeginAct(t.Context(), act, casefile.Do, b.clock())
			require.NoError(t, err)
			if c.noted != "" {
				require.NoError(t, b.records.NoteAttempt(t.Context(), act, casefile.Do, c.noted, b.clock()))
			}
			l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
			l.upheld(in)
			dos := 0
			b.on(altered{caps: c.caps, dos: &dos})
			if c.wait {
				b.pass(10 * time.Second)
				_, err = b.actor.DoAct(t.Context(), doAsk(in, act))
				requireCode(t, casefile.CodeUnavailable, err)
				after, told := enforce.RetryAfter(err)
				require.True(t, told)
				require.Equal(t, 20*time.Second, after)
				// The note of this attempt is when it was last heard of.
				b.pass(30 * time.Second)
			}
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, c.state, out.State)
			require.Zero(t, dos)
			require.Empty(t, b.done())
		})
	}
}

// TestPromise08WhatAnotherDecisionImposedStays: a reinstatement takes all of its own decision back, also
// where a stronger act of another stands, and nothing of that.
func TestPromise08WhatAnotherDecisionImposedStays(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	l.again(casefile.L6, 0)
	re := l.upheld(in)
	require.Len(t, l.prepareUndo(re), 1)
	out, err := l.undo(re, acts[0])
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	require.Equal(t, map[string]string{"terminated": "true", "identifiers_blocked": "true"}, l.state())
}

// TestUndoActOutcomes: what the platform makes of it, and that it stands.
func TestUndoActOutcomes(t *testing.T) {
	t.Parallel()
	fails := func(code casefile.Code) func() error {
		return func() error { return casefile.Errorf(code, "words of the platform") }
	}
	for name, c := range map[string]struct {
		platform altered
		state    casefile.ActState
		why      string
	}{
		"it does not stand any more": {altered{undo: fails(casefile.CodeState)}, casefile.ActSkipped, "not_standing"},
		"it is refused":              {altered{undo: fails(casefile.CodeForbidden)}, casefile.ActFailed, "forbidden"},
		"the platform has no reverse": {altered{caps: func(c enforce.Capabilities) enforce.Capabilities {
			c.Undo = nil
			return c
		}}, casefile.ActFailed, "cannot_undo"},
		"no answer": {altered{undo: fails(casefile.CodeUncertain)}, casefile.ActUncertain, "not_seen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, in, acts := carriedOut(t, casefile.L5)
			re := l.upheld(in)
			l.prepareUndo(re)
			l.on(c.platform)
			out, err := l.undo(re, acts[0])
			require.NoError(t, err)
			require.Equal(t, casefile.ActOutcome{Act: acts[0], Direction: casefile.Undo, State: c.state, At: l.clock(), Why: c.why}, out)
			l.on(altered{})
			again, err := l.undo(re, acts[0])
			require.NoError(t, err)
			require.Equal(t, out, again)
			require.NotContains(t, l.said.String(), "words of the platform")
			var told []telling.Message
			for _, m := range l.tellings() {
				if m.Kind == telling.KindActUncertain {
					told = append(told, m)
				}
			}
			if c.state == casefile.ActUncertain {
				require.Len(t, told, 1)
				require.Equal(t, telling.Page, told[0].Urgency, "an account is suspended, or is not")
			} else {
				require.Empty(t, told)
			}
		})
	}
}

// TestPromise07UndoOnce: a crash between the reverse and its record, and an outage, take back once.
func TestPromise07UndoOnce(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	re := l.upheld(in)
	l.prepareUndo(re)
	before := len(l.done())
	l.platform.SetDown(true)
	_, err := l.undo(re, acts[0])
	requireCode(t, casefile.CodeUnavailable, err)
	l.platform.SetDown(false)
	l.actor.Records = &crashing{Store: l.records, ends: 1}
	_, err = l.undo(re, acts[0])
	requireCode(t, casefile.CodeUnavailable, err)
	require.Len(t, l.done(), before+1)
	l.on(altered{caps: forgetful})
	out, err := l.undo(re, acts[0])
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State)
	require.Len(t, l.done(), before+1, "found by the look-up")
}

// TestPromise01NothingIsTakenBackWithoutItsProof: both proofs are checked in every step, by the actor.
func TestPromise01NothingIsTakenBackWithoutItsProof(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	row := l.appeal(in)
	sound := l.ruled(in, row, "p-dora0000", casefile.OutcomeUpheld)
	before := l.state()
	changed := func(change func(*workflows.ReinstatementInput)) workflows.ReinstatementInput {
		re := wire(t, sound)
		change(&re)
		return re
	}
	otherNotice := l.notice(sound.Ruling.Notice.Number, "another", judgement(casefile.L3))
	cases := map[string]workflows.ReinstatementInput{
		"no proof of the ruling":            changed(func(r *workflows.ReinstatementInput) { r.Bundle = casefile.Bundle{} }),
		"the decision's proof in its place": changed(func(r *workflows.ReinstatementInput) { r.Bundle = r.Takedown.Bundle }),
		"no proof of the decision":          changed(func(r *workflows.ReinstatementInput) { r.Takedown.Bundle = casefile.Bundle{} }),
		"another decision":                  changed(func(r *workflows.ReinstatementInput) { r.Ruling.Decision = "another" }),
		"another decision's entry":          changed(func(r *workflows.ReinstatementInput) { r.Ruling.DecisionHash = casefile.EntryHash(nil) }),
		"another person":                    changed(func(r *workflows.ReinstatementInput) { r.Ruling.Person = "p-emma0000" }),
		"another appeal":                    changed(func(r *workflows.ReinstatementInput) { r.Ruling.Appeal = "another" }),
		"another account":                   changed(func(r *workflows.ReinstatementInput) { r.Ruling.Account = l.key("a-18") }),
		"another decision's days":           changed(func(r *workflows.ReinstatementInput) { r.Takedown.Decision.Days = 1 }),
	}
	refused := func(t *testing.T, re workflows.ReinstatementInput) {
		t.Helper()
		counted := len(l.refusals())
		_, err := l.actor.PrepareUndo(t.Context(), workflows.PrepareUndoAsk{Reinstatement: re})
		requireCode(t, casefile.CodeUnproven, err)
		_, err = l.undo(re, acts[0])
		requireCode(t, casefile.CodeUnproven, err)
		require.Len(t, l.refusals(), counted+2, "every refusal is on record")
		require.Empty(t, l.undone(in.Decision.ID))
		require.Equal(t, before, l.state())
	}
	for name, re := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, re)
			_, err := l.actor.NotifyUndo(t.Context(), workflows.NotifyUndoAsk{Reinstatement: re})
			requireCode(t, casefile.CodeUnproven, err)
		})
	}
	t.Run("another notice", func(t *testing.T) {
		re := changed(func(r *workflows.ReinstatementInput) { r.Ruling.Notice = otherNotice })
		refused(t, re)
		re = changed(func(r *workflows.ReinstatementInput) { r.Ruling.Notice.Text = otherNotice.Text })
		_, err := l.actor.NotifyUndo(t.Context(), workflows.NotifyUndoAsk{Reinstatement: re})
		requireCode(t, casefile.CodeUnproven, err)
	})
	t.Run("acts that are not the decision's", func(t *testing.T) {
		other := acts[0]
		other.Kind = casefile.ActTerminate
		_, err := l.undo(sound, other)
		requireCode(t, casefile.CodeUnproven, err)
		require.Equal(t, before, l.state())
	})
	t.Run("an act that was not planned to be taken back", func(t *testing.T) {
		_, err := l.undo(sound, acts[0])
		requireCode(t, casefile.CodeNotFound, err)
		require.Equal(t, before, l.state())
	})
	t.Run("the sound one passes", func(t *testing.T) {
		require.Len(t, l.prepareUndo(sound), 1)
		out, err := l.undo(sound, acts[0])
		require.NoError(t, err)
		require.Equal(t, casefile.ActDone, out.State)
	})
}

// TestPromise04NobodyRulesOnTheirOwn: whoever flagged, held or judged the case rules for nobody, also
// where their ruling is proven.
func TestPromise04NobodyRulesOnTheirOwn(t *testing.T) {
	t.Parallel()
	for part, person := range map[string]casefile.Person{"author of the opinion": "p-anna0000", "author of the flag": "p-detector", "holder": "p-hold0000"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			l := b.begin(flagOf("f1", post("p1", postText, 1)))
			l.s.State, l.s.Claims = casefile.StateClaimed, 1
			l.s.Claim = &casefile.Claim{Number: 1, Person: "p-hold0000", Role: casefile.RoleReviewer, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}
			l.s.Parts = append(l.s.Parts, "p-hold0000")
			l.project(workflows.ProjectAsk{})
			in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
			l.takedown(in)
			re := l.ruled(in, l.appeal(in), person, casefile.OutcomeUpheld)
			_, err := b.actor.PrepareUndo(t.Context(), workflows.PrepareUndoAsk{Reinstatement: re})
			requireCode(t, casefile.CodeUnproven, err)
			require.Len(t, b.refusals(), 1)
		})
	}
}

// TestPromise01RejectedAppealTakesNothingBack, and is told.
func TestPromise01RejectedAppealTakesNothingBack(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	re := l.ruled(in, l.appeal(in), "p-dora0000", casefile.OutcomeRejected)
	_, err := l.actor.PrepareUndo(t.Context(), workflows.PrepareUndoAsk{Reinstatement: re})
	requireCode(t, casefile.CodeUnproven, err)
	_, err = l.undo(re, acts[0])
	requireCode(t, casefile.CodeUnproven, err)
	require.NotEmpty(t, l.state())
	before := len(l.done())
	for range 2 {
		told, err := l.actor.NotifyUndo(t.Context(), workflows.NotifyUndoAsk{Reinstatement: re})
		require.NoError(t, err)
		require.Equal(t, casefile.NoticeSent, told.State)
	}
	lines := l.done()
	require.Len(t, lines, before+1, "once")
	require.Equal(t, "[what became of the appeal]", lines[before].Notice.Text)
	sent, err := l.records.Notice(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, in.Decision.Notice().Number, sent.Number, "the decision's own notice stands")
}

// TestNotifyUncertain: a delivery that may have happened is not sent again to a platform that would
// deliver it twice.
func TestNotifyUncertain(t *testing.T) {
	t.Parallel()
	b, in, _ := suspended(t)
	b.on(altered{caps: forgetful, notify: casefile.Errorf(casefile.CodeUncertain, "no answer")})
	answer, err := b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
	require.NoError(t, err)
	require.Equal(t, casefile.NoticeUncertain, answer.State)
	b.on(altered{notify: casefile.Errorf(casefile.CodeInternal, "odd")})
	_, err = b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
	requireCode(t, casefile.CodeInternal, err)
}

// TestPromise07ACutOffDeliveryIsNotRepeated: an attempt that ended with its process, behind its beginning,
// may have told somebody. A platform that would tell them twice is not asked again; one that nothing was
// begun on is.
func TestPromise07ACutOffDeliveryIsNotRepeated(t *testing.T) {
	t.Parallel()
	b, in, _ := suspended(t)
	number := in.Decision.Notice().Number
	tell := func() (casefile.NoticeState, error) {
		a, err := b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		return a.State, err
	}
	b.on(altered{caps: forgetful, notify: fault})
	_, err := tell()
	requireCode(t, casefile.CodeUnavailable, err)
	told := 0
	for _, l := range b.done() {
		if l.Op == "notify" {
			told++
		}
	}
	require.Zero(t, told)
	_, err = b.records.BeginDelivery(t.Context(), number, b.clock())
	require.NoError(t, err)
	before := len(b.done())
	b.on(altered{caps: forgetful})
	for range 2 {
		state, err := tell()
		require.NoError(t, err)
		require.Equal(t, casefile.NoticeUncertain, state)
	}
	require.Len(t, b.done(), before, "not asked again")

	b, in, _ = suspended(t)
	b.on(altered{caps: forgetful, notify: fault})
	_, err = tell()
	requireCode(t, casefile.CodeUnavailable, err)
	b.on(altered{caps: forgetful})
	before = len(b.done())
	for range 2 {
		state, err := tell()
		require.NoError(t, err)
		require.Equal(t, casefile.NoticeSent, state, "nothing had been begun")
	}
	require.Len(t, b.done(), before+1, "once")
}

// TestSettleAct: the platform's word goes before a person's; a person's where the platform has none.
func TestSettleAct(t *testing.T) {
	t.Parallel()
	mute := func(c enforce.Capabilities) enforce.Capabilities {
		c.Lookup = false
		return c
	}
	for name, c := range map[string]struct {
		happened bool // on the platform
		platform altered
		said     bool
		state    casefile.ActState
		by       casefile.Person
	}{
		"the platform knows that it happened":   {true, altered{}, false, casefile.ActDone, ""},
		"the platform knows that it did not":    {false, altered{}, true, casefile.ActFailed, ""},
		"the person says that it happened":      {false, altered{caps: mute}, true, casefile.ActDone, "p-emma0000"},
		"the person says that it did not":       {true, altered{caps: mute}, false, casefile.ActFailed, "p-emma0000"},
		"the platform is down, the person says": {true, altered{lookup: func() error { return fault }}, true, casefile.ActDone, "p-emma0000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in, act := suspended(t)
			lost := altered{caps: mute, after: func() error { return casefile.Errorf(casefile.CodeUncertain, "no answer") }}
			if !c.happened {
				lost.do = lost.after
			}
			b.on(lost)
			out, err := b.actor.DoAct(t.Context(), doAsk(in, act))
			require.NoError(t, err)
			require.Equal(t, casefile.ActUncertain, out.State)
			b.on(c.platform)
			b.pass(time.Hour)
			ask := workflows.SettleActAsk{Takedown: in, Act: act, Direction: casefile.Do, Done: c.said, Person: "p-emma0000"}
			settled, err := b.actor.SettleAct(t.Context(), ask)
			require.NoError(t, err)
			want := casefile.ActOutcome{Act: act, Direction: casefile.Do, State: c.state, At: b.clock(), By: c.by}
			if c.state == casefile.ActFailed {
				want.Why = "did_not_happen"
			} else if c.by == "" {
				want.Reference = b.done()[0].Reference
			}
			require.Equal(t, want, settled)
			b.pass(time.Minute)
			again, err := b.actor.SettleAct(t.Context(), ask)
			require.NoError(t, err)
			require.Equal(t, settled, again, "the same word again")
		})
	}
}

func TestSettleActRefuses(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	ask := workflows.SettleActAsk{Takedown: in, Act: act, Direction: casefile.Do, Done: true, Person: "p-emma0000"}
	_, err := b.actor.SettleAct(t.Context(), ask)
	requireCode(t, casefile.CodeState, err)
	nobody, nowhere, other, forged := ask, ask, ask, ask
	nobody.Person, nowhere.Direction, other.Act.Number = "", "sideways", 7
	forged.Takedown.Bundle = casefile.Bundle{}
	for code, ask := range map[casefile.Code][]workflows.SettleActAsk{casefile.CodeInvalid: {nobody, nowhere}, casefile.CodeUnproven: {other, forged}} {
		for _, a := range ask {
			_, err = b.actor.SettleAct(t.Context(), a)
			requireCode(t, code, err)
		}
	}
}

// TestUndoRecordThatIsNotTheOne: an undo record that was exchanged in the store takes nothing back.
func TestUndoRecordThatIsNotTheOne(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	re := l.upheld(in)
	l.prepareUndo(re)
	address, _ := l.seal(l.account, evidence.KindUndo, enforce.UndoRecord{Kind: casefile.ActSuspend, Before: map[string]string{"suspended_until": "for ever"}})
	l.actor.Records = exchanged{l.records, address}
	_, err := l.undo(re, acts[0])
	requireCode(t, casefile.CodeUnproven, err)
	require.NotEmpty(t, l.state())
}

// exchanged gives another address for every undo record.
type exchanged struct {
	records.Store
	address casefile.Address
}

func (e exchanged) Acts(ctx context.Context, decision string) ([]records.ActRow, error) {
	rows, err := e.Store.Acts(ctx, decision)
	for i := range rows {
		rows[i].Undo = e.address
	}
	return rows, err
}

// TestPromise01TakedownOfADecisionThatFell plans and does nothing more.
func TestPromise01TakedownOfADecisionThatFell(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	re := l.upheld(in)
	l.prepareUndo(re)
	_, err := l.undo(re, acts[0])
	require.NoError(t, err)
	require.NoError(t, l.work.FinishUndo(t.Context(), workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: casefile.AppealReinstated}))
	before := len(l.done())
	_, err = l.actor.PrepareActs(t.Context(), prepareAsk(in))
	requireCode(t, casefile.CodeState, err)
	out, err := l.actor.DoAct(t.Context(), doAsk(in, acts[0]))
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, out.State, "the outcome of its time stands")
	require.Len(t, l.done(), before)
}

// TestPrepareActsOfALostRun goes on with a decision whose row has gone further.
func TestPrepareActsOfALostRun(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	answer, err := l.actor.PrepareActs(t.Context(), prepareAsk(in))
	require.NoError(t, err)
	require.Equal(t, acts[0], answer.Acts[0].Act)
	row, err := l.records.Decision(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionDone, row.State, "it is not executed again")
}
