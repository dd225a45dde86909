package evidence

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

func TestKeyringIsMadeOnceAndReadAfter(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "keys")
	first := openTestKeyring(t, dir)
	second := openTestKeyring(t, dir)
	require.Equal(t, first.Identity().Fingerprint(), second.Identity().Fingerprint())
	active, keys := first.CodecKeys()
	require.Contains(t, keys, active)
	active2, keys2 := second.CodecKeys()
	require.Equal(t, active, active2)
	require.Equal(t, keys, keys2)

	id, wrapped, err := first.Wrap(t.Context(), []byte("secret"))
	require.NoError(t, err)
	back, err := second.Unwrap(t.Context(), id, wrapped)
	require.NoError(t, err)
	require.Equal(t, "secret", string(back))
	_, err = second.Unwrap(t.Context(), id, flipped(wrapped, len(wrapped)-1))
	requireCode(t, casefile.CodeInternal, err)
	_, err = second.Unwrap(t.Context(), "d-other", wrapped)
	requireCode(t, casefile.CodeNotFound, err)

	skey, err := first.LogSigner()
	require.NoError(t, err)
	vkey, err := second.LogVerifierKey()
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(vkey)
	require.NoError(t, err)
	signed, err := note.Sign(&note.Note{Text: "text\n"}, signer)
	require.NoError(t, err)
	_, err = note.Open(signed, note.VerifierList(verifier))
	require.NoError(t, err)

	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary folder is left")
}

func TestKeyringRacingStartsGetOneRing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	const racers = 16
	prints := make([]string, racers)
	errs := make([]error, racers)
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			k, err := OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
			errs[i] = err
			if err == nil {
				codec, _ := k.CodecKeys()
				vkey, _ := k.LogVerifierKey()
				signs, _, _ := k.AssertionSigner()
				prints[i] = k.Identity().Fingerprint() + codec + vkey + signs
			}
		})
	}
	wg.Wait()
	for i := range racers {
		require.NoError(t, errs[i])
		require.Equal(t, prints[0], prints[i])
	}
}

func TestKeyringPermissions(t *testing.T) {
	t.Parallel()
	if os.PathSeparator == '\\' {
		t.Skip("no permission bits on Windows")
	}
	dir := filepath.Join(t.TempDir(), "keys")
	openTestKeyring(t, dir)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 7)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
	for _, name := range []string{fileIdentity, fileDeployment, fileCodec, fileLogSigner, fileAssertion} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Chmod(path, 0o640))
		_, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
		requireCode(t, casefile.CodeForbidden, err)
		require.ErrorContains(t, err, path)
		require.NoError(t, os.Chmod(path, 0o400))
		openTestKeyring(t, dir)
		require.NoError(t, os.Chmod(path, 0o600))
	}
	for _, name := range []string{fileLogPublic, fileAssertionPublic} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Chmod(path, 0o644))
		openTestKeyring(t, dir)
		require.NoError(t, os.Chmod(path, 0o664))
		_, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
		requireCode(t, casefile.CodeForbidden, err)
		require.NoError(t, os.Chmod(path, 0o644))
	}
	require.NoError(t, os.Chmod(dir, 0o770))
	_, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
	requireCode(t, casefile.CodeForbidden, err)
}

func TestKeyringMissingAndDamagedFiles(t *testing.T) {
	t.Parallel()
	open := func(dir string) (*Keyring, error) {
		return OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
	}
	made := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "keys")
		openTestKeyring(t, dir)
		return dir
	}
	t.Run("an empty folder is filled", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o755))
		openTestKeyring(t, dir)
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	})
	t.Run("a lost identity key is not made anew", func(t *testing.T) {
		t.Parallel()
		dir := made(t)
		require.NoError(t, os.Remove(filepath.Join(dir, fileIdentity)))
		_, err := open(dir)
		requireCode(t, casefile.CodeState, err)
		_, err = os.Stat(filepath.Join(dir, fileIdentity))
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("a role without the other keys", func(t *testing.T) {
		t.Parallel()
		dir := made(t)
		for _, name := range []string{fileDeployment, fileCodec, fileLogSigner, fileLogPublic, fileAssertion, fileAssertionPublic} {
			require.NoError(t, os.Remove(filepath.Join(dir, name)))
		}
		k, err := open(dir)
		require.NoError(t, err)
		_, err = k.LogSigner()
		requireCode(t, casefile.CodeNotFound, err)
		_, err = k.LogVerifierKey()
		requireCode(t, casefile.CodeNotFound, err)
		_, _, err = k.Wrap(t.Context(), []byte("secret"))
		requireCode(t, casefile.CodeNotFound, err)
		_, err = k.SealReason(t.Context(), []byte("reason"))
		requireCode(t, casefile.CodeNotFound, err)
		_, _, err = k.AssertionSigner()
		requireCode(t, casefile.CodeNotFound, err)
		_, err = k.AssertionKeys()
		requireCode(t, casefile.CodeNotFound, err)
		active, keys := k.CodecKeys()
		require.Empty(t, active)
		require.Empty(t, keys)
	})
	t.Run("the public half of another log", func(t *testing.T) {
		t.Parallel()
		dir, other := made(t), made(t)
		public, err := os.ReadFile(filepath.Join(other, fileLogPublic))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fileLogPublic), public, 0o600))
		_, err = open(dir)
		requireCode(t, casefile.CodeInvalid, err)
	})
	for _, name := range []string{fileIdentity, fileDeployment, fileCodec, fileLogSigner, fileAssertion, fileAssertionPublic} {
		t.Run("damaged "+name, func(t *testing.T) {
			t.Parallel()
			dir := made(t)
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data[:len(data)-4], 0o600))
			_, err = open(dir)
			requireCode(t, casefile.CodeInvalid, err)
			require.ErrorContains(t, err, name)
			_, secret, _ := strings.Cut(strings.TrimSpace(string(data[strings.LastIndex(string(data[:len(data)-1]), "\n")+1:])), " ")
			for i := 0; i+8 <= len(secret) && name != fileLogSigner; i++ {
				require.NotContains(t, err.Error(), secret[i:i+8])
			}
		})
	}
	t.Run("no skeleton", func(t *testing.T) {
		t.Parallel()
		_, err := OpenKeyring(t.Context(), KeyringOptions{Dir: made(t)})
		requireCode(t, casefile.CodeInvalid, err)
	})
}

