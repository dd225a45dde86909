package synth

import (
	"math/rand/v2"
	"strings"
)

var leetDigits = map[rune]rune{'o': '0', 'i': '1', 'l': '1', 'e': '3', 'a': '4', 's': '5', 't': '7', 'b': '8'}

var lookAlikes = map[rune]rune{'a': 'а', 'e': 'е', 'o': 'о', 'p': 'р', 'c': 'с', 'x': 'х', 'y': 'у', 'i': 'і', 'B': 'В', 'H': 'Н', 'g': 'ɡ', 'l': 'ⅼ'}

// leet writes digits for about two thirds of the letters that have one, outside placeholders and links.
func leet(rng *rand.Rand, text string) string { return swap(rng, text, leetDigits, 0.66) }

// confusable writes look-alike letters of other scripts for half of those that have one, and puts
// invisible runes between some letters.
func confusable(rng *rand.Rand, text string) string {
	out := swap(rng, text, lookAlikes, 0.5)
	var b strings.Builder
	for _, r := range out {
		b.WriteRune(r)
		if r > 'a' && r < 'z' && rng.IntN(12) == 0 {
			b.WriteRune('\u200b')
		}
	}
	return b.String()
}

func swap(rng *rand.Rand, text string, table map[rune]rune, share float64) string {
	var b strings.Builder
	inside := false
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		inside = inside || strings.Contains(word, "[")
		if inside || strings.Contains(word, "://") {
			b.WriteString(word)
		} else {
			for _, r := range word {
				if to, ok := table[r]; ok && rng.Float64() < share {
					r = to
				}
				b.WriteRune(r)
			}
		}
		inside = inside && !strings.Contains(word, "]")
	}
	return b.String()
}

// spaced puts spaces between all letters.
func spaced(_ *rand.Rand, text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
