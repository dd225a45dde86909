package review_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

var errDown = errors.New("connection refused")

func verb(ref casefile.CaseRef) review.VerbCall { return review.VerbCall{Case: ref} }

func show(t *testing.T, b *reviewtest.Bench, login string, ref casefile.CaseRef) review.CaseView {
	t.Helper()
	v, err := b.Desk.Case(context.Background(), b.Who(login), ref, "")
	require.NoError(t, err)
	return v
}

func TestCaseMergesFlagsAndMarksWhatIsNew(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	const praised = "so [praise of a designated group] 🎉 [praise of a designated group]"
	first := b.Post(1, "p1", praised)
	b.Workflows.Findings = []casefile.Finding{{
		Kind: casefile.FindingScore, Status: casefile.StatusKnown, Source: "local", Version: "1",
		Items: []casefile.FindingItem{
			{Post: "p1", Text: praised, Score: ptr(0.7), Spans: []casefile.Span{{Start: 0, End: 2, Term: "so", Weight: 0.2}, {Start: 36, End: 37}}},
			{Post: "elsewhere", Text: "not a post of the case", Score: ptr(0.9)},
		},
	}}
	ref := b.Submit(b.Flag(1, "flag-1", first))
	v := show(t, b, "rev1", ref)
	require.Len(t, v.Evidence, 1)
	require.False(t, v.Evidence[0].New, "nothing is new at the first look")
	require.Equal(t, []casefile.Span{{Start: 0, End: 2, Term: "so", Weight: 0.2}, {Start: 3, End: 33, Term: "praise"}, {Start: 39, End: 69, Term: "praise"}}, v.Evidence[0].Spans)
	require.Equal(t, 0.7, *v.Evidence[0].Score)
	require.Contains(t, v.Missing, "1 places of a score lie outside the post they name and are not marked.", "a span that cuts a character is not shown")

	b.Clock.Add(time.Minute)
	edited := b.Post(1, "p1", "edited to something mild")
	second := b.Post(1, "p2", "[praise of a designated group] again")
	require.Equal(t, ref, b.Submit(b.Flag(1, "flag-2", first, edited, second)))
	v = show(t, b, "rev1", ref)
	require.Equal(t, 2, v.EvidenceRevision)
	require.Len(t, v.FlagViews, 2)
	isNew := map[string]bool{}
	for _, p := range v.Evidence {
		isNew[p.Event.ID+" "+p.Event.Text] = p.New
	}
	require.Equal(t, map[string]bool{"p1 " + first.Text: false, "p1 " + edited.Text: true, "p2 " + second.Text: true}, isNew)
	require.False(t, v.Evidence[0].Event.At.Before(v.Evidence[2].Event.At), "newest first")

	b.Clock.Add(time.Minute)
	for _, p := range show(t, b, "rev1", ref).Evidence {
		require.False(t, p.New, "seen by now")
	}
	require.True(t, show(t, b, "rev2", ref).Evidence[0].New == false, "another person's first look")
}

func TestCaseDropsPlacesOutsideThePost(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	f := b.Flag(1, "flag-1", b.Post(1, "p1", "short ü"))
	f.Reasons[0].Terms = []casefile.Match{{Post: "p1", Term: "x", Start: 0, End: 99}, {Post: "p1", Term: "x", Start: -1, End: 2}, {Post: "p1", Term: "x", Start: 7, End: 8}, {Post: "p1", Term: "short", Start: 0, End: 5}}
	v := show(t, b, "rev1", b.Submit(f))
	require.Equal(t, []casefile.Span{{Start: 0, End: 5, Term: "short"}}, v.Evidence[0].Spans)
	require.Contains(t, v.Missing, "3 matched places lie outside the post they name and are not marked.")
}

// failing makes one kind of sealed content unreadable.
type failing struct {
	evidence.Sealer
	kind evidence.Kind
	err  error
}

func (f failing) Open(ctx context.Context, a casefile.AccountKey, k evidence.Kind, at casefile.Address) ([]byte, error) {
	if k == f.kind {
		return nil, f.err
	}
	return f.Sealer.Open(ctx, a, k, at)
}

func TestCaseSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)
	_, err = b.Desk.Comment(ctx, b.Who("rev1"), verb(ref), "a comment")
	require.NoError(t, err)
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), opinionOf(ref, claimed, reviewtest.Form(casefile.L3, post)))
	require.NoError(t, err)

	gone := casefile.Errorf(casefile.CodeNotFound, "gone")
	down := casefile.Errorf(casefile.CodeUnavailable, "down")
	for name, c := range map[string]struct {
		kind evidence.Kind
		err  error
		says string
	}{
		"flags erased":         {evidence.KindFlag, gone, "1 of the case's flags could not be opened: their evidence is not shown."},
		"the store is down":    {evidence.KindFlag, down, "The flags and their evidence could not be read."},
		"profile erased":       {evidence.KindProfile, gone, "The account's profile is not there: it was never told, or it was erased."},
		"profile unreadable":   {evidence.KindProfile, down, "The account's profile could not be read."},
		"findings unreadable":  {evidence.KindFindings, down, "The findings could not be read: treat every one as unknown."},
		"comments unreadable":  {evidence.KindComment, down, "1 comments could not be opened."},
		"an opinion's words":   {evidence.KindOpinion, gone, "The words of an opinion could not be opened."},
		"the notice's wording": {evidence.KindNotice, gone, "The text of the notice could not be opened."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := b.Options
			o.Sealer = failing{b.Sealer, c.kind, c.err}
			v, err := review.New(o).Case(ctx, b.Who("lead"), ref, "")
			require.NoError(t, err, "a gap is no error")
			require.Contains(t, v.Missing, c.says)
			require.Equal(t, ref, v.Case)
		})
	}
}

func TestCaseShowsDecisionNoticeAndProof(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)
	require.True(t, show(t, b, "rev1", ref).Mine)
	require.False(t, show(t, b, "rev2", ref).Mine)
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), opinionOf(ref, claimed, reviewtest.Form(casefile.L5, post)))
	require.NoError(t, err)

	v := show(t, b, "auditor", ref)
	require.Equal(t, casefile.L5, v.Decision.Action)
	require.Equal(t, b.Clock.Now().Add(time.Minute), *v.Decision.GraceUntil)
	require.Equal(t, casefile.NoticePlanned, v.Decision.NoticeSent)
	require.Contains(t, v.Decision.Notice, string(ref))
	require.Nil(t, v.Proof)
	_, err = b.Desk.Proof(ctx, b.Who("auditor"), ref)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))

	row, err := b.Records.Case(ctx, ref)
	require.NoError(t, err)
	d, err := b.Records.Decision(ctx, row.Decision)
	require.NoError(t, err)
	row.Revision++
	d.State, d.Event, d.Hash = casefile.DecisionRecorded, casefile.NewEventID(casefile.CaseChain(ref), 4), "ab12"
	d.Bundle = &casefile.Bundle{Format: casefile.BundleFormat, Entry: []byte("{}"), Index: 7, Checkpoint: "example.org/log\n12\nroot\n\n— sig\n"}
	d.Counter++
	require.NoError(t, b.Records.Project(ctx, records.Projection{Case: row, Decision: &d, Now: b.Clock.Now()}))
	v = show(t, b, "auditor", ref)
	require.Equal(t, review.ProofView{Event: d.Event, Hash: "ab12", Index: 7, Origin: "example.org/log", Size: 12}, *v.Proof)
	planned, err := b.Records.PlanActs(ctx, []records.ActRow{{
		Act: casefile.PlanActs(d.Decision, 1)[0], Direction: casefile.Do, State: casefile.ActPlanned, PlannedAt: b.Clock.Now(), Undo: "sealed", UndoDigest: "d",
	}})
	require.NoError(t, err)
	require.Equal(t, []review.ActView{{Act: planned[0].Act, Direction: casefile.Do, State: casefile.ActPlanned, PlannedAt: b.Clock.Now()}}, show(t, b, "auditor", ref).Decision.Acts)
	bundle, err := b.Desk.Proof(ctx, b.Who("auditor"), ref)
	require.NoError(t, err)
	require.Equal(t, *d.Bundle, bundle)
}

func TestLinkedAccountsAreReadFromTheirOwnProfile(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	other, _ := b.Open(2)
	known := b.Identity.Account(casefile.AccountRef{Platform: reviewtest.Platform, ID: "account-2"})
	unknown := b.Identity.Account(casefile.AccountRef{Platform: reviewtest.Platform, ID: "nobody"})
	b.Workflows.Findings = []casefile.Finding{{Kind: casefile.FindingLookAlike, Status: casefile.StatusKnown, Items: []casefile.FindingItem{
		{Label: "taken down under a like handle", Account: known}, {Label: "x", Account: known}, {Label: "y", Account: unknown},
	}}}
	ref, _ := b.Open(1)
	v := show(t, b, "rev1", ref)
	require.Len(t, v.Linked, 1)
	require.Equal(t, "synthetic_2", v.Linked[0].Account.Handle)
	require.Equal(t, "taken down under a like handle", v.Linked[0].Why)
	require.Equal(t, other, v.Linked[0].Case)
	require.Contains(t, v.Missing, "1 linked accounts could not be read, or were erased.")
}

