package access

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func TestAPIToken(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	token, err := a.NewAPIToken(t.Context(), a.by["detector"])
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(token, PrefixAPI))
	require.Len(t, token, len(PrefixAPI)+43)
	who, err := a.Authenticate(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, Who{Person: a.by["detector"], Login: "detector", Name: "Detector", Roles: []casefile.Role{casefile.RoleService}, Team: "operations"}, who)
	for _, row := range a.people.stored() {
		require.NotContains(t, row.Hash, token)
		require.Len(t, row.Hash, 64)
	}
	another, err := a.NewAPIToken(t.Context(), a.by["detector"])
	require.NoError(t, err)
	require.NotEqual(t, token, another)

	require.NoError(t, a.RevokeAPIToken(t.Context(), another))
	_, err = a.Authenticate(t.Context(), another)
	require.ErrorIs(t, err, ErrUnauthenticated)
	a.clock.Advance(90 * 24 * time.Hour)
	_, err = a.Authenticate(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)

	_, err = a.NewAPIToken(t.Context(), "p-nobody")
	requireCode(t, casefile.CodeNotFound, err)
	a.people.deactivate(a.by["rev1"])
	_, err = a.NewAPIToken(t.Context(), a.by["rev1"])
	requireCode(t, casefile.CodeForbidden, err)
}

func TestAuthenticateRefuses(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	token, err := a.NewAPIToken(t.Context(), a.by["rev1"])
	require.NoError(t, err)
	session := a.login(t, "rev1").Session
	code, err := a.NewLoginLink(t.Context(), "rev1")
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"nothing": "", "prefix alone": PrefixAPI, "a session": session, "a login code": code,
		"a session under the prefix of a token": PrefixAPI + strings.TrimPrefix(session, PrefixSession),
		"cut":                                   token[:len(token)-1], "longer": token + "A", "line end": token + "\n", "no prefix": strings.TrimPrefix(token, PrefixAPI),
		"another": PrefixAPI + strings.Repeat("A", 43),
	} {
		_, err = a.Authenticate(t.Context(), bad)
		require.ErrorIs(t, err, ErrUnauthenticated, name)
	}
	_, err = a.Session(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)
	_, err = a.UseLogin(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)
	_, err = a.UseLogin(t.Context(), session)
	require.ErrorIs(t, err, ErrUnauthenticated)
	requireCode(t, casefile.CodeForbidden, ErrUnauthenticated)

	a.people.deactivate(a.by["rev1"])
	_, err = a.Authenticate(t.Context(), token)
	require.ErrorIs(t, err, ErrUnauthenticated)
	_, err = a.Session(t.Context(), session)
	require.ErrorIs(t, err, ErrUnauthenticated)
}

func TestRecordsDownIsNotARefusal(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	token, err := a.NewAPIToken(t.Context(), a.by["rev1"])
	require.NoError(t, err)
	session := a.login(t, "rev1").Session
	a.people.mu.Lock()
	a.people.down = true
	a.people.mu.Unlock()
	_, err = a.Authenticate(t.Context(), token)
	requireCode(t, casefile.CodeUnavailable, err)
	_, err = a.Session(t.Context(), session)
	requireCode(t, casefile.CodeUnavailable, err)
	_, err = a.NewAPIToken(t.Context(), a.by["rev1"])
	requireCode(t, casefile.CodeUnavailable, err)
}

func TestLoginLinkWorksOnce(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	code, err := a.NewLoginLink(t.Context(), "senior")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(code, PrefixLogin))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			l, err := a.UseLogin(t.Context(), code)
			if err == nil && l.Who.Login == "senior" {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int32(1), won.Load())
	_, err = a.UseLogin(t.Context(), code)
	require.ErrorIs(t, err, ErrUnauthenticated)

	late, err := a.NewLoginLink(t.Context(), "senior")
	require.NoError(t, err)
	a.clock.Advance(15 * time.Minute)
	_, err = a.UseLogin(t.Context(), late)
	require.ErrorIs(t, err, ErrUnauthenticated)

	_, err = a.NewLoginLink(t.Context(), "nobody")
	requireCode(t, casefile.CodeNotFound, err)
	_, err = a.NewLoginLink(t.Context(), "detector")
	requireCode(t, casefile.CodeForbidden, err)
	_, err = a.NewLoginLink(t.Context(), "admin")
	require.NoError(t, err)
	a.people.deactivate(a.by["rev2"])
	_, err = a.NewLoginLink(t.Context(), "rev2")
	requireCode(t, casefile.CodeForbidden, err)
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	t.Run("when unused", func(t *testing.T) {
		t.Parallel()
		a := newTestAccess(t)
		l := a.login(t, "lead")
		require.Equal(t, a.clock.Now().Add(12*time.Hour), l.Expires)
		for range 5 {
			a.clock.Advance(59 * time.Minute)
			who, err := a.Session(t.Context(), l.Session)
			require.NoError(t, err)
			require.Equal(t, a.by["lead"], who.Person)
		}
		a.clock.Advance(time.Hour)
		_, err := a.Session(t.Context(), l.Session)
		require.ErrorIs(t, err, ErrUnauthenticated)
		_, err = New(a.people, Options{Clock: a.clock.Now}).Session(t.Context(), l.Session)
		require.ErrorIs(t, err, ErrUnauthenticated, "it stays ended after a restart")
	})
	t.Run("at the latest after twelve hours", func(t *testing.T) {
		t.Parallel()
		a := newTestAccess(t)
		l := a.login(t, "lead")
		for range 23 {
			a.clock.Advance(30 * time.Minute)
			_, err := a.Session(t.Context(), l.Session)
			require.NoError(t, err)
		}
		a.clock.Advance(30 * time.Minute)
		_, err := a.Session(t.Context(), l.Session)
		require.ErrorIs(t, err, ErrUnauthenticated)
	})
	t.Run("at logout", func(t *testing.T) {
		t.Parallel()
		a := newTestAccess(t)
		l, other := a.login(t, "lead"), a.login(t, "lead")
		require.NoError(t, a.Logout(t.Context(), l.Session))
		_, err := a.Session(t.Context(), l.Session)
		require.ErrorIs(t, err, ErrUnauthenticated)
		_, err = a.Session(t.Context(), other.Session)
		require.NoError(t, err)
		require.NoError(t, a.Logout(t.Context(), l.Session))
		require.NoError(t, a.Logout(t.Context(), "nonsense"))
	})
	t.Run("not at a restart", func(t *testing.T) {
		t.Parallel()
		a := newTestAccess(t)
		l := a.login(t, "lead")
		a.clock.Advance(2 * time.Hour)
		_, err := New(a.people, Options{Clock: a.clock.Now}).Session(t.Context(), l.Session)
		require.NoError(t, err)
	})
	t.Run("forgotten sessions are ended at the next login", func(t *testing.T) {
		t.Parallel()
		a := newTestAccess(t)
		for range 50 {
			a.login(t, "rev1")
		}
		a.clock.Advance(time.Hour)
		a.login(t, "rev2")
		require.Len(t, a.used, 1)
		revoked := 0
		for _, row := range a.people.stored() {
			if row.Kind == records.TokenSession && row.Revoked {
				revoked++
			}
		}
		require.Equal(t, 50, revoked)
	})
}

