package recordstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

var adminOne = casefile.Actor{Person: "p-admin", Role: casefile.RoleAdmin}

// tokensOf gives a person a token of every kind.
func (b bench) tokensOf(p casefile.Person, name string) map[records.TokenKind]string {
	b.t.Helper()
	out := map[records.TokenKind]string{}
	for _, kind := range []records.TokenKind{records.TokenAPI, records.TokenSession, records.TokenLogin} {
		out[kind] = hashOf(name + string(kind))
		require.NoError(b.t, b.PutToken(b.ctx(), records.TokenRow{Hash: out[kind], Kind: kind, Person: p, CreatedAt: start, ExpiresAt: at(600)}))
	}
	return out
}

func (b bench) live(tokens map[records.TokenKind]string) map[records.TokenKind]bool {
	b.t.Helper()
	out := map[records.TokenKind]bool{}
	for kind, hash := range tokens {
		_, _, err := b.Token(b.ctx(), hash, kind, at(1))
		if err == nil {
			out[kind] = true
			continue
		}
		b.code(casefile.CodeNotFound, err)
	}
	return out
}

func guardedActive(t *testing.T, b bench) {
	b.code(casefile.CodeNotFound, b.SetActive(b.ctx(), "p-one", false, adminOne, at(1)))
	for _, p := range []records.PersonRow{person("p-one", "one"), person("p-two", "two")} {
		require.NoError(t, b.PutPerson(b.ctx(), p, start))
	}
	first, other := b.tokensOf("p-one", "one"), b.tokensOf("p-two", "two")
	for range 2 {
		require.NoError(t, b.SetActive(b.ctx(), "p-one", false, adminOne, at(1)))
	}
	got, err := b.Person(b.ctx(), "p-one")
	require.NoError(t, err)
	want := person("p-one", "one")
	want.Active = false
	require.Equal(t, want, got)
	require.Len(t, b.live(other), 3, "nobody else's")
	require.NoError(t, b.SetActive(b.ctx(), "p-one", true, adminOne, at(2)))
	require.Empty(t, b.live(first), "tokens that were revoked stay so")
	fresh := b.tokensOf("p-one", "fresh")
	require.NoError(t, b.SetActive(b.ctx(), "p-one", true, adminOne, at(3)))
	require.Len(t, b.live(fresh), 3)

	entries := b.entries()
	require.Len(t, entries, 4, "two people put, one switched off and on again")
	requireEntry(t, entries[2], casefile.EntryPeople, adminOne, at(1), `{"person":"p-one","roles":["reviewer","senior"],"active":false}`)
	requireEntry(t, entries[3], casefile.EntryPeople, adminOne, at(2), `{"person":"p-one","roles":["reviewer","senior"],"active":true}`)
}

func guardedTokens(t *testing.T, b bench) {
	for _, p := range []records.PersonRow{person("p-one", "one"), person("p-two", "two")} {
		require.NoError(t, b.PutPerson(b.ctx(), p, start))
	}
	one, two := b.tokensOf("p-one", "one"), b.tokensOf("p-two", "two")
	require.NoError(t, b.RevokeTokens(b.ctx(), "p-one", records.TokenSession, records.TokenLogin))
	require.Equal(t, map[records.TokenKind]bool{records.TokenAPI: true}, b.live(one))
	_, err := b.UseLogin(b.ctx(), one[records.TokenLogin], at(1))
	b.code(casefile.CodeNotFound, err)
	require.NoError(t, b.RevokeTokens(b.ctx(), "p-one"))
	require.Empty(t, b.live(one))
	require.Len(t, b.live(two), 3)
	require.NoError(t, b.RevokeTokens(b.ctx(), "p-nobody"))
}

