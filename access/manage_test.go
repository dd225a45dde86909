package access

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

var newcomer = NewPerson{Login: "newcomer", Name: "New Comer", Roles: []casefile.Role{reviewer}, Team: "review"}

func TestAddPerson(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	admin := a.who(t, "admin")
	row, code, err := a.AddPerson(t.Context(), admin, newcomer)
	require.NoError(t, err)
	require.Equal(t, records.PersonRow{Person: row.Person, Login: "newcomer", Name: "New Comer", Roles: newcomer.Roles, Team: "review", Active: true}, row)
	l, err := a.UseLogin(t.Context(), code)
	require.NoError(t, err)
	require.Equal(t, row.Person, l.Who.Person)
	_, err = a.UseLogin(t.Context(), code)
	require.ErrorIs(t, err, ErrUnauthenticated)

	before := a.people.puts
	_, _, err = a.AddPerson(t.Context(), admin, newcomer)
	requireCode(t, casefile.CodeConflict, err)
	require.NotContains(t, err.Error(), "Comer")
	_, _, err = a.AddPerson(t.Context(), admin, NewPerson{Login: "x", Name: "X", Roles: newcomer.Roles})
	requireCode(t, casefile.CodeInvalid, err)
	require.Equal(t, before, a.people.puts)

	_, code, err = a.AddPerson(t.Context(), admin, NewPerson{Login: "form", Name: "Appeal Form", Roles: []casefile.Role{service}})
	require.NoError(t, err)
	require.Empty(t, code, "a service has no console")
}

func TestOnlyAdminsManagePeople(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	before := a.people.puts
	for _, p := range DemoPeople() {
		who := a.who(t, p.Login)
		if who.May(PeopleManage) {
			continue
		}
		_, _, err := a.AddPerson(t.Context(), who, newcomer)
		requireCode(t, casefile.CodeForbidden, err)
		requireCode(t, casefile.CodeForbidden, a.DisablePerson(t.Context(), who, a.by["rev1"]))
		requireCode(t, casefile.CodeForbidden, a.EnablePerson(t.Context(), who, a.by["rev1"]))
		_, err = a.ResetPerson(t.Context(), who, a.by["rev1"])
		requireCode(t, casefile.CodeForbidden, err)
	}
	require.Equal(t, before, a.people.puts)
	admin := a.who(t, "admin")
	requireCode(t, casefile.CodeNotFound, a.DisablePerson(t.Context(), admin, "p-nobody00"))
	requireCode(t, casefile.CodeNotFound, a.EnablePerson(t.Context(), admin, "p-nobody00"))
	_, err := a.ResetPerson(t.Context(), admin, "p-nobody00")
	requireCode(t, casefile.CodeNotFound, err)
	bare := New(a.people, Options{})
	requireCode(t, casefile.CodeUnavailable, bare.DisablePerson(t.Context(), admin, a.by["rev1"]))
}

func TestDisablePerson(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	admin := a.who(t, "admin")
	elsewhere := New(a.people, Options{Clock: a.clock.Now, Guarded: a.people}) // another process
	l := a.login(t, "rev1")
	_, err := elsewhere.Session(t.Context(), l.Session)
	require.NoError(t, err, "the other process knows the session")
	token, err := a.NewAPIToken(t.Context(), a.by["rev1"])
	require.NoError(t, err)
	code, err := a.NewLoginLink(t.Context(), "rev1")
	require.NoError(t, err)
	other := a.login(t, "rev2")

	require.NoError(t, a.DisablePerson(t.Context(), admin, a.by["rev1"]))
	nobody := func() {
		t.Helper()
		for _, process := range []*Access{a.Access, elsewhere} {
			_, err = process.Session(t.Context(), l.Session)
			require.ErrorIs(t, err, ErrUnauthenticated)
			_, err = process.Authenticate(t.Context(), token)
			require.ErrorIs(t, err, ErrUnauthenticated)
			_, err = process.UseLogin(t.Context(), code)
			require.ErrorIs(t, err, ErrUnauthenticated)
		}
	}
	nobody()
	_, err = a.NewLoginLink(t.Context(), "rev1")
	requireCode(t, casefile.CodeForbidden, err)
	_, err = a.ResetPerson(t.Context(), admin, a.by["rev1"])
	requireCode(t, casefile.CodeState, err)
	require.NoError(t, a.DisablePerson(t.Context(), admin, a.by["rev1"]), "again changes nothing")
	_, err = a.Session(t.Context(), other.Session)
	require.NoError(t, err, "nobody else is touched")

	// A login under way in the moment of disabling leaves a session behind that must stay dead.
	late, err := a.newToken(t.Context(), records.TokenSession, a.by["rev1"], time.Hour)
	require.NoError(t, err)
	_, err = a.Session(t.Context(), late)
	require.ErrorIs(t, err, ErrUnauthenticated)
	require.NoError(t, a.EnablePerson(t.Context(), admin, a.by["rev1"]))
	_, err = a.Session(t.Context(), late)
	require.ErrorIs(t, err, ErrUnauthenticated)
	nobody()
	fresh := a.login(t, "rev1")
	require.NoError(t, a.EnablePerson(t.Context(), admin, a.by["rev1"]), "again changes nothing")
	_, err = a.Session(t.Context(), fresh.Session)
	require.NoError(t, err)
}

