package console_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/console"
)

// shown writes pieces for a test to read: matched places in [ ], names of characters in < >.
func shown(pieces []console.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		text := p.Text
		if p.Control != "" {
			text = "<" + p.Control + ">"
		}
		if p.Marked {
			text = "[" + text + "]"
		}
		b.WriteString(text)
	}
	return b.String()
}

func TestPieces(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text  string
		spans []casefile.Span
		want  string
	}{
		"nothing":                   {"plain", nil, "plain"},
		"empty":                     {"", []casefile.Span{{Start: 0, End: 1}}, ""},
		"one":                       {"so praise it", []casefile.Span{{Start: 3, End: 9}}, "so [praise] it"},
		"overlapping":               {"abcdef", []casefile.Span{{Start: 2, End: 4}, {Start: 1, End: 3}}, "a[bcd]ef"},
		"touching":                  {"abcd", []casefile.Span{{Start: 0, End: 2}, {Start: 2, End: 3}}, "[abc]d"},
		"outside":                   {"ab", []casefile.Span{{Start: -5, End: 1}, {Start: 7, End: 9}, {Start: 2, End: 1}}, "[a]b"},
		"too long":                  {"ab", []casefile.Span{{Start: 1, End: 1 << 40}}, "a[b]"},
		"cutting a character":       {"aüb", []casefile.Span{{Start: 2, End: 3}}, "a[ü]b"},
		"right-to-left override":    {"a\u202eb", nil, "a<RLO>b"},
		"matched control":           {"a\u200bb", []casefile.Span{{Start: 0, End: 5}}, "[a][<ZWSP>][b]"},
		"null and escape":           {"\x00\x1b[0m", nil, "<NUL><ESC>[0m"},
		"lines and tabs stay":       {"a\n\tb", nil, "a\n\tb"},
		"carriage return":           {"a\r\nb", nil, "a<CR>\nb"},
		"invalid bytes":             {"a\xffb", nil, "a<byte FF>b"},
		"a real replacement stays":  {"a\ufffdb", nil, "a\ufffdb"},
		"joiner in a Latin word":    {"pr\u200daise", nil, "pr<ZWJ>aise"},
		"joiner in an emoji":        {"👩\u200d👧", nil, "👩\u200d👧"},
		"joiner in Persian":         {"می\u200cخواهم", nil, "می\u200cخواهم"},
		"Arabic number sign":        {"\u0600١", nil, "\u0600١"},
		"soft hyphen":               {"ha\u00adte", nil, "ha<SHY>te"},
		"empty Hangul letter":       {"a\u3164b", nil, "a<HF>b"},
		"tag characters":            {"a\U000e0041", nil, "a<U+E0041>"},
		"private use":               {"a\ue000", nil, "a<U+E000>"},
		"left-to-right mark":        {"א\u200e!", nil, "א<LRM>!"},
		"line separator":            {"a\u2028b", nil, "a<LSEP>b"},
		"combining mark in a match": {"e\u0301x", []casefile.Span{{Start: 0, End: 3}}, "[e\u0301]x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, shown(console.Pieces(tt.text, tt.spans)))
		})
	}
}

// FuzzHighlight: whatever the text and the places, the pieces joined are the text; what a span
// covers is marked; and no character that turns or hides text is left unnamed.
func FuzzHighlight(f *testing.F) {
	f.Add("so [praise of a designated group] 🎉", 3, 9, 5, 40)
	f.Add("\u202e\x00\xff\u200dü", -1, 2, 1, 1<<30)
	f.Add("هذا نص\r\n", 1, 2, 3, 4)
	f.Add("", 0, 0, 0, 0)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d int) {
		spans := []casefile.Span{{Start: a, End: b}, {Start: c, End: d}}
		pieces := console.Pieces(text, spans)
		var joined strings.Builder
		at := 0
		for _, p := range pieces {
			if p.Text == "" {
				t.Fatalf("an empty piece in %v", pieces)
			}
			for i := range len(p.Text) {
				covered := a <= at+i && at+i < b || c <= at+i && at+i < d
				if covered && !p.Marked {
					t.Fatalf("byte %d of %q is matched and not marked", at+i, text)
				}
			}
			if p.Control == "" && strings.ContainsAny(p.Text, "\x00\x1b\r\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f") {
				t.Fatalf("%q is left as it is", p.Text)
			}
			joined.WriteString(p.Text)
			at += len(p.Text)
		}
		if joined.String() != text {
			t.Fatalf("got %q, want %q", joined.String(), text)
		}
	})
}
