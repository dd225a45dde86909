package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// PersonRow is a staff member. Name stands in no other table.
type PersonRow struct {
	Person casefile.Person
	Login  string // short lower-case name used with --as and on login links, unique
	Name   string
	Roles  []casefile.Role
	Team   string
	Active bool
}

// TokenKind says what a token opens.
type TokenKind string

// The kinds of token.
const (
	TokenAPI     TokenKind = "api"     // bearer token of the HTTP API
	TokenSession TokenKind = "session" // console cookie
	TokenLogin   TokenKind = "login"   // one-time login link
)

// TokenRow is a token, kept only as its hash (SHA-256 of 256 random bits).
type TokenRow struct {
	Hash      string
	Kind      TokenKind
	Person    casefile.Person
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time // TokenLogin: when it was used up
	Revoked   bool
}

// People keeps staff and their tokens.
type People interface {
	// PutPerson writes or changes a person, and a ledger outbox row with roles and pseudonym.
	PutPerson(ctx context.Context, p PersonRow, now time.Time) error
	Person(ctx context.Context, id casefile.Person) (PersonRow, error)
	PersonByLogin(ctx context.Context, login string) (PersonRow, error)
	ListPeople(ctx context.Context) ([]PersonRow, error)
	// PutToken stores a token's hash.
	PutToken(ctx context.Context, t TokenRow) error
	// Token returns a live token (not expired, revoked or used up) and its active person;
	// CodeNotFound otherwise.
	Token(ctx context.Context, hash string, kind TokenKind, now time.Time) (TokenRow, PersonRow, error)
	// UseLogin uses a one-time login token up; CodeNotFound if it is not live. Of two racing
	// callers one succeeds.
	UseLogin(ctx context.Context, hash string, now time.Time) (PersonRow, error)
	// RevokeToken ends a token; no error if there is none.
	RevokeToken(ctx context.Context, hash string) error
}

// View is one look at a case.
type View struct {
	Seq    int64
	Person casefile.Person
	Case   casefile.CaseRef
	// Purpose is a code: review, audit, appeal, policy, support.
	Purpose string
	At      time.Time
	// Key makes PutView repeatable: two views with the same key are one. Where it is "", each call is
	// a view of its own. Listings leave it out.
	Key string
}

// Refusal is one refused request: by the API before it answered 4xx, or by a workflow's validator.
type Refusal struct {
	Seq    int64
	Person casefile.Person // "" when nobody could be authenticated
	Case   casefile.CaseRef
	Verb   string // route or verb, from a fixed list
	Code   casefile.Code
	At     time.Time
	Key    string // as of a view
}

// Watch keeps the append-only tables of views and refusals.
type Watch interface {
	PutView(ctx context.Context, v View) error
	PutRefusal(ctx context.Context, r Refusal) error
	// Views lists a case's views in order ("" for all), after a sequence number.
	Views(ctx context.Context, ref casefile.CaseRef, after int64, limit int) ([]View, error)
	Refusals(ctx context.Context, after int64, limit int) ([]Refusal, error)
	// WatchDigest gives the running hash over all views and refusals so far and their counts: the
	// hash of (previous hash, canonical row) in order of sequence.
	WatchDigest(ctx context.Context) (hash string, views, refusals int64, err error)
}
