package casefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
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

func writeCanonical(buf *bytes.Buffer, v any) error {
	switch x := v.(type) {
	case nil:
		buf.WriteString("null")
	case bool:
		fmt.Fprintf(buf, "%t", x)
	case string:
		return writeCanonicalString(buf, x)
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
			err := writeCanonicalString(buf, k)
			if err != nil {
				return err
			}
			buf.WriteByte(':')
			err = writeCanonical(buf, x[k])
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
func writeCanonicalString(buf *bytes.Buffer, s string) error {
	if !utf8.ValidString(s) {
		return Errorf(CodeInvalid, "canonical JSON takes only valid UTF-8")
	}
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
	return nil
}
