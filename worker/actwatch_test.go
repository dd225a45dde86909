package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
)

// plan writes a decision's acts down as planned, at a time.
func (n *town) plan(d casefile.Decision, relied int, dir casefile.Direction, at time.Time) []casefile.Act {
	n.t.Helper()
	acts := casefile.PlanActs(d, relied)
	var rows []records.ActRow
	for _, act := range acts {
		rows = append(rows, records.ActRow{Act: act, Direction: dir, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "digest", PlannedAt: at})
	}
	_, err := n.store.PlanActs(n.t.Context(), rows)
	require.NoError(n.t, err)
	return acts
}

func (n *town) end(act casefile.Act, dir casefile.Direction, state casefile.ActState) {
	n.t.Helper()
	_, err := n.store.EndAct(n.t.Context(), casefile.ActOutcome{Act: act, Direction: dir, State: state, At: noon, Why: "a_code"})
	require.NoError(n.t, err)
}

func (n *town) told() []records.TellingRow {
	n.t.Helper()
	rows, err := n.store.UnroutedTellings(n.t.Context(), 100)
	require.NoError(n.t, err)
	return rows
}

// TestActWatch: people are told once of each act that has no outcome after a quarter of an hour; not of
// those that wait for one before them, for a person, or by intention.
func TestActWatch(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	late := noon.Add(-16 * time.Minute)
	first := n.decided("AAAAA-AAAAA", casefile.L4, casefile.DecisionExecuting).Decision
	waits := n.plan(first, 3, casefile.Do, late)
	n.end(waits[0], casefile.Do, casefile.ActDone)
	uncertain := n.decided("BBBBB-BBBBB", casefile.L4, casefile.DecisionExecuting).Decision
	n.end(n.plan(uncertain, 2, casefile.Do, late)[0], casefile.Do, casefile.ActUncertain)
	fresh := n.decided("CCCCC-CCCCC", casefile.L4, casefile.DecisionExecuting).Decision
	n.plan(fresh, 1, casefile.Do, noon.Add(-14*time.Minute))
	begun := n.decided("DDDDD-DDDDD", casefile.L5, casefile.DecisionExecuting).Decision
	_, _, err := n.store.BeginAct(t.Context(), n.plan(begun, 1, casefile.Do, late)[0], casefile.Do, noon)
	require.NoError(t, err)
	back := n.decided("EEEEE-EEEEE", casefile.L4, casefile.DecisionDone).Decision
	for _, act := range n.plan(back, 2, casefile.Do, late) {
		n.end(act, casefile.Do, casefile.ActDone)
	}
	n.plan(back, 2, casefile.Undo, late)

	w := &ActWatch{Records: n.store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }}
	for range 2 {
		count, err := w.Once(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, count)
	}
	told := n.told()
	require.Len(t, told, 3, "once")
	want := map[string]string{
		waits[1].Key(casefile.Do):                        first.ID,
		casefile.PlanActs(begun, 1)[0].Key(casefile.Do):  begun.ID,
		casefile.PlanActs(back, 2)[1].Key(casefile.Undo): back.ID, // acts are taken back the last first
	}
	for key, decision := range want {
		id := telling.ID(telling.KindActLate, key)
		found := false
		for _, r := range told {
			if r.ID == id {
				found = true
				require.Equal(t, decision, r.Subject)
				m := telling.Message{ID: r.ID, Kind: telling.Kind(r.Kind), Urgency: telling.Page, Platform: r.Platform, Case: r.Case, Subject: r.Subject, At: r.At}
				require.NoError(t, m.Validate())
				require.True(t, r.Page)
			}
		}
		require.True(t, found, key)
	}

	// While acts are paused they wait by intention.
	paused := newTown(t)
	paused.plan(paused.decided("AAAAA-AAAAA", casefile.L4, casefile.DecisionExecuting).Decision, 1, casefile.Do, late)
	w.Records = paused.store
	now := noon
	w.Now = func() time.Time { return now }
	set := func(name string, on bool) {
		require.NoError(t, paused.store.SetSwitch(t.Context(), records.SwitchRow{Name: name, On: on, By: casefile.Actor{Person: "p-lead0000", Role: casefile.RoleLead}, At: now, Reason: []byte("sealed")}))
	}
	for _, name := range []string{records.SwitchActs, records.ActsOf("synthetic")} {
		set(name, false)
		count, err := w.Once(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, count)
		require.Empty(t, paused.told())
		set(name, true)
	}
	set(records.ActsOf("other"), false)
	_, err = w.Once(t.Context())
	require.NoError(t, err)
	require.Empty(t, paused.told(), "nobody is paged at once for what was paused")
	now = noon.Add(ActOverdue + time.Second)
	_, err = w.Once(t.Context())
	require.NoError(t, err)
	require.Len(t, paused.told(), 1)

	w.Records = deafRows{paused.store}
	_, err = w.Once(t.Context())
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

type deafRows struct{ records.Store }

