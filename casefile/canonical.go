package casefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical gives the canonical JSON of v after RFC 8785 (JCS), for the subset that ledger entries
// use: objects with ASCII keys, strings, booleans, null, arrays, and integers within 2^53. Anything
// else (a fraction, an exponent, invalid UTF-8) is a CodeInvalid error, because its canonical form
// would depend on the implementation.
func Canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal for canonical JSON: %w", err)
	}
	if !faithful(raw) {
		return nil, Errorf(CodeInvalid, "canonical JSON takes only valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	err = dec.Decode(&tree)
	if err != nil {
		return nil, fmt.Errorf("decode for canonical JSON: %w", err)
	}
	var buf bytes.Buffer
	err = writeCanonical(&buf, tree)
	if err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// faithful reports whether every text of raw, JSON as encoding/json writes it, decodes to what was
// meant. The package puts an escaped U+FFFD in the place of bytes that are no UTF-8, and decodes half
// a surrogate pair to the same: different texts would get one canonical form.
func faithful(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		unit := escapedUnit(raw[i+1:])
		i += 4
		switch {
		case unit == utf8.RuneError:
			return false
		case utf16.IsSurrogate(unit):
			rest, paired := bytes.CutPrefix(raw[i+1:], []byte(`\u`))
			if !paired || utf16.DecodeRune(unit, escapedUnit(rest)) == utf8.RuneError {
				return false
			}
			i += 6
		}
	}
	return true
}

// escapedUnit reads the four hexadecimal digits of an escape; the JSON is known to be sound.
func escapedUnit(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n)
}

func writeCanonical(buf *bytes.Buffer, v any) error {
	switch x := v.(type) {
	case nil:
		buf.WriteString("null")
	case bool:
		fmt.Fprintf(buf, "%t", x)
	case string:
		writeCanonicalString(buf, x)
	case json.Number:
		n, err := x.Int64()
		if err != nil || n > 1<<53 || n < -(1<<53) {
			return Errorf(CodeInvalid, "canonical JSON takes only integers within 2^53")
		}
		fmt.Fprintf(buf, "%d", n)
	case []any:
		buf.WriteByte('[')
		for i, e := range x {
			if i > 0 {
				buf.WriteByte(',')
			}
			err := writeCanonical(buf, e)
			if err != nil {
				return err
			}
		}
		buf.WriteByte(']')
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			for i := range len(k) {
				if k[i] >= utf8.RuneSelf {
					return Errorf(CodeInvalid, "canonical JSON takes only ASCII keys")
				}
			}
			keys = append(keys, k)
		}
		sort.Strings(keys)
		buf.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				buf.WriteByte(',')
			}
			writeCanonicalString(buf, k)
			buf.WriteByte(':')
			err := writeCanonical(buf, x[k])
			if err != nil {
				return err
			}
		}
		buf.WriteByte('}')
	default:
		return Errorf(CodeInternal, "canonical JSON cannot hold a %T", v)
	}
	return nil
}

// writeCanonicalString escapes as RFC 8785 section 3.2.2.2 says.
func writeCanonicalString(buf *bytes.Buffer, s string) {
	buf.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			buf.WriteByte('\\')
			buf.WriteByte(c)
		case c == '\b':
			buf.WriteString(`\b`)
		case c == '\t':
			buf.WriteString(`\t`)
		case c == '\n':
			buf.WriteString(`\n`)
		case c == '\f':
			buf.WriteString(`\f`)
		case c == '\r':
			buf.WriteString(`\r`)
		case c < 0x20:
			fmt.Fprintf(buf, `\u%04x`, c)
		default:
			buf.WriteByte(c)
		}
	}
	buf.WriteByte('"')
}
