// Package fold brings texts into the one form in which they are compared: case, width, marks,
// format characters, look-alike letters, dashes and runs of spaces no longer tell them apart.
//
// Folded text is for matching only, never for display. Patterns and texts must be folded by the
// same Version.
package fold

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Version changes whenever any text folds to something else than before. Whatever keeps folded
// text, or something computed from it, keeps the version beside it.
const Version = "fold-1"

// tableSize bounds the runes that have an entry; everything above is copied, but for the tag
// characters and the supplementary variation selectors, which vanish.
const tableSize = 0x20000

// Entries of the table hold up to four bytes of UTF-8, the first in the lowest byte, and these marks.
const (
	entryDelete = 0          // the rune vanishes
	entryKeep   = 0xFFFFFFFF // the rune stands for itself
	entryLong   = 0xFFFFFFFE // the result is in tables.long
)

type tables struct {
	ascii [utf8.RuneSelf]byte // 0 deletes
	rune  []uint32
	long  map[rune]string
}

// folding is built at first use (some 30 ms), so that programs that fold nothing do not pay for it.
var folding = sync.OnceValue(buildTables)

// String gives the folded form of s.
func String(s string) string { return string(Append(make([]byte, 0, len(s)), s)) }

// Append appends the folded form of s to dst and returns the extended slice. It works rune by rune
// in one pass; a byte that is not UTF-8 folds to U+FFFD. The form has no space at either end and
// no two in a row. Folding a folded text changes nothing. Safe for concurrent use.
func Append(dst []byte, s string) []byte {
	t := folding()
	base := len(dst)
	for i := 0; i < len(s); {
		b := s[i]
		if b < utf8.RuneSelf {
			i++
			if f := t.ascii[b]; f > ' ' {
				dst = append(dst, f)
			} else if f == ' ' {
				dst = appendSpace(dst, base)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		dst = t.appendRune(dst, base, r)
	}
	return trimSpace(dst, base)
}

// appendRune appends what r folds to. base is where the text began in dst.
func (t *tables) appendRune(dst []byte, base int, r rune) []byte {
	if r >= tableSize {
		if vanishesAbove(r) {
			return dst
		}
		return utf8.AppendRune(dst, r)
	}
	switch e := t.rune[r]; e {
	case entryDelete:
	case entryKeep:
		dst = utf8.AppendRune(dst, r)
	case ' ':
		dst = appendSpace(dst, base)
	case entryLong:
		for _, c := range []byte(t.long[r]) {
			if c == ' ' {
				dst = appendSpace(dst, base)
			} else {
				dst = append(dst, c)
			}
		}
	default:
		for ; e != 0; e >>= 8 {
			dst = append(dst, byte(e))
		}
	}
	return dst
}

func appendSpace(dst []byte, base int) []byte {
	if len(dst) > base && dst[len(dst)-1] != ' ' {
		dst = append(dst, ' ')
	}
	return dst
}

func trimSpace(dst []byte, base int) []byte {
	if len(dst) > base && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// vanishesAbove reports whether a rune outside the table is a tag character or variation selector.
func vanishesAbove(r rune) bool {
	return r >= 0xE0000 && r <= 0xE01EF && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r))
}
