package evidence

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestSealSystem(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for _, text := range []string{"", "reason of a staff member", strings.Repeat("x", 100_000)} {
		sealed, err := s.SealSystem(t.Context(), []byte(text))
		require.NoError(t, err)
		got, err := s.OpenSystem(t.Context(), sealed)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	sealed, err := s.SealSystem(t.Context(), []byte("reason of a staff member"))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "reason")
	again, err := s.SealSystem(t.Context(), []byte("reason of a staff member"))
	require.NoError(t, err)
	require.NotEqual(t, sealed, again)
	for at := range sealed {
		_, err = s.OpenSystem(t.Context(), flipped(sealed, at))
		require.Error(t, err, "byte %d", at)
		_, err = s.OpenSystem(t.Context(), sealed[:at])
		require.Error(t, err, "cut at %d", at)
	}

	_, err = AddDeploymentKey(t.Context(), filepath.Join(filepath.Dir(s.dir), "keys"), "")
	require.NoError(t, err)
	rotated, err := Open(Options{Dir: s.dir, Keyring: openTestKeyring(t, filepath.Join(filepath.Dir(s.dir), "keys")), Rows: s.rows})
	require.NoError(t, err)
	got, err := rotated.OpenSystem(t.Context(), sealed)
	require.NoError(t, err)
	require.Equal(t, "reason of a staff member", string(got))

	_, err = newTestStore(t).OpenSystem(t.Context(), sealed)
	requireCode(t, casefile.CodeNotFound, err)
}

func TestSealReason(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	k := openTestKeyring(t, dir)
	for _, text := range []string{"", "reason of a staff member", strings.Repeat("x", MaxReason)} {
		sealed, err := k.SealReason(t.Context(), []byte(text))
		require.NoError(t, err)
		got, err := k.OpenReason(t.Context(), sealed)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	_, err := k.SealReason(t.Context(), make([]byte, MaxReason+1))
	requireCode(t, casefile.CodeTooLarge, err)

	reason := []byte("reason of a staff member")
	sealed, err := k.SealReason(t.Context(), reason)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "reason")
	again, err := k.SealReason(t.Context(), reason)
	require.NoError(t, err)
	require.NotEqual(t, sealed, again, "nobody can tell that a reason was given twice")
	for at := range sealed {
		_, err = k.OpenReason(t.Context(), flipped(sealed, at))
		require.Error(t, err, "byte %d", at)
		require.NotContains(t, err.Error(), "staff")
		_, err = k.OpenReason(t.Context(), sealed[:at])
		require.Error(t, err, "cut at %d", at)
	}

	other, err := k.sealText(t.Context(), "", reason)
	require.NoError(t, err)
	_, err = k.OpenReason(t.Context(), other)
	require.ErrorIs(t, err, ErrDamaged, "another text of the staff is no reason")

	_, err = AddDeploymentKey(t.Context(), dir, "")
	require.NoError(t, err)
	rotated := openTestKeyring(t, dir)
	got, err := rotated.OpenReason(t.Context(), sealed)
	require.NoError(t, err)
	require.Equal(t, reason, got)
	newer, err := rotated.SealReason(t.Context(), reason)
	require.NoError(t, err)
	_, err = k.OpenReason(t.Context(), newer)
	requireCode(t, casefile.CodeNotFound, err)
}

func FuzzParseSystemSeal(f *testing.F) {
	f.Add([]byte{1, 3, 'd', '-', 'x', 0, 2, 9, 9, 7, 7, 7})
	f.Add([]byte{1, 255})
	f.Add([]byte{1, 0, 255, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		p, err := parseSystemSeal(sealed)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		require.Equal(t, string(sealed), string(p.header)+string(p.text))
		require.Equal(t, len(p.header), 4+len(p.keyID)+len(p.wrapped))
	})
}