func TestKeyringRotation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	before := openTestKeyring(t, dir)
	oldID, oldWrapped, err := before.Wrap(t.Context(), []byte("old"))
	require.NoError(t, err)
	oldCodec, oldKeys := before.CodecKeys()

	newID, err := AddDeploymentKey(t.Context(), dir, "")
	require.NoError(t, err)
	newCodec, err := AddCodecKey(dir)
	require.NoError(t, err)
	after := openTestKeyring(t, dir)
	id, wrapped, err := after.Wrap(t.Context(), []byte("new"))
	require.NoError(t, err)
	require.Equal(t, newID, id)
	require.NotEqual(t, oldID, id)
	for text, w := range map[string]struct {
		id      string
		wrapped []byte
	}{"old": {oldID, oldWrapped}, "new": {id, wrapped}} {
		back, err := after.Unwrap(t.Context(), w.id, w.wrapped)
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	active, keys := after.CodecKeys()
	require.Equal(t, newCodec, active)
	require.Equal(t, oldKeys[oldCodec], keys[oldCodec])
	require.NotEqual(t, keys[oldCodec], keys[newCodec])
	require.Equal(t, before.Identity().Fingerprint(), after.Identity().Fingerprint())

	require.NoError(t, os.WriteFile(filepath.Join(dir, fileCodec+".new"), nil, 0o600))
	_, err = AddCodecKey(dir)
	requireCode(t, casefile.CodeConflict, err)
}

func TestKeyringDeploymentKeyBehindURL(t *testing.T) {
	t.Parallel()
	url := "base64key://" + base64.URLEncoding.EncodeToString(fixedKey("url")[:])
	dir := filepath.Join(t.TempDir(), "keys")
	k, err := OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike, DeploymentURL: url})
	require.NoError(t, err)
	id, wrapped, err := k.Wrap(t.Context(), []byte("secret"))
	require.NoError(t, err)
	back, err := openTestKeyring(t, dir).Unwrap(t.Context(), id, wrapped)
	require.NoError(t, err)
	require.Equal(t, "secret", string(back))
	_, err = k.Unwrap(t.Context(), id, flipped(wrapped, 3))
	requireCode(t, casefile.CodeUnavailable, err)

	other := "base64key://" + base64.URLEncoding.EncodeToString(fixedKey("other")[:])
	_, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike, DeploymentURL: other})
	requireCode(t, casefile.CodeState, err)
	_, err = AddDeploymentKey(t.Context(), dir, other)
	require.NoError(t, err)
	k, err = OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike, DeploymentURL: other})
	require.NoError(t, err)
	_, err = k.Unwrap(t.Context(), id, wrapped)
	require.NoError(t, err, "what the key before wrapped still unwraps")

	for name, bad := range map[string]string{
		"no URL": "plain", "spaces": "awskms://a b", "unknown scheme": "nosuchkms://key", "bad key": "base64key://c2hvcnRlcg==",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty := filepath.Join(t.TempDir(), "keys")
			_, err := OpenKeyring(t.Context(), KeyringOptions{Dir: empty, Skeleton: lookalike, DeploymentURL: bad})
			require.Error(t, err)
			require.NotContains(t, err.Error(), "c2hvcnRlcg")
			_, err = os.Stat(empty)
			require.ErrorIs(t, err, os.ErrNotExist, "nothing is made for a keeper that cannot be opened")
		})
	}
}

func TestKeyringNeverPrintsKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	k := openTestKeyring(t, dir)
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("m", slog.Any("ring", k), slog.Any("identity", k.Identity()))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", k, []any{k, struct{ K *Keyring }{k}, k.Identity()})
	}
	skey, err := k.LogSigner()
	require.NoError(t, err)
	require.NotContains(t, out.String(), skey)
	_, codec := k.CodecKeys()
	keys := [][32]byte{*k.identity.key, *k.assertion.seed}
	for _, c := range codec {
		keys = append(keys, c)
	}
	for _, b := range keys {
		for _, form := range []string{
			base64.StdEncoding.EncodeToString(b[:]), hex.EncodeToString(b[:]), strings.Trim(fmt.Sprintf("%d", b[:8]), "[]"),
			strings.Trim(fmt.Sprintf("%#v", b[:4]), "[]byte{}"), string(b[:]),
		} {
			require.NotContains(t, out.String(), form)
		}
	}
	require.Contains(t, out.String(), k.Identity().Fingerprint())
}

func FuzzParseKeyLines(f *testing.F) {
	k := base64.StdEncoding.EncodeToString(fixedKey("seed")[:])
	for _, s := range []string{"a " + k, "# c\n\na " + k + "\nb awskms://alias/x?region=y\n", "a " + k + "\na " + k, "a", "A " + k, "a " + k[:40], strings.Repeat("x", 70000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := parseKeyLines(data)
		if err != nil {
			requireCode(t, casefile.CodeInvalid, err)
			return
		}
		again, err := parseKeyLines(formatKeyLines("comment", lines))
		require.NoError(t, err)
		require.Equal(t, lines, again)
	})
}
