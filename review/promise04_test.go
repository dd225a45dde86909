package review_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// give claims a case and gives an opinion on it.
func give(t *testing.T, b *reviewtest.Bench, login string, ref casefile.CaseRef, form casefile.OpinionForm) review.VerbAnswer {
	t.Helper()
	claimed, err := b.Desk.Claim(context.Background(), b.Who(login), verb(ref))
	require.NoError(t, err)
	answer, err := b.Desk.Opinion(context.Background(), b.Who(login), opinionOf(ref, claimed, form))
	require.NoError(t, err)
	return answer
}

// firstForm is an opinion whose every code and word stands in nothing else of the case.
func firstForm(post string) casefile.OpinionForm {
	f := reviewtest.Form(casefile.L6, post, casefile.EvidenceProfile)
	f.Policies, f.EntityTier = []casefile.PolicyCode{casefile.VE03, casefile.VE05}, casefile.E3
	f.Mitigations[casefile.M6] = casefile.AnswerYes
	f.Rationale = "a wording of the first person that nobody else has"
	return f
}

// TestPromise04BlindOpinionIsItsAuthorsAlone: until the case is settled, the first opinion is shown to
// its author and nobody else; where two differ, a lead who gave none sees both and others still their own.
func TestPromise04BlindOpinionIsItsAuthorsAlone(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	give(t, b, "rev1", ref, firstForm(post))

	own := show(t, b, "rev1", ref).Opinions
	require.Len(t, own, 1)
	require.True(t, own[0].Blind)
	require.Equal(t, casefile.L6, own[0].Action)
	require.Equal(t, firstForm(post).Rationale, own[0].Rationale)
	require.Equal(t, []string{post, casefile.EvidenceProfile}, own[0].Relied)
	for _, other := range []string{"rev2", "senior", "lead", "auditor", "policy"} {
		v := show(t, b, other, ref)
		require.Empty(t, v.Opinions, other)
		require.Nil(t, v.Decision, other)
		require.Equal(t, casefile.StateQueued, v.State, "it stands like any other")
		require.Empty(t, v.Stage)
	}
	_, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "nobody is their own second person")
	_, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.False(t, ok)

	second := reviewtest.Form(casefile.L4, post)
	answer := give(t, b, "rev2", ref, second)
	require.Empty(t, answer.Decision, "they differ")
	for login, sees := range map[string]int{"rev1": 1, "rev2": 1, "rev3": 0, "senior": 0, "auditor": 0, "policy": 0, "lead": 2, "lead2": 2} {
		v := show(t, b, login, ref)
		require.Len(t, v.Opinions, sees, login)
		if strings.HasPrefix(login, "lead") {
			require.Equal(t, casefile.StageAdjudication, v.Stage)
		} else {
			require.Empty(t, v.Stage, login)
		}
	}
	_, err = b.Desk.Claim(ctx, b.Who("senior"), verb(ref))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	preview, err := b.Desk.Preview(ctx, b.Who("lead"), review.PreviewCall{Case: ref, Form: second})
	require.NoError(t, err)
	require.Contains(t, preview.Consequences[0], "third opinion")
	settled := give(t, b, "lead", ref, second)
	require.NotEmpty(t, settled.Decision)
	for _, login := range []string{"rev1", "rev2", "rev3", "auditor"} {
		v := show(t, b, login, ref)
		require.Len(t, v.Opinions, 3, login)
		require.False(t, v.Opinions[0].Blind)
		require.Equal(t, casefile.ByAdjudication, v.Decision.DecidedBy)
		require.Equal(t, settled.Decision, v.Decision.Standing)
	}
}

// TestPromise04LeadWhoGaveOneSeesTheirOwn: a lead who is one of the two does not see the other's before
// somebody else has decided.
func TestPromise04LeadWhoGaveOneSeesTheirOwn(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	ref, post := b.Open(1)
	give(t, b, "rev1", ref, firstForm(post))
	give(t, b, "lead", ref, reviewtest.Form(casefile.L4, post))
	require.Len(t, show(t, b, "lead", ref).Opinions, 1)
	require.Equal(t, casefile.L4, show(t, b, "lead", ref).Opinions[0].Action)
	require.Len(t, show(t, b, "lead2", ref).Opinions, 2)
	_, err := b.Desk.Claim(context.Background(), b.Who("lead"), verb(ref))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}

