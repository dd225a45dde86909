package review_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
	"github.com/docket-triage/docket/workflows"
)

func opinionOf(ref casefile.CaseRef, claimed review.VerbAnswer, form casefile.OpinionForm) review.OpinionCall {
	return review.OpinionCall{VerbCall: verb(ref), Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Form: form}
}

func TestNextGivesFiftyCallersFiftyCases(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	const n = 50
	for i := range n {
		b.Open(i)
	}
	people := []string{"rev1", "rev2", "rev3", "senior", "lead"}
	got := make([]casefile.CaseRef, n)
	errs := make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		who := b.Who(people[i%len(people)])
		wait.Go(func() {
			answer, ok, err := b.Desk.Next(context.Background(), who, reviewtest.Queue, "")
			errs[i] = err
			if ok {
				got[i] = answer.Case
			}
		})
	}
	wait.Wait()
	seen := map[casefile.CaseRef]bool{}
	for i, ref := range got {
		require.NoError(t, errs[i])
		require.NotEmpty(t, ref)
		require.False(t, seen[ref], "%s twice", ref)
		seen[ref] = true
	}
	_, ok, err := b.Desk.Next(context.Background(), b.Who("rev1"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.False(t, ok, "nothing waits any more")
}

func TestNextSkipsARefusedClaimAndFreesItsRow(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Open(1)
	b.Open(2)
	refused := 0
	b.Workflows.Before = func(_ context.Context, name string) error {
		if name == workflows.UpdateClaim && refused == 0 {
			refused++
			return casefile.Errorf(casefile.CodeState, "somebody else holds this case")
		}
		return nil
	}
	first, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.True(t, ok)
	second, ok, err := b.Desk.Next(ctx, b.Who("rev2"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.True(t, ok, "the refused row was freed at once")
	require.NotEqual(t, first.Case, second.Case)
	require.Equal(t, 1, refused)
}

func TestNextRetriedAfterATimeoutGivesTheSameCase(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Open(1)
	b.Open(2)
	b.Workflows.After = func(context.Context, string) error { return context.DeadlineExceeded }
	_, _, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "key-1")
	var unknown *review.Unknown
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, "key-1", unknown.Key)
	require.True(t, unknown.TimedOut)

	b.Workflows.After = nil
	held, err := b.Records.ClaimedBy(ctx, b.Who("rev1").Person)
	require.NoError(t, err)
	require.Len(t, held, 1, "the claim counted all the same")
	answer, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "key-1")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, held[0].Ref, answer.Case)
	other, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "key-2")
	require.NoError(t, err)
	require.True(t, ok)
	require.NotEqual(t, held[0].Ref, other.Case, "another key asks for another case")
}

func TestVerbTimeoutIsUnknownAndARetryCountsOnce(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	o := b.Options
	o.VerbTimeout = 10 * time.Millisecond
	desk := review.New(o)
	b.Workflows.After = func(ctx context.Context, _ string) error {
		<-ctx.Done() // the answer is lost, the verb is not
		return ctx.Err()
	}
	call := review.VerbCall{Case: ref, Key: "key-1"}
	_, err := desk.Claim(ctx, b.Who("rev1"), call)
	var unknown *review.Unknown
	require.ErrorAs(t, err, &unknown)
	require.True(t, unknown.TimedOut)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	require.Contains(t, unknown.Error(), "same verb id")

	b.Workflows.After = nil
	answer, err := desk.Claim(ctx, b.Who("rev1"), call)
	require.NoError(t, err)
	require.Equal(t, 1, answer.Claim.Number, "it counted once")
	require.Equal(t, "key-1", answer.Key)

	b.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err = desk.Heartbeat(ctx, b.Who("rev1"), verb(ref), 1)
	require.ErrorAs(t, err, &unknown)
	require.NotEmpty(t, unknown.Key, "a key made here is told, so that it can be sent again")
}