func guardedGlass(t *testing.T, b bench) {
	b.queued(1, case1, route("q", 1, 1, at(60)), start)
	b.queued(2, case2, route("q", 1, 1, at(60)), start)
	glass := func(id string, ref casefile.CaseRef, minutes int) records.BreakGlass {
		return records.BreakGlass{ID: id, Person: "p-one", Case: ref, At: at(minutes), Until: at(minutes + 60), Reason: []byte("sealed")}
	}
	one, two := glass("g1", case1, 1), glass("g2", case1, 5)
	given := one
	given.ReviewedBy, given.ReviewedAt, given.Justified = "p-two", ptr(at(1)), true
	require.NoError(t, b.PutBreakGlass(b.ctx(), given))
	again := glass("g1", case2, 9)
	require.NoError(t, b.PutBreakGlass(b.ctx(), again))
	require.NoError(t, b.PutBreakGlass(b.ctx(), two))
	list := func(open bool, limit int) []records.BreakGlass {
		t.Helper()
		rows, err := b.BreakGlasses(b.ctx(), open, limit)
		require.NoError(t, err)
		return rows
	}
	require.Equal(t, []records.BreakGlass{two, one}, list(false, 5), "newest first; the same id again changes nothing; nobody reviews by opening")
	require.Equal(t, []records.BreakGlass{two}, list(false, 1))

	live := func(person casefile.Person, ref casefile.CaseRef, minutes int) bool {
		t.Helper()
		is, err := b.LiveBreakGlass(b.ctx(), person, ref, at(minutes))
		require.NoError(t, err)
		return is
	}
	require.True(t, live("p-one", case1, 64))
	require.False(t, live("p-one", case1, 65), "its time is over at its end")
	require.False(t, live("p-one", case2, 10))
	require.False(t, live("p-two", case1, 10))

	lead := casefile.Actor{Person: "p-two", Role: casefile.RoleLead}
	self := casefile.Actor{Person: "p-one", Role: casefile.RoleLead}
	b.code(casefile.CodeNotFound, b.ReviewBreakGlass(b.ctx(), "none", lead, true, at(70)))
	b.code(casefile.CodeForbidden, b.ReviewBreakGlass(b.ctx(), "g1", self, true, at(70)))
	b.code(casefile.CodeInvalid, b.ReviewBreakGlass(b.ctx(), "g1", casefile.System, true, at(70)))
	for range 2 {
		require.NoError(t, b.ReviewBreakGlass(b.ctx(), "g1", lead, false, at(70)))
	}
	b.code(casefile.CodeState, b.ReviewBreakGlass(b.ctx(), "g1", lead, true, at(71)))
	b.code(casefile.CodeForbidden, b.ReviewBreakGlass(b.ctx(), "g1", self, true, at(71)))
	one.ReviewedBy, one.ReviewedAt = "p-two", ptr(at(70))
	require.Equal(t, []records.BreakGlass{two, one}, list(false, 5))
	require.Equal(t, []records.BreakGlass{two}, list(true, 5))

	entries := b.entries()
	require.Len(t, entries, 3)
	requireEntry(t, entries[0], casefile.EntryBreakGlass, casefile.System, at(1), `{"break_glass":"g1","what":"opened","person":"p-one","case":"CASE0-00001","until":"`+
		at(61).Format(casefile.TimeFormat)+`","justified":false}`)
	requireEntry(t, entries[2], casefile.EntryBreakGlass, lead, at(70), `{"break_glass":"g1","what":"reviewed","person":"p-one","case":"CASE0-00001","until":"`+
		at(61).Format(casefile.TimeFormat)+`","justified":false}`)

	b.code(casefile.CodeNotFound, b.PutBreakGlass(b.ctx(), glass("g3", case3, 1)))
	for name, bad := range map[string]func(g *records.BreakGlass){
		"id":     func(g *records.BreakGlass) { g.ID = "" },
		"person": func(g *records.BreakGlass) { g.Person = "" },
		"reason": func(g *records.BreakGlass) { g.Reason = nil },
		"until":  func(g *records.BreakGlass) { g.Until = g.At },
	} {
		g := glass("g3", case1, 1)
		bad(&g)
		err := b.PutBreakGlass(b.ctx(), g)
		b.code(casefile.CodeInvalid, err)
		require.ErrorContains(t, err, name)
	}
	_, err := b.BreakGlasses(b.ctx(), false, 0)
	b.code(casefile.CodeInvalid, err)
}

// guardedRacingReview: of two who review at once, one does.
func guardedRacingReview(t *testing.T, b bench) {
	const callers = 10
	b.queued(1, case1, route("q", 1, 1, at(60)), start)
	require.NoError(t, b.PutBreakGlass(b.ctx(), records.BreakGlass{ID: "g1", Person: "p-one", Case: case1, At: at(1), Until: at(2), Reason: []byte("sealed")}))
	errs := make([]error, callers)
	race(callers, func(i int) {
		by := casefile.Actor{Person: casefile.Person("p-" + string(rune('a'+i))), Role: casefile.RoleLead}
		errs[i] = b.ReviewBreakGlass(b.ctx(), "g1", by, true, at(3))
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.code(casefile.CodeState, err)
	}
	require.Equal(t, 1, won)
	require.Len(t, b.entries(), 2)
}
