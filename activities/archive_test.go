package activities_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestArchive(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)), flagOf("f2"))
	words, _ := l.seal(l.account, evidence.KindComment, "[a comment]")
	l.s.Comments = []workflows.Comment{{ID: "C1", Person: "p-anna0000", At: b.clock(), Text: words}}
	l.project(workflows.ProjectAsk{})
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	answer := l.close(casefile.CloseDecided)

	var file activities.CaseFile
	b.open(l.account, evidence.KindCaseFile, answer.File, &file)
	require.Equal(t, activities.CaseFileFormat, file.Format)
	require.Equal(t, l.s.Ref, file.Ref)
	require.Equal(t, platform, file.Platform)
	require.Equal(t, l.account, file.Account)
	require.Equal(t, b.clock(), file.ClosedAt)
	require.Equal(t, []casefile.Address{b.sealedFlag("f1"), b.sealedFlag("f2")}, file.Flags)
	require.Len(t, file.Comments, 1)
	require.Equal(t, words, file.Comments[0].Text)
	require.Len(t, file.Opinions, 1)
	require.Equal(t, in.Decision.Opinions[0].Form, file.Opinions[0].Form)
	require.Equal(t, in.Bundle, *file.Bundle)
	require.Equal(t, in.Decision, *file.State.Decision)

	row, err := b.records.Case(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Equal(t, answer.File, row.File)
	require.Equal(t, answer.Digest, row.FileDigest)

	b.pass(time.Hour)
	state := l.s
	state.Comments = nil
	again, err := b.work.Archive(t.Context(), workflows.ArchiveAsk{Platform: platform, Account: l.account, State: file.State, Bundle: file.Bundle, ClosedAt: file.ClosedAt})
	require.NoError(t, err)
	require.Equal(t, answer, again, "a retry seals the same file in the same place")
}

// TestCaseFileGolden holds the format (docs/formats/case-file.md) still.
func TestCaseFileGolden(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	o := casefile.Opinion{
		ID: "OPINION", Person: "p-anna0000", Role: casefile.RoleReviewer, At: at, Judgement: judgement(casefile.L5), Claim: 1, EvidenceRevision: 1,
		Relied: 1, Form: "address-of-form", Digest: "digest-of-form", Notice: &casefile.NoticeRef{Number: "N1", Text: "address-of-notice", Digest: "digest-of-notice"},
	}
	void := o
	void.ID, void.Person, void.Notice = "VOID", "p-bert0000", nil
	file := activities.CaseFile{
		Format: activities.CaseFileFormat, Ref: "7K2QX-9MDT4", Platform: platform, Account: "keyed-hash",
		State: workflows.CaseState{
			Ref: "7K2QX-9MDT4", Ordinal: 2, State: casefile.StateClosed, Revision: 9, EvidenceRevision: 1, OpenedAt: at, Previous: "7K2QX-9MDT3", Flags: 2,
			Route: casefile.Route{Queue: "general", Severity: 4, Confidence: 2, Tier: casefile.TierRoutine, DueAt: at.Add(time.Hour), DecideBy: at.Add(48 * time.Hour),
				Rule: "r1", RuleSet: "rs1", Values: map[string]string{"flags.weight": "9"}},
			Findings: "address-of-findings", Claims: 1, Opinions: []casefile.Opinion{o}, OpinionEvents: []casefile.EventID{"case.7K2QX-9MDT4/3"},
			Decision: &casefile.Decision{ID: "OPINION", Case: "7K2QX-9MDT4", Platform: platform, Account: "keyed-hash", Judgement: o.Judgement, DecidedBy: casefile.ByOneOpinion,
				DecidedAt: at, EvidenceRevision: 1, RuleSet: "rs1", Opinions: []casefile.Opinion{o}, OpinionEvents: []casefile.EventID{"case.7K2QX-9MDT4/3"}},
			DecisionState: casefile.DecisionRecorded, GraceUntil: &at, DecisionHash: "hash-of-decision", CloseReason: casefile.CloseDecided,
			Settings: workflows.Settings{Lease: 15 * time.Minute, Grace: time.Minute},
			Deciding: casefile.Deciding{TwoActions: []casefile.Action{casefile.L6}, TwoPolicies: []casefile.PolicyCode{casefile.VE07}, SamplePermille: 50, Draw: 7, LeadQueue: "lead"},
			Stage:    casefile.StageAdjudication, Parts: []casefile.Person{"p-detector", "p-anna0000", "p-bert0000"},
			NotBefore: &at, AssignedTo: "p-anna0000", Held: true, Touched: true,
			Clocks: []workflows.Clock{{Kind: casefile.DeadlineDecision, From: at, Due: at.Add(48 * time.Hour), Half: true}},
			Queue:  "lead", Moved: true, Round: 1, Voided: []string{"VOID"}, Raised: true, Threat: true, Missed: []casefile.DeadlineKind{casefile.DeadlineTouch},
			Led:            []casefile.DeadlineKind{casefile.DeadlineDecision},
			Referrals:      []casefile.Referral{{ID: "R1", Kind: casefile.ReferLegal, Person: "p-anna0000", At: at, Note: "address-of-note", Digest: "digest-of-note", Event: "case.7K2QX-9MDT4/2"}},
			AlreadyDecided: "EARLIER",
			Chain:          workflows.Chain{Name: "case.7K2QX-9MDT4", Seq: 4, Hash: "hash-of-decision"},
		},
		Flags:    []casefile.Address{"address-of-flag-1", "address-of-flag-2"},
		Comments: []records.CommentRow{{ID: "C1", Case: "7K2QX-9MDT4", Person: "p-anna0000", At: at, Text: "address-of-comment"}},
		Handlings: []casefile.HandlingNote{{ID: "H1", What: casefile.HandlingDeadline, Person: "p-lead0000", Role: casefile.RoleLead, At: at,
			Queue: "lead", To: "p-anna0000", Deadline: casefile.DeadlineDecision, Until: &at, Words: "address-of-reason"}},
		Opinions: []casefile.Opinion{o},
		Void:     []casefile.Opinion{void},
		Bundle:   &casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("{}"), Index: 3, Path: [][]byte{{1, 2}}, Checkpoint: "checkpoint"},
		ClosedAt: at,
	}
	got, err := json.MarshalIndent(file, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	golden := filepath.Join("testdata", "case-file.json")
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go test ./activities -update and read the difference: old files must stay readable")
	var back activities.CaseFile
	require.NoError(t, json.Unmarshal(want, &back))
	require.Equal(t, file, back)
}
