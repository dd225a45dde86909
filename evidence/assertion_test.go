package evidence

import (
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

var assertionTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func signWord(t *testing.T, k *Keyring) casefile.Assertion {
	t.Helper()
	id, signer, err := k.AssertionSigner()
	require.NoError(t, err)
	a, err := casefile.Assertion{Person: "p-abcdefgh", Role: casefile.RoleLead, Verb: "claim", On: "case.7K2QX-9MDT4", ID: "1", Expires: assertionTime.Add(time.Minute)}.Sign(id, signer)
	require.NoError(t, err)
	return a
}

func verifyWord(t *testing.T, k *Keyring, a casefile.Assertion) error {
	t.Helper()
	keys, err := k.AssertionKeys()
	require.NoError(t, err)
	return keys.Verify(a, assertionTime)
}

func TestAssertionKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	k := openTestKeyring(t, dir)
	a := signWord(t, k)
	require.NoError(t, verifyWord(t, k, a))
	requireCode(t, casefile.CodeForbidden, verifyWord(t, openTestKeyring(t, filepath.Join(t.TempDir(), "keys")), a))

	keys, err := k.AssertionKeys()
	require.NoError(t, err)
	clear(keys[a.Key])
	delete(keys, a.Key)
	require.NoError(t, verifyWord(t, k, a), "what a caller does to its keys changes nothing")

	// A role that verifies has the public file alone.
	require.NoError(t, os.Remove(filepath.Join(dir, fileAssertion)))
	verifies := openTestKeyring(t, dir)
	require.NoError(t, verifyWord(t, verifies, a))
	_, _, err = verifies.AssertionSigner()
	requireCode(t, casefile.CodeNotFound, err)
	_, err = AddAssertionKey(dir)
	requireCode(t, casefile.CodeState, err)
	_, err = os.Stat(filepath.Join(dir, fileAssertion))
	require.ErrorIs(t, err, os.ErrNotExist, "a role that verifies is never made one that signs")
}

func TestAssertionKeyRotation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	before := openTestKeyring(t, dir)
	old := signWord(t, before)
	id, err := AddAssertionKey(dir)
	require.NoError(t, err)
	after := openTestKeyring(t, dir)
	now := signWord(t, after)
	require.Equal(t, id, now.Key)
	require.NotEqual(t, old.Key, now.Key)
	require.NoError(t, verifyWord(t, after, old), "a word under the key before still counts")
	require.NoError(t, verifyWord(t, after, now))
	requireCode(t, casefile.CodeForbidden, verifyWord(t, before, now))

	_, oldSigner, err := before.AssertionSigner()
	require.NoError(t, err)
	for _, name := range []string{fileAssertion, fileAssertionPublic} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NotContains(t, string(data), base64.StdEncoding.EncodeToString(oldSigner.Seed()), "the old secret is gone")
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		if os.PathSeparator == '/' {
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		}
	}
	_, err = AddAssertionKey(dir)
	require.NoError(t, err)
	keys, err := openTestKeyring(t, dir).AssertionKeys()
	require.NoError(t, err)
	require.Len(t, keys, 3)

	// The public lines of keys that are done can go.
	path := filepath.Join(dir, fileAssertionPublic)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines[2:], "")), 0o600))
	less := openTestKeyring(t, dir)
	requireCode(t, casefile.CodeForbidden, verifyWord(t, less, old))
	require.NoError(t, verifyWord(t, less, now))

	require.NoError(t, os.WriteFile(filepath.Join(dir, fileAssertion+".new"), nil, 0o600))
	_, err = AddAssertionKey(dir)
	requireCode(t, casefile.CodeConflict, err)
}

func TestAssertionKeyOfAnOlderFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	openTestKeyring(t, dir)
	for _, name := range []string{fileAssertion, fileAssertionPublic} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	id, err := AddAssertionKey(dir)
	require.NoError(t, err)
	k := openTestKeyring(t, dir)
	a := signWord(t, k)
	require.Equal(t, id, a.Key)
	require.NoError(t, verifyWord(t, k, a))
	public, err := readLines(dir, fileAssertionPublic, readPublic)
	require.NoError(t, err)
	require.Len(t, public, 1)

	for _, name := range []string{fileIdentity, ""} {
		empty := t.TempDir()
		if name == "" {
			empty = filepath.Join(empty, "absent")
		}
		_, err = AddAssertionKey(empty)
		requireCode(t, casefile.CodeState, err)
	}
}

func TestAssertionFilesBelongTogether(t *testing.T) {
	t.Parallel()
	dir, other := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "keys")
	k := openTestKeyring(t, dir)
	a := signWord(t, k)
	openTestKeyring(t, other)
	path := filepath.Join(dir, fileAssertionPublic)
	mine, err := os.ReadFile(path)
	require.NoError(t, err)
	foreign, err := os.ReadFile(filepath.Join(other, fileAssertionPublic))
	require.NoError(t, err)
	refused := func() {
		t.Helper()
		_, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
		requireCode(t, casefile.CodeInvalid, err)
	}
	require.NoError(t, os.WriteFile(path, foreign, 0o600))
	refused()
	_, swapped, _ := strings.Cut(strings.TrimSpace(string(foreign[strings.LastIndex(string(foreign), "\na-")+1:])), " ")
	require.NoError(t, os.WriteFile(path, []byte(a.Key+" "+swapped+"\n"), 0o600))
	refused()
	require.NoError(t, os.WriteFile(path, append(mine, "a-url awskms://key\n"...), 0o600))
	refused()
	require.NoError(t, os.WriteFile(path, mine, 0o600))
	secret := filepath.Join(dir, fileAssertion)
	seed, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(secret, append([]byte("a-url awskms://key\n"), seed...), 0o600))
	refused()

	// A lost public file is made from the secret keys, and written with the next rotation.
	require.NoError(t, os.WriteFile(secret, seed, 0o600))
	require.NoError(t, os.Remove(path))
	require.NoError(t, verifyWord(t, openTestKeyring(t, dir), a))
	_, err = AddAssertionKey(dir)
	require.NoError(t, err)
	require.NoError(t, verifyWord(t, openTestKeyring(t, dir), a))
}

// Whatever stands in the two files: no panic, no secret in the error, and a signer only together with
// its public half.
func FuzzAssertionFiles(f *testing.F) {
	seed := keyLine{id: "a-1", key: fixedKey("assertion")}
	secret, public := formatKeyLines("c", []keyLine{seed}), formatKeyLines("c", []keyLine{publicHalf(seed)})
	f.Add(secret, public)
	f.Add(secret, []byte("a-1 awskms://x\n"))
	f.Add(secret, secret)
	f.Add([]byte("a-1 \n"), public)
	f.Add(append(secret, "a-2 x://\n"...), public)
	dir := f.TempDir()
	hidden := base64.StdEncoding.EncodeToString(seed.key[:])
	f.Fuzz(func(t *testing.T, secret, public []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fileAssertion), secret, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, fileAssertionPublic), public, 0o600))
		keys, err := readAssertion(dir)
		if err != nil {
			requireCode(t, casefile.CodeInvalid, err)
			require.NotContains(t, err.Error(), hidden[:12])
			return
		}
		require.NotEmpty(t, keys.now)
		require.True(t, ed25519.NewKeyFromSeed(keys.seed[:]).Public().(ed25519.PublicKey).Equal(keys.public[keys.now]))
	})
}