func TestKeysOfDifferentPeopleVerbsAndCasesAreDifferentVerbs(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	one, _ := b.Open(1)
	two, _ := b.Open(2)
	first, err := b.Desk.Claim(ctx, b.Who("rev1"), review.VerbCall{Case: one, Key: "k"})
	require.NoError(t, err)
	_, err = b.Desk.Claim(ctx, b.Who("rev2"), review.VerbCall{Case: one, Key: "k"})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "not rev1's answer")
	_, err = b.Desk.Release(ctx, b.Who("rev1"), review.VerbCall{Case: one, Key: "k"}, first.Claim.Number)
	require.NoError(t, err)
	_, err = b.Desk.Claim(ctx, b.Who("rev1"), review.VerbCall{Case: two, Key: "k"})
	require.NoError(t, err)
	require.Len(t, b.Workflows.Sent(), 3)

	for _, key := range []string{strings.Repeat("k", 201), "a\nb", "\xff"} {
		_, err = b.Desk.Claim(ctx, b.Who("rev1"), review.VerbCall{Case: one, Key: key})
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	}
}

func TestPreviewIsByteEqualToTheNoticeSealed(t *testing.T) {
	t.Parallel()
	for _, action := range []casefile.Action{casefile.L1, casefile.L2, casefile.L3, casefile.L4, casefile.L5} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			b, ctx := reviewtest.New(t, nil), context.Background()
			ref, post := b.Open(1)
			form := reviewtest.Form(action, post)
			claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
			require.NoError(t, err)
			preview, err := b.Desk.Preview(ctx, b.Who("rev1"), review.PreviewCall{Case: ref, Form: form})
			require.NoError(t, err)
			require.Empty(t, preview.Faults)
			require.NotEmpty(t, preview.Consequences)
			require.NotEmpty(t, preview.Notice)

			b.Clock.Add(90 * time.Minute) // over midnight or not: the preview's day stands
			again, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
			require.NoError(t, err)
			call := opinionOf(ref, again, form)
			call.Preview = preview.Token
			require.NotEqual(t, claimed.Claim.Number, again.Claim.Number)
			answer, err := b.Desk.Opinion(ctx, b.Who("rev1"), call)
			require.NoError(t, err)

			d, err := b.Records.Decision(ctx, answer.Decision)
			require.NoError(t, err)
			v := show(t, b, "rev1", ref)
			require.Equal(t, preview.Notice, v.Decision.Notice)
			row, err := b.Records.Case(ctx, ref)
			require.NoError(t, err)
			data, err := b.Sealer.Open(ctx, row.Account, evidence.KindNotice, d.Decision.Opinions[0].Notice.Text)
			require.NoError(t, err)
			want, err := casefile.Canonical(casefile.Notice{Number: v.Decision.NoticeNo, Decision: answer.Decision, Case: ref, Lang: "en", Text: preview.Notice})
			require.NoError(t, err)
			require.Equal(t, string(want), string(data))
			require.Contains(t, preview.Notice, v.Decision.NoticeNo)
		})
	}
}

func TestPreviewTokenFitsOnlyWhatWasPreviewed(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	other, otherPost := b.Open(2)
	form := reviewtest.Form(casefile.L3, post)
	preview, err := b.Desk.Preview(ctx, b.Who("rev1"), review.PreviewCall{Case: ref, Form: form})
	require.NoError(t, err)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)
	otherClaimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(other))
	require.NoError(t, err)

	longer := reviewtest.Form(casefile.L3, post)
	longer.Days = 8
	for name, call := range map[string]review.OpinionCall{
		"a changed form": {VerbCall: verb(ref), Claim: claimed.Claim.Number, EvidenceRevision: 1, Form: longer, Preview: preview.Token},
		"another case":   {VerbCall: verb(other), Claim: otherClaimed.Claim.Number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L3, otherPost), Preview: preview.Token},
		"forged":         {VerbCall: verb(ref), Claim: claimed.Claim.Number, EvidenceRevision: 1, Form: form, Preview: preview.Token[:len(preview.Token)-1] + "x"},
	} {
		_, err = b.Desk.Opinion(ctx, b.Who("rev1"), call)
		require.Equal(t, []string{"preview"}, fields(err), name)
	}
	b.Clock.Add(3 * time.Hour)
	late := opinionOf(ref, claimed, form)
	late.Preview = preview.Token
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), late)
	require.Equal(t, []string{"preview"}, fields(err), "too old")
}

