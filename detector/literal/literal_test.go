package literal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type hit struct{ pattern, start, end int }

func all(s *Set, text string) []hit {
	var out []hit
	s.Each([]byte(text), func(p, start, end int) bool {
		out = append(out, hit{p, start, end})
		return true
	})
	return out
}

// naive is the oracle: it looks for each pattern at each place, the longest first.
func naive(patterns []string, text string) []hit {
	var out []hit
	for end := 1; end <= len(text); end++ {
		for start := range end {
			id := slices.Index(patterns, text[start:end])
			if id >= 0 {
				out = append(out, hit{id, start, end})
			}
		}
	}
	return out
}

func TestEach(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		patterns []string
		text     string
		want     []hit
	}{
		"nothing to look for":  {nil, "grey", nil},
		"nothing to look in":   {[]string{"grey"}, "", nil},
		"one":                  {[]string{"grey"}, "a grey banner", []hit{{0, 2, 6}}},
		"overlapping":          {[]string{"abab"}, "ababab", []hit{{0, 0, 4}, {0, 2, 6}}},
		"suffix of another":    {[]string{"he", "she", "hers"}, "ushers", []hit{{1, 1, 4}, {0, 2, 4}, {2, 2, 6}}},
		"suffix within a trie": {[]string{"abcd", "bc"}, "abce", []hit{{1, 1, 3}}},
		"equal patterns":       {[]string{"a", "a"}, "a", []hit{{0, 0, 1}}},
		"empty pattern":        {[]string{"", "b"}, "ab", []hit{{1, 1, 2}}},
		"bytes outside":        {[]string{"ab"}, "a\xffb ab", []hit{{0, 4, 6}}},
		"whole alphabet":       {[]string{"\x00\xff", "ü"}, "\x00\xffü", []hit{{0, 0, 2}, {1, 2, 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, all(New(tc.patterns), tc.text))
		})
	}
}

func TestEachStopsWhenTold(t *testing.T) {
	t.Parallel()
	n := 0
	New([]string{"a", "aa"}).Each([]byte("aaaa"), func(int, int, int) bool {
		n++
		return n < 2
	})
	require.Equal(t, 2, n)
}

func TestAgreesWithNaiveSearch(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		b := make([]byte, 1+rng.IntN(n))
		for i := range b {
			b[i] = "abc "[rng.IntN(4)]
		}
		return string(b)
	}
	for range 500 {
		patterns := make([]string, 1+rng.IntN(12))
		for i := range patterns {
			patterns[i] = word(6)
		}
		text := word(60)
		require.Equal(t, naive(patterns, text), all(New(patterns), text), "%q in %q", patterns, text)
	}
}

func FuzzEach(f *testing.F) {
	f.Add("he,she,hers", "ushers")
	f.Add("a,aa,aaa,aaaa", "aaaaaaaa")
	f.Add(",,x", "\xffx")
	f.Fuzz(func(t *testing.T, list, text string) {
		if len(list) > 200 || len(text) > 500 {
			t.Skip("the oracle is slow")
		}
		patterns := strings.Split(list, ",")
		require.Equal(t, naive(patterns, text), all(New(patterns), text))
	})
}

func BenchmarkEach(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	patterns := make([]string, 2000)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("%c%c%c term %d", 'a'+rng.IntN(26), 'a'+rng.IntN(26), 'a'+rng.IntN(26), rng.IntN(1000))
	}
	s := New(patterns)
	text := []byte("officials said the front issued a statement today, in terms of which nothing changes for anyone here. #news")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Each(text, func(int, int, int) bool { return true })
	}
}
