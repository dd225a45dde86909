package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func blind(id string, ref casefile.CaseRef, person casefile.Person, when time.Time) records.BlindOpinion {
	return records.BlindOpinion{ID: id, Case: ref, Person: person, At: when, Sealed: casefile.Address("sealed-" + id)}
}

// opinionsOf are the ids of a case's opinions: shown, blind, and void in either way.
type opinionsOf struct{ shown, blind, voidShown, voidBlind []string }

func (b bench) opinionsOf(ref casefile.CaseRef) opinionsOf {
	b.t.Helper()
	var out opinionsOf
	shown, err := b.Opinions(b.ctx(), ref)
	require.NoError(b.t, err)
	unseen, err := b.BlindOpinions(b.ctx(), ref)
	require.NoError(b.t, err)
	voidShown, voidBlind, err := b.VoidOpinions(b.ctx(), ref)
	require.NoError(b.t, err)
	for _, o := range shown {
		out.shown = append(out.shown, o.ID)
	}
	for _, o := range unseen {
		out.blind = append(out.blind, o.ID)
	}
	for _, o := range voidShown {
		out.voidShown = append(out.voidShown, o.ID)
	}
	for _, o := range voidBlind {
		out.voidBlind = append(out.voidBlind, o.ID)
	}
	return out
}

func handlingBlind(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	project := func(p records.Projection) {
		t.Helper()
		c.Revision++
		p.Case, p.Now = c, at(c.Revision)
		require.NoError(t, b.Project(b.ctx(), p))
	}
	show := func(o casefile.Opinion) records.OpinionRow { return records.OpinionRow{Case: case1, Opinion: o} }
	one, two := blind("o2", case1, "p-one", at(9)), blind("o1", case1, "p-two", at(1))
	project(records.Projection{Blind: []records.BlindOpinion{one}})
	got, err := b.BlindOpinions(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, []records.BlindOpinion{one}, got)
	require.Equal(t, opinionsOf{blind: []string{"o2"}}, b.opinionsOf(case1), "the fact stands, the codes do not")

	again := one
	again.Person, again.Sealed = "p-other", "other"
	project(records.Projection{Blind: []records.BlindOpinion{again, two}})
	got, err = b.BlindOpinions(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, []records.BlindOpinion{one, two}, got, "in the order in which they came; repeats change nothing")

	order := opinion("o3", "p-three", at(3))
	order.Emergency = true
	project(records.Projection{Opinions: []records.OpinionRow{show(opinion("o2", "p-one", at(9))), show(opinion("o1", "p-two", at(1))), show(order)}})
	require.Equal(t, opinionsOf{shown: []string{"o2", "o1", "o3"}}, b.opinionsOf(case1))
	shown, err := b.Opinions(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, order, shown[2], "an emergency order is known by its row")
	project(records.Projection{Blind: []records.BlindOpinion{one}})
	require.Empty(t, b.opinionsOf(case1).blind, "what is shown is never blind again")

	project(records.Projection{VoidOpinions: []string{"o2", "o3", "none"}})
	project(records.Projection{VoidOpinions: []string{"o2"}, Opinions: []records.OpinionRow{show(opinion("o2", "p-one", at(9)))}})
	require.Equal(t, opinionsOf{shown: []string{"o1"}, voidShown: []string{"o2", "o3"}}, b.opinionsOf(case1), "what is void stays void")

	// One that nobody ever saw may be void, and one may be shown and void at once: where a case is
	// closed without a decision.
	project(records.Projection{Blind: []records.BlindOpinion{blind("o4", case1, "p-one", at(4)), blind("o5", case1, "p-two", at(5))}})
	project(records.Projection{VoidOpinions: []string{"o4"}})
	project(records.Projection{Opinions: []records.OpinionRow{show(opinion("o5", "p-two", at(5)))}, VoidOpinions: []string{"o5"}})
	require.Equal(t, opinionsOf{shown: []string{"o1"}, voidShown: []string{"o2", "o3", "o5"}, voidBlind: []string{"o4"}}, b.opinionsOf(case1))
	require.Equal(t, opinionsOf{}, b.opinionsOf(case2))

	// Another case's projection touches none of them.
	other := b.queued(2, case2, route("q", 1, 1, at(60)), start)
	other.Revision++
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: other, VoidOpinions: []string{"o1", "o4"}, Now: at(9)}))
	require.Equal(t, []string{"o1"}, b.opinionsOf(case1).shown)
}

