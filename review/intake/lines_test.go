package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/review/reviewtest"
)

func call(ref casefile.CaseRef) review.VerbCall { return review.VerbCall{Case: ref} }

func closeCall(ref casefile.CaseRef, claimed review.VerbAnswer) review.CloseCall {
	return review.CloseCall{
		VerbCall: call(ref), Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Reason: casefile.CloseTest,
	}
}

func collect(out *[]intake.LineResult) func(intake.LineResult) error {
	return func(l intake.LineResult) error {
		*out = append(*out, l)
		return nil
	}
}

func TestLinesAnswerEachInOrderAndABadOneSpoilsNoOther(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	other := b.Flag(1, "flag-1")
	other.Reasons[0].Weight = 9
	input := bytes.Join([][]byte{
		b.JSON(b.Flag(1, "flag-1")), // 1
		[]byte("not json"),          // 2
		{},                          // 3: blank, no answer
		b.JSON(other),               // 4: the same id, other content
		[]byte(strings.Repeat("x", casefile.MaxFlagBytes+10)), // 5
		b.JSON(b.Flag(1, "flag-1")),                           // 6: again
		b.JSON(b.Flag(2, "flag-2")),                           // 7: no line end
	}, []byte("\n"))

	var got []intake.LineResult
	require.NoError(t, b.Door.Lines(context.Background(), b.Who("detector"), bytes.NewReader(input), collect(&got)))
	require.Len(t, got, 6)
	var lines []int
	for _, l := range got {
		lines = append(lines, l.Line)
	}
	require.Equal(t, []int{1, 2, 4, 5, 6, 7}, lines)
	for _, i := range []int{0, 4, 5} {
		require.Nil(t, got[i].Error, "line %d", got[i].Line)
		require.Equal(t, records.FlagPending, got[0].Status, "a line does not wait for its case")
	}
	require.Equal(t, casefile.CodeInvalid, got[1].Error.Code)
	require.Equal(t, casefile.CodeConflict, got[2].Error.Code)
	require.Equal(t, "id", got[2].Error.Field)
	require.Equal(t, casefile.CodeTooLarge, got[3].Error.Code)

	got = nil
	require.NoError(t, b.Door.Lines(context.Background(), b.Who("detector"), bytes.NewReader(b.JSON(b.Flag(2, "flag-2"))), collect(&got)))
	require.NotEmpty(t, got[0].Case, "a later retry has the case")
}

func TestLinesTakeManyInParallelAndKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	const n = 200
	var input bytes.Buffer
	for i := range n {
		input.Write(b.JSON(b.Flag(i%50, fmt.Sprintf("flag-%d", i))))
		input.WriteByte('\n')
	}
	var got []intake.LineResult
	require.NoError(t, b.Door.Lines(context.Background(), b.Who("detector"), &input, collect(&got)))
	require.Len(t, got, n)
	for i, l := range got {
		require.Equal(t, i+1, l.Line)
		require.Equal(t, fmt.Sprintf("flag-%d", i), l.ID)
		require.Nil(t, l.Error)
	}
	cases, _, err := b.Records.ListCases(context.Background(), "", "", 100)
	require.NoError(t, err)
	require.Len(t, cases, 50, "one case an account")
}

func TestLinesStopWhenNobodyListens(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	input := strings.Repeat(string(b.JSON(b.Flag(1, "flag-1")))+"\n", 100)
	away := errors.New("went away")
	err := b.Door.Lines(context.Background(), b.Who("detector"), strings.NewReader(input), func(intake.LineResult) error { return away })
	require.ErrorIs(t, err, away)

	err = b.Door.Lines(context.Background(), b.Who("rev1"), strings.NewReader(input), collect(new([]intake.LineResult)))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}