func TestAdminsStay(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	admin := a.who(t, "admin")
	requireCode(t, casefile.CodeState, a.DisablePerson(t.Context(), admin, admin.Person))
	row, _, err := a.AddPerson(t.Context(), admin, NewPerson{Login: "admin2", Name: "Second", Roles: []casefile.Role{casefile.RoleAdmin, lead}})
	require.NoError(t, err)
	second := whoOf(row)
	requireCode(t, casefile.CodeState, a.DisablePerson(t.Context(), second, second.Person))
	require.NoError(t, a.DisablePerson(t.Context(), admin, second.Person))
	// A request of the second that was let in just before.
	requireCode(t, casefile.CodeState, a.DisablePerson(t.Context(), second, admin.Person))
	require.Equal(t, 1, activeAdmins(t, a))
	// An admin by roles that must not stand together is none.
	mixed := records.PersonRow{Person: "p-mixedup0", Login: "mixed", Name: "Mixed", Roles: []casefile.Role{casefile.RoleAdmin, auditor}, Active: true}
	require.NoError(t, a.people.PutPerson(t.Context(), mixed, a.clock.Now()))
	requireCode(t, casefile.CodeState, a.DisablePerson(t.Context(), second, admin.Person))
	a.people.mu.Lock()
	a.people.down = true
	a.people.mu.Unlock()
	requireCode(t, casefile.CodeUnavailable, a.DisablePerson(t.Context(), admin, a.by["rev1"]))
}

func activeAdmins(t *testing.T, a testAccess) int {
	t.Helper()
	all, err := a.people.ListPeople(t.Context())
	require.NoError(t, err)
	n := 0
	for _, p := range all {
		if p.Active && managesPeople(p) {
			n++
		}
	}
	return n
}

// Admins who disable each other at once, in one process or in two: one of them stays.
func TestAdminsDisableEachOther(t *testing.T) {
	t.Parallel()
	for range 50 {
		a := newTestAccess(t)
		admin := a.who(t, "admin")
		row, _, err := a.AddPerson(t.Context(), admin, NewPerson{Login: "admin2", Name: "Second", Roles: []casefile.Role{casefile.RoleAdmin}})
		require.NoError(t, err)
		elsewhere := New(a.people, Options{Clock: a.clock.Now, Guarded: a.people})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _ = a.DisablePerson(t.Context(), admin, row.Person) })
			wg.Go(func() { _ = elsewhere.DisablePerson(t.Context(), whoOf(row), admin.Person) })
		}
		wg.Wait()
		require.Positive(t, activeAdmins(t, a))
	}

	// The worst order: the other process disables between our look and our deed.
	a := newTestAccess(t)
	admin := a.who(t, "admin")
	row, _, err := a.AddPerson(t.Context(), admin, NewPerson{Login: "admin2", Name: "Second", Roles: []casefile.Role{casefile.RoleAdmin}})
	require.NoError(t, err)
	a.people.mu.Lock()
	a.people.disabled = func(casefile.Person) {
		a.people.deactivate(admin.Person)
	}
	a.people.mu.Unlock()
	requireCode(t, casefile.CodeState, a.DisablePerson(t.Context(), admin, row.Person))
	require.Equal(t, 1, activeAdmins(t, a))
}

func TestResetPerson(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	l := a.login(t, "senior")
	token, err := a.NewAPIToken(t.Context(), a.by["senior"])
	require.NoError(t, err)
	old, err := a.NewLoginLink(t.Context(), "senior")
	require.NoError(t, err)
	code, err := a.ResetPerson(t.Context(), a.who(t, "admin"), a.by["senior"])
	require.NoError(t, err)
	_, err = a.Session(t.Context(), l.Session)
	require.ErrorIs(t, err, ErrUnauthenticated)
	_, err = a.Authenticate(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)
	_, err = a.UseLogin(t.Context(), old)
	require.ErrorIs(t, err, ErrUnauthenticated)
	again, err := a.UseLogin(t.Context(), code)
	require.NoError(t, err)
	require.Equal(t, a.by["senior"], again.Who.Person)

	token, err = a.NewAPIToken(t.Context(), a.by["detector"])
	require.NoError(t, err)
	code, err = a.ResetPerson(t.Context(), a.who(t, "admin"), a.by["detector"])
	require.NoError(t, err)
	require.Empty(t, code)
	_, err = a.Authenticate(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)
}

func TestListPeople(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	for _, login := range []string{"rev1", "senior", "policy", "detector"} {
		_, err := a.ListPeople(t.Context(), a.who(t, login))
		requireCode(t, casefile.CodeForbidden, err)
	}
	for _, login := range []string{"admin", "auditor", "lead"} {
		all, err := a.ListPeople(t.Context(), a.who(t, login))
		require.NoError(t, err)
		require.Len(t, all, len(DemoPeople()))
		for _, p := range all {
			if login == "lead" && p.Team != "review" {
				require.Equal(t, string(p.Person), p.Name)
				require.Empty(t, p.Login)
				continue
			}
			require.NotEmpty(t, p.Login)
			require.NotEqual(t, string(p.Person), p.Name)
		}
	}
}

// The demo can try everything: a decision of two, an adjudicator and a lead who took no part, an appeal,
// a restricted case, an exception and somebody to review it.
func TestDemoPeople(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	count := func(ok func(Who) bool) (n int) {
		for _, p := range DemoPeople() {
			if ok(a.who(t, p.Login)) {
				n++
			}
		}
		return n
	}
	require.GreaterOrEqual(t, count(func(w Who) bool { return w.May(CaseAdjudicate) }), 2)
	require.GreaterOrEqual(t, count(func(w Who) bool { return w.May(CaseEmergency) }), 4)
	require.GreaterOrEqual(t, count(func(w Who) bool { return w.May(AppealRule) }), 4)
	for _, kind := range casefile.ReferralKinds {
		if kind.Restricts() {
			require.Positive(t, count(func(w Who) bool { return w.Team == kind.Team() && MaySeeRestricted(w, kind, false) }), kind)
		}
	}
	for _, p := range Permissions() {
		require.Positive(t, count(func(w Who) bool { return w.May(p) }), p)
	}
}
