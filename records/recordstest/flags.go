package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func promise02Put(t *testing.T, b bench) {
	_, err := b.Flag(b.ctx(), "f1")
	b.code(casefile.CodeNotFound, err)
	want := flagOf("f1", accountKeyOf(1), start)
	want.Reopens = "CASE0-00009"
	given := want
	given.Status, given.Case, given.AcceptedAt, given.QueuedAt = records.FlagAccepted, "CASE0-00001", ptr(start), ptr(start)
	row, created, err := b.PutFlag(b.ctx(), given)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, want, row, "a new row is pending, whatever the caller says")
	other := flagOf("f1", accountKeyOf(2), at(9))
	other.Digest = "another"
	row, created, err = b.PutFlag(b.ctx(), other)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, want, row)
	row, err = b.Flag(b.ctx(), "f1")
	require.NoError(t, err)
	require.Equal(t, want, row)
	for name, bad := range map[string]func(*records.FlagReceipt){
		"flag":    func(f *records.FlagReceipt) { f.Flag = "" },
		"account": func(f *records.FlagReceipt) { f.Account = "" },
		"at":      func(f *records.FlagReceipt) { f.At = time.Time{} },
	} {
		f := flagOf("f2", accountKeyOf(1), start)
		bad(&f)
		_, _, err = b.PutFlag(b.ctx(), f)
		b.code(casefile.CodeInvalid, err)
		require.ErrorContains(t, err, name)
	}
}

func flagPending(t *testing.T, b bench) {
	b.put("f3", accountKeyOf(3), at(3))
	b.put("f1", accountKeyOf(1), at(1))
	b.put("f2b", accountKeyOf(2), at(2))
	b.put("f2a", accountKeyOf(2), at(2))
	b.put("taken", accountKeyOf(4), at(0))
	b.take("taken", accountKeyOf(4), "CASE0-00001", at(1))
	keys := func(before time.Time, limit int) []string {
		rows, err := b.PendingFlags(b.ctx(), before, limit)
		require.NoError(t, err)
		var out []string
		for _, r := range rows {
			out = append(out, string(r.Flag))
		}
		return out
	}
	require.Equal(t, []string{"f1", "f2a", "f2b", "f3"}, keys(at(4), 10))
	require.Equal(t, []string{"f1", "f2a"}, keys(at(4), 2))
	require.Equal(t, []string{"f1", "f2a", "f2b"}, keys(at(3), 10), "written before, not at")
	_, err := b.PendingFlags(b.ctx(), at(4), 0)
	b.code(casefile.CodeInvalid, err)
}

func flagStats(t *testing.T, b bench) {
	st, err := b.FlagStats(b.ctx(), start)
	require.NoError(t, err)
	require.Equal(t, records.FlagStats{}, st)
	b.put("old", accountKeyOf(99), at(-1))
	// 100 accounts of one flag each wait 1 to 100 minutes; two more stay behind.
	for i := range 100 {
		c := b.openCase(fmt.Sprintf("f%d", i), accountKeyOf(100+i), casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), start)
		c.State, c.Revision, c.Route = casefile.StateQueued, 1, route("q", 1, 1, at(500))
		b.project(c, at(i+1))
	}
	b.put("pending", accountKeyOf(1), start)
	b.openCase("unqueued", accountKeyOf(2), "CASE1-00000", start)
	b.put("second", accountKeyOf(2), start)
	b.take("second", accountKeyOf(2), "CASE1-00001", start)
	st, err = b.FlagStats(b.ctx(), start)
	require.NoError(t, err)
	require.Equal(t, records.FlagStats{
		Flags: 103, Pending: 1, Unqueued: 2, Cases: 101, Accounts: 102,
		ToQueueP50: 50 * time.Minute, ToQueueP99: 99 * time.Minute,
	}, st)
	st, err = b.FlagStats(b.ctx(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, 104, st.Flags)
}
