package classify

import (
	"unicode"
	"unicode/utf8"
)

// MaxWordRunes is where an endless word is cut into several.
const MaxWordRunes = 40

// Word is a place in a folded text: byte offsets, End exclusive.
type Word struct {
	Start, End int
}

// Words gives the words of a folded text: runs of letters, digits and marks, and each other sign
// beyond ASCII, such as an emoji, by itself.
func Words(folded string) []Word {
	var words []Word
	start, runes := -1, 0
	flush := func(end int) {
		if start >= 0 {
			words = append(words, Word{start, end})
		}
		start, runes = -1, 0
	}
	for i, r := range folded {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r >= utf8.RuneSelf && unicode.In(r, unicode.L, unicode.N, unicode.M):
			if start < 0 {
				start = i
			}
			if runes++; runes == MaxWordRunes {
				flush(i + utf8.RuneLen(r))
			}
		case r >= utf8.RuneSelf && r != utf8.RuneError && unicode.In(r, unicode.S):
			flush(i)
			words = append(words, Word{i, i + utf8.RuneLen(r)})
		default:
			flush(i)
		}
	}
	flush(len(folded))
	return words
}
