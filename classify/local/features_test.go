package local

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/classify"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"plain":               {"Glory, to the GREY banner!", []string{"glory", "to", "the", "grey", "banner"}},
		"addresses left out":  {"see https://example.org/grey?x=banner-x or WWW.example.org/a now", []string{"see", "or", "now"}},
		"mentions left out":   {"RT @some_handle: yes @a.bsky.social @b@c.example no", []string{"rt", "yes", "no"}},
		"an at sign inside":   {"a mail@example.org", []string{"a", "mail", "example", "org"}},
		"emoji":               {"soon🔥🔥", []string{"soon", "🔥", "🔥"}},
		"evasion":             {"gr\u200dey Ваnnеr", []string{"grey", "banner"}},
		"arabic":              {"المجد لجبهة الراية", strings.Fields(folded("المجد لجبهة الراية"))},
		"nothing":             {"@a https://example.org !!", nil},
		"an endless word":     {strings.Repeat("ab", 30), []string{strings.Repeat("ab", 20), strings.Repeat("ab", 10)}},
		"a placeholder stays": {"[praise of a group]", []string{"praise", "of", "a", "group"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := folded(tc.text)
			var got []string
			for _, w := range classify.Words(f) {
				got = append(got, f[w.Start:w.End])
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestReadableKeepsEveryByteInItsPlace(t *testing.T) {
	t.Parallel()
	text := "see @Handle at https://example.org/ü grey"
	got := readable(text)
	require.Len(t, got, len(text))
	require.Equal(t, "see         at                        grey", got)
	long := strings.Repeat("ü", maxTextBytes)
	require.Equal(t, long[:maxTextBytes], readable(long))
	require.Equal(t, "x"+long[:maxTextBytes-2], readable("x"+long), "no rune is torn")
}

// TestFeaturesArePinned fails when features get other buckets: then every model file is void, and
// its format must get a new number.
func TestFeaturesArePinned(t *testing.T) {
	t.Parallel()
	var got []uint32
	f := folded("an ox 🔥")
	features(f, classify.Words(f), 18, func(b uint32, first, last int) { got = append(got, b, uint32(first), uint32(last)) })
	require.Equal(t, []uint32{
		0x3bd36, 0, 0, 0x17d2f, 0, 0, 0x28e7e, 0, 0, 0x45ce, 0, 0, // an: the word, then its parts
		0x30931, 1, 1, 0x73a5, 0, 1, 0xf8f9, 1, 1, 0x35e, 1, 1, 0x1fed0, 1, 1, // ox, the pair, parts
		0x1eea8, 2, 2, 0x17386, 1, 2, 0x2b72c, 2, 2,
	}, got)
}

func TestGramsAreThreeToFiveCharacters(t *testing.T) {
	t.Parallel()
	hash := func(s string) uint32 { return bucket(hashString(hashByte(fnvOffset, kindGram), s), 18) }
	for word, want := range map[string][]string{
		"a":   {" a "},
		"ab":  {" ab", " ab ", "ab "},
		"abc": {" ab", " abc", " abc ", "abc", "abc ", "bc "},
		"дом": {" до", " дом", " дом ", "дом", "дом ", "ом "},
	} {
		var got, expected []uint32
		grams(word, 18, func(b uint32) { got = append(got, b) })
		for _, w := range want {
			expected = append(expected, hash(w))
		}
		require.ElementsMatch(t, expected, got, word)
	}
}
