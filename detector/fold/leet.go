package fold

import "unicode/utf8"

// leetClass brings the digits and signs that stand for letters, and the letters they stand for
// when that is not one alone, to one letter each.
var leetClass = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c, to := range map[byte]byte{
		'0': 'o', '1': 'i', '!': 'i', '|': 'i', 'l': 'i', '3': 'e', '4': 'a', '@': 'a',
		'5': 's', '$': 's', '7': 't', '+': 't', '8': 'b', '9': 'g', '6': 'g',
	} {
		t[c] = to
	}
	return t
}()

// leetFor lists the letters a digit or sign can stand for.
var leetFor = [256]string{
	'0': "o", '1': "il", '!': "i", '|': "il", '3': "e", '4': "a", '@': "a",
	'5': "s", '$': "s", '7': "t", '+': "t", '8': "b", '9': "g", '6': "g",
}

// Leet brings folded text (or a folded pattern) to the second channel, in which digits and signs
// written for letters match them. It changes bytes in place and keeps their number, so offsets
// stay those of the folded text. A match here is a candidate only: LeetMatch decides.
func Leet(folded []byte) {
	for i, b := range folded {
		folded[i] = leetClass[b]
	}
}

// LeetMatch reports whether text, a piece of folded text, spells pattern with at least one digit
// or sign in a letter's place and at least one letter as itself: a bare number never does.
func LeetMatch(text []byte, pattern string) bool {
	if len(text) != len(pattern) {
		return false
	}
	signs, letters := 0, 0
	for i, b := range text {
		p := pattern[i]
		if b == p {
			if b >= 'a' && b <= 'z' || b >= utf8.RuneSelf {
				letters++
			}
			continue
		}
		if !standsFor(b, p) {
			return false
		}
		signs++
	}
	return signs > 0 && letters > 0
}

// HasLeet reports whether folded text has a digit or sign beside a letter, the only place where
// the second channel can tell anything new.
func HasLeet(folded []byte) bool {
	for i, b := range folded {
		if leetFor[b] == "" {
			continue
		}
		if i > 0 && isLetterByte(folded[i-1]) || i+1 < len(folded) && isLetterByte(folded[i+1]) {
			return true
		}
	}
	return false
}

func isLetterByte(b byte) bool { return b >= 'a' && b <= 'z' || b >= utf8.RuneSelf }

func standsFor(sign, letter byte) bool {
	for _, l := range []byte(leetFor[sign]) {
		if l == letter {
			return true
		}
	}
	return false
}
