package fold

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestString(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"case":                        {"Front Of The GREY Banner", "front of the grey banner"},
		"full width":                  {"Ｇｒｅｙ　Ｂａｎｎｅｒ", "grey banner"},
		"full-width m is m":           {"ｍ", "m"},
		"mathematical letters":        {"𝐆𝐫𝐞𝐲 𝓑𝓪𝓷𝓷𝓮𝓻 𝔅", "grey banner b"},
		"circled and squared":         {"Ⓖ🅡🅴Ｙ", "grey"},
		"zero width inside a word":    {"gr\u200dey\u200b ban\u00adner\ufeff", "grey banner"},
		"bidi controls":               {"\u202egrey\u202c", "grey"},
		"stacked marks":               {"g̴̛r̷e̸y̵", "grey"},
		"tag characters":              {"grey\U000E0041\U000E0042", "grey"},
		"variation selector":          {"grey\ufe0f\U000E0100", "grey"},
		"control characters":          {"gr\x00e\x7fy", "grey"},
		"runs of spaces and breaks":   {"  grey \t\r\n\u00a0 banner ", "grey banner"},
		"dashes and underscores":      {"grey_banner—now-then – yes", "grey banner now then yes"},
		"apostrophes":                 {"don’t", "don't"},
		"cyrillic look-alikes":        {"Frоnt оf thе Grеу Ваnnеr", "front of the grey banner"},
		"greek look-alikes":           {"Ρraise αnd νictory", "praise and victory"},
		"latin look-alikes":           {"ɡrey bᴀnner, Øre, łódź", "grey banner, ore, lodz"},
		"armenian and cherokee":       {"օրդ ᎪᏴ", "oրդ ab"},
		"german":                      {"Straße STRASSE STRAẞE für Führer", "strasse strasse strasse fur fuhrer"},
		"turkish i":                   {"Iİıi", "iiii"},
		"decomposed equals composed":  {"u\u0308 \u0438\u0306 ё", String("ü й е")},
		"russian case":                {"ФРОНТ СЕРОГО ЗНАМЕНИ", String("фронт серого знамени")},
		"arabic marks and elongation": {"جَبْهَةُ الـــرايَة", "جبهه الرايه"},
		"arabic letter forms":         {"ﺟﺒﻬﺔ", "جبهه"},
		"arabic hamza seats":          {"أإآٱ ى ی ک", "اااا ي ي ك"},
		"arabic digits":               {"١٢٣ ۴", "123 4"},
		"long ligature":               {"ﷺ", "صلي الله عليه وسلم"},
		"hindi keeps vowel signs":     {"हिंदी", "हिंदी"},
		"kana keeps voicing":          {"が", "か\u3099"},
		"hangul stays whole":          {"한국", "한국"},
		"emoji stays":                 {"🏴🔥", "🏴🔥"},
		"broken bytes":                {"a\xffb\xc3", "a\ufffdb\ufffd"},
		"empty":                       {"", ""},
		"only spaces":                 {" \n\u200b ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := String(tc.in)
			require.Equal(t, tc.want, got)
			require.Equal(t, got, String(got), "folding twice changes something")
		})
	}
}

func TestAppendKeepsWhatStandsBefore(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x grey", string(Append([]byte("x "), "  Grey ")))
	require.Equal(t, "x ", string(Append([]byte("x "), "  ")))
}

// TestVersionPinsTheTable fails when a new Unicode version or an edit changes what anything folds
// to: then Version must change too.
func TestVersionPinsTheTable(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for r := range rune(tableSize) {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		h.Write([]byte("|" + String("x"+string(r)+"x")))
	}
	require.Equal(t, "fold-1", Version)
	require.Equal(t, pinned, hex.EncodeToString(h.Sum(nil))[:16])
}

const pinned = "7877c84d472ec896"

