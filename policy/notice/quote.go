package notice

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote brings words that are not ours into one line of at most limit characters: white space and
// control characters become single spaces, characters that turn or hide text are dropped, and what
// is too long ends in an ellipsis. So nothing in them can begin a line of the notice, or show it in
// another order than it has.
func quote(s string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range strings.ToValidUTF8(s, string(utf8.RuneError)) {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			space = n > 0
			continue
		}
		if unicode.Is(unicode.Cf, r) && r != zeroWidthJoiner && r != zeroWidthNonJoiner {
			continue
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		if n >= limit {
			b.WriteRune('…')
			return b.String()
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Scripts and emoji need these two; they neither turn nor hide text.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)
