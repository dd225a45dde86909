package activities_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/workflows"
)

// A case referred to child safety with a threat to life, whose run is terminated: the next run knows of it only
// what TakeIn and the row tell.
func TestLostRunKeepsRestrictionAndThreat(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	l.s.Referrals = []casefile.Referral{{ID: "R1", Kind: casefile.ReferChildSafety, Person: "p-anna0000", At: b.clock(), Note: "note", Digest: "digest", Event: casefile.NewEventID(l.s.Chain.Name, 3)}}
	l.s.Threat, l.s.Raised = true, true
	l.project(workflows.ProjectAsk{})
	require.Equal(t, casefile.ReferChildSafety, l.row().Restricted)

	n := &life{bed: b, account: l.account}
	n.taken(b.take(l.account, b.identity.Flag(platform, "f1"))) // as caseRun.open and assess make it
	require.Equal(t, l.s.Ref, n.s.Ref)
	require.Equal(t, casefile.ReferChildSafety, n.row().Restricted, "what was restricted once stays so")
	require.True(t, n.row().Threat, "a threat to life comes before everything")
}

type counting struct {
	enforce.Platform
	told *int
}

func (c counting) Capabilities() enforce.Capabilities {
	x := c.Platform.Capabilities()
	x.Idempotent = false
	return x
}

func (c counting) Notify(ctx context.Context, a casefile.AccountRef, n casefile.Notice) error {
	*c.told++
	return c.Platform.Notify(ctx, a, n)
}

// The answer of Notify is lost, or its takedown is started again from its row: the row says that the notice was sent.
func TestPromise07ThePersonIsToldOnce(t *testing.T) {
	t.Parallel()
	b, in, _ := suspended(t)
	told := 0
	b.actor.Platforms = func(string) (enforce.Platform, error) { return counting{b.platform, &told}, nil }
	for range 2 {
		a, err := b.actor.Notify(t.Context(), workflows.NotifyAsk{Takedown: in})
		require.NoError(t, err)
		require.Equal(t, casefile.NoticeSent, a.State)
	}
	require.Equal(t, 1, told)
}
