package console

import (
	"cmp"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
)

// Piece is a stretch of somebody's words as a page shows it. The Text of all pieces, joined, is the
// original byte for byte.
type Piece struct {
	Text   string
	Marked bool // a rule or a score rests on it
	// Control names a character that turns, hides or breaks text ("RLO"); the page shows the name
	// in place of Text. "" for everything else.
	Control string
}

// Pieces cuts text up for a page. Spans may overlap, lie outside the text or cut a character: what
// they touch of the text is marked.
func Pieces(text string, spans []casefile.Span) []Piece {
	marks := merge(spans, len(text))
	var out []Piece
	begun := 0 // where the piece in hand begins
	was := false
	flush := func(end int) {
		if end > begun {
			out = append(out, Piece{Text: text[begun:end], Marked: was})
		}
		begun = end
	}
	before := rune(0)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		for len(marks) > 0 && marks[0].end <= i {
			marks = marks[1:]
		}
		marked := len(marks) > 0 && marks[0].start < end
		after, _ := utf8.DecodeRuneInString(text[end:])
		name := controlName(text[i:end], r, before, after)
		if name != "" || marked != was {
			flush(i)
		}
		was = marked
		if name != "" {
			out = append(out, Piece{Text: text[i:end], Marked: marked, Control: name})
			begun = end
		}
		before, i = r, end
	}
	flush(len(text))
	return out
}

type interval struct{ start, end int }

// merge brings spans into order, without overlaps and within a text of n bytes.
func merge(spans []casefile.Span, n int) []interval {
	in := make([]interval, 0, len(spans))
	for _, s := range spans {
		start, end := max(s.Start, 0), min(s.End, n)
		if start < end {
			in = append(in, interval{start, end})
		}
	}
	slices.SortFunc(in, func(a, b interval) int { return cmp.Compare(a.start, b.start) })
	var out []interval
	for _, s := range in {
		if last := len(out) - 1; last >= 0 && s.start <= out[last].end {
			out[last].end = max(out[last].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// controlNames are the characters that writers of evasions use most, by the names of the standard.
var controlNames = map[rune]string{
	0: "NUL", '\r': "CR", 0x1b: "ESC", 0x7f: "DEL", 0x85: "NEL", 0xad: "SHY", 0x34f: "CGJ", 0x61c: "ALM", 0x180e: "MVS",
	0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM", 0x2028: "LSEP", 0x2029: "PSEP",
	0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ",
	0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
	// Letters and marks that show nothing.
	0x115f: "HCF", 0x1160: "HJF", 0x17b4: "U+17B4", 0x17b5: "U+17B5", 0x2800: "BLANK", 0x3164: "HF", 0xffa0: "HHF",
}

// visibleFormat are the format characters that are written marks of their scripts.
var visibleFormat = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x600, Hi: 0x605, Stride: 1}, {Lo: 0x6dd, Hi: 0x6dd, Stride: 1}, {Lo: 0x70f, Hi: 0x70f, Stride: 1}, {Lo: 0x890, Hi: 0x891, Stride: 1}, {Lo: 0x8e2, Hi: 0x8e2, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x110bd, Hi: 0x110bd, Stride: 1}, {Lo: 0x110cd, Hi: 0x110cd, Stride: 1}},
}

// plainScripts need no joiners: one inside their words hides or splits them.
var plainScripts = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Nd}

// controlName names a character that must be made visible; "" for one that shows itself.
func controlName(raw string, r, before, after rune) string {
	if r == utf8.RuneError && len(raw) == 1 {
		return fmt.Sprintf("byte %02X", raw[0])
	}
	if r == '\n' || r == '\t' || unicode.Is(visibleFormat, r) {
		return ""
	}
	if (r == 0x200c || r == 0x200d) && !unicode.In(before, plainScripts...) && !unicode.In(after, plainScripts...) {
		return "" // Persian, Indic scripts and emoji are written with them
	}
	if name, ok := controlNames[r]; ok {
		return name
	}
	if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) {
		return fmt.Sprintf("U+%04X", r)
	}
	return ""
}
