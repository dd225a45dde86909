package dryrun

import (
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Names of what an account's state says, one for each kind of act. An absent name means that
// nothing of the kind stands.
var stateKeys = map[casefile.ActKind]string{
	casefile.ActWarn:             "warned",
	casefile.ActLabel:            "labelled",
	casefile.ActLimit:            "limited_until",
	casefile.ActRemovePost:       "post_removed",
	casefile.ActSuspend:          "suspended_until",
	casefile.ActTerminate:        "terminated",
	casefile.ActBlockIdentifiers: "identifiers_blocked",
}

// measure is an act that stands against an account. An account's state is made of the measures
// that stand, so that taking one back never lifts what another decision imposed.
type measure struct {
	key   string // of the act that imposed it
	kind  casefile.ActKind
	post  string
	until *time.Time
}

// measures are those that stand against one account, oldest first.
type measures []measure

// value is what the state says of a kind, "" when nothing of it stands: the latest end for timed
// ones, "true" for the others.
func (m measures) value(kind casefile.ActKind, post string) string {
	out, latest := "", time.Time{}
	for _, x := range m {
		switch {
		case x.kind != kind || x.post != post:
		case x.until == nil:
			out = "true"
		case x.until.After(latest) || out == "":
			latest = *x.until
			out = latest.UTC().Format(time.RFC3339Nano)
		}
	}
	return out
}

// state is the account's whole state; removed posts stand as post_removed:ID.
func (m measures) state() map[string]string {
	out := map[string]string{}
	for _, x := range m {
		name := stateKeys[x.kind]
		if x.kind == casefile.ActRemovePost {
			name += ":" + x.post
		}
		out[name] = m.value(x.kind, x.post)
	}
	return out
}

// before is what the state says of one kind of act.
func (m measures) before(kind casefile.ActKind, post string) map[string]string {
	return map[string]string{stateKeys[kind]: m.value(kind, post)}
}

// without is m less the measure that the act of the key imposed.
func (m measures) without(key string) (left measures, found bool) {
	left = slices.DeleteFunc(slices.Clone(m), func(x measure) bool { return x.key == key })
	return left, len(left) < len(m)
}
