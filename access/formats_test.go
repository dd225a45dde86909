package access

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/docs/formats/formatstest"
)

const assertionGolden = "docs/formats/assertion.golden.json"

func TestAssertionFitsItsSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "assertion", casefile.Assertion{}, formatstest.Written)
	r := formatstest.Reader{Schema: "assertion", Decode: func(data []byte) (any, error) { return formatstest.Strict[casefile.Assertion](data) }}
	for _, value := range formatstest.Values(t, assertionGolden, false) {
		r.Agrees(t, value)
	}
}

// The golden assertion is what the signer makes of the example on the page: the signature is
// deterministic.
func TestAssertionGolden(t *testing.T) {
	t.Parallel()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	key := ed25519.NewKeyFromSeed(seed)
	now := time.Date(2026, 3, 2, 9, 59, 0, 0, time.UTC)
	s, err := NewSigner("a-golden", key, 0, func() time.Time { return now })
	require.NoError(t, err)
	who := Who{Person: "p-7k2qx9md", Login: "lead", Name: "Team Lead", Roles: []casefile.Role{lead}, Team: "review"}
	args := map[string]any{"id": "4W8Z0N6T2R5Y1K7M3P9Q0S8V6X", "case": "7K2QX-9MDT4", "actor": map[string]any{"person": "p-7k2qx9md", "role": "lead"}, "claim": 2}
	a, err := s.Sign(who, lead, "release", "case.7K2QX-9MDT4", "4W8Z0N6T2R5Y1K7M3P9Q0S8V6X", args)
	require.NoError(t, err)
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(a))
	want, err := os.ReadFile(filepath.Join(formatstest.Root(t), assertionGolden))
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
	keys := casefile.AssertionKeys{"a-golden": key.Public().(ed25519.PublicKey)}
	require.NoError(t, keys.Verify(a, now))
}
