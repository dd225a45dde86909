package evidence

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestPromise09DeleteObjects(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice)
	one, _, err := s.Seal(t.Context(), alice, KindComment, []byte("one"))
	require.NoError(t, err)
	two, _, err := s.Seal(t.Context(), alice, KindComment, []byte("two"))
	require.NoError(t, err)

	s.rows.destroy(alice)
	_, err = s.Open(t.Context(), alice, KindComment, one)
	require.NoError(t, err, "the key is in memory still")
	s.ForgetKey(alice)
	_, err = s.Open(t.Context(), alice, KindComment, one)
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))

	gone := []casefile.Address{one, one, "no address", "", casefile.Address(objectPath(two))}
	n, err := s.Delete(t.Context(), gone)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = os.Stat(s.file(one))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = os.Stat(s.file(two))
	require.NoError(t, err)
	n, err = s.Delete(t.Context(), []casefile.Address{one, two})
	require.NoError(t, err)
	require.Equal(t, 1, n, "again is no error")
}
