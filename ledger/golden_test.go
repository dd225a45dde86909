package ledger_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
)

// A key for tests, known to everybody.
const (
	goldenSigner   = "PRIVATE+KEY+ledger.test.example/golden+f6966c7d+AR+RCuLGts+LF4F1xPRuFSQ5Lc9cInGhLOx4pUhuSxCX"
	goldenVerifier = "ledger.test.example/golden+f6966c7d+Acg/9YwdQpe3suriQHoXrmgi/FXNiPvS40zxxz/QKQim"
)

// updateGolden rewrites the golden files instead of comparing with them.
const updateGolden = "UPDATE_GOLDEN"

// golden compares with a file that docs/formats refers to.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv(updateGolden) != "" {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s=1 rewrites %s", updateGolden, file)
}

func TestGoldenFormats(t *testing.T) {
	t.Parallel()
	signer, err := note.NewSigner(goldenSigner)
	require.NoError(t, err)
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Options{Dir: dir, Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close(context.WithoutCancel(t.Context()))) })

	entries := goldenEntries(t)
	receipts, err := l.Append(t.Context(), entries)
	require.NoError(t, err)
	_, err = l.Prove(t.Context(), receipts[len(receipts)-1].Index) // now the checkpoint covers them all
	require.NoError(t, err)
	const decision = 3
	bundle, err := l.Prove(t.Context(), receipts[decision].Index)
	require.NoError(t, err)

	var lines bytes.Buffer
	for _, e := range entries {
		lines.Write(append(e.Data, '\n'))
	}
	golden(t, "ledger-entry.golden.ndjson", lines.Bytes())
	golden(t, "receipt.golden.json", indented(t, receipts[decision]))
	golden(t, "proof-bundle.golden.json", indented(t, bundle))
	golden(t, "checkpoint.golden", []byte(bundle.Checkpoint))

	data, err := os.ReadFile(filepath.Join("testdata", "proof-bundle.golden.json"))
	require.NoError(t, err)
	parsed, err := verify.ParseBundle(data)
	require.NoError(t, err)
	e, err := verify.Bundle(parsed, goldenVerifier)
	require.NoError(t, err)
	require.Equal(t, casefile.EntryDecision, e.Type)
	report, err := verify.Log(t.Context(), verify.Dir(dir), goldenVerifier, verify.Options{})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	require.Equal(t, 1, report.Decisions)
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return append(data, '\n')
}

// goldenEntries are the entries of a made-up case and the beginning of its takedown.
func goldenEntries(t *testing.T) []casefile.FixedEntry {
	t.Helper()
	const ref = casefile.CaseRef("7K2QX-9MDT4")
	judgement := casefile.Judgement{
		Action: casefile.L5, Days: 30, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E2,
		Mitigations: map[casefile.Mitigation]casefile.Answer{},
	}
	for _, m := range casefile.Mitigations {
		judgement.Mitigations[m] = casefile.AnswerNo
	}
	person := casefile.Actor{Person: "p-0123abcd", Role: casefile.RoleReviewer}
	opinion := casefile.Opinion{
		ID: "OPINION0000000000000000001", Person: person.Person, Role: person.Role, At: testTime.Add(2 * time.Minute),
		EvidenceRevision: 1, Digest: "digest of [a rationale]",
	}
	opinion.Judgement = judgement
	c := &drafts{chain: chain{name: casefile.CaseChain(ref)}}
	c.add(t, 0, casefile.Draft{Type: casefile.EntryFlagAccepted, Actor: casefile.System, Flag: &casefile.FlagBody{
		Flag: "flagkey0000000000000000000000001", Digest: "digest of [a flag]", EvidenceRevision: 1,
	}})
	c.add(t, time.Second, casefile.Draft{Type: casefile.EntryRoute, Actor: casefile.System, Route: &casefile.RouteBody{
		Route:    casefile.Route{Queue: "standard", Severity: 4, Confidence: 1, Tier: casefile.TierAlert, DueAt: testTime.Add(24 * time.Hour), DecideBy: testTime.Add(24 * time.Hour), Rule: "default", RuleSet: "rules-1"},
		Findings: []casefile.FindingCode{}, Digest: "digest of [findings]",
	}})
	c.add(t, 2*time.Minute, casefile.Draft{Type: casefile.EntryOpinion, Actor: person, Opinion: &opinion})
	decision := casefile.Decision{
		ID: "DECISION000000000000000001", Case: ref, Platform: "example", Judgement: judgement, DecidedBy: casefile.ByOneOpinion,
		DecidedAt: testTime.Add(2 * time.Minute), EvidenceRevision: 1, RuleSet: "rules-1",
		Opinions: []casefile.Opinion{opinion}, OpinionEvents: []casefile.EventID{casefile.NewEventID(c.name, 3)},
	}
	c.add(t, 3*time.Minute, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &decision})
	until := testTime.Add(30 * 24 * time.Hour)
	takedown := &drafts{chain: chain{name: casefile.TakedownChain(decision.ID)}, cause: c.prev}
	takedown.add(t, 4*time.Minute, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: &casefile.PlannedBody{
		Decision: decision.ID, Platform: "example",
		Acts: []casefile.PlannedAct{{Number: 1, Kind: casefile.ActSuspend, Until: &until, Undo: "digest of [how to undo it]"}},
	}})
	return append(c.entries, takedown.entries...)
}

// drafts fixes a chain's entries from drafts.
type drafts struct {
	chain
	cause   string
	entries []casefile.FixedEntry
}

func (d *drafts) add(t *testing.T, after time.Duration, draft casefile.Draft) {
	t.Helper()
	pos := casefile.Position{Event: casefile.NewEventID(d.name, d.seq+1), Prev: d.prev, Cause: d.cause, At: testTime.Add(after)}
	fixed, err := casefile.FixEntry(draft, pos, goldenSalts{}, casefile.AccountRef{Platform: "example", ID: "a-1"})
	require.NoError(t, err)
	d.seq, d.prev, d.cause = d.seq+1, fixed.Hash(), ""
	d.entries = append(d.entries, fixed)
}

// goldenSalts gives the salts of a made-up account.
type goldenSalts struct{}

// Salt is an HMAC of the event and the label.
func (goldenSalts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("content key of a made-up account"))
	mac.Write([]byte(string(event) + "\x00" + label))
	return mac.Sum(nil)
}
