package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Prefixes of tokens: they let secret scanners find a leaked one and keep one kind from being taken
// for another.
const (
	PrefixAPI     = "dk_api_"
	PrefixSession = "dk_ses_"
	PrefixLogin   = "dk_login_"
)

var prefixes = map[records.TokenKind]string{
	records.TokenAPI: PrefixAPI, records.TokenSession: PrefixSession, records.TokenLogin: PrefixLogin,
}

const tokenBytes = 32

func newToken(kind records.TokenKind) string {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read does not fail since Go 1.24: it aborts the program
	return prefixes[kind] + base64.RawURLEncoding.EncodeToString(b[:])
}

// tokenHash gives what is stored of a token, and whether it has the shape of its kind. Looking a
// hash of 256 random bits up leaks nothing by its timing.
func tokenHash(kind records.TokenKind, token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, prefixes[kind])
	if !ok {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(raw) != tokenBytes || strings.ContainsAny(rest, "\r\n") {
		return "", false
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:]), true
}

// CSRF derives the token that the pages of a session carry in their forms. It reveals nothing of
// the session token and is gone with it.
func CSRF(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("docket csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CheckCSRF compares what a form carried with the session's own; CodeForbidden if it differs.
func CheckCSRF(session, carried string) error {
	_, ok := tokenHash(records.TokenSession, session)
	if !ok || subtle.ConstantTimeCompare([]byte(CSRF(session)), []byte(carried)) != 1 {
		return casefile.Errorf(casefile.CodeForbidden, "the form is not of this session: load the page again")
	}
	return nil
}
