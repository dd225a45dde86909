// Package access says who is asking and what they may do: people and their roles, tokens and
// sessions, the one table of permissions, and the purposes for which a case may be opened.
//
// Tokens are 256 random bits behind a prefix; only their SHA-256 is stored. A person's name and
// login leave this package in Who alone and belong on pages, never in logs or the ledger: there the
// pseudonym stands.
package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// ErrUnauthenticated says that nobody could be recognised: no token, one of the wrong shape or kind,
// one that is unknown, expired, used up or revoked, or of a person who is no longer active. Which of
// these is not told. Its code is CodeForbidden; HTTP answers 401 for it and 403 for the rest.
var ErrUnauthenticated error = casefile.Errorf(casefile.CodeForbidden, "log in first, or send a valid token")

// People is what access needs of the records; records.People has it.
type People interface {
	PutPerson(ctx context.Context, p records.PersonRow, now time.Time) error
	Person(ctx context.Context, id casefile.Person) (records.PersonRow, error)
	PersonByLogin(ctx context.Context, login string) (records.PersonRow, error)
	ListPeople(ctx context.Context) ([]records.PersonRow, error)
	PutToken(ctx context.Context, t records.TokenRow) error
	Token(ctx context.Context, hash string, kind records.TokenKind, now time.Time) (records.TokenRow, records.PersonRow, error)
	UseLogin(ctx context.Context, hash string, now time.Time) (records.PersonRow, error)
	RevokeToken(ctx context.Context, hash string) error
}

// Options are the times of tokens; zero values stand for the defaults.
type Options struct {
	SessionIdle     time.Duration // a session ends when unused for this long; 1 hour
	SessionAbsolute time.Duration // and at the latest this long after the login; 12 hours
	LoginFor        time.Duration // a login link can be used for this long; 15 minutes
	APIFor          time.Duration // an API token lives this long; 90 days
	// Clock is nil for time.Now.
	Clock func() time.Time
	// Guarded disables and resets people; without it that is CodeUnavailable.
	Guarded Guarded
}

// Access authenticates people and services. Safe for concurrent use.
//
// When a session was last used is known in this process only: after a restart, an open session
// counts as used at that moment, and several processes each keep their own count. That lets nobody in:
// every call looks the token and its person up in the records.
type Access struct {
	people People
	opts   Options

	managing sync.Mutex // two disablings here, each of whom the other one needs

	mu   sync.Mutex
	used map[string]sessionUse // by token hash
}

type sessionUse struct {
	last    time.Time
	expires time.Time // of the row
}

// New makes an Access over the records.
func New(people People, o Options) *Access {
	for _, d := range []struct {
		is  *time.Duration
		std time.Duration
	}{
		{&o.SessionIdle, time.Hour}, {&o.SessionAbsolute, 12 * time.Hour}, {&o.LoginFor, 15 * time.Minute}, {&o.APIFor, 90 * 24 * time.Hour},
	} {
		if *d.is <= 0 {
			*d.is = d.std
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Access{people: people, opts: o, used: map[string]sessionUse{}}
}

// Who is somebody who was recognised.
type Who struct {
	Person casefile.Person
	Login  string
	Name   string
	Roles  []casefile.Role
	Team   string
}

func whoOf(p records.PersonRow) Who {
	return Who{Person: p.Person, Login: p.Login, Name: p.Name, Roles: p.Roles, Team: p.Team}
}

// May reports whether the person holds the permission.
func (w Who) May(p Permission) bool { return Allowed(w.Roles, p) }

// Require returns nil if the person holds the permission and CodeForbidden otherwise.
func (w Who) Require(p Permission) error {
	if w.May(p) {
		return nil
	}
	return casefile.Errorf(casefile.CodeForbidden, "your roles do not allow %s", p)
}

// RoleFor gives the role under which the person does what p allows, the most senior that allows it.
func (w Who) RoleFor(p Permission) (casefile.Role, bool) { return roleFor(w.Roles, p) }

// Actor is how the person goes on record in a role.
func (w Who) Actor(role casefile.Role) casefile.Actor {
	return casefile.Actor{Person: w.Person, Role: role}
}

// ActorFor is the person acting under p; CodeForbidden if they do not hold it.
func (w Who) ActorFor(p Permission) (casefile.Actor, error) {
	role, ok := w.RoleFor(p)
	if !ok {
		return casefile.Actor{}, w.Require(p)
	}
	return w.Actor(role), nil
}

// Authenticate recognises the bearer of an API token. ErrUnauthenticated, or CodeUnavailable.
func (a *Access) Authenticate(ctx context.Context, bearer string) (Who, error) {
	hash, ok := tokenHash(records.TokenAPI, bearer)
	if !ok {
		return Who{}, ErrUnauthenticated
	}
	_, person, err := a.token(ctx, hash, records.TokenAPI, a.opts.Clock())
	if err != nil {
		return Who{}, err
	}
	return whoOf(person), nil
}

func (a *Access) token(ctx context.Context, hash string, kind records.TokenKind, now time.Time) (records.TokenRow, records.PersonRow, error) {
	token, person, err := a.people.Token(ctx, hash, kind, now)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return records.TokenRow{}, records.PersonRow{}, ErrUnauthenticated
	}
	if err != nil {
		return records.TokenRow{}, records.PersonRow{}, fmt.Errorf("look up token: %w", err)
	}
	return token, person, nil
}

// Session recognises the holder of a console session and counts it as used now. ErrUnauthenticated,
// also when it was idle for too long, or CodeUnavailable.
func (a *Access) Session(ctx context.Context, session string) (Who, error) {
	hash, ok := tokenHash(records.TokenSession, session)
	if !ok {
		return Who{}, ErrUnauthenticated
	}
	now := a.opts.Clock()
	token, person, err := a.token(ctx, hash, records.TokenSession, now)
	if err != nil {
		return Who{}, err
	}
	if !a.use(hash, token.ExpiresAt, now) {
		// Ended for good: another process, or this one after a restart, would not know of the pause.
		err = a.people.RevokeToken(ctx, hash)
		if err != nil {
			return Who{}, fmt.Errorf("end idle session: %w", err)
		}
		a.forget(hash)
		return Who{}, ErrUnauthenticated
	}
	return whoOf(person), nil
}

// use notes a use of a session; false if it was idle for too long.
func (a *Access) use(hash string, expires, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, ok := a.used[hash]
	if ok && now.Sub(u.last) >= a.opts.SessionIdle {
		return false
	}
	if !ok || now.After(u.last) {
		a.used[hash] = sessionUse{last: now, expires: expires}
	}
	return true
}

func (a *Access) forget(hash string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, hash)
}

