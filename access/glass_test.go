package access

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// testReasons seals by turning bits over.
type testReasons struct{ down bool }

func (r *testReasons) turn(b []byte) ([]byte, error) {
	if r.down {
		return nil, errDown
	}
	out := make([]byte, len(b))
	for i := range b {
		out[i] = ^b[i]
	}
	return out, nil
}

func (r *testReasons) SealReason(_ context.Context, b []byte) ([]byte, error) { return r.turn(b) }
func (r *testReasons) OpenReason(_ context.Context, b []byte) ([]byte, error) { return r.turn(b) }

const (
	testCase   = casefile.CaseRef("7K2QX-9MDT4")
	testReason = "a regulator asks about this case today"
)

func newTestGlass(t testing.TB) (testAccess, *Glass, *testReasons) {
	a, reasons := newTestAccess(t), &testReasons{}
	return a, NewGlass(a.people, reasons, a.clock.Now), reasons
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	a, g, _ := newTestGlass(t)
	who := a.who(t, "policy")
	b, err := g.Break(t.Context(), who, "7k2qx9mdt4", "  "+testReason+"\n", time.Hour)
	require.NoError(t, err)
	require.Equal(t, testCase, b.Case)
	require.Equal(t, who.Person, b.Person)
	require.Equal(t, a.clock.Now().Add(time.Hour), b.Until)
	require.NotContains(t, string(b.Reason), "regulator")
	opens := func(who Who, ref casefile.CaseRef) bool {
		ok, err := g.Opens(t.Context(), who, ref)
		require.NoError(t, err)
		return ok
	}
	require.True(t, opens(who, testCase))
	require.False(t, opens(who, "7K2QX-9MDT5"), "one case only")
	require.False(t, opens(a.who(t, "admin"), testCase), "one person only")
	changed := who
	changed.Roles = []casefile.Role{reviewer}
	require.False(t, opens(changed, testCase), "who lost the right to break it may not look through it")
	a.clock.Advance(time.Hour)
	require.False(t, opens(who, testCase), "it closes by itself")

	for _, p := range DemoPeople() {
		who := a.who(t, p.Login)
		_, err = g.Break(t.Context(), who, testCase, testReason, time.Minute)
		if p.Login == "policy" || p.Login == "auditor" || p.Login == "admin" {
			require.NoError(t, err)
			continue
		}
		requireCode(t, casefile.CodeForbidden, err)
	}
}

func TestBreakGlassRefuses(t *testing.T) {
	t.Parallel()
	a, g, reasons := newTestGlass(t)
	who := a.who(t, "auditor")
	for name, tc := range map[string]struct {
		ref    casefile.CaseRef
		reason string
		lasts  time.Duration
		field  string
	}{
		"no case":              {"", testReason, time.Hour, "case"},
		"no time":              {testCase, testReason, 0, "for"},
		"a time gone by":       {testCase, testReason, -time.Minute, "for"},
		"too long":             {testCase, testReason, time.Hour + 1, "for"},
		"no reason":            {testCase, "", time.Hour, "reason"},
		"a reason of spaces":   {testCase, strings.Repeat(" ", 50), time.Hour, "reason"},
		"a word":               {testCase, "because", time.Hour, "reason"},
		"a novel":              {testCase, strings.Repeat("x", MaxGlassReason+1), time.Hour, "reason"},
		"what is not any text": {testCase, testReason + "\xff", time.Hour, "reason"},
	} {
		_, err := g.Break(t.Context(), who, tc.ref, tc.reason, tc.lasts)
		requireCode(t, casefile.CodeInvalid, err)
		var e *casefile.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tc.field, e.Field, name)
		require.NotContains(t, err.Error(), "regulator")
	}
	_, err := g.Break(t.Context(), who, testCase, strings.Repeat("я", MaxGlassReason), time.Hour)
	require.NoError(t, err)
	a.people.glass = nil
	reasons.down = true
	_, err = g.Break(t.Context(), who, testCase, testReason, time.Hour)
	requireCode(t, casefile.CodeUnavailable, err)
	reasons.down = false
	a.people.down = true
	_, err = g.Break(t.Context(), who, testCase, testReason, time.Hour)
	requireCode(t, casefile.CodeUnavailable, err)
	require.NotContains(t, err.Error(), "regulator")
	ok, err := g.Opens(t.Context(), who, testCase)
	requireCode(t, casefile.CodeUnavailable, err)
	require.False(t, ok)
	require.Empty(t, a.people.glass, "nothing opens before it is on record")
}

