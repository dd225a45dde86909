package receiver

import (
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

// state is what was done so far: what is told about an account follows from the measures that stand
// against it, so that taking one back leaves the others.
type state struct {
	done     map[string]Line // by key, the first time
	lines    int
	measures map[casefile.AccountRef][]Line // acts that stand, oldest first
}

func newState() *state {
	return &state{done: map[string]Line{}, measures: map[casefile.AccountRef][]Line{}}
}

// take counts a line in.
func (s *state) take(l Line) {
	m := l.Message
	s.lines++
	_, before := s.done[m.Key]
	if !before {
		s.done[m.Key] = l
	}
	switch m.Type {
	case webhook.TypeDo:
		s.measures[m.Account] = append(s.measures[m.Account], l)
	case webhook.TypeUndo:
		s.measures[m.Account] = without(s.measures[m.Account], webhook.DoKey(m.Key))
	}
}

// stands says whether the act that an undo takes back stands.
func (s *state) stands(undo webhook.Message) bool {
	key := webhook.DoKey(undo.Key)
	return slices.ContainsFunc(s.measures[undo.Account], func(l Line) bool { return l.Message.Key == key })
}

// before is what the platform tells of an account about one kind of act (on one post): the latest end
// of timed ones, "true" for others, "" where none stands. What the message's own act did is left out,
// so that a late question still gets the state before it.
func (s *state) before(m webhook.Message) map[string]string {
	value, latest := "", time.Time{}
	for _, l := range without(s.measures[m.Account], m.Key) {
		a := l.Message.Act
		switch {
		case a.Kind != m.Act.Kind || a.Post != m.Act.Post:
		case a.Until == nil:
			value = "true"
		case value == "" || a.Until.After(latest):
			latest = *a.Until
			value = latest.UTC().Format(time.RFC3339Nano)
		}
	}
	return map[string]string{string(m.Act.Kind): value}
}

func without(lines []Line, key string) []Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Message.Key == key })
}
