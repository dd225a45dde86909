package enforce_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// requireGolden holds the wire form of v, and that it comes back as it was.
func requireGolden[T any](t *testing.T, name string, v T) {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	raw = append(raw, '\n')
	path := "testdata/" + name
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, raw, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(raw))
	dec := json.NewDecoder(bytes.NewReader(want))
	dec.DisallowUnknownFields()
	var back T
	require.NoError(t, dec.Decode(&back))
	require.Equal(t, v, back)
}

func TestDecisionGolden(t *testing.T) {
	t.Parallel()
	requireGolden(t, "decision.json", decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L5, casefile.VE08, casefile.VE09))))
}

func TestActsGolden(t *testing.T) {
	t.Parallel()
	d := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L5, casefile.VE08)))
	acts := casefile.PlanActs(d, 0)
	d.Judgement = judgement(casefile.L4, casefile.VE08)
	acts = append(acts, casefile.PlanActs(d, 2)...)
	requireGolden(t, "acts.json", acts)
	requireGolden(t, "act-outcome.json", casefile.ActOutcome{
		Act: acts[0], Direction: casefile.Do, State: casefile.ActDone, At: decidedAt, Reference: "0123456789ABCDEFGHJKMNPQRS",
	})
}
