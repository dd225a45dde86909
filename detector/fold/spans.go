package fold

import (
	"unicode"
	"unicode/utf8"
)

// Span is a place in a text: byte offsets, End exclusive.
type Span struct {
	Start, End int
}

// Spans gives, for places in the folded form of s, the places in s itself, in the same order. A
// place that begins or ends inside the folded form of one rune takes the whole rune in, and marks
// that follow the last one. Places outside the folded form are cut to it; an empty one gives an
// empty one. It folds s again: call it for the few texts that have a hit.
func Spans(s string, folded []Span) []Span {
	t := folding()
	var buf []byte
	var starts, ends []int // per folded byte: the rune of s that gave it
	for i, r := range s {
		size := 1
		if r != utf8.RuneError {
			size = utf8.RuneLen(r)
		} else if _, n := utf8.DecodeRuneInString(s[i:]); n > 1 {
			size = n
		}
		if r < utf8.RuneSelf {
			// The table of runes holds the ASCII entries too.
			r = rune(s[i])
		}
		n := len(buf)
		buf = t.appendRune(buf, 0, r)
		for range len(buf) - n {
			starts = append(starts, i)
			ends = append(ends, i+size)
		}
		if len(buf) == n && n > 0 && unicode.In(r, unicode.Mn, unicode.Me) {
			ends[n-1] = i + size
		}
	}
	buf = trimSpace(buf, 0)
	out := make([]Span, len(folded))
	for i, f := range folded {
		a := min(max(f.Start, 0), len(buf))
		b := min(max(f.End, a), len(buf))
		switch {
		case a < b:
			out[i] = Span{Start: starts[a], End: ends[b-1]}
		case a < len(buf):
			out[i] = Span{Start: starts[a], End: starts[a]}
		default:
			out[i] = Span{Start: len(s), End: len(s)}
		}
	}
	return out
}