func handlingParts(t *testing.T, b bench) {
	b.queued(1, case1, route("q", 1, 1, at(60)), start)
	flag := records.PartRow{Person: "p-detector", Part: records.PartFlag}
	claim := records.PartRow{Person: "p-one", Part: records.PartClaim, Round: 4}
	first := records.PartRow{Person: "p-one", Part: records.PartOpinion}
	second := records.PartRow{Person: "p-one", Part: records.PartOpinion, Round: 1}
	b.took(case1, flag, claim)
	b.took(case1, first, flag, claim)
	b.took(case1, second, first)
	want := []records.PartRow{flag, claim, first, second}
	for i := range want {
		want[i].Case, want[i].At = case1, at(1)
	}
	want[1].Round = 0 // only opinions have rounds
	got, err := b.Parts(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = b.Parts(b.ctx(), case2)
	require.NoError(t, err)
	require.Empty(t, got)
}

func handlingReferrals(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	one := casefile.Referral{ID: "r2", Kind: casefile.ReferChildSafety, Person: "p-one", At: at(2), Note: "sealed", Digest: "digest", Event: "case.x/5"}
	two := one
	two.ID, two.Kind, two.At = "r1", casefile.ReferLegal, at(1)
	for i, list := range [][]casefile.Referral{{one}, {one, two}} {
		c.Revision++
		require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Referrals: list, Now: at(i)}))
	}
	got, err := b.Referrals(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, []casefile.Referral{one, two}, got)
}

func handlingNotes(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	until := at(90)
	want := []casefile.HandlingNote{
		{ID: "h2", What: casefile.HandlingThreat, Person: "p-one", Role: casefile.RoleReviewer, At: at(1), Queue: "lead", Words: "sealed"},
		{ID: "h1", What: casefile.HandlingDeadline, Person: "p-two", Role: casefile.RoleLead, At: at(2), Deadline: casefile.DeadlineTouch, Until: &until, Words: "sealed too"},
		{ID: "h3", What: casefile.HandlingHandOver, Person: "p-two", Role: casefile.RoleLead, At: at(3), To: "p-one", Words: "sealed as well"},
	}
	for i, list := range [][]casefile.HandlingNote{want[:1], want[:2], want[2:]} {
		c.Revision++
		require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Handlings: list, Now: at(i)}))
	}
	got, err := b.Handlings(b.ctx(), case1)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = b.Handlings(b.ctx(), case2)
	require.NoError(t, err)
	require.Empty(t, got)
}

