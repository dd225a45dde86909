package access

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

type testArgs struct {
	Claim     int                 `json:"claim"`
	Assertion *casefile.Assertion `json:"assertion,omitempty"`
}

const testChain = "case.7K2QX-9MDT4"

func testKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))
}

func testKeys() casefile.AssertionKeys {
	return casefile.AssertionKeys{"a-1": testKey().Public().(ed25519.PublicKey)}
}

func newTestSigner(t testing.TB, clock *testClock) *Signer {
	t.Helper()
	s, err := NewSigner("a-1", testKey(), 0, clock.Now)
	require.NoError(t, err)
	return s
}

func newTestClock() *testClock {
	return &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)}
}

func TestSigner(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := newTestSigner(t, clock)
	who := Who{Person: "p-abcdefgh", Login: "rev", Name: "Reviewer", Roles: []casefile.Role{reviewer, senior}, Team: "review"}
	args := testArgs{Claim: 3}
	a, err := s.Sign(who, reviewer, "opinion", testChain, "verb-1", args)
	require.NoError(t, err)
	require.Equal(t, casefile.Assertion{
		Key: "a-1", Person: "p-abcdefgh", Role: reviewer, Team: "review", Verb: "opinion", On: testChain, ID: "verb-1",
		Digest: a.Digest, Expires: time.Date(2026, 1, 2, 3, 5, 6, 0, time.UTC), Signature: a.Signature,
	}, a, "no name, no login; the end is rounded up")
	require.NoError(t, testKeys().Verify(a, clock.Now()))
	args.Assertion = &a
	use := casefile.Use{Verb: "opinion", On: testChain, ID: "verb-1", By: casefile.Actor{Person: "p-abcdefgh", Role: reviewer}, Args: args}
	require.NoError(t, testKeys().Check(&a, use, clock.Now()))
	use.Args = testArgs{Claim: 4}
	requireCode(t, casefile.CodeForbidden, testKeys().Check(&a, use, clock.Now()))
	clock.Advance(time.Minute)
	require.NoError(t, testKeys().Verify(a, clock.Now()), "it lives the whole minute")
	clock.Advance(time.Second)
	requireCode(t, casefile.CodeForbidden, testKeys().Verify(a, clock.Now()))

	for name, try := range map[string]struct {
		who          Who
		role         casefile.Role
		verb, on, id string
		args         any
		want         casefile.Code
	}{
		"a role not held":                    {who, lead, "v", "c", "1", args, casefile.CodeForbidden},
		"nobody":                             {Who{Roles: who.Roles}, reviewer, "v", "c", "1", args, casefile.CodeForbidden},
		"roles that must not stand together": {Who{Person: "p-abcdefgh", Roles: []casefile.Role{auditor, reviewer}}, reviewer, "v", "c", "1", args, casefile.CodeForbidden},
		"no verb":                            {who, senior, "", "c", "1", args, casefile.CodeInvalid},
		"no chain":                           {who, senior, "v", "", "1", args, casefile.CodeInvalid},
		"no id":                              {who, senior, "v", "c", "", args, casefile.CodeInvalid},
		"arguments in a list":                {who, senior, "v", "c", "1", []int{1}, casefile.CodeInvalid},
	} {
		a, err := s.Sign(try.who, try.role, try.verb, try.on, try.id, try.args)
		requireCode(t, try.want, err)
		require.Empty(t, a, name)
	}
	for _, role := range casefile.Roles {
		a, err = s.Sign(Who{Person: "p-abcdefgh", Roles: []casefile.Role{role}}, role, "v", "c", "1", nil)
		require.NoError(t, err)
		require.Equal(t, role, a.Role)
	}
}

func TestNewSigner(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		id  string
		key ed25519.PrivateKey
		ttl time.Duration
	}{"no id": {"", testKey(), 0}, "no key": {"a-1", nil, 0}, "half a key": {"a-1", testKey()[:32], 0}, "an end before the start": {"a-1", testKey(), -1}} {
		_, err := NewSigner(bad.id, bad.key, bad.ttl, nil)
		require.Error(t, err, name)
		requireCode(t, casefile.CodeInvalid, err)
	}
	key := testKey()
	s, err := NewSigner("a-1", key, 100*time.Millisecond, nil)
	require.NoError(t, err)
	clear(key)
	a, err := s.Sign(Who{Person: "p-abcdefgh", Roles: []casefile.Role{lead}}, lead, "v", "c", "1", nil)
	require.NoError(t, err)
	require.NoError(t, testKeys().Verify(a, time.Now()), "the caller's key may go, and the shortest word still lives")
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	t.Parallel()
	s := newTestSigner(t, newTestClock())
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", slog.Any("signer", s))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, struct{ S *Signer }{s})
	}
	require.Contains(t, out.String(), "signer a-1")
	for _, secret := range []string{"sss", hex.EncodeToString([]byte("sss")), "115 115 115", "0x73, 0x73"} {
		require.NotContains(t, out.String(), secret)
	}
}

// Whatever JSON stands for an assertion: no panic, and it counts only where it says what was signed.
func FuzzAssertion(f *testing.F) {
	clock := newTestClock()
	s := newTestSigner(f, clock)
	genuine, err := s.Sign(Who{Person: "p-abcdefgh", Roles: []casefile.Role{lead}, Team: "review"}, lead, "close", testChain, "1", testArgs{})
	require.NoError(f, err)
	data, err := json.Marshal(genuine)
	require.NoError(f, err)
	f.Add(data)
	for old, changed := range map[string]string{"lead": "admin", "close": "opinion", "a-1": "a-2", ":06Z": ":59Z", "review": "", `"signature":"`: `"signature":"A`} {
		f.Add(bytes.Replace(data, []byte(old), []byte(changed), 1))
	}
	f.Add([]byte(`{"key":"a-1","expires":"9999-12-31T23:59:59Z"}`))
	f.Add([]byte(`{"key":"a-1","person":"\ud800","expires":"9999-12-31T23:59:59Z"}`))
	keys, now := testKeys(), clock.Now()
	f.Fuzz(func(t *testing.T, data []byte) {
		var a casefile.Assertion
		if json.Unmarshal(data, &a) != nil {
			return
		}
		err := keys.Verify(a, now)
		if err != nil {
			requireCode(t, casefile.CodeForbidden, err)
			return
		}
		a.Expires = a.Expires.UTC().Truncate(time.Second) // the signature is over whole seconds in UTC
		require.Equal(t, genuine, a)
	})
}