func fields(err error) []string {
	var out []string
	for _, f := range review.FaultsOf(err) {
		out = append(out, f.Field)
	}
	return out
}

func TestOpinionNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)

	form := reviewtest.Form(casefile.L6, post, "not-there", post)
	delete(form.Mitigations, casefile.M3)
	form.Rationale = "short"
	call := opinionOf(ref, claimed, form)
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), call)
	require.ElementsMatch(t, []string{"mitigations.M3", "rationale", "relied[1]", "relied[2]"}, fields(err), "L6 is the workflow's to settle")
	preview, err := b.Desk.Preview(ctx, b.Who("rev1"), review.PreviewCall{Case: ref, Form: form})
	require.NoError(t, err, "a preview shows faults, it does not fail on them")
	require.Len(t, preview.Faults, 4)
	require.Empty(t, preview.Token)

	onlyProfile := opinionOf(ref, claimed, reviewtest.Form(casefile.L4, casefile.EvidenceProfile))
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), onlyProfile)
	require.Equal(t, []string{"relied"}, fields(err), "L4 with nothing to remove")
	require.Len(t, b.Workflows.Sent(), 1, "only the claim ever reached the workflow")
}

// TestPromise10VerbsCarryNoWords looks at everything that a case's verbs handed to the workflow.
func TestPromise10VerbsCarryNoWords(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), review.VerbCall{Case: ref, Key: "synthetic_1 said so"})
	require.NoError(t, err)
	_, err = b.Desk.Comment(ctx, b.Who("rev1"), verb(ref), "a comment about synthetic_1")
	require.NoError(t, err)
	call := opinionOf(ref, claimed, reviewtest.Form(casefile.L3, post, casefile.EvidenceProfile))
	answer, err := b.Desk.Opinion(ctx, b.Who("rev1"), call)
	require.NoError(t, err)
	_, err = b.Desk.Withdraw(ctx, b.Who("rev1"), verb(ref), "")
	require.NoError(t, err)
	sent := b.Workflows.Sent()
	require.Len(t, sent, 4)
	opinion, ok := sent[2].(workflows.OpinionArgs)
	require.True(t, ok)
	require.Equal(t, 1, opinion.Relied, "posts, the profile not counted")
	require.Equal(t, answer.Decision, opinion.ID)
	for _, args := range sent {
		text := fmt.Sprintf("%+v %s", args, b.JSON(args))
		for _, word := range []string{"synthetic", "comment about", "praises", "account-1", post} {
			require.NotContains(t, text, word)
		}
	}
}

func TestRolesAreCheckedAtTheDesk(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	for name, do := range map[string]func(login string) error{
		"next":    func(l string) error { _, _, err := b.Desk.Next(ctx, b.Who(l), reviewtest.Queue, ""); return err },
		"claim":   func(l string) error { _, err := b.Desk.Claim(ctx, b.Who(l), verb(ref)); return err },
		"comment": func(l string) error { _, err := b.Desk.Comment(ctx, b.Who(l), verb(ref), "text"); return err },
		"preview": func(l string) error {
			_, err := b.Desk.Preview(ctx, b.Who(l), review.PreviewCall{Case: ref, Form: reviewtest.Form(casefile.L3, post)})
			return err
		},
		"opinion": func(l string) error {
			_, err := b.Desk.Opinion(ctx, b.Who(l), review.OpinionCall{VerbCall: verb(ref), Form: reviewtest.Form(casefile.L3, post)})
			return err
		},
		"withdraw": func(l string) error { _, err := b.Desk.Withdraw(ctx, b.Who(l), verb(ref), ""); return err },
		"close": func(l string) error {
			_, err := b.Desk.Close(ctx, b.Who(l), review.CloseCall{VerbCall: verb(ref), Reason: casefile.CloseTest})
			return err
		},
		"reopen": func(l string) error { _, err := b.Desk.Reopen(ctx, b.Who(l), verb(ref)); return err },
	} {
		for _, login := range []string{"policy", "auditor", "admin", "detector"} {
			require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(do(login)), "%s by %s", name, login)
		}
	}
	require.Empty(t, b.Workflows.Sent())
}