func (deafRows) PendingActs(context.Context, string, records.ActStage, string, int) ([]records.PendingAct, string, error) {
	return nil, "", casefile.Errorf(casefile.CodeUnavailable, "down")
}

func (deafRows) Breakers(context.Context) ([]records.Breaker, error) {
	return nil, casefile.Errorf(casefile.CodeUnavailable, "down")
}

func (deafRows) ListAppeals(context.Context, casefile.AppealState, string, int) ([]records.AppealRow, string, error) {
	return nil, "", casefile.Errorf(casefile.CodeUnavailable, "down")
}

// TestHandlingMetrics: acts by stage, breakers and appeals as they stand.
func TestHandlingMetrics(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	first := n.decided("AAAAA-AAAAA", casefile.L4, casefile.DecisionExecuting).Decision
	acts := n.plan(first, 4, casefile.Do, noon.Add(-20*time.Minute))
	n.end(acts[0], casefile.Do, casefile.ActDone)
	n.end(acts[1], casefile.Do, casefile.ActUncertain)
	_, _, err := n.store.BeginAct(t.Context(), acts[2], casefile.Do, noon)
	require.NoError(t, err)
	second := n.decided("BBBBB-BBBBB", casefile.L5, casefile.DecisionExecuting).Decision
	n.plan(second, 1, casefile.Do, noon.Add(-time.Minute))
	for i, ref := range []casefile.CaseRef{"AAAAA-AAAAA", "BBBBB-BBBBB", "AAAAA-AAAAA"} {
		rule := []string{"label-it", "label-it", "close-weak"}[i]
		_, _, err := n.store.CountAutomatic(t.Context(), rule, ref, records.BreakerLimits{PerHour: 1}, noon)
		require.NoError(t, err)
	}
	_, _, err = n.store.PutAppeal(t.Context(), records.AppealRow{ID: "APPEAL1", Kind: casefile.AppealByAccount, Decision: first.ID, Case: first.Case, Platform: "synthetic", Account: first.Account,
		OpenedBy: casefile.System, OpenedAt: noon.Add(-time.Hour), DueAt: noon})
	require.NoError(t, err)

	clock := func() time.Time { return noon }
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(HandlingMetrics(n.store, clock))
	require.Equal(t, map[string]float64{
		"docket_acts_pending waiting": 2, "docket_acts_pending retrying": 1, "docket_acts_pending uncertain": 1, "docket_acts_pending failed": 0,
		"docket_acts_oldest_seconds waiting": 1200, "docket_acts_oldest_seconds retrying": 1200, "docket_acts_oldest_seconds uncertain": 1200, "docket_acts_oldest_seconds failed": 0,
		"docket_acts_overdue":             2,
		"docket_breaker_tripped label-it": 1, "docket_breaker_tripped close-weak": 0,
		"docket_breaker_decided label-it": 1, "docket_breaker_decided close-weak": 1,
		"docket_appeals_waiting open": 1, "docket_appeals_waiting claimed": 0, "docket_appeals_waiting decided": 0, "docket_appeals_waiting upheld": 0,
		"docket_appeals_oldest_seconds open": 3600, "docket_appeals_oldest_seconds claimed": 0, "docket_appeals_oldest_seconds decided": 0, "docket_appeals_oldest_seconds upheld": 0,
	}, gathered(t, reg))

	down := prometheus.NewPedanticRegistry()
	down.MustRegister(HandlingMetrics(deafRows{n.store}, nil))
	_, err = down.Gather()
	require.ErrorContains(t, err, "down", "values that cannot be read are missing, not zero")
}

func TestMissedDeadlines(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	missed := MissedDeadlines(reg)
	missed("lead", casefile.DeadlineTouch)
	missed("lead", casefile.DeadlineTouch)
	missed("lead", casefile.DeadlineDecision)
	require.Equal(t, map[string]float64{"docket_deadlines_missed_total touch lead": 2, "docket_deadlines_missed_total decision lead": 1}, gathered(t, reg))
}

// gathered gives the values of a registry by name and label values.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// TestActWatchUnplanned: a platform that is away keeps acts even from being planned, and people are told of
// that decision as of an act.
func TestActWatchUnplanned(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	proven := n.decided("AAAAA-AAAAA", casefile.L4, casefile.DecisionRecorded)
	require.NotNil(t, proven.Bundle)
	n.decided("BBBBB-BBBBB", casefile.L4, casefile.DecisionDone)
	for _, c := range []struct {
		after       time.Duration
		found, told int
	}{{ActOverdue, 0, 0}, {ActOverdue + time.Second, 1, 1}, {2 * ActOverdue, 1, 1}} {
		w := &ActWatch{Records: n.store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return proven.UpdatedAt.Add(c.after) }}
		found, err := w.Once(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.found, found)
		require.Len(t, n.told(), c.told, "once")
	}
	row := n.told()[0]
	require.Equal(t, telling.ID(telling.KindActLate, proven.Decision.ID), row.ID)
	require.True(t, row.Page)
	require.Equal(t, proven.Decision.Case, row.Case)
}
