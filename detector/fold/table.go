package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// buildTables computes what every rune folds to: compatibility decomposition, marks and format
// characters dropped, lower case, then the look-alike Latin letter. ASCII letters stand for
// themselves: only other runes are brought to them, so that both sides of a comparison agree.
func buildTables() *tables {
	t := &tables{rune: make([]uint32, tableSize), long: map[rune]string{}}
	like := lookAlikes()
	for r := range rune(tableSize) {
		if decomposesToItself(r) {
			t.rune[r] = entryKeep
			continue
		}
		f := foldRune(r, like)
		// A result may hold runes that fold on; five rounds are more than any rune takes.
		for range 5 {
			next := foldString(f, like)
			if next == f {
				break
			}
			f = next
		}
		t.set(r, f)
	}
	for b := range t.ascii {
		e := t.rune[b]
		t.ascii[b] = byte(e)
	}
	return t
}

func (t *tables) set(r rune, f string) {
	switch {
	case f == "":
		t.rune[r] = entryDelete
	case f == string(r) && f != " " && r >= utf8.RuneSelf:
		t.rune[r] = entryKeep
	case len(f) > 4 || len(f) > 1 && strings.Contains(f, " "):
		t.rune[r] = entryLong
		t.long[r] = f
	default:
		var e uint32
		for i := range len(f) {
			e |= uint32(f[i]) << (8 * i)
		}
		t.rune[r] = e
	}
}

// decomposesToItself skips the large blocks in which nothing folds: Han, Hangul (syllables stay
// whole), surrogates, private use, Tangut and Nüshu.
func decomposesToItself(r rune) bool {
	return r >= 0x3400 && r <= 0x9FFF || r >= 0xAC00 && r <= 0xF8FF || r >= 0x17000 && r <= 0x1AFFF
}

func foldString(s string, like map[rune]string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(foldRune(r, like))
	}
	return b.String()
}

func foldRune(r rune, like map[rune]string) string {
	var b strings.Builder
	for _, d := range norm.NFKD.String(string(r)) {
		switch {
		case unicode.IsSpace(d) || unicode.Is(unicode.Z, d) || unicode.Is(unicode.Pd, d) || d == '_' || d == '−':
			b.WriteByte(' ')
			continue
		case dropped(d):
			continue
		}
		d = unicode.ToLower(d)
		if l, ok := like[d]; ok {
			b.WriteString(l)
			continue
		}
		b.WriteRune(d)
	}
	return b.String()
}

// dropped reports whether a rune carries no letter of its own: control and format characters, the
// Arabic elongation, and the marks of the scripts in which people write with or without them. The
// vowel signs of Indic scripts and Thai, and the voicing marks of kana, are letters to a reader
// and stay.
func dropped(r rune) bool {
	switch {
	case r == 0x0640 || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Me):
		return true
	case r == 0x3099 || r == 0x309A || !unicode.Is(unicode.Mn, r):
		return false
	}
	return unicode.In(r, unicode.Inherited, unicode.Common, unicode.Latin, unicode.Greek, unicode.Cyrillic,
		unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Coptic)
}