// NewLoginLink makes a one-time code for a login link. CodeNotFound for an unknown login,
// CodeForbidden for somebody who is not active and for a service, which has no console.
func (a *Access) NewLoginLink(ctx context.Context, login string) (code string, err error) {
	person, err := a.people.PersonByLogin(ctx, login)
	if err != nil {
		return "", fmt.Errorf("look up person for a login link: %w", err)
	}
	if !person.Active {
		return "", casefile.Errorf(casefile.CodeForbidden, "the person is not active")
	}
	if !hasConsole(person.Roles) {
		return "", casefile.Errorf(casefile.CodeForbidden, "a service has no console to log in to")
	}
	return a.newToken(ctx, records.TokenLogin, person.Person, a.opts.LoginFor)
}

func hasConsole(roles []casefile.Role) bool {
	return Allowed(roles, QueueRead) || Allowed(roles, PeopleRead)
}

// Login is a session just begun.
type Login struct {
	Session string // the cookie's value
	CSRF    string // what the session's forms carry
	Expires time.Time
	Who     Who
}

// UseLogin uses a login code up and begins a session. ErrUnauthenticated if the code is not live; of
// two racing callers one succeeds.
func (a *Access) UseLogin(ctx context.Context, code string) (Login, error) {
	hash, ok := tokenHash(records.TokenLogin, code)
	if !ok {
		return Login{}, ErrUnauthenticated
	}
	now := a.opts.Clock()
	person, err := a.people.UseLogin(ctx, hash, now)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return Login{}, ErrUnauthenticated
	}
	if err != nil {
		return Login{}, fmt.Errorf("use login code: %w", err)
	}
	err = a.endIdle(ctx, now)
	if err != nil {
		return Login{}, err
	}
	session, err := a.newToken(ctx, records.TokenSession, person.Person, a.opts.SessionAbsolute)
	if err != nil {
		return Login{}, err
	}
	expires := now.Add(a.opts.SessionAbsolute)
	hash, _ = tokenHash(records.TokenSession, session)
	a.use(hash, expires, now)
	return Login{Session: session, CSRF: CSRF(session), Expires: expires, Who: whoOf(person)}, nil
}

// endIdle ends the sessions that were idle for too long, so that the table of uses stays small.
func (a *Access) endIdle(ctx context.Context, now time.Time) error {
	for _, hash := range a.idle(now) {
		err := a.people.RevokeToken(ctx, hash)
		if err != nil {
			return fmt.Errorf("end idle session: %w", err)
		}
		a.forget(hash)
	}
	return nil
}

func (a *Access) idle(now time.Time) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for hash, u := range a.used {
		if now.Sub(u.last) >= a.opts.SessionIdle || !now.Before(u.expires) {
			out = append(out, hash)
		}
	}
	return out
}

// Logout ends a session; no error if there is none.
func (a *Access) Logout(ctx context.Context, session string) error {
	hash, ok := tokenHash(records.TokenSession, session)
	if !ok {
		return nil
	}
	err := a.people.RevokeToken(ctx, hash)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	a.forget(hash)
	return nil
}

// NewAPIToken gives a person or service a bearer token, shown this once. CodeNotFound for an unknown
// person, CodeForbidden for one who is not active.
func (a *Access) NewAPIToken(ctx context.Context, person casefile.Person) (token string, err error) {
	row, err := a.people.Person(ctx, person)
	if err != nil {
		return "", fmt.Errorf("look up person for a token: %w", err)
	}
	if !row.Active {
		return "", casefile.Errorf(casefile.CodeForbidden, "the person is not active")
	}
	return a.newToken(ctx, records.TokenAPI, person, a.opts.APIFor)
}

// RevokeAPIToken ends an API token; no error if there is none.
func (a *Access) RevokeAPIToken(ctx context.Context, token string) error {
	hash, ok := tokenHash(records.TokenAPI, token)
	if !ok {
		return nil
	}
	err := a.people.RevokeToken(ctx, hash)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

func (a *Access) newToken(ctx context.Context, kind records.TokenKind, person casefile.Person, lives time.Duration) (string, error) {
	token := newToken(kind)
	hash, ok := tokenHash(kind, token)
	if !ok {
		return "", errors.New("make token: not of its own shape")
	}
	now := a.opts.Clock().UTC()
	err := a.people.PutToken(ctx, records.TokenRow{Hash: hash, Kind: kind, Person: person, CreatedAt: now, ExpiresAt: now.Add(lives)})
	if err != nil {
		return "", fmt.Errorf("store token: %w", err)
	}
	return token, nil
}
