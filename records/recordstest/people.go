package recordstest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func person(id casefile.Person, login string) records.PersonRow {
	return records.PersonRow{
		Person: id, Login: login, Name: "[name of " + login + "]", Team: "one", Active: true,
		Roles: []casefile.Role{casefile.RoleReviewer, casefile.RoleSenior},
	}
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func personPut(t *testing.T, b bench) {
	_, err := b.Person(b.ctx(), "p-one")
	b.code(casefile.CodeNotFound, err)
	_, err = b.PersonByLogin(b.ctx(), "one")
	b.code(casefile.CodeNotFound, err)
	one, two := person("p-one", "one"), person("p-two", "another")
	two.Roles = nil
	for _, p := range []records.PersonRow{one, two} {
		require.NoError(t, b.PutPerson(b.ctx(), p, start))
	}
	got, err := b.Person(b.ctx(), "p-one")
	require.NoError(t, err)
	require.Equal(t, one, got)
	got, err = b.PersonByLogin(b.ctx(), "one")
	require.NoError(t, err)
	require.Equal(t, one, got)
	list, err := b.ListPeople(b.ctx())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "another", list[0].Login)
	require.Empty(t, list[0].Roles)
	taken := person("p-three", "one")
	b.code(casefile.CodeConflict, b.PutPerson(b.ctx(), taken, start))
	two.Login = "one"
	b.code(casefile.CodeConflict, b.PutPerson(b.ctx(), two, start))
	b.code(casefile.CodeInvalid, b.PutPerson(b.ctx(), person("", "x"), start))
	b.code(casefile.CodeInvalid, b.PutPerson(b.ctx(), person("p-x", ""), start))

	// The ledger learns of roles and of leaving, never of names, and of nothing twice.
	require.NoError(t, b.PutPerson(b.ctx(), one, at(1)))
	one.Name = "[another name]"
	require.NoError(t, b.PutPerson(b.ctx(), one, at(2)))
	one.Roles = []casefile.Role{casefile.RoleLead}
	require.NoError(t, b.PutPerson(b.ctx(), one, at(3)))
	one.Active = false
	require.NoError(t, b.PutPerson(b.ctx(), one, at(4)))
	got, err = b.Person(b.ctx(), "p-one")
	require.NoError(t, err)
	require.Equal(t, one, got)
	require.NoError(t, b.PutPerson(b.ctx(), records.PersonRow{Person: "p-three", Login: "three"}, at(5)))
	rows, err := b.Unappended(b.ctx(), 10)
	require.NoError(t, err)
	require.Len(t, rows, 5)
	for i, want := range []struct {
		body string
		at   time.Time
	}{
		{`{"person":"p-one","roles":["reviewer","senior"],"active":true}`, start},
		{`{"person":"p-two","roles":[],"active":true}`, start},
		{`{"person":"p-one","roles":["lead"],"active":true}`, at(3)},
		{`{"person":"p-one","roles":["lead"],"active":false}`, at(4)},
		{`{"person":"p-three","roles":[],"active":false}`, at(5)},
	} {
		require.Equal(t, casefile.EntryPeople, rows[i].Type)
		require.Equal(t, casefile.System, rows[i].Actor)
		require.JSONEq(t, want.body, string(rows[i].Body))
		require.Equal(t, want.at, rows[i].At)
	}
}

