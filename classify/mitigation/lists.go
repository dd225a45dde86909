package mitigation

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/detector/fold"
)

//go:embed signs.yaml
var shipped []byte

// Default gives the lists that ship with Docket.
var Default = sync.OnceValues(func() (*Lists, error) { return Parse(shipped) })

// place is where a sign is looked for, as bits.
type place int

const (
	inProfile place = 1 << iota
	inPost
)

var places = map[string]place{"profile": inProfile, "post": inPost, "any": inProfile | inPost}

// Bounds of a file of lists.
const (
	maxTerms     = 10_000
	minStarRunes = 3 // before a star, so that it does not take everything
)

// term is one sign.
type term struct {
	text       string
	words      []string
	open       bool // the last word takes any ending
	mitigation casefile.Mitigation
	in         place
}

// matches reports whether the term stands at the head of the words.
func (t *term) matches(folded string, list []classify.Word) bool {
	if len(list) < len(t.words) {
		return false
	}
	for i, want := range t.words {
		got := folded[list[i].Start:list[i].End]
		if t.open && i == len(t.words)-1 {
			return strings.HasPrefix(got, want)
		}
		if got != want {
			return false
		}
	}
	return true
}

// Lists are word lists ready to be looked for. Safe for concurrent use.
type Lists struct {
	mitigations []casefile.Mitigation // those looked for, in order
	whole       map[string][]*term    // by their first word
	open        map[string][]*term    // of one word with a star, by the word
}

// Parse reads a file of lists (YAML; unknown fields are errors). Errors are CodeInvalid.
func Parse(data []byte) (*Lists, error) {
	var file struct {
		Version int `yaml:"version"`
		Signs   []struct {
			Mitigation casefile.Mitigation `yaml:"mitigation"`
			In         string              `yaml:"in"`
			Lang       string              `yaml:"lang"`
			Terms      []string            `yaml:"terms"`
		} `yaml:"signs"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&file)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Op: "read the lists of signs", Message: "not YAML of the form that is known", Err: err}
	}
	if file.Version != 1 {
		return nil, casefile.Invalid("version", "must be 1")
	}
	l := &Lists{whole: make(map[string][]*term), open: make(map[string][]*term)}
	n := 0
	used := make(map[casefile.Mitigation]bool)
	for i, s := range file.Signs {
		in, ok := places[s.In]
		if !ok {
			return nil, casefile.Invalid(fmt.Sprintf("signs[%d].in", i), "one of profile, post, any")
		}
		if !s.Mitigation.Valid() {
			return nil, casefile.Invalid(fmt.Sprintf("signs[%d].mitigation", i), "one of M1 to M8")
		}
		used[s.Mitigation] = true
		n += len(s.Terms)
		if n > maxTerms {
			return nil, casefile.Invalid("signs", "more than %d terms", maxTerms)
		}
		for k, text := range s.Terms {
			t, err := newTerm(text)
			if err != nil {
				return nil, casefile.Invalid(fmt.Sprintf("signs[%d].terms[%d]", i, k), "%s", err.Error())
			}
			t.mitigation, t.in = s.Mitigation, in
			if t.open && len(t.words) == 1 {
				l.open[t.words[0]] = append(l.open[t.words[0]], t)
			} else {
				l.whole[t.words[0]] = append(l.whole[t.words[0]], t)
			}
		}
	}
	for _, m := range casefile.Mitigations {
		if used[m] {
			l.mitigations = append(l.mitigations, m)
		}
	}
	return l, nil
}

func newTerm(text string) (*term, error) {
	stem, open := strings.CutSuffix(text, "*")
	f := fold.String(stem)
	t := &term{text: strings.TrimSpace(stem), open: open}
	for _, w := range classify.Words(f) {
		t.words = append(t.words, f[w.Start:w.End])
	}
	if len(t.words) == 0 {
		return nil, fmt.Errorf("has no word in it")
	}
	if open && utf8.RuneCountInString(t.words[len(t.words)-1]) < minStarRunes {
		return nil, fmt.Errorf("needs %d letters before the star", minStarRunes)
	}
	return t, nil
}

// starting gives the terms that may begin with a word.
func (l *Lists) starting(word string) []*term {
	found := l.whole[word]
	for i := range word {
		if i > 0 {
			found = with(found, l.open[word[:i]])
		}
	}
	return with(found, l.open[word])
}

// with joins two lists without writing into either.
func with(a, b []*term) []*term {
	if len(b) == 0 {
		return a
	}
	return append(a[:len(a):len(a)], b...)
}
