package indexing

import (
	"unicode"
	"unicode/utf8"

	"github.com/docket-triage/docket/detector/fold"
)

// TextVersion changes whenever Tokens splits or folds any text in another way than before. An
// index that was written under another version must be indexed again before it is asked.
const TextVersion = fold.Version + "/split-1"

// maxTokenRunes is where an endless word is cut into several tokens; Elasticsearch's whitespace
// tokenizer would cut at 255 by itself, which its other half could not know.
const maxTokenRunes = 64

// Tokens folds a text and splits it into what is indexed: runs of letters, digits and the marks on
// them, each sign such as an emoji by itself, and each character by itself in scripts written
// without spaces. Documents and queries go through it alike, so that every engine that indexes its
// tokens whole gives the same answers. A token holds no space and no ASCII punctuation.
func Tokens(text string) []string {
	folded := fold.String(text)
	var tokens []string
	start, runes := -1, 0
	flush := func(end int) {
		if start >= 0 {
			tokens = append(tokens, folded[start:end])
		}
		start, runes = -1, 0
	}
	for i, r := range folded {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r >= utf8.RuneSelf && letter(r):
			if runes >= maxTokenRunes {
				flush(i)
			}
			if start < 0 {
				start = i
			}
			runes++
		case r < utf8.RuneSelf:
			flush(i)
		case unicode.Is(unicode.M, r):
			// A mark belongs to the letter before it and is nothing by itself.
			if runes >= 4*maxTokenRunes {
				flush(i)
			} else if start >= 0 {
				runes++
			}
		case unicode.In(r, spaceless...):
			flush(i)
			start, runes = i, maxTokenRunes
		case r != utf8.RuneError && unicode.In(r, unicode.So, unicode.Sm, unicode.Sc):
			flush(i)
			tokens = append(tokens, string(r))
		default:
			flush(i)
		}
	}
	flush(len(folded))
	return tokens
}

// letter reports whether r belongs to a word of a script that puts spaces between words.
func letter(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N) && !unicode.In(r, spaceless...)
}

// spaceless are the scripts written without spaces between words.
var spaceless = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}
