package fold

import "unicode"

// alike lists, for each Latin letter or pair, the letters that can be taken for it. It follows the
// idea of Unicode UTS 39 with two differences: ASCII letters are never brought to one another, and
// a cased pair of Cyrillic or Greek folds as one, by whichever of its forms looks Latin, so that
// upper and lower case of a real word stay the same. Scripts whose words would suffer (Arabic,
// Hebrew, Indic) are left alone.
var alike = []struct{ to, from string }{
	{"a", "аαɑᴀⱥꓮᎪ"},
	{"ae", "æӕᴁ"},
	{"aa", "ꜳ"},
	{"b", "вβʙƀᏴꓐƄ"},
	{"c", "сϲᴄⅽⲥꓚᏟ𐐽ƈ"},
	{"d", "đɖɗԁᴅꓓᎠðᏧ"},
	{"e", "еεєәɛᴇ℮ҽɇꓰᎬⴹ"},
	{"f", "ƒϝꓝꞙꬵք"},
	{"g", "ɡɢԍցᏀꓖǥɠ"},
	{"h", "нһħհʜⲏꓧᎻᏂ"},
	{"i", "іιıɩɪӏꙇᎥɨ⍳"},
	{"ij", "ĳ"},
	{"j", "јϳȷɉᎫꓙʝᴊ"},
	{"k", "кκᴋқⲕꓗᏦƙĸ"},
	{"l", "łɫƖʟⳑꓡᏞⵏǀɭ"},
	{"m", "мμᴍⲙꓟᎷϻɱ"},
	{"n", "ηոռɴŋɲⲛꓠƞ"},
	{"o", "оοøɔօᴏⲟⵔꓳ𐐬ɵө"},
	{"oe", "œɶ"},
	{"p", "рρᴘⲣꓑᏢƥϱ"},
	{"q", "ԛգզⵕɋ"},
	{"r", "гᴦʀƦꓣᏒᎡɍɾⲅ"},
	{"s", "ѕꜱՏꓢᏚᏕ𐑈ƽʂſ"},
	{"ss", "ßẞ"},
	{"t", "тτᴛŧⲧꓔᎢʈƭ"},
	{"u", "υսᴜʋꓴꞟʉ"},
	{"v", "νѵᴠꓦᏙⴸ"},
	{"w", "ԝωᴡաɯꓪᎳᏔѡ"},
	{"x", "хχⲭꓫⵝꭓ"},
	{"y", "уγүʏỿⲩꓬᎩɣƴ"},
	{"z", "ζᴢꓜᏃƶʐ"},
	// Arabic letters that writers and keyboards exchange; hamza seats lose their mark by decomposition.
	{"ي", "ىیې"},
	{"ك", "کڪ"},
	{"ه", "ةہھۀە"},
	{"ا", "ٱ"},
	// Marks and signs of one meaning.
	{"'", "’‘ʼ‛`′ʻ＇"},
	{`"`, "“”„«»″"},
	{"σ", "ς"},
}

// lookAlikes gives the Latin (or simple) form for each lower-case rune of alike, the digits of
// other scripts, and the letters in circles and squares that have no decomposition.
func lookAlikes() map[rune]string {
	m := map[rune]string{}
	for _, a := range alike {
		for _, r := range a.from {
			m[unicode.ToLower(r)] = a.to
		}
	}
	for i := range rune(26) {
		m[0x1F150+i] = string('a' + i) // white on black circles
		m[0x1F170+i] = string('a' + i) // white on black squares
	}
	for _, zero := range []rune{0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0E50} {
		for i := range rune(10) {
			m[zero+i] = string('0' + i)
		}
	}
	return m
}