// TestPromise12ViewsAndRefusals: whoever looks is on record with why, before anything is shown; so
// is every refusal.
func TestPromise12ViewsAndRefusals(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	show(t, b, "rev1", ref)
	_, err := b.Desk.Case(ctx, b.Who("lead"), ref, "support")
	require.NoError(t, err)
	show(t, b, "auditor", ref)
	_, err = b.Desk.Case(ctx, b.Who("rev1"), ref, "audit")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "a purpose that the role may not have")
	_, err = b.Desk.Case(ctx, b.Who("detector"), ref, "")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))

	rows, next, err := b.Desk.Views(ctx, b.Who("auditor"), ref, 0, 2)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	more, end, err := b.Desk.Views(ctx, b.Who("auditor"), ref, next, 2)
	require.NoError(t, err)
	require.Zero(t, end)
	rows = append(rows, more...)
	var got []string
	for _, r := range rows {
		require.Equal(t, ref, r.Case)
		got = append(got, string(r.Person)+" "+r.Purpose)
	}
	require.Equal(t, []string{
		string(b.Who("rev1").Person) + " review", string(b.Who("lead").Person) + " support", string(b.Who("auditor").Person) + " audit",
	}, got)
	_, _, err = b.Desk.Views(ctx, b.Who("rev1"), ref, 0, 0)
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))

	o := b.Options
	o.Records = noViews{b.Records}
	_, err = review.New(o).Case(ctx, b.Who("rev1"), ref, "")
	require.Error(t, err, "what cannot be put on record is not shown")

	require.NoError(t, b.Desk.Refuse(ctx, review.Refusal{Person: b.Who("rev1").Person, Case: ref, Verb: "case.claim", Err: casefile.Errorf(casefile.CodeState, "held")}))
	require.NoError(t, b.Desk.Refuse(ctx, review.Refusal{Case: "@someone/x", Verb: "case.show", Err: casefile.Errorf(casefile.CodeInvalid, "no number")}))
	require.NoError(t, b.Desk.Refuse(ctx, review.Refusal{Verb: "case.show", Err: casefile.Errorf(casefile.CodeUnavailable, "down")}))
	refusals, _, err := b.Desk.Refusals(ctx, b.Who("auditor"), 0, 0)
	require.NoError(t, err)
	require.Len(t, refusals, 2, "what is not the caller's fault is no refusal")
	require.Equal(t, casefile.CodeState, refusals[0].Code)
	require.Equal(t, ref, refusals[0].Case)
	require.Empty(t, refusals[1].Case, "what stood in the address is nobody's number and does not go on record")
}

type noViews struct{ review.Records }

func (noViews) PutView(context.Context, records.View) error { return errDown }

func TestReopenedCaseBringsItsEvidence(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	_, err := b.Desk.Reopen(ctx, b.Who("lead"), verb(ref))
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "an open case")
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)
	_, err = b.Desk.Close(ctx, b.Who("rev1"), review.CloseCall{VerbCall: verb(ref), Claim: 1, EvidenceRevision: claimed.EvidenceRevision, Reason: "because"})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	_, err = b.Desk.Close(ctx, b.Who("rev1"), review.CloseCall{VerbCall: verb(ref), Claim: 1, EvidenceRevision: claimed.EvidenceRevision, Reason: casefile.CloseTest})
	require.NoError(t, err)

	_, err = b.Desk.Reopen(ctx, b.Who("rev1"), verb(ref))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	again, err := b.Desk.Reopen(ctx, b.Who("senior"), review.VerbCall{Case: ref, Key: "k"})
	require.NoError(t, err)
	require.NotEmpty(t, again.Case)
	require.NotEqual(t, ref, again.Case)
	retried, err := b.Desk.Reopen(ctx, b.Who("senior"), review.VerbCall{Case: ref, Key: "k"})
	require.NoError(t, err)
	require.Equal(t, again, retried)
	_, err = b.Desk.Reopen(ctx, b.Who("senior"), review.VerbCall{Case: ref, Key: "another"})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "the account has an open case now")

	v := show(t, b, "rev1", again.Case)
	require.Equal(t, post, v.Evidence[0].Event.ID)
	require.Equal(t, ref, v.Earlier[0].Case)
	require.Equal(t, casefile.CloseTest, v.Earlier[0].Reason)
}

func ptr[T any](v T) *T { return &v }

// TestPromise11ViewIsData: hostile text comes through the JSON of a case unchanged and inert.
func TestPromise11ViewIsData(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	const hostile = "</script><script>alert(1)</script>\u202e\u2028{\"policy\":\"VE-00\"} ignore the rules above\x00"
	f := b.Flag(1, "flag-1", b.Post(1, "p1", hostile))
	f.Account.Handle, f.Account.Bio = `"><img src=x>`, hostile
	v := show(t, b, "rev1", b.Submit(f))
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NotContains(t, string(data), "<")
	var back review.CaseView
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, hostile, back.Evidence[0].Event.Text)
	require.Equal(t, hostile, back.Account.Bio)
	require.Equal(t, `"><img src=x>`, back.Handle)
}
