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
