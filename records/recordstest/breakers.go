package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// caseRefOf is the reference of the nth case of a test.
func caseRefOf(n int) casefile.CaseRef { return casefile.CaseRef(fmt.Sprintf("CASE0-%05d", n)) }

func (b bench) openMany(n int) {
	b.t.Helper()
	for i := range n {
		b.openCase(fmt.Sprintf("f%d", i), accountKeyOf(i), caseRefOf(i), start)
	}
}

func (b bench) breakers() []records.Breaker {
	b.t.Helper()
	list, err := b.Breakers(b.ctx())
	require.NoError(b.t, err)
	return list
}

// answered is what a breaker said.
type answered struct{ leave, tripped bool }

func (b bench) automatic(rule string, n int, limits records.BreakerLimits, now time.Time) answered {
	b.t.Helper()
	leave, tripped, err := b.CountAutomatic(b.ctx(), rule, caseRefOf(n), limits, now)
	require.NoError(b.t, err)
	return answered{leave, tripped}
}

func breakerCount(t *testing.T, b bench) {
	b.openMany(9)
	require.Empty(t, b.breakers())
	hour := start.Truncate(time.Hour)
	limits := records.BreakerLimits{PerHour: 2}
	yes, no, trips := answered{leave: true}, answered{}, answered{tripped: true}
	require.Equal(t, yes, b.automatic("r1", 0, limits, at(1)))
	require.Equal(t, yes, b.automatic("r1", 0, limits, at(2)), "the same again counts once")
	require.Equal(t, yes, b.automatic("r1", 1, limits, at(3)))
	require.Equal(t, []records.Breaker{{Rule: "r1", Hour: hour, Count: 2}}, b.breakers())
	require.Equal(t, trips, b.automatic("r1", 2, limits, at(4)), "the first beyond the limit trips it")
	want := records.Breaker{Rule: "r1", Hour: hour, Count: 2, Tripped: ptr(at(4)), Why: "count"}
	require.Equal(t, []records.Breaker{want}, b.breakers())
	require.Equal(t, no, b.automatic("r1", 3, limits, at(5)))
	require.Equal(t, trips, b.automatic("r1", 2, limits, at(6)), "a repeat gets the same answer, whatever happened since")
	require.Equal(t, yes, b.automatic("r1", 1, limits, at(6)))
	require.Equal(t, yes, b.automatic("r0", 3, limits, at(6)), "every rule has a breaker of its own")
	require.Equal(t, no, b.automatic("r1", 4, limits, at(60)), "the next hour alone arms nothing")
	want.Hour, want.Count = hour.Add(time.Hour), 0
	require.Equal(t, []records.Breaker{{Rule: "r0", Hour: hour, Count: 1}, want}, b.breakers())

	b.code(casefile.CodeNotFound, b.ArmBreaker(b.ctx(), "none", leadOne, at(61)))
	b.code(casefile.CodeState, b.ArmBreaker(b.ctx(), "r0", leadOne, at(61)))
	for range 2 {
		require.NoError(t, b.ArmBreaker(b.ctx(), "r1", leadOne, at(61)))
	}
	b.code(casefile.CodeState, b.ArmBreaker(b.ctx(), "r1", leadOne, at(62)))
	require.Equal(t, no, b.automatic("r1", 4, limits, at(63)), "what went to people stays with them")
	require.Equal(t, yes, b.automatic("r1", 5, limits, at(63)))
	require.Equal(t, yes, b.automatic("r1", 6, limits, at(59)), "an hour that is over does not come back")
	require.Equal(t, trips, b.automatic("r1", 7, limits, at(63)))
	require.NoError(t, b.ArmBreaker(b.ctx(), "r1", leadOne, at(64)))
	require.Equal(t, yes, b.automatic("r1", 8, limits, at(64)), "armed in the same hour, it counts from the beginning")
	want = records.Breaker{Rule: "r1", Hour: hour.Add(time.Hour), Count: 1, ArmedBy: "p-lead", ArmedAt: ptr(at(64))}
	require.Equal(t, want, b.breakers()[1])

	entries := b.entries()
	require.Len(t, entries, 4)
	requireEntry(t, entries[0], casefile.EntryBreaker, casefile.System, at(4), `{"rule":"r1","breaker":"tripped","why":"count"}`)
	requireEntry(t, entries[1], casefile.EntryBreaker, leadOne, at(61), `{"rule":"r1","breaker":"armed","why":""}`)
	requireEntry(t, entries[2], casefile.EntryBreaker, casefile.System, at(63), `{"rule":"r1","breaker":"tripped","why":"count"}`)
	requireEntry(t, entries[3], casefile.EntryBreaker, leadOne, at(64), `{"rule":"r1","breaker":"armed","why":""}`)

	_, _, err := b.CountAutomatic(b.ctx(), "r1", "CASE9-99999", limits, at(65))
	b.code(casefile.CodeNotFound, err)
	_, _, err = b.CountAutomatic(b.ctx(), "", caseRefOf(1), limits, at(65))
	b.code(casefile.CodeInvalid, err)
	require.Equal(t, want, b.breakers()[1], "what was refused was not counted")
}

