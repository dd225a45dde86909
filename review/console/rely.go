package console

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// relyPrefix begins the value of a box whose post has an id that a form cannot carry as it is.
const relyPrefix = "b64."

// relyValue is the value of a post's box. An id is another's words: line ends and controls in it
// would not come back from a form as they went.
func relyValue(id string) string {
	plain := utf8.ValidString(id) && !strings.HasPrefix(id, relyPrefix) && !strings.ContainsFunc(id, func(r rune) bool {
		return !unicode.IsPrint(r)
	})
	if plain {
		return id
	}
	return relyPrefix + base64.RawURLEncoding.EncodeToString([]byte(id))
}

// relyID is the inverse of relyValue; what it did not make stands for itself.
func relyID(value string) string {
	code, ok := strings.CutPrefix(value, relyPrefix)
	if !ok {
		return value
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return value
	}
	return string(id)
}

// relied reads the ids of the posts ticked, each once: versions of an edited post share an id.
func relied(v url.Values) []string {
	var out []string
	for _, value := range v["relied"] {
		id := relyID(value)
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