// TestPromise04TwoWhoAgreeDecide: the second who agrees settles the case, and the decision has both.
func TestPromise04TwoWhoAgreeDecide(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	ref, post := b.Open(1)
	first := give(t, b, "rev1", ref, firstForm(post))
	require.Empty(t, first.Decision)
	second := give(t, b, "rev2", ref, firstForm(post))
	require.NotEmpty(t, second.Decision)
	v := show(t, b, "rev3", ref)
	require.Equal(t, casefile.ByTwoOpinions, v.Decision.DecidedBy)
	require.Len(t, v.Opinions, 2)
	require.Equal(t, v.Opinions[0].ID, v.Decision.Standing)
	require.Contains(t, v.Decision.Notice, string(ref))
}

// TestPromise04WithdrawnOpinionsAreNotShownToTheNextRound: what counted once does not reach those who
// judge anew.
func TestPromise04WithdrawnOpinionsAreNotShownToTheNextRound(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	give(t, b, "rev1", ref, firstForm(post))
	give(t, b, "rev2", ref, firstForm(post))
	_, err := b.Desk.Withdraw(ctx, b.Who("rev2"), verb(ref), "")
	require.NoError(t, err)
	require.Empty(t, show(t, b, "rev3", ref).Opinions)
	require.Nil(t, show(t, b, "rev3", ref).Decision)
	own := show(t, b, "rev1", ref).Opinions
	require.Len(t, own, 1)
	require.True(t, own[0].Void)
	give(t, b, "rev3", ref, reviewtest.Form(casefile.L4, post))
	v := show(t, b, "auditor", ref)
	require.Len(t, v.Opinions, 3)
	require.False(t, v.Opinions[0].Void, "the one that counts stands first")
	require.True(t, v.Opinions[1].Void)
}

// TestPromise04StandingTellsNoMore: the codes that an open page compares itself with are those of a case
// that was claimed and given back.
func TestPromise04StandingTellsNoMore(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	opined, post := b.Open(1)
	released, _ := b.Open(2)
	give(t, b, "rev1", opined, firstForm(post))
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(released))
	require.NoError(t, err)
	_, err = b.Desk.Release(ctx, b.Who("rev1"), verb(released), claimed.Claim.Number)
	require.NoError(t, err)
	of := func(ref casefile.CaseRef) review.Standing {
		s, err := b.Desk.Standing(ctx, b.Who("rev2"), ref)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, of(released), of(opined))
	page, err := b.Desk.QueueCases(ctx, b.Who("rev2"), reviewtest.Queue, "", 0)
	require.NoError(t, err)
	require.Len(t, page.Cases, 2)
	for i := range page.Cases {
		page.Cases[i].Case, page.Cases[i].AccountID, page.Cases[i].Handle = "", "", ""
	}
	require.Equal(t, page.Cases[0], page.Cases[1])
	data, err := json.Marshal(page)
	require.NoError(t, err)
	require.NotContains(t, string(data), "L6")
}

// TestHandOverTellsNothingOfOpinions: whoever gave one cannot be handed the case, nor can whoever let it go
// without one: neither is offered, and both are refused with the words that stand for everybody who cannot.
func TestHandOverTellsNothingOfOpinions(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	_, err := b.Desk.Release(ctx, b.Who("senior2"), verb(ref), claim(t, b, "senior2", ref))
	require.NoError(t, err)
	give(t, b, "rev1", ref, firstForm(post))
	claimed, err := b.Desk.Claim(ctx, b.Who("rev2"), verb(ref))
	require.NoError(t, err)
	takers, err := b.Desk.Takers(ctx, b.Who("rev2"), ref)
	require.NoError(t, err)
	offered := func(login string) bool {
		return slices.ContainsFunc(takers, func(t review.Taker) bool { return t.Person == b.Who(login).Person })
	}
	require.True(t, offered("rev3"))
	require.False(t, offered("rev1"))
	require.False(t, offered("senior2"))
	call := review.HandOverCall{VerbCall: verb(ref), Claim: claimed.Claim.Number, Reason: "the end of my shift"}
	said := map[string]bool{}
	for _, to := range []string{"rev1", "senior2", "auditor", "detector", "nobody"} {
		call.To = to
		_, err = b.Desk.HandOver(ctx, b.Who("rev2"), call)
		require.Equal(t, []string{"to"}, fields(err), to)
		said[err.Error()] = true
	}
	require.Len(t, said, 1)
	call.To = "rev3"
	_, err = b.Desk.HandOver(ctx, b.Who("rev2"), call)
	require.NoError(t, err)
	require.Equal(t, b.Who("rev3").Person, show(t, b, "rev3", ref).AssignedTo)
	_, err = b.Desk.Claim(ctx, b.Who("senior"), verb(ref))
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	_, err = b.Desk.Claim(ctx, b.Who("rev3"), verb(ref))
	require.NoError(t, err)
}
