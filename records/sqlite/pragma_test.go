package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/relational"
)

// A commit is on the disk before it is answered, unless the caller chose otherwise; readers cannot
// write.
func TestPragmas(t *testing.T) {
	t.Parallel()
	const normal, full = 1, 2
	for _, fast := range []bool{false, true} {
		s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "records.db"), Fast: fast})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		var got int
		err = s.engine.writer.write(t.Context(), func(ctx context.Context, c relational.Conn) error {
			return c.(*tx).w.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&got)
		})
		require.NoError(t, err)
		require.Equal(t, map[bool]int{false: full, true: normal}[fast], got)
		_, err = s.engine.reader.db.ExecContext(t.Context(), "INSERT INTO meta (name, value) VALUES ('k', 'v')")
		require.ErrorContains(t, err, "readonly")
	}
}