// handlingWhole: what a projection brings is written with it or not at all.
func handlingWhole(t *testing.T, b bench) {
	one := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	two, d := b.decided(2, case2, "d1")
	bring := func(c records.Case, revision int) records.Projection {
		c.Revision = revision
		return records.Projection{
			Case: c, Now: at(9), Blind: []records.BlindOpinion{blind("o1", c.Ref, "p-one", at(1))},
			Parts:     []records.PartRow{{Case: c.Ref, Person: "p-one", Part: records.PartOpinion, At: at(1)}},
			Referrals: []casefile.Referral{{ID: "r1", Kind: casefile.ReferLegal, Person: "p-one", At: at(1)}},
			Handlings: []casefile.HandlingNote{{ID: "h1", What: casefile.HandlingEscalated, Person: "p-one", At: at(1)}},
			Tellings:  []records.TellingRow{{ID: "t1", Kind: "case.threat", Page: true, Case: c.Ref, At: at(1)}},
		}
	}
	nothing := func(ref casefile.CaseRef) {
		t.Helper()
		require.Equal(t, opinionsOf{}, b.opinionsOf(ref))
		parts, err := b.Parts(b.ctx(), ref)
		require.NoError(t, err)
		require.Empty(t, parts)
		referrals, err := b.Referrals(b.ctx(), ref)
		require.NoError(t, err)
		require.Empty(t, referrals)
		notes, err := b.Handlings(b.ctx(), ref)
		require.NoError(t, err)
		require.Empty(t, notes)
		tellings, err := b.UnroutedTellings(b.ctx(), 10)
		require.NoError(t, err)
		require.Empty(t, tellings)
	}
	require.NoError(t, b.Project(b.ctx(), bring(one, one.Revision)), "an old projection")
	nothing(case1)
	stolen := bring(one, 9)
	d.Case = case1
	stolen.Decision = &records.DecisionRow{Decision: d, State: casefile.DecisionGrace}
	b.code(casefile.CodeConflict, b.Project(b.ctx(), stolen))
	nothing(case1)
	for name, bad := range map[string]func(p *records.Projection){
		"another case's blind opinion": func(p *records.Projection) { p.Blind[0].Case = case2 },
		"an unsealed blind opinion":    func(p *records.Projection) { p.Blind[0].Sealed = "" },
		"another case's part":          func(p *records.Projection) { p.Parts[0].Case = case2 },
		"no such part":                 func(p *records.Projection) { p.Parts[0].Part = "watched" },
		"nobody's part":                func(p *records.Projection) { p.Parts[0].Person = "" },
		"a referral without an id":     func(p *records.Projection) { p.Referrals[0].ID = "" },
		"a handling without an id":     func(p *records.Projection) { p.Handlings[0].ID = "" },
		"a telling without an id":      func(p *records.Projection) { p.Tellings[0].ID = "" },
		"a telling of nothing":         func(p *records.Projection) { p.Tellings[0].Kind = "" },
		"no such stage":                func(p *records.Projection) { p.Case.Stage = "second" },
		"a threat that can wait":       func(p *records.Projection) { p.Case.Threat, p.Case.Rank = true, 7 },
	} {
		p := bring(one, 9)
		bad(&p)
		err := b.Project(b.ctx(), p)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	nothing(case1)
	require.Equal(t, one, b.row(case1))
	require.NoError(t, b.Project(b.ctx(), bring(two, 9)))
	tellings, err := b.UnroutedTellings(b.ctx(), 10)
	require.NoError(t, err)
	require.Equal(t, []records.TellingRow{{ID: "t1", Kind: "case.threat", Page: true, Case: case2, At: at(1)}}, tellings)
	require.Equal(t, []string{"o1"}, b.opinionsOf(case2).blind)
}

// handlingQueued: the way of an accepted flag ends, with or without a queue.
func handlingQueued(t *testing.T, b bench) {
	unqueued := func() int {
		st, err := b.FlagStats(b.ctx(), start)
		require.NoError(t, err)
		return st.Unqueued
	}
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	require.Equal(t, 1, unqueued())
	c.State, c.Revision = casefile.StateDecided, 1
	b.project(c, at(1))
	require.Equal(t, 1, unqueued(), "decided by a rule, and not yet closed")
	c.State, c.Revision, c.ClosedAt, c.CloseReason = casefile.StateClosed, 2, ptr(at(2)), casefile.CloseAlreadyDecided
	b.project(c, at(2))
	require.Zero(t, unqueued())
	f, err := b.Flag(b.ctx(), "f1")
	require.NoError(t, err)
	require.Equal(t, ptr(at(2)), f.QueuedAt)

	// A flag that came into a case after it was decided has its end with the case.
	two := b.queued(2, case2, route("q", 1, 1, at(60)), at(3))
	two.State, two.Revision = casefile.StateDecided, 2
	b.project(two, at(4))
	b.put("late", accountKeyOf(2), at(5))
	require.Equal(t, records.TakenNow, b.take("late", accountKeyOf(2), case3, at(5)).Outcome)
	require.Equal(t, 1, unqueued())
	b.closed(b.row(case2), at(6))
	require.Zero(t, unqueued())
}

func handlingDecidedItems(t *testing.T, b bench) {
	c, _ := b.decided(1, case1, "d-old")
	b.closed(c, at(6))
	c, _ = b.decided(1, case2, "d-new")
	b.closed(c, at(6))
	open, d := b.decided(1, case3, "d-undone")
	account1 := accountKeyOf(1)
	put := func(decision string, when time.Time, items ...string) {
		t.Helper()
		require.NoError(t, b.PutDecidedItems(b.ctx(), account1, decision, items, when))
	}
	get := func(items ...string) map[string]string {
		t.Helper()
		list, err := b.DecidedItems(b.ctx(), account1, items)
		require.NoError(t, err)
		out := map[string]string{}
		for _, x := range list {
			require.NotContains(t, out, x.Item, "each item once")
			out[x.Item] = x.Decision
		}
		return out
	}
	put("d-new", at(2), "i2", "i3")
	put("d-old", at(1), "i1", "i2")
	put("d-undone", at(3), "i3", "i4")
	put("d-undone", at(9), "i4")
	b.code(casefile.CodeNotFound, b.PutDecidedItems(b.ctx(), account1, "none", []string{"i1"}, start))
	require.Equal(t, map[string]string{"i1": "d-old", "i2": "d-new", "i3": "d-undone", "i4": "d-undone"}, get("i4", "i1", "i2", "i2", "i3", "i9"))
	require.Empty(t, get())
	require.Empty(t, get("i9"))
	list, err := b.DecidedItems(b.ctx(), accountKeyOf(2), []string{"i1"})
	require.NoError(t, err)
	require.Empty(t, list, "another account's evidence is its own")

	require.NoError(t, b.AdvanceDecision(b.ctx(), "d-new", casefile.DecisionDone, "", nil, at(7)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d-new", casefile.DecisionUndone, "", nil, at(8)))
	require.Equal(t, map[string]string{"i2": "d-old", "i3": "d-undone"}, get("i2", "i3"), "what was taken back decides nothing any more")
	open.Revision++
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: open, Now: at(9),
		Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionWithdrawn}}))
	require.Equal(t, map[string]string{"i2": "d-old"}, get("i2", "i3", "i4"), "nor does what was withdrawn")

	// More than one statement's worth.
	var many []string
	for i := range 700 {
		many = append(many, fmt.Sprintf("many%d", i))
	}
	put("d-old", at(1), many...)
	require.Len(t, get(append(many, "i9")...), len(many))
}

