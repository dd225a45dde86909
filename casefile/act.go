package casefile

import (
	"fmt"
	"time"
)

// ActKind is one thing that can be done on a platform.
type ActKind string

// The kinds of act. Each has a reverse that the same platform can be asked for.
const (
	ActWarn             ActKind = "warn"
	ActLabel            ActKind = "label"
	ActLimit            ActKind = "limit"
	ActRemovePost       ActKind = "remove_post"
	ActSuspend          ActKind = "suspend"
	ActTerminate        ActKind = "terminate"
	ActBlockIdentifiers ActKind = "block_identifiers"
)

// ActState is how far an act has come.
type ActState string

// The states of an act.
const (
	ActPlanned   ActState = "planned"
	ActDone      ActState = "done"
	ActFailed    ActState = "failed"
	ActUncertain ActState = "uncertain" // whether it happened could not be established
	ActUndone    ActState = "undone"
	ActSkipped   ActState = "skipped" // not needed any more: a stronger act stands in its place
)

// Direction says whether an act is done or taken back.
type Direction string

// The directions of an act.
const (
	Do   Direction = "do"
	Undo Direction = "undo"
)

// WhyRestored is why an act is uncertain that a restore could know nothing of.
const WhyRestored = "restored"

// Act is one step of carrying a decision out. Its idempotency key is (Decision, Number, Direction).
type Act struct {
	Decision string  `json:"decision"`
	Number   int     `json:"number"` // from 1
	Kind     ActKind `json:"kind"`
	// Target is an index into the relied-on posts of the decision's first opinion for
	// ActRemovePost, -1 for the account itself. The post's id stays in the sealed store.
	Target int        `json:"target"`
	Until  *time.Time `json:"until,omitempty"`
}

// Key is the idempotency key of one direction of the act.
func (a Act) Key(d Direction) string { return fmt.Sprintf("%s/%d/%s", a.Decision, a.Number, d) }

// PlanActs lists the acts that carry a decision out, in order. relied is how many posts its first
// opinion relied on (the profile does not count). It is pure, so that the actor can compute it again.
func PlanActs(d Decision, relied int) []Act {
	var acts []Act
	add := func(kind ActKind, target int, until *time.Time) {
		acts = append(acts, Act{Decision: d.ID, Number: len(acts) + 1, Kind: kind, Target: target, Until: until})
	}
	end := func() *time.Time {
		t := afterDays(d.DecidedAt.UTC(), d.Days)
		return &t
	}
	switch d.Action {
	case L1:
		add(ActWarn, -1, nil)
	case L2:
		add(ActLabel, -1, nil)
	case L3:
		add(ActLimit, -1, end())
	case L4:
		for i := range relied {
			add(ActRemovePost, i, nil)
		}
	case L5:
		add(ActSuspend, -1, end())
	case L6:
		add(ActTerminate, -1, nil)
		add(ActBlockIdentifiers, -1, nil)
	}
	return acts
}

// ActOutcome is what an attempt at an act came to.
type ActOutcome struct {
	Act       Act       `json:"act"`
	Direction Direction `json:"direction"`
	State     ActState  `json:"state"`
	At        time.Time `json:"at"`
	// Reference is the platform's own reference for what it did, random and without anyone's name.
	Reference string `json:"reference,omitempty"`
	// Why is a code (no words) for failed, uncertain and skipped.
	Why string `json:"why,omitempty"`
	// By is the person who established the outcome where the platform could not tell; else empty.
	By Person `json:"by,omitempty"`
}

// strength orders the acts on an account itself; what is done to single posts or only said has none.
var strength = map[ActKind]int{ActLabel: 1, ActLimit: 2, ActSuspend: 3, ActTerminate: 4}

// Replaces reports whether act a, done later on the same account, stands in the place of b: so
// that b's end must not take a's effect back with it.
func (a Act) Replaces(b Act) bool {
	x, y := strength[a.Kind], strength[b.Kind]
	switch {
	case x == 0 || y == 0:
		return false
	case x != y:
		return x > y
	}
	return b.Until != nil && (a.Until == nil || a.Until.After(*b.Until))
}
