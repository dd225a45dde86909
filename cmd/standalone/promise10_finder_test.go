package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// markStem begins every mark, so that one search finds any of them; nothing else holds it.
const markStem = "qzjwhimbrel"

// finder looks for marks in bytes, whatever form they were written in.
type finder struct {
	stem  [][]byte
	marks map[string][][]byte // the forms of each, by where it was put
}

func newFinder(marks map[string]string) finder {
	f := finder{stem: forms(markStem), marks: map[string][][]byte{}}
	for where, mark := range marks {
		f.marks[where] = forms(mark)
	}
	return f
}

// forms gives what a word may look like: as it is in any letters, in hexadecimal, with every byte escaped as
// in an address, in UTF-16, and in base 64 and base 32 at each of the places where it can begin. What
// stands beside a word in JSON, HTML, an address or a mail is escaped, its own letters are not.
func forms(word string) [][]byte {
	escaped, sixteen := "", utf16.Encode([]rune(word))
	var little, big []byte
	for _, b := range []byte(word) {
		escaped += fmt.Sprintf("%%%02x", b)
	}
	for _, u := range sixteen {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	out := [][]byte{[]byte(word), []byte(hex.EncodeToString([]byte(word))), []byte(escaped), little, big}
	// What is found is folded to small letters first, so these are too.
	for shift := range 3 {
		encoded := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		// The characters at either end also hold bits of what stands beside the word.
		out = append(out, []byte(strings.ToLower(encoded[(8*shift+5)/6:len(encoded)-1])))
	}
	for shift := range 5 {
		encoded := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(strings.Repeat("x", shift) + word))
		out = append(out, []byte(strings.ToLower(encoded[(8*shift+4)/5:len(encoded)-1])))
	}
	return out
}

// find names the marks in data, sorted; "?" for one that is none of those known. It looks into what data
// holds compressed, too.
func (f finder) find(data []byte) []string {
	found := f.plainly(data)
	for _, inner := range inflate(data) {
		found = append(found, f.plainly(inner)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (f finder) plainly(data []byte) []string {
	small := bytes.ToLower(data)
	if len(small) != len(data) { // bytes that are no UTF-8
		small = lower(data)
	}
	if !containsAny(small, f.stem) {
		return nil
	}
	var found []string
	for where, forms := range f.marks {
		if containsAny(small, forms) {
			found = append(found, where)
		}
	}
	if found == nil {
		return []string{"?"}
	}
	return found
}

// lower folds the letters of ASCII alone.
func lower(data []byte) []byte {
	out := slices.Clone(data)
	for i, b := range out {
		if 'A' <= b && b <= 'Z' {
			out[i] = b + 'a' - 'A'
		}
	}
	return out
}

func containsAny(data []byte, forms [][]byte) bool {
	return slices.ContainsFunc(forms, func(form []byte) bool { return bytes.Contains(data, form) })
}

// mostInflated bounds what one compressed part is opened to.
const mostInflated = 8 << 20

// inflate opens every part of data that is compressed as gzip or zlib does it.
func inflate(data []byte) [][]byte {
	var out [][]byte
	open := func(magic []byte, open func(io.Reader) (io.ReadCloser, error)) {
		for from := 0; ; {
			at := bytes.Index(data[from:], magic)
			if at < 0 {
				return
			}
			from += at + len(magic)
			r, err := open(bytes.NewReader(data[from-len(magic):]))
			if err != nil {
				continue
			}
			inner, _ := io.ReadAll(io.LimitReader(r, mostInflated)) // it may be cut off, or end in something else
			if len(inner) > 0 {
				out = append(out, inner)
			}
		}
	}
	open([]byte{0x1f, 0x8b, 8}, func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) })
	for _, level := range []byte{0x01, 0x5e, 0x9c, 0xda} {
		open([]byte{0x78, level}, zlib.NewReader)
	}
	return out
}

// TestFinderFindsEveryForm: a search that could not find a mark would prove nothing.
func TestFinderFindsEveryForm(t *testing.T) {
	t.Parallel()
	mark := markStem + "handle"
	f := newFinder(map[string]string{"handle": mark, "other": markStem + "other"})
	squeeze := func(w io.WriteCloser, buf *bytes.Buffer) string {
		_, err := w.Write([]byte("some words before " + mark + " and behind"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return "\x00\xff" + buf.String() + "more"
	}
	var zipped, deflated bytes.Buffer
	wide := ""
	for _, r := range "é" + mark {
		wide += string([]byte{byte(r), byte(r >> 8)})
	}
	written := map[string]string{
		"as it is": "a " + mark + " b", "in capitals": strings.ToUpper(mark), "beside bytes": "\xff\xfe" + mark + "\x80", "in hexadecimal": hex.EncodeToString([]byte("é" + mark)),
		"in capital hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(mark))), "escaped": percent(mark), "UTF-16": wide, "UTF-16, the other way": "\x00" + wide,
		"gzip": squeeze(gzip.NewWriter(&zipped), &zipped), "zlib": squeeze(zlib.NewWriter(&deflated), &deflated),
	}
	for n := range 5 {
		text := []byte(strings.Repeat("\xfa", n) + mark + "~~")
		written[fmt.Sprintf("base 64, %d", n)] = base64.StdEncoding.EncodeToString(text)
		written[fmt.Sprintf("base 64 of addresses, %d", n)] = base64.RawURLEncoding.EncodeToString(text)
		written[fmt.Sprintf("base 32, %d", n)] = base32.StdEncoding.EncodeToString(text)
	}
	for how, text := range written {
		require.Equal(t, []string{"handle"}, f.find([]byte("{"+text+"}")), how)
	}
	require.Equal(t, []string{"?"}, f.find([]byte(markStem+"nobody's")))
	require.Empty(t, f.find([]byte(markStem[:len(markStem)-1]+" handle")))
}

func percent(word string) string {
	out := ""
	for _, b := range []byte(word) {
		out += fmt.Sprintf("%%%02X", b)
	}
	return out
}
