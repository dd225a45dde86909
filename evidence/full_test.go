package evidence

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// TestFullDisk: what does not fit is refused as unavailable, leaves nothing behind, and fits once there is
// room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a small file system is mounted, which only root may")
	}
	dir := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.Mkdir(dir, 0o700))
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size=1m")
	if err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	rows := newMemoryRows()
	s, err := Open(Options{Dir: dir, Keyring: openTestKeyring(t, filepath.Join(t.TempDir(), "keys")), Rows: rows})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	full := testStore{Store: s, dir: dir, rows: rows}.with(t, alice)
	ballast := filepath.Join(dir, "ballast")
	require.ErrorIs(t, os.WriteFile(ballast, make([]byte, 2<<20), 0o600), syscall.ENOSPC)
	_, _, err = full.Seal(t.Context(), alice, KindComment, []byte(words))
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%v", err)
	require.NoError(t, os.Remove(ballast))
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	address, _, err := full.Seal(t.Context(), alice, KindComment, []byte(words))
	require.NoError(t, err)
	plain, err := full.Open(t.Context(), alice, KindComment, address)
	require.NoError(t, err)
	require.Equal(t, words, string(plain))
}
