package casefile_test

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

type verbArgs struct {
	ID        string              `json:"id"`
	Claim     int                 `json:"claim"`
	Assertion *casefile.Assertion `json:"assertion,omitempty"`
}

func signed(t *testing.T) (casefile.Assertion, casefile.AssertionKeys, verbArgs) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	args := verbArgs{ID: "V1", Claim: 3}
	digest, err := casefile.ArgumentDigest(args)
	require.NoError(t, err)
	a, err := casefile.Assertion{
		Person: "p-anna0000", Role: casefile.RoleReviewer, Team: "review", Verb: "opinion", On: casefile.CaseChain(ref), ID: "V1",
		Digest: digest, Expires: then.Add(time.Minute),
	}.Sign("k1", private)
	require.NoError(t, err)
	return a, casefile.AssertionKeys{"k1": public}, args
}

func TestAssertionHolds(t *testing.T) {
	t.Parallel()
	a, keys, args := signed(t)
	require.NoError(t, keys.Verify(a, then))
	args.Assertion = &a // the digest leaves it out
	require.NoError(t, keys.Check(&a, used(args), then))

	data, err := json.Marshal(a)
	require.NoError(t, err)
	var back casefile.Assertion
	require.NoError(t, json.Unmarshal(data, &back))
	require.NoError(t, keys.Verify(back, then), "it survives its own encoding")
}

func TestPromise04AssertionRefusals(t *testing.T) {
	t.Parallel()
	a, keys, args := signed(t)
	forbidden := func(err error, name string) { require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), name) }
	forbidden(keys.Verify(a, a.Expires), "expired at its last moment")
	forbidden(casefile.AssertionKeys{}.Verify(a, then), "no keys")
	forbidden(casefile.AssertionKeys{"k1": nil}.Verify(a, then), "an empty key")
	for name, change := range map[string]func(*casefile.Assertion){
		"key":       func(x *casefile.Assertion) { x.Key = "k2" },
		"person":    func(x *casefile.Assertion) { x.Person = bert },
		"role":      func(x *casefile.Assertion) { x.Role = casefile.RoleLead },
		"team":      func(x *casefile.Assertion) { x.Team = "other" },
		"verb":      func(x *casefile.Assertion) { x.Verb = "close" },
		"on":        func(x *casefile.Assertion) { x.On = "case.00000-00000" },
		"id":        func(x *casefile.Assertion) { x.ID = "V2" },
		"digest":    func(x *casefile.Assertion) { x.Digest = "00" },
		"expiry":    func(x *casefile.Assertion) { x.Expires = x.Expires.Add(time.Hour) },
		"signature": func(x *casefile.Assertion) { x.Signature = append([]byte{1}, x.Signature[1:]...) },
		"no text":   func(x *casefile.Assertion) { x.Team = "\xff" },
	} {
		x := a
		x.Signature = append([]byte(nil), a.Signature...)
		change(&x)
		forbidden(keys.Verify(x, then), name)
	}
	for name, change := range map[string]func(*casefile.Use){
		"another verb":    func(u *casefile.Use) { u.Verb = "close" },
		"another case":    func(u *casefile.Use) { u.On = "case.00000-00000" },
		"another id":      func(u *casefile.Use) { u.ID = "V2" },
		"another person":  func(u *casefile.Use) { u.By.Person = bert },
		"another role":    func(u *casefile.Use) { u.By.Role = casefile.RoleLead },
		"other arguments": func(u *casefile.Use) { u.Args = verbArgs{ID: "V1", Claim: 4} },
	} {
		u := used(args)
		change(&u)
		forbidden(keys.Check(&a, u, then), name)
	}
	forbidden(keys.Check(nil, used(args), then), "no assertion")
	forbidden(keys.Check(&a, used(args), a.Expires), "expired")
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(keys.Check(&a, used([]int{1}), then)), "no object")
}

func used(args any) casefile.Use {
	return casefile.Use{Verb: "opinion", On: casefile.CaseChain(ref), ID: "V1", By: casefile.Actor{Person: "p-anna0000", Role: casefile.RoleReviewer}, Args: args}
}

func FuzzAssertion(f *testing.F) {
	f.Add([]byte(`{"key":"k1","person":"p-anna0000","role":"reviewer","verb":"opinion","on":"case.7K2QX-9MDT4","id":"V1","digest":"00","expires":"2026-03-02T10:01:00Z","signature":"AA=="}`))
	f.Add([]byte(`{"team":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a casefile.Assertion
		if json.Unmarshal(data, &a) != nil {
			return
		}
		keys := casefile.AssertionKeys{a.Key: make(ed25519.PublicKey, ed25519.PublicKeySize)}
		if keys.Verify(a, a.Expires.Add(-time.Second)) == nil {
			t.Fatal("nobody signed this")
		}
	})
}
