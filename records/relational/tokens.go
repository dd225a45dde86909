package relational

import (
	"context"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// hashChars is the length of a SHA-256 in hexadecimal.
const hashChars = 64

// PutToken stores a token's hash. CodeInvalid when it is not the lower-case hexadecimal SHA-256 of
// something: a token itself must never get here. CodeConflict when it is stored already;
// CodeNotFound when the person has no row.
func (s *Store) PutToken(ctx context.Context, tok records.TokenRow) error {
	if len(tok.Hash) != hashChars || strings.Trim(tok.Hash, "0123456789abcdef") != "" {
		return casefile.Invalid("hash", "must be a SHA-256 in lower-case hexadecimal")
	}
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `INSERT INTO tokens (hash, kind, person, created_at, expires_at, used_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			tok.Hash, tok.Kind, tok.Person, micros(tok.CreatedAt), micros(tok.ExpiresAt), microsOrNull(tok.UsedAt), bit(tok.Revoked))
		switch {
		case t.fault(err) == FaultTaken:
			return casefile.Errorf(casefile.CodeConflict, "the token is stored already")
		case t.fault(err) == FaultOrphan:
			return casefile.Errorf(casefile.CodeNotFound, "no such person")
		}
		return err
	})
	return s.coded(ctx, "put token", err)
}

type tokenPerson struct {
	token  records.TokenRow
	person records.PersonRow
}

// liveToken is a token that opens something at a time, with its active person.
const liveToken = `SELECT t.hash, t.kind, t.person, t.created_at, t.expires_at, t.used_at, t.revoked,
		p.person, p.login, p.name, p.roles, p.team, p.active
	FROM tokens t JOIN people p ON p.person = t.person
	WHERE t.hash = ? AND t.kind = ? AND t.revoked = 0 AND t.used_at IS NULL AND t.expires_at > ? AND p.active = 1`

func scanTokenPerson(r scanner) (tokenPerson, error) {
	var x tokenPerson
	t, p := &x.token, &x.person
	err := r.Scan(&t.Hash, &t.Kind, &t.Person, toTime{&t.CreatedAt}, toTime{&t.ExpiresAt}, toOptionalTime{&t.UsedAt}, &t.Revoked,
		&p.Person, &p.Login, &p.Name, toJSON{&p.Roles}, &p.Team, &p.Active)
	return x, err
}

// Token returns a live token and its active person; CodeNotFound otherwise.
func (s *Store) Token(ctx context.Context, hash string, kind records.TokenKind, now time.Time) (records.TokenRow, records.PersonRow, error) {
	x, err := one(ctx, s.engine, scanTokenPerson, liveToken, hash, kind, micros(now))
	return x.token, x.person, s.coded(ctx, "read token", missing(err, "token"))
}

// UseLogin uses a one-time login token up; CodeNotFound if it is not live.
func (s *Store) UseLogin(ctx context.Context, hash string, now time.Time) (records.PersonRow, error) {
	p, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (records.PersonRow, error) {
		x, err := one(ctx, t, scanTokenPerson, liveToken, hash, records.TokenLogin, micros(now))
		if err != nil {
			return records.PersonRow{}, missing(err, "login link")
		}
		n, err := t.changed(ctx, "UPDATE tokens SET used_at = ? WHERE hash = ? AND used_at IS NULL", micros(now), hash)
		if err != nil {
			return records.PersonRow{}, err
		}
		if n == 0 {
			return records.PersonRow{}, casefile.Errorf(casefile.CodeNotFound, "no such login link")
		}
		return x.person, nil
	})
	return p, s.coded(ctx, "use login", err)
}

// RevokeToken ends a token; no error if there is none.
func (s *Store) RevokeToken(ctx context.Context, hash string) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "UPDATE tokens SET revoked = 1 WHERE hash = ?", hash)
		return err
	})
	return s.coded(ctx, "revoke token", err)
}