func TestCSRF(t *testing.T) {
	t.Parallel()
	a := newTestAccess(t)
	l, other := a.login(t, "rev1"), a.login(t, "rev1")
	require.NoError(t, CheckCSRF(l.Session, l.CSRF))
	require.NotContains(t, l.CSRF, strings.TrimPrefix(l.Session, PrefixSession))
	for _, bad := range []string{"", other.CSRF, l.Session, l.CSRF[1:], l.CSRF + "A"} {
		requireCode(t, casefile.CodeForbidden, CheckCSRF(l.Session, bad))
	}
	requireCode(t, casefile.CodeForbidden, CheckCSRF("", CSRF("")))
}

func TestEnsurePeople(t *testing.T) {
	t.Parallel()
	people := newMemoryPeople()
	const racers = 8
	var wg sync.WaitGroup
	got := make([][]records.PersonRow, racers)
	errs := make([]error, racers)
	for i := range racers {
		wg.Go(func() { got[i], errs[i] = New(people, Options{}).EnsurePeople(t.Context(), DemoPeople()) })
	}
	wg.Wait()
	for i := range racers {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i])
	}
	require.Equal(t, len(DemoPeople()), people.puts)
	seen := map[casefile.Person]bool{}
	roles := map[casefile.Role]bool{}
	for i, row := range got[0] {
		require.Regexp(t, `^p-[0-9a-z]{8}$`, string(row.Person))
		require.True(t, row.Active)
		require.Equal(t, DemoPeople()[i].Login, row.Login)
		seen[row.Person] = true
		for _, r := range row.Roles {
			roles[r] = true
		}
	}
	require.Len(t, seen, len(DemoPeople()))
	require.Len(t, roles, len(casefile.Roles), "the demo has somebody for each role")

	changed := got[0][0]
	changed.Name, changed.Active = "Renamed", false
	require.NoError(t, people.PutPerson(t.Context(), changed, time.Now()))
	again, err := New(people, Options{}).EnsurePeople(t.Context(), DemoPeople())
	require.NoError(t, err)
	require.Equal(t, changed, again[0], "a changed row stays as it is")
}

func TestNewPersonCheck(t *testing.T) {
	t.Parallel()
	good := NewPerson{Login: "someone", Name: "Someone", Roles: []casefile.Role{casefile.RoleReviewer}}
	require.NoError(t, good.Check())
	for name, change := range map[string]func(*NewPerson){
		"login": func(p *NewPerson) { p.Login = "Some One" }, "login 1": func(p *NewPerson) { p.Login = "1abc" },
		"login 2": func(p *NewPerson) { p.Login = "a" }, "login 3": func(p *NewPerson) { p.Login = "" },
		"name": func(p *NewPerson) { p.Name = " " }, "roles": func(p *NewPerson) { p.Roles = nil },
	} {
		p := good
		change(&p)
		err := p.Check()
		requireCode(t, casefile.CodeInvalid, err)
		var e *casefile.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, strings.Fields(name)[0], e.Field)
		_, err = New(newMemoryPeople(), Options{}).EnsurePeople(t.Context(), []NewPerson{good, p})
		requireCode(t, casefile.CodeInvalid, err)
	}
}

func FuzzTokenHash(f *testing.F) {
	f.Add(newToken(records.TokenAPI))
	f.Add(newToken(records.TokenSession))
	f.Add("dk_api_")
	f.Add("dk_api_" + strings.Repeat("=", 44))
	f.Fuzz(func(t *testing.T, token string) {
		for kind, prefix := range prefixes {
			hash, ok := tokenHash(kind, token)
			require.Equal(t, ok, len(token) == len(prefix)+43 && strings.HasPrefix(token, prefix) && len(hash) == 64)
		}
	})
}
