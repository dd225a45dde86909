package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"
)

// print writes v as JSON with --json, and with show, in columns, otherwise.
func (g *global) print(out io.Writer, v any, show func(io.Writer)) error {
	if g.json {
		return printJSON(out, v, "  ")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	show(w)
	return w.Flush()
}

// printLine writes v as one line of JSON.
func printLine(out io.Writer, v any) error { return printJSON(out, v, "") }

// printJSON writes v as JSON that is safe on a terminal too: what hides or moves text is escaped.
func printJSON(out io.Writer, v any, indent string) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	var safe strings.Builder
	for _, r := range buf.String() {
		switch {
		case r == '\n' || !unprintable(r): // a line feed stands between values only
			safe.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			_, _ = fmt.Fprintf(&safe, `\u%04x\u%04x`, high, low)
		default:
			_, _ = fmt.Fprintf(&safe, `\u%04x`, r)
		}
	}
	_, err = io.WriteString(out, safe.String())
	return err
}

// unprintable reports whether a character can move a terminal's cursor, turn text around, hide it or
// break its line.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// plain makes content under review safe for one line of a terminal: line feeds are
// shown as ⏎, all else that is unprintable as U+XXXX, bytes that are no text as U+FFFD.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(" ⏎ ")
		case unprintable(r) || r == unicode.ReplacementChar:
			_, _ = fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quoted is a text of several lines, each made plain and marked, so that none passes for ours.
func quoted(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("  | " + plain(strings.TrimRight(line, "\r\n")) + "\n")
	}
	return b.String()
}

// when is a time for a person, "-" for none.
func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}