func TestEveryRuneFoldsToAFixedPoint(t *testing.T) {
	t.Parallel()
	for r := range rune(tableSize) {
		once := String("x" + string(r) + "x")
		require.Equal(t, once, String(once), "U+%04X", r)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, term, want string }{
		"plain":                 {"see the Grey Banner now", "grey banner", "Grey Banner"},
		"after wide letters":    {"🏴🏴 Ｇｒｅｙ!", "grey", "Ｇｒｅｙ"},
		"over format runes":     {"a gr\u200dey b", "grey", "gr\u200dey"},
		"takes marks in":        {"x grey\u0301 y", "grey", "grey\u0301"},
		"whole rune of ß":       {"die Straße hier", "stras", "Straß"},
		"run of spaces":         {"grey \n banner", "grey banner", "grey \n banner"},
		"after a long ligature": {"ﷺ grey", "grey", "grey"},
		"arabic":                {"قال جَبْهَة كبيرة", "جبهه", "جَبْهَة"},
		"broken bytes before":   {"\xff\xfe grey", "grey", "grey"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := String(tc.text)
			at := strings.Index(f, tc.term)
			require.GreaterOrEqual(t, at, 0, "term not in %q", f)
			got := Spans(tc.text, []Span{{at, at + len(tc.term)}})
			require.Equal(t, tc.want, tc.text[got[0].Start:got[0].End])
		})
	}
}

func TestSpansOutsideTheTextAreCut(t *testing.T) {
	t.Parallel()
	got := Spans("Grey ", []Span{{-3, 99}, {4, 4}, {2, 1}, {0, 0}})
	require.Equal(t, []Span{{0, 4}, {5, 5}, {2, 2}, {0, 0}}, got)
}

func TestLeet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text, term string
		want       bool
	}{
		"digits for letters":    {"gr3y b4nn3r", "grey banner", true},
		"one sign is enough":    {"grey bann3r", "grey banner", true},
		"1 is i":                {"1ron", "iron", true},
		"1 is l":                {"1antern", "lantern", true},
		"the plain word is not": {"grey banner", "grey banner", false},
		"a bare number is not":  {"1337", "leet", false},
		"l is not i":            {"fall", "fail", false},
		"another word is not":   {"gr3y b4nk3r", "grey banner", false},
		"a number in the term":  {"gr3y 88", "grey 88", true},
		"other length":          {"gr3", "grey", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, LeetMatch([]byte(tc.text), tc.term))
			if tc.want {
				a, b := []byte(tc.text), []byte(tc.term)
				Leet(a)
				Leet(b)
				require.Equal(t, string(b), string(a), "the channel would not find it")
				require.True(t, HasLeet([]byte(tc.text)))
			}
		})
	}
	require.False(t, HasLeet([]byte("at 10 or 11 we go")))
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Grey Banner", "ﷺ\u0301 a", "\xff\xc3a", " \u200b ", "Straße", "जबहा", "g̴r", "ㅎㅏㄴ", "\U000E0041", "½ ㎏ ´"} {
		f.Add(s, 0, 3)
	}
	f.Fuzz(func(t *testing.T, s string, a, b int) {
		once := String(s)
		require.Equal(t, once, String(once))
		require.True(t, utf8.ValidString(once))
		require.Equal(t, strings.TrimSpace(once), once)
		got := Spans(s, []Span{{a, b}, {0, len(once)}})
		for _, g := range got {
			require.True(t, 0 <= g.Start && g.Start <= g.End && g.End <= len(s))
		}
		require.Equal(t, once, String(s[got[1].Start:got[1].End]), "the place of all that folded folds to all of it")
	})
}

func BenchmarkAppend(b *testing.B) {
	texts := []string{
		"The front of the grey banner issued a statement today, officials said. #news https://example.org/a",
		"Фронт серого знамени выпустил заявление, сообщили официальные лица сегодня утром",
		"أصدرت جبهة الراية الرمادية بيانا اليوم بحسب مسؤولين محليين في المدينة",
		"Guten Morgen! Heute gibt es frische Brötchen und schönes Wetter über der Straße 🌞",
	}
	var buf []byte
	n := 0
	for i := 0; b.Loop(); i++ {
		s := texts[i&3]
		buf = Append(buf[:0], s)
		n += len(s)
	}
	b.SetBytes(int64(n / b.N))
}
