package classify

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		folded string
		want   []string
	}{
		"plain":           {"glory, to the grey-banner!", []string{"glory", "to", "the", "grey", "banner"}},
		"emoji":           {"soon🔥🔥", []string{"soon", "🔥", "🔥"}},
		"nothing":         {" !? ", nil},
		"an endless word": {strings.Repeat("é", 60), []string{strings.Repeat("é", 40), strings.Repeat("é", 20)}},
		"broken bytes":    {"a\xffb\uFFFDc", []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, w := range Words(tc.folded) {
				got = append(got, tc.folded[w.Start:w.End])
			}
			require.Equal(t, tc.want, got)
		})
	}
}
