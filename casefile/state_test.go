package casefile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCanTransition(t *testing.T) {
	t.Parallel()
	// Written out once more, so that neither list changes by itself.
	allowed := map[[2]casefile.State]bool{}
	for _, p := range [][2]casefile.State{
		{"new", "queued"}, {"new", "decided"}, {"new", "proven"}, {"new", "closed"},
		{"queued", "queued"}, {"queued", "claimed"}, {"queued", "decided"}, {"queued", "closed"},
		{"claimed", "claimed"}, {"claimed", "queued"}, {"claimed", "decided"}, {"claimed", "closed"},
		{"decided", "queued"}, {"decided", "proven"},
		{"proven", "closed"},
	} {
		allowed[p] = true
	}
	for _, from := range casefile.States {
		for _, to := range casefile.States {
			require.Equal(t, allowed[[2]casefile.State{from, to}], from.CanTransition(to), "%s to %s", from, to)
		}
		require.True(t, from.Valid())
		require.Equal(t, from != casefile.StateClosed, from.Open())
		require.False(t, from.CanTransition("elsewhere"))
	}
	require.False(t, casefile.State("").Valid())
	require.False(t, casefile.State("elsewhere").CanTransition(casefile.StateQueued))
}

func TestCloseReason(t *testing.T) {
	t.Parallel()
	for _, r := range casefile.CloseReasons {
		require.True(t, r.Valid())
	}
	require.False(t, casefile.CloseDecided.Valid(), "a person closes no case as decided")
	require.False(t, casefile.CloseReason("").Valid())
}

func TestClaimLive(t *testing.T) {
	t.Parallel()
	var nobody *casefile.Claim
	require.False(t, nobody.Live(then))
	c := &casefile.Claim{ExpiresAt: then}
	require.True(t, c.Live(then.Add(-time.Nanosecond)))
	require.False(t, c.Live(then), "a lease ends with its last moment")
}

func TestPeople(t *testing.T) {
	t.Parallel()
	d := casefile.Decision{Opinions: []casefile.Opinion{{Person: "p-a"}, {Person: "p-b"}, {Person: "p-a"}}}
	require.Equal(t, 2, d.People())
	require.Zero(t, casefile.Decision{}.People())
}
