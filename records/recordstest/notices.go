package recordstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func noticeRow(number, decision string, ref casefile.CaseRef) records.NoticeRow {
	return records.NoticeRow{
		Number: number, Decision: decision, Case: ref, State: casefile.NoticePlanned, Text: "sealed", Digest: "digest",
		At: at(7), StateAt: at(7),
	}
}

func noticePut(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	b.decided(2, case2, "d2")
	_, err := b.Notice(b.ctx(), "d1")
	b.code(casefile.CodeNotFound, err)
	want := noticeRow("N1", "d1", case1)
	got, err := b.PutNotice(b.ctx(), want)
	require.NoError(t, err)
	require.Equal(t, want, got)
	other := noticeRow("N2", "d1", case1)
	other.Text = "other"
	got, err = b.PutNotice(b.ctx(), other)
	require.NoError(t, err)
	require.Equal(t, want, got, "a decision has one notice")
	_, err = b.PutNotice(b.ctx(), noticeRow("N1", "d2", case2))
	b.code(casefile.CodeConflict, err)
	_, err = b.PutNotice(b.ctx(), noticeRow("N3", "none", case2))
	b.code(casefile.CodeNotFound, err)
	got, err = b.Notice(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func noticeState(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	want := noticeRow("N1", "d1", case1)
	_, err := b.PutNotice(b.ctx(), want)
	require.NoError(t, err)
	b.code(casefile.CodeNotFound, b.SetNoticeState(b.ctx(), "none", casefile.NoticeSent, at(8)))
	require.NoError(t, b.SetNoticeState(b.ctx(), "N1", casefile.NoticeSent, at(8)))
	require.NoError(t, b.SetNoticeState(b.ctx(), "N1", casefile.NoticeSent, at(9)))
	b.code(casefile.CodeState, b.SetNoticeState(b.ctx(), "N1", casefile.NoticePlanned, at(9)))
	want.State, want.StateAt = casefile.NoticeSent, at(8)
	got, err := b.Notice(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func noticeDelivery(t *testing.T, b bench) {
	begin := func(want casefile.NoticeState) {
		t.Helper()
		before, err := b.BeginDelivery(b.ctx(), "N1", at(1))
		require.NoError(t, err)
		require.Equal(t, want, before)
	}
	begin("")
	begin(casefile.NoticePlanned)
	require.NoError(t, b.EndDelivery(b.ctx(), "N1", "", at(2)))
	begin("")
	require.NoError(t, b.EndDelivery(b.ctx(), "N1", casefile.NoticeSent, at(3)))
	begin(casefile.NoticeSent)
	require.NoError(t, b.EndDelivery(b.ctx(), "N2", casefile.NoticeSent, at(3)), "one that was not begun")
	other, err := b.BeginDelivery(b.ctx(), "N2", at(4))
	require.NoError(t, err)
	require.Empty(t, other)
}
