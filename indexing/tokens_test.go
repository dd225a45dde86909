package indexing

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"words":                 {"Grey banner, grey FLAG!", []string{"grey", "banner", "grey", "flag"}},
		"joined by signs":       {"some_handle@example.org #tag x-y", []string{"some", "handle", "example", "org", "tag", "x", "y"}},
		"emoji one by one":      {"🔥🔥 a🏴b", []string{"🔥", "🔥", "a", "🏴", "b"}},
		"arabic":                {"جَبْهَة الراية", []string{"جبهه", "الرايه"}},
		"no spaces in script":   {"北京abc日", []string{"北", "京", "abc", "日"}},
		"evasion":               {"gr\u200dey Ваnnеr", []string{"grey", "banner"}},
		"nothing":               {` "?!" `, nil},
		"broken bytes split":    {"a\xffb", []string{"a", "b"}},
		"an endless word":       {strings.Repeat("a", 150), []string{strings.Repeat("a", 64), strings.Repeat("a", 64), strings.Repeat("a", 22)}},
		"signs of money":        {"5€ £", []string{"5", "€", "£"}},
		"a reference":           {"7K2QX-9MDT4", []string{"7k2qx", "9mdt4"}},
		"control and separator": {"a\x00b\u2028c", []string{"ab", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, Tokens(tc.text))
		})
	}
}

func TestDocTokensAreDistinctAndBounded(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"7k2qx", "9mdt4", "7k2qx9mdt4", "handle", "id", "name", "text"},
		DocTokens(CaseDoc{Ref: "7K2QX-9MDT4", Handle: "handle", AccountID: "ID", Names: "Name, name", Text: "text handle"}))
	var b strings.Builder
	for i := range 2 * MaxTokens {
		b.WriteString(" ")
		b.WriteRune(rune(0x20000 + i)) // Han, each a token
	}
	require.Len(t, DocTokens(CaseDoc{Text: b.String()}), MaxTokens)
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"Grey banner", "🔥", "a\u0301\u0301", "北 ๆ ก็", `" OR NEAR(`, "\xff", strings.Repeat("é", 70), "\u0301a", "؀١"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tokens := Tokens(s)
		for _, tok := range tokens {
			require.NotEmpty(t, tok)
			require.True(t, utf8.ValidString(tok))
			require.False(t, strings.ContainsFunc(tok, func(r rune) bool {
				return unicode.IsSpace(r) || r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r)
			}), "%q", tok)
		}
		require.Equal(t, tokens, Tokens(strings.Join(tokens, " ")), "splitting what was split changes nothing")
		_, err := QueryTokens(s)
		if err == nil && strings.TrimSpace(s) != "" {
			require.NotEmpty(t, tokens)
		}
	})
}