func handlingHandles(t *testing.T, b bench) {
	put := func(n int, platform string, when time.Time, hashes ...string) {
		t.Helper()
		require.NoError(t, b.PutHandles(b.ctx(), platform, accountKeyOf(n), hashes, when))
	}
	get := func(platform, hash string) []casefile.AccountKey {
		t.Helper()
		list, err := b.AccountsByHandle(b.ctx(), platform, hash)
		require.NoError(t, err)
		return list
	}
	keys := func(numbers ...int) (out []casefile.AccountKey) {
		for _, n := range numbers {
			out = append(out, accountKeyOf(n))
		}
		return out
	}
	put(1, platform, at(1), "h1", "h2")
	put(2, platform, at(2), "h1")
	put(3, "elsewhere", at(3), "h1")
	require.Equal(t, keys(2, 1), get(platform, "h1"), "the one last seen with it first")
	require.Equal(t, keys(3, 2, 1), get("", "h1"))
	require.Equal(t, keys(1), get(platform, "h2"))
	require.Empty(t, get("elsewhere", "h2"))
	put(1, platform, at(0), "h1")
	require.Equal(t, keys(2, 1), get(platform, "h1"), "what is older is known")
	put(1, platform, at(9), "h1")
	put(1, platform, at(0), "h1")
	require.Equal(t, keys(1, 2), get(platform, "h1"))
}

