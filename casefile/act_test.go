package casefile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestPlanActs(t *testing.T) {
	t.Parallel()
	until := func(days int) *time.Time {
		end := time.Date(2026, 3, 2, 8, 0, 0, 123456789, time.UTC).AddDate(0, 0, days)
		return &end
	}
	act := func(n int, kind casefile.ActKind, target int, end *time.Time) casefile.Act {
		return casefile.Act{Decision: "D", Number: n, Kind: kind, Target: target, Until: end}
	}
	cases := map[string]struct {
		action casefile.Action
		days   int
		relied int
		want   []casefile.Act
	}{
		"L0":              {casefile.L0, 0, 2, nil},
		"L1":              {casefile.L1, 0, 2, []casefile.Act{act(1, casefile.ActWarn, -1, nil)}},
		"L2":              {casefile.L2, 0, 2, []casefile.Act{act(1, casefile.ActLabel, -1, nil)}},
		"L3":              {casefile.L3, 30, 2, []casefile.Act{act(1, casefile.ActLimit, -1, until(30))}},
		"L4 of two posts": {casefile.L4, 0, 2, []casefile.Act{act(1, casefile.ActRemovePost, 0, nil), act(2, casefile.ActRemovePost, 1, nil)}},
		"L4 of none":      {casefile.L4, 0, 0, nil},
		"L5":              {casefile.L5, 365, 0, []casefile.Act{act(1, casefile.ActSuspend, -1, until(365))}},
		"L6":              {casefile.L6, 0, 1, []casefile.Act{act(1, casefile.ActTerminate, -1, nil), act(2, casefile.ActBlockIdentifiers, -1, nil)}},
		"LX":              {casefile.LX, 0, 1, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := casefile.Decision{ID: "D", Judgement: casefile.Judgement{Action: c.action, Days: c.days}, DecidedAt: then}
			got := casefile.PlanActs(d, c.relied)
			require.Equal(t, c.want, got)
			require.Equal(t, got, casefile.PlanActs(d, c.relied), "the same decision gives the same acts")
		})
	}
}

// TestPlanActsAcrossTheClockChange: days are days of UTC, whatever zone the time came in.
func TestPlanActsAcrossTheClockChange(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data here")
	}
	d := casefile.Decision{ID: "D", Judgement: casefile.Judgement{Action: casefile.L5, Days: 3}, DecidedAt: time.Date(2026, 3, 28, 12, 0, 0, 0, berlin)}
	require.Equal(t, d.DecidedAt.Add(72*time.Hour).UTC(), *casefile.PlanActs(d, 0)[0].Until)
}

func TestActKey(t *testing.T) {
	t.Parallel()
	a := casefile.Act{Decision: "D", Number: 12}
	require.Equal(t, "D/12/do", a.Key(casefile.Do))
	require.Equal(t, "D/12/undo", a.Key(casefile.Undo))
}
