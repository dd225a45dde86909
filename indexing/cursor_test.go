package indexing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	doc := CaseDoc{Ref: "7K2QX-9MDT4", OpenedAt: time.Date(2024, 2, 29, 1, 2, 3, 4_567_890, time.UTC)}
	c := NewCursor(doc)
	require.Equal(t, time.Date(2024, 2, 29, 1, 2, 3, 4_000_000, time.UTC), c.OpenedAt)
	got, err := ParseCursor(c.String())
	require.NoError(t, err)
	require.Equal(t, c, got)
	require.Equal(t, "AQAAAY3yYfb8N0syUVgtOU1EVDQ", c.String(), "cursors outlive an upgrade")
}

func FuzzCursor(f *testing.F) {
	f.Add(Cursor{OpenedAt: time.UnixMilli(1), Ref: "7K2QX-9MDT4"}.String())
	f.Add("")
	f.Add("AQAAAAAAAAAB")
	f.Add("AQ________9BQQ")
	f.Add("!!")
	f.Add("AQA\rAA0000000A00")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		require.Equal(t, s, c.String())
		require.NotEmpty(t, c.Ref)
		require.False(t, c.OpenedAt.After(MaxOpenedAt))
	})
}
