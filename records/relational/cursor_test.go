package relational

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func FuzzDecodeCursor(f *testing.F) {
	for _, v := range []any{queueCursor{7, 3, 1772445600000000, "7K2QX-9MDT4"}, listCursor{1772445600000000, "7K2QX-9MDT4"}} {
		s, err := encodeCursor(v)
		require.NoError(f, err)
		f.Add(s)
	}
	for _, s := range []string{"", "!", "e30", "bnVsbA", "eyJvIjoxLCJyIjoiIn0", "eyJzIjoxZTk5fQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := decodeCursor[queueCursor](s)
		requireExact(t, s, q, err)
		l, err := decodeCursor[listCursor](s)
		requireExact(t, s, l, err)
	})
}

// requireExact holds a decoder to its one text for every value.
func requireExact(t *testing.T, s string, v any, err error) {
	t.Helper()
	if err != nil {
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		return
	}
	again, err := encodeCursor(v)
	require.NoError(t, err)
	require.Equal(t, s, again)
}
