package local

import (
	"regexp"
	"unicode/utf8"

	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/detector/fold"
)

// Bounds of what is read of one text: a post far beyond any platform's limit is read from its
// beginning.
const (
	maxTextBytes = 16 << 10
	minGram      = 3
	maxGram      = 5
)

// readable gives what is read of a text: its beginning, with spaces in place of addresses and
// mentions, because where and who is not what is said. Every byte stays in its place.
func readable(text string) string {
	if len(text) > maxTextBytes {
		end := maxTextBytes
		for !utf8.RuneStart(text[end]) && end > maxTextBytes-utf8.UTFMax {
			end--
		}
		text = text[:end]
	}
	places := asides.FindAllStringSubmatchIndex(text, -1)
	if places == nil {
		return text
	}
	b := []byte(text)
	for _, p := range places {
		for i := p[2]; i < p[3]; i++ {
			b[i] = ' '
		}
	}
	return string(b)
}

// asides finds addresses and mentions.
var asides = regexp.MustCompile(`(?:^|[^\pL\pN_])((?i:https?://|www\.)\S+|@[\pL\pN_][\pL\pN_.@-]*)`)

// folded gives the folded form of what is read of a text.
func folded(text string) string { return fold.String(readable(text)) }

// The kinds of feature go into their hashes, so that a word and a part of one differ.
const (
	kindGram   = 1
	kindWord   = 2
	kindBigram = 3
)

// FNV-1a, 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashByte(h uint64, b byte) uint64 { return (h ^ uint64(b)) * fnvPrime }

func hashString(h uint64, s string) uint64 {
	for i := range len(s) {
		h = hashByte(h, s[i])
	}
	return h
}

// bucket brings a hash to its bucket; the upper bits of FNV are the better mixed.
func bucket(h uint64, bits uint) uint32 { return uint32((h ^ h>>29) * fnvPrime >> (64 - bits)) }

// features calls emit for every feature of the words of a folded text: the bucket and the words it
// spans, first to last. Features repeat where the text does.
func features(folded string, list []classify.Word, bits uint, emit func(bucket uint32, first, last int)) {
	for i, w := range list {
		s := folded[w.Start:w.End]
		emit(bucket(hashString(hashByte(fnvOffset, kindWord), s), bits), i, i)
		if i > 0 {
			p := list[i-1]
			h := hashString(hashByte(fnvOffset, kindBigram), folded[p.Start:p.End])
			emit(bucket(hashString(hashByte(h, ' '), s), bits), i-1, i)
		}
		grams(s, bits, func(b uint32) { emit(b, i, i) })
	}
}

// grams calls emit for every run of minGram to maxGram characters of a word with a space at either
// side.
func grams(s string, bits uint, emit func(uint32)) {
	var ends [classify.MaxWordRunes + 2]int // ends[k]: where the k-th character of " s " ends in s, clipped
	n := 1                                  // the leading space
	for i, r := range s {
		ends[n] = i + utf8.RuneLen(r)
		n++
	}
	ends[n] = len(s)
	n++
	for from := range n {
		h := hashByte(fnvOffset, kindGram)
		for to := from; to < n && to-from < maxGram; to++ {
			switch to {
			case 0, n - 1:
				h = hashByte(h, ' ')
			default:
				h = hashString(h, s[ends[to-1]:ends[to]])
			}
			if to-from+1 >= minGram {
				emit(bucket(h, bits))
			}
		}
	}
}
