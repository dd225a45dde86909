package console_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// luminance is the relative luminance of "#rrggbb" as WCAG 2 defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	require.Regexp(t, `^#[0-9a-f]{6}$`, hex)
	weights, sum := []float64{.2126, .7152, .0722}, 0.0
	for i, w := range weights {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += w * c
	}
	return sum
}

func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("static/console.css")
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), 2)
	require.Len(t, blocks, 2, "light, then dark")
	text := 4.5 // of WCAG AA; 3 for what outlines a field or the focus
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"ink", "ground", text}, {"ink", "panel", text}, {"faint", "ground", text}, {"faint", "panel", text}, {"faint", "accent-soft", text},
		{"accent", "ground", text}, {"accent", "panel", text}, {"accent", "accent-soft", text}, {"on-accent", "accent", text},
		{"on-mark", "mark", text}, {"ctl", "ctl-soft", text}, {"ink", "good-soft", text}, {"ink", "warn-soft", text}, {"ink", "bad-soft", text},
		{"faint", "good-soft", text}, {"faint", "warn-soft", text}, {"faint", "bad-soft", text}, {"accent", "good-soft", text}, {"accent", "bad-soft", text},
		{"bad", "panel", text}, {"bad", "ground", text}, {"bad", "bad-soft", text}, {"bad", "warn-soft", text}, {"accent", "warn-soft", text}, {"warn", "ground", text}, {"good", "ground", text}, {"warn", "panel", text}, {"good", "panel", text}, {"panel", "bad", text},
		{"strong", "panel", 3}, {"strong", "ground", 3}, {"focus", "ground", 3}, {"focus", "panel", 3},
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-fA-F]{6})`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = strings.ToLower(m[2])
		}
		for _, p := range pairs {
			front, back := luminance(t, colours[p.front]), luminance(t, colours[p.back])
			ratio := (math.Max(front, back) + .05) / (math.Min(front, back) + .05)
			require.GreaterOrEqual(t, ratio, p.least, fmt.Sprintf("%s: %s on %s", scheme, p.front, p.back))
		}
	}
}
