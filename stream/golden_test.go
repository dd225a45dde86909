package stream

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventGolden holds the documented events to what is read, byte for byte.
func TestEventGolden(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "docs", "formats", "event.golden.ndjson")
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	s := open(t, Options{Files: []string{path}})
	b, err := s.Next(t.Context())
	require.NoError(t, err)
	require.Zero(t, s.Rejected())
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	for _, e := range b.Events {
		require.NoError(t, enc.Encode(e))
	}
	require.Equal(t, string(want), got.String())
}