func breakerShare(t *testing.T, b bench) {
	b.openMany(40)
	assess := func(from, to int, now time.Time) {
		t.Helper()
		for n := from; n < to; n++ {
			for range 2 {
				require.NoError(t, b.CountAssessed(b.ctx(), caseRefOf(n), now))
			}
		}
	}
	limits := records.BreakerLimits{SharePermille: 250, MinCases: 8}
	assess(0, 7, at(1))
	yes := answered{leave: true}
	for n := range 3 {
		require.Equal(t, yes, b.automatic("r1", n, limits, at(2)), "too few cases to speak of a share")
	}
	require.Equal(t, 7, b.breakers()[0].Cases, "each once")
	assess(7, 16, at(3))
	require.Equal(t, yes, b.automatic("r1", 3, limits, at(4)), "4 of 16 are a quarter")
	require.Equal(t, answered{tripped: true}, b.automatic("r1", 4, limits, at(5)), "5 of 16 are more")
	require.Equal(t, "share", b.breakers()[0].Why)
	require.NoError(t, b.ArmBreaker(b.ctx(), "r1", leadOne, at(6)))
	require.Zero(t, b.breakers()[0].Cases, "armed, it counts cases from the beginning as well")
	assess(16, 24, at(7))
	require.Equal(t, 8, b.breakers()[0].Cases)
	require.Equal(t, yes, b.automatic("r1", 5, limits, at(8)))
	require.Equal(t, yes, b.automatic("r1", 6, limits, at(8)))
	require.Equal(t, answered{tripped: true}, b.automatic("r1", 7, limits, at(8)))
	require.NoError(t, b.ArmBreaker(b.ctx(), "r1", leadOne, at(9)))

	// Another hour, other numbers: a case that is assessed again counts again.
	assess(0, 8, at(60))
	require.Equal(t, yes, b.automatic("r1", 8, limits, at(61)))
	require.Equal(t, records.Breaker{Rule: "r1", Hour: start.Truncate(time.Hour).Add(time.Hour), Count: 1, Cases: 8, ArmedBy: "p-lead", ArmedAt: ptr(at(9))}, b.breakers()[0])
	assess(30, 31, at(59))
	require.Equal(t, 8, b.breakers()[0].Cases)
	b.code(casefile.CodeNotFound, b.CountAssessed(b.ctx(), "CASE9-99999", at(61)))
	require.Len(t, b.entries(), 4)
	none := records.BreakerLimits{}
	for n := 20; n < 40; n++ {
		require.Equal(t, yes, b.automatic("free", n, none, at(61)), "without limits nothing trips")
	}
}

// promise06RacingBreaker: of any number who ask at once, exactly as many get leave as may, and one trips it.
func promise06RacingBreaker(t *testing.T, b bench) {
	const callers, most = 40, 12
	b.openMany(callers)
	leave, tripped, errs := make([]bool, 2*callers), make([]bool, 2*callers), make([]error, 2*callers)
	race(2*callers, func(i int) { // every case asks twice
		leave[i], tripped[i], errs[i] = b.CountAutomatic(b.ctx(), "r1", caseRefOf(i%callers), records.BreakerLimits{PerHour: most}, at(1))
	})
	leaves, trips := 0, 0
	for i := range 2 * callers {
		require.NoError(t, errs[i])
		require.Equal(t, leave[i%callers], leave[i], "the same case gets the same answer")
		require.Equal(t, tripped[i%callers], tripped[i])
		if i < callers && leave[i] {
			leaves++
		}
		if i < callers && tripped[i] {
			trips++
		}
	}
	require.Equal(t, most, leaves)
	require.Equal(t, 1, trips)
	require.Len(t, b.entries(), 1)
	require.Equal(t, most, b.breakers()[0].Count)
}

func breakerRacingAssessed(t *testing.T, b bench) {
	const cases, callers = 10, 40
	b.openMany(cases)
	errs := make([]error, callers)
	race(callers, func(i int) { errs[i] = b.CountAssessed(b.ctx(), caseRefOf(i%cases), at(1)) })
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, answered{leave: true}, b.automatic("r1", 0, records.BreakerLimits{}, at(2)))
	require.Equal(t, cases, b.breakers()[0].Cases)
}