func personTokens(t *testing.T, b bench) {
	one := person("p-one", "one")
	require.NoError(t, b.PutPerson(b.ctx(), one, start))
	tok := records.TokenRow{Hash: hashOf("api"), Kind: records.TokenAPI, Person: "p-one", CreatedAt: start, ExpiresAt: at(60)}
	orphan := tok
	orphan.Person = "p-none"
	b.code(casefile.CodeNotFound, b.PutToken(b.ctx(), orphan))
	for _, hash := range []string{"", "the token itself", hashOf("x")[:63], "G" + hashOf("x")[1:]} {
		bad := tok
		bad.Hash = hash
		b.code(casefile.CodeInvalid, b.PutToken(b.ctx(), bad))
	}
	require.NoError(t, b.PutToken(b.ctx(), tok))
	b.code(casefile.CodeConflict, b.PutToken(b.ctx(), tok))
	gotToken, gotPerson, err := b.Token(b.ctx(), tok.Hash, records.TokenAPI, at(59))
	require.NoError(t, err)
	require.Equal(t, tok, gotToken)
	require.Equal(t, one, gotPerson)
	refused := func(name, hash string, kind records.TokenKind, now time.Time) {
		_, _, err := b.Token(b.ctx(), hash, kind, now)
		require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err), name)
	}
	refused("unknown", hashOf("other"), records.TokenAPI, start)
	refused("of another kind", tok.Hash, records.TokenSession, start)
	refused("expired", tok.Hash, records.TokenAPI, at(60))
	one.Active = false
	require.NoError(t, b.PutPerson(b.ctx(), one, start))
	refused("its person is gone", tok.Hash, records.TokenAPI, start)
	one.Active = true
	require.NoError(t, b.PutPerson(b.ctx(), one, start))
	_, _, err = b.Token(b.ctx(), tok.Hash, records.TokenAPI, start)
	require.NoError(t, err)
	require.NoError(t, b.RevokeToken(b.ctx(), tok.Hash))
	require.NoError(t, b.RevokeToken(b.ctx(), tok.Hash))
	require.NoError(t, b.RevokeToken(b.ctx(), hashOf("other")))
	refused("revoked", tok.Hash, records.TokenAPI, start)
}

func personLogins(t *testing.T, b bench) {
	one := person("p-one", "one")
	require.NoError(t, b.PutPerson(b.ctx(), one, start))
	put := func(name string, kind records.TokenKind) string {
		require.NoError(t, b.PutToken(b.ctx(), records.TokenRow{Hash: hashOf(name), Kind: kind, Person: "p-one", CreatedAt: start, ExpiresAt: at(60)}))
		return hashOf(name)
	}
	refused := func(hash string, now time.Time) {
		t.Helper()
		_, err := b.UseLogin(b.ctx(), hash, now)
		b.code(casefile.CodeNotFound, err)
	}
	login := put("login", records.TokenLogin)
	refused(hashOf("other"), start)
	refused(login, at(60))
	refused(put("session", records.TokenSession), start)
	revoked := put("revoked", records.TokenLogin)
	require.NoError(t, b.RevokeToken(b.ctx(), revoked))
	refused(revoked, start)
	got, err := b.UseLogin(b.ctx(), login, at(1))
	require.NoError(t, err)
	require.Equal(t, one, got)
	refused(login, at(2))
	_, _, err = b.Token(b.ctx(), login, records.TokenLogin, at(2))
	b.code(casefile.CodeNotFound, err)

	const callers = 20
	raced := put("raced", records.TokenLogin)
	errs := make([]error, callers)
	race(callers, func(i int) { _, errs[i] = b.UseLogin(b.ctx(), raced, start) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.code(casefile.CodeNotFound, err)
	}
	require.Equal(t, 1, won)
}

// personOrder holds stores to the order of bytes, whatever the locale of the database says of text.
func personOrder(t *testing.T, b bench) {
	want := []string{"-b", "B", "_a", "a", "a b", "a-b", "ab", "\u00e4", "\U0001F600"}
	for i, n := range []int{8, 3, 6, 0, 2, 7, 5, 1, 4} {
		require.NoError(t, b.PutPerson(b.ctx(), person(casefile.Person(fmt.Sprintf("p-%d", i)), want[n]), start))
	}
	list, err := b.ListPeople(b.ctx())
	require.NoError(t, err)
	var got []string
	for _, p := range list {
		got = append(got, p.Login)
	}
	require.Equal(t, want, got)
}
