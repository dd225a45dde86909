package indexing

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCaseDocumentFormat(t *testing.T) {
	t.Parallel()
	opened := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	due, closed := opened.Add(time.Hour), opened.Add(2*time.Hour)
	doc := CaseDoc{
		Ref: "7K2QX-9MDT4", Platform: "synthetic", Account: "k3v0nrb2s6g1z8d4t7m5q9x0c2w4y6h1", AccountID: "s0042", Handle: "cedar_jackdaw92",
		Names: "Cedar", Ordinal: 2, State: casefile.StateClosed, Queue: "speech", Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: &due,
		OpenedAt: opened, ClosedAt: &closed, CloseReason: casefile.CloseDecided, Rules: []string{"praise-en"},
		Policies: []casefile.PolicyCode{casefile.VE08}, Action: casefile.L3, Rule: "speech", Text: "[praise of a designated group]",
		Revision: 14, DecidedState: "done",
	}
	got, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	const golden = "../docs/formats/case-document.golden.json"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
	var back CaseDoc
	dec := json.NewDecoder(bytes.NewReader(want))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&back))
	require.Equal(t, doc, back)
}
