// Package literal finds every occurrence of many literal strings in a text in one pass.
package literal

// Set is a dense Aho-Corasick automaton over bytes. Its running time is linear in the text plus the
// number of matches, whatever the text. It is immutable: safe for concurrent use.
type Set struct {
	class   [256]uint16 // byte to column; 0 for bytes in no pattern
	columns int
	next    []uint32 // state*columns+class to state, with flagOut where the state ends a pattern
	out     []int32  // per state: pattern that ends here, or -1
	suffix  []uint32 // per state: next shorter state that ends a pattern, 0 for none
	length  []int32  // per pattern: bytes
}

const flagOut = 1 << 31

// New builds a set. Patterns are known by their index; equal patterns are found as the first of
// them only, and empty ones never.
func New(patterns []string) *Set {
	s := &Set{columns: 1, length: make([]int32, len(patterns))}
	for _, p := range patterns {
		for i := range len(p) {
			if s.class[p[i]] == 0 {
				s.class[p[i]] = uint16(s.columns)
				s.columns++
			}
		}
	}
	s.grow()
	for id, p := range patterns {
		s.length[id] = int32(len(p))
		if p != "" {
			s.insert(int32(id), p)
		}
	}
	s.link()
	return s
}

func (s *Set) grow() uint32 {
	state := uint32(len(s.out))
	s.next = append(s.next, make([]uint32, s.columns)...)
	s.out = append(s.out, -1)
	s.suffix = append(s.suffix, 0)
	return state
}

func (s *Set) insert(id int32, pattern string) {
	state := uint32(0)
	for i := range len(pattern) {
		at := int(state)*s.columns + int(s.class[pattern[i]])
		if s.next[at] == 0 {
			child := s.grow()
			s.next[at] = child
		}
		state = s.next[at]
	}
	if s.out[state] < 0 {
		s.out[state] = id
	}
}

// link turns the trie into the automaton, breadth first, and then marks the states that end something.
func (s *Set) link() {
	fail := make([]uint32, len(s.out))
	queue := make([]uint32, 0, len(s.out))
	for c := range s.columns {
		if child := s.next[c]; child != 0 {
			queue = append(queue, child)
		}
	}
	for head := 0; head < len(queue); head++ {
		state := queue[head]
		f := fail[state]
		if s.out[f] >= 0 {
			s.suffix[state] = f
		} else {
			s.suffix[state] = s.suffix[f]
		}
		for c := range s.columns {
			at := int(state)*s.columns + c
			via := s.next[int(f)*s.columns+c]
			if child := s.next[at]; child != 0 {
				fail[child] = via
				queue = append(queue, child)
			} else {
				s.next[at] = via
			}
		}
	}
	for i, to := range s.next {
		if s.out[to] >= 0 || s.suffix[to] != 0 {
			s.next[i] = to | flagOut
		}
	}
}

// Each calls found for every occurrence of a pattern in text, overlapping ones too, in order of
// their ends and, of those that end together, the longest first. It stops when found returns false.
func (s *Set) Each(text []byte, found func(pattern, start, end int) bool) {
	state := uint32(0)
	for i, b := range text {
		to := s.next[int(state)*s.columns+int(s.class[b])]
		state = to &^ flagOut
		if to == state {
			continue
		}
		for at := state; at != 0; at = s.suffix[at] {
			id := s.out[at]
			if id >= 0 && !found(int(id), i+1-int(s.length[id]), i+1) {
				return
			}
		}
	}
}