func handlingOpenCases(t *testing.T, b bench) {
	for i, ref := range []casefile.CaseRef{case2, case3, case1, "CASE0-00004"} {
		b.queued(i, ref, route("q", 1, 1, at(60)), start)
	}
	b.closed(b.row(case3), at(1))
	b.change("CASE0-00004", func(c *records.Case) { c.State = casefile.StateProven })
	cases, err := b.OpenCases(b.ctx(), "", 2)
	require.NoError(t, err)
	require.Equal(t, []records.Case{b.row(case1), b.row(case2)}, cases)
	cases, err = b.OpenCases(b.ctx(), case2, 2)
	require.NoError(t, err)
	require.Equal(t, []casefile.CaseRef{"CASE0-00004"}, refs(cases))
	cases, err = b.OpenCases(b.ctx(), "CASE0-00004", 2)
	require.NoError(t, err)
	require.Empty(t, cases)
	_, err = b.OpenCases(b.ctx(), "", 0)
	b.code(casefile.CodeInvalid, err)
}

// takeInLater: a flag that comes once the open case's decision is proven is left for the next case.
func takeInLater(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	c.State, c.Revision = casefile.StateProven, 2
	b.project(c, at(1))
	row := b.put("late", accountKeyOf(1), at(2))
	in := b.take("late", accountKeyOf(1), case2, at(3))
	require.Equal(t, records.TakenLater, in.Outcome)
	require.Equal(t, row, in.Receipt)
	require.Equal(t, case1, in.Case, "the answer tells of the open case")
	require.False(t, in.Opened)
	require.Equal(t, records.TakenBefore, b.take("flag-of-"+string(case1), accountKeyOf(1), case2, at(3)).Outcome, "its own flags are its own")
	pending, err := b.PendingFlags(b.ctx(), at(9), 10)
	require.NoError(t, err)
	require.Equal(t, []records.FlagReceipt{row}, pending)
	_, err = b.Case(b.ctx(), case2)
	b.code(casefile.CodeNotFound, err)
	b.closed(b.row(case1), at(4))
	in = b.take("late", accountKeyOf(1), case2, at(5))
	require.Equal(t, records.TakenNow, in.Outcome)
	require.Equal(t, case2, in.Case)
}

// flagSweeps: a flag that nobody takes in is looked after less and less often.
func flagSweeps(t *testing.T, b bench) {
	b.put("f1", accountKeyOf(1), start)
	b.put("f2", accountKeyOf(2), start)
	due := func(now time.Time) (out []casefile.FlagKey) {
		t.Helper()
		rows, err := b.PendingFlags(b.ctx(), now, 10)
		require.NoError(t, err)
		for _, r := range rows {
			out = append(out, r.Flag)
		}
		return out
	}
	now := start.Add(time.Second)
	require.Equal(t, []casefile.FlagKey{"f1", "f2"}, due(now))
	for _, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		for range 2 {
			require.NoError(t, b.NoteSwept(b.ctx(), []casefile.FlagKey{"f1", "none"}, now))
		}
		now = now.Add(time.Duration(minutes) * time.Minute)
		require.Equal(t, []casefile.FlagKey{"f2"}, due(now), "%d minutes", minutes)
		now = now.Add(time.Second)
		require.Equal(t, []casefile.FlagKey{"f2", "f1"}, due(now), "the one that has waited longest first")
	}
	f, err := b.Flag(b.ctx(), "f1")
	require.NoError(t, err)
	require.Equal(t, flagOf("f1", accountKeyOf(1), start), f, "the receipt stands as it was")
	in := b.take("f1", accountKeyOf(1), case1, now)
	require.Equal(t, records.TakenNow, in.Outcome)
	require.NoError(t, b.NoteSwept(b.ctx(), []casefile.FlagKey{"f1"}, now))
	require.Equal(t, []casefile.FlagKey{"f2"}, due(now.Add(24*time.Hour)))
	require.NoError(t, b.NoteSwept(b.ctx(), nil, now))
}
