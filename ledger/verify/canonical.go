package verify

import (
	"bytes"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
)

// parseEntry is casefile.ParseEntry, which it leaves everything unusual to, but takes the entries
// that programs write in one pass: a check of a million entries spends its time here.
func parseEntry(data []byte) (casefile.Entry, error) {
	e, ok := scanEntry(data)
	if ok {
		return e, nil
	}
	return casefile.ParseEntry(data)
}

// scanEntry reads an entry whose bytes are canonical without taking it apart and building it anew.
// It says no to some that are canonical (escapes in strings, deep nesting), never yes to one that
// is not.
func scanEntry(data []byte) (casefile.Entry, bool) {
	s := scanner{data: data, ok: true}
	var e casefile.Entry
	s.want(`{"actor":{`)
	if s.optional(`"person":`) {
		e.Actor.Person = casefile.Person(s.nonEmpty())
		s.want(`,`)
	}
	s.want(`"role":`)
	e.Actor.Role = casefile.Role(s.text())
	s.want(`},"at":`)
	e.At = s.text()
	s.want(`,"body":`)
	start := s.at
	s.value(maxDepth)
	e.Body = data[start:s.at]
	if s.optional(`,"cause":`) {
		e.Cause = s.nonEmpty()
	}
	s.want(`,"event":`)
	e.Event = casefile.EventID(s.text())
	s.want(`,"prev":`)
	e.Prev = s.text()
	s.want(`,"type":`)
	e.Type = casefile.EntryType(s.text())
	s.want(`,"v":1}`)
	e.V = casefile.EntryVersion
	if !s.ok || s.at != len(data) {
		return casefile.Entry{}, false
	}
	_, _, err := e.Event.Split()
	return e, err == nil
}

// maxDepth is how deep a body may nest for the quick way.
const maxDepth = 32

// scanner steps through canonical JSON; ok turns false, for good, at the first thing that is not.
type scanner struct {
	data []byte
	at   int
	ok   bool
}

// fail ends the scan: nothing after it matches.
func (s *scanner) fail() {
	s.ok = false
	s.at = len(s.data)
}

func (s *scanner) optional(text string) bool {
	if len(s.data)-s.at < len(text) || string(s.data[s.at:s.at+len(text)]) != text {
		return false
	}
	s.at += len(text)
	return true
}

func (s *scanner) want(text string) {
	if !s.optional(text) {
		s.fail()
	}
}

// raw reads a string without escapes and gives what is between its quotes.
func (s *scanner) raw() []byte {
	s.want(`"`)
	n := bytes.IndexByte(s.data[s.at:], '"')
	if n < 0 {
		s.fail()
		return nil
	}
	text := s.data[s.at : s.at+n]
	s.at += n + 1
	ascii := true
	for _, c := range text {
		if c < 0x20 || c == '\\' {
			s.fail()
			return nil
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.Valid(text) {
		s.fail()
	}
	return text
}

func (s *scanner) text() string { return string(s.raw()) }

// nonEmpty reads the string of a field that is left out when it is empty.
func (s *scanner) nonEmpty() string {
	text := s.text()
	if text == "" {
		s.fail()
	}
	return text
}

func (s *scanner) value(depth int) {
	if s.at >= len(s.data) || depth == 0 {
		s.fail()
		return
	}
	switch s.data[s.at] {
	case '{':
		s.object(depth)
	case '[':
		s.array(depth)
	case '"':
		s.raw()
	case 't':
		s.want(`true`)
	case 'f':
		s.want(`false`)
	case 'n':
		s.want(`null`)
	default:
		s.integer()
	}
}

// object reads an object whose keys are ASCII and in order.
func (s *scanner) object(depth int) {
	s.want(`{`)
	if s.optional(`}`) {
		return
	}
	var last []byte
	for first := true; s.ok; first = false {
		key := s.raw()
		for _, c := range key {
			if c >= utf8.RuneSelf {
				s.fail()
			}
		}
		if !first && bytes.Compare(last, key) >= 0 {
			s.fail()
		}
		last = key
		s.want(`:`)
		s.value(depth - 1)
		if s.optional(`}`) {
			return
		}
		s.want(`,`)
	}
}

func (s *scanner) array(depth int) {
	s.want(`[`)
	if s.optional(`]`) {
		return
	}
	for s.ok {
		s.value(depth - 1)
		if s.optional(`]`) {
			return
		}
		s.want(`,`)
	}
}

// integer reads a whole number of at most 15 digits, which is within 2^53.
func (s *scanner) integer() {
	negative := s.optional(`-`)
	start := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	digits := s.data[start:s.at]
	if len(digits) == 0 || len(digits) > 15 || (digits[0] == '0' && (negative || len(digits) > 1)) {
		s.fail()
	}
}