func TestReviewGlass(t *testing.T) {
	t.Parallel()
	a, g, _ := newTestGlass(t)
	auditor, lead, policy := a.who(t, "auditor"), a.who(t, "lead"), a.who(t, "policy")
	mine, err := g.Break(t.Context(), auditor, testCase, testReason, time.Hour)
	require.NoError(t, err)
	_, err = g.Break(t.Context(), policy, testCase, testReason, time.Minute)
	require.NoError(t, err)
	for _, login := range []string{"rev1", "senior", "policy", "admin", "detector"} {
		_, err = g.List(t.Context(), a.who(t, login), true, 10)
		requireCode(t, casefile.CodeForbidden, err)
		_, err = g.Reason(t.Context(), a.who(t, login), mine)
		requireCode(t, casefile.CodeForbidden, err)
		requireCode(t, casefile.CodeForbidden, g.Review(t.Context(), a.who(t, login), mine.ID, true))
	}
	rows, err := g.List(t.Context(), lead, true, 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	reason, err := g.Reason(t.Context(), lead, rows[1])
	require.NoError(t, err)
	require.Equal(t, testReason, reason)

	requireCode(t, casefile.CodeForbidden, g.Review(t.Context(), auditor, mine.ID, true))
	require.NoError(t, g.Review(t.Context(), lead, mine.ID, false))
	requireCode(t, casefile.CodeState, g.Review(t.Context(), lead, mine.ID, true))
	requireCode(t, casefile.CodeNotFound, g.Review(t.Context(), lead, "none", true))
	rows, err = g.List(t.Context(), auditor, true, 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, policy.Person, rows[0].Person)
	rows, err = g.List(t.Context(), auditor, false, 1)
	require.NoError(t, err)
	require.Len(t, rows, 1)
}

func TestPurposeThroughGlass(t *testing.T) {
	t.Parallel()
	a, g, _ := newTestGlass(t)
	const child = casefile.ReferChildSafety
	for name, tc := range map[string]struct {
		login  string
		kind   casefile.ReferralKind
		holder bool
		before Purpose // "" where they may not
		after  Purpose // once they broke the glass, or tried to
	}{
		"a reviewer":                  {"rev1", "", false, PurposeReview, PurposeReview},
		"a reviewer, restricted":      {"rev1", child, false, "", ""},
		"a holder, restricted":        {"rev1", child, true, PurposeReview, PurposeReview},
		"the team":                    {"safety", child, false, PurposeReview, PurposeReview},
		"a lead, restricted":          {"lead", child, false, PurposeReview, PurposeReview},
		"policy":                      {"policy", "", false, PurposePolicy, PurposePolicy},
		"policy, restricted":          {"policy", child, false, "", PurposeBreakGlass},
		"an auditor, restricted":      {"auditor", child, false, "", PurposeBreakGlass},
		"an admin":                    {"admin", "", false, "", PurposeBreakGlass},
		"an admin, restricted":        {"admin", child, false, "", PurposeBreakGlass},
		"a service":                   {"detector", "", false, "", ""},
		"a service that claims to be": {"detector", child, true, "", ""},
	} {
		who := a.who(t, tc.login)
		ask := func() (Purpose, error) { return g.Purpose(t.Context(), who, testCase, tc.kind, tc.holder, "") }
		for _, want := range []Purpose{tc.before, tc.after} {
			got, err := ask()
			require.Equal(t, want, got, name)
			if want == "" {
				requireCode(t, casefile.CodeForbidden, err)
			} else {
				require.NoError(t, err, name)
			}
			_, _ = g.Break(t.Context(), who, testCase, testReason, time.Minute)
		}
		a.clock.Advance(time.Minute)
		_, err := g.Purpose(t.Context(), who, testCase, tc.kind, tc.holder, string(PurposeBreakGlass))
		requireCode(t, casefile.CodeForbidden, err)
	}
	a.people.down = true
	_, err := g.Purpose(t.Context(), a.who(t, "admin"), testCase, "", false, "")
	requireCode(t, casefile.CodeUnavailable, err)
}
