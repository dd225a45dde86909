package recordstest

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func refs(cases []records.Case) []casefile.CaseRef {
	var out []casefile.CaseRef
	for _, c := range cases {
		out = append(out, c.Ref)
	}
	return out
}

// walk reads every page of a listing.
func walk(t *testing.T, limit int, list func(after string, limit int) ([]records.Case, string, error)) []casefile.CaseRef {
	var out []casefile.CaseRef
	after := ""
	for {
		cases, next, err := list(after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(cases), limit)
		out = append(out, refs(cases)...)
		if next == "" {
			return out
		}
		require.Len(t, cases, limit, "only the last page is short")
		after = next
	}
}

func caseList(t *testing.T, b bench) {
	_, err := b.Case(b.ctx(), case1)
	b.code(casefile.CodeNotFound, err)
	// Opened at the same time in pairs, so that references break ties.
	var all, waiting []casefile.CaseRef
	for i := range 9 {
		ref := casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i))
		all = append([]casefile.CaseRef{ref}, all...)
		if i%3 == 0 {
			b.queued(i, ref, route("q", 1, 1, at(60)), at(i/2))
			waiting = append([]casefile.CaseRef{ref}, waiting...)
			continue
		}
		b.openCase(fmt.Sprintf("f%d", i), accountKeyOf(i), ref, at(i/2))
	}
	for limit := 1; limit <= 10; limit++ {
		require.Equal(t, all, walk(t, limit, func(after string, limit int) ([]records.Case, string, error) {
			return b.ListCases(b.ctx(), "", after, limit)
		}))
		require.Equal(t, waiting, walk(t, limit, func(after string, limit int) ([]records.Case, string, error) {
			return b.ListCases(b.ctx(), casefile.StateQueued, after, limit)
		}))
	}
	first := b.closed(b.row("CASE0-00001"), at(10))
	second := b.openCase("again", first.Account, case2+"X", at(11))
	cases, err := b.AccountCases(b.ctx(), first.Account)
	require.NoError(t, err)
	require.Equal(t, []records.Case{second, first}, cases, "newest first")
}

func caseCursors(t *testing.T, b bench) {
	for i := range 3 {
		b.queued(i, casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), route("q", 1, 1, at(60)), start)
	}
	_, ofList, err := b.ListCases(b.ctx(), "", "", 1)
	require.NoError(t, err)
	_, ofQueue, err := b.QueueCases(b.ctx(), "q", "", 1)
	require.NoError(t, err)
	require.NotEmpty(t, ofList)
	require.NotEmpty(t, ofQueue)
	bad := map[string]string{
		"not base64": "!", "no JSON": base64.RawURLEncoding.EncodeToString([]byte("x")), "empty JSON": base64.RawURLEncoding.EncodeToString([]byte("{}")),
		"words": "next page", "cut short": ofList[:len(ofList)-3], "with more behind": ofList + "AAAA",
	}
	for name, cursor := range bad {
		_, _, err = b.ListCases(b.ctx(), "", cursor, 1)
		requireCursorFault(t, err, name)
		_, _, err = b.QueueCases(b.ctx(), "q", cursor, 1)
		requireCursorFault(t, err, name)
	}
	_, _, err = b.ListCases(b.ctx(), "", ofQueue, 1)
	requireCursorFault(t, err, "a queue's cursor")
	_, _, err = b.QueueCases(b.ctx(), "q", ofList, 1)
	requireCursorFault(t, err, "a list's cursor")
	_, _, err = b.ListCases(b.ctx(), "", "", 0)
	b.code(casefile.CodeInvalid, err)
	_, _, err = b.QueueCases(b.ctx(), "q", "", -1)
	b.code(casefile.CodeInvalid, err)
}

func requireCursorFault(t *testing.T, err error, name string) {
	t.Helper()
	var e *casefile.Error
	require.ErrorAs(t, err, &e, name)
	require.Equal(t, casefile.CodeInvalid, e.Code, name)
	require.Equal(t, "cursor", e.Field, name)
}

func caseClaimed(t *testing.T, b bench) {
	claim := func(c records.Case, person casefile.Person) records.Case {
		c.State, c.Claim = casefile.StateClaimed, &casefile.Claim{Number: 1, Person: person, Role: casefile.RoleReviewer, GrantedAt: start, ExpiresAt: at(15)}
		c.Revision++
		b.project(c, start)
		return c
	}
	one := claim(b.queued(1, case1, route("q", 1, 1, at(60)), at(2)), "p-one")
	two := claim(b.queued(2, case2, route("q", 1, 1, at(60)), at(1)), "p-one")
	claim(b.queued(3, case3, route("q", 1, 1, at(60)), at(1)), "p-two")
	got, err := b.ClaimedBy(b.ctx(), "p-one")
	require.NoError(t, err)
	require.Equal(t, []records.Case{two, one}, got)
	b.closed(one, at(3))
	two.Claim, two.State = nil, casefile.StateQueued
	two.Revision++
	b.project(two, at(3))
	for _, person := range []casefile.Person{"p-one", "p-nobody", ""} {
		got, err = b.ClaimedBy(b.ctx(), person)
		require.NoError(t, err)
		require.Empty(t, got)
	}
}

func caseHandedTo(t *testing.T, b bench) {
	hand := func(c records.Case, to casefile.Person) records.Case {
		c.AssignedTo = to
		c.Revision++
		b.project(c, start)
		return c
	}
	less := hand(b.queued(1, case1, route("q", 1, 1, at(60)), at(2)), "p-one")
	more := hand(b.queued(2, case2, route("other", 3, 1, at(60)), at(1)), "p-one")
	hand(b.queued(3, case3, route("q", 5, 1, at(60)), at(1)), "p-two")
	got, err := b.HandedTo(b.ctx(), "p-one")
	require.NoError(t, err)
	require.Equal(t, []records.Case{more, less}, got, "of every queue")

	less.AssignedTo, less.State = "", casefile.StateClaimed
	less.Claim = &casefile.Claim{Number: 1, Person: "p-one", Role: casefile.RoleReviewer, GrantedAt: start, ExpiresAt: at(15)}
	less.Revision++
	b.project(less, at(3))
	b.closed(more, at(3))
	for _, person := range []casefile.Person{"p-one", "p-nobody", ""} {
		got, err = b.HandedTo(b.ctx(), person)
		require.NoError(t, err)
		require.Empty(t, got, "taken up, closed, or nobody's")
	}
}
