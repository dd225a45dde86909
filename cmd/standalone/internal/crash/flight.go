package crash

import (
	"fmt"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// What must at least be in flight at every kill.
const (
	minFlags     = 20
	minClaims    = 5
	minTakedowns = 5
)

// inFlight is how much has begun and not ended, as far as the driver knows.
type inFlight struct {
	Flags     int `json:"flags"`     // sent, their case not known yet
	Claims    int `json:"claims"`    // granted, and not yet given up or judged
	Takedowns int `json:"takedowns"` // of decisions whose grace is over, their end not on the ledger yet
}

// margin is by how much more must be in flight before a kill is begun: until it happens, some of it may end.
const margin = 3

func (n inFlight) enough(more int) bool {
	return n.Flags >= minFlags+more && n.Claims >= minClaims+more && n.Takedowns >= minTakedowns+more
}

func (n inFlight) String() string {
	return fmt.Sprintf("%d flags, %d claims, %d takedowns", n.Flags, n.Claims, n.Takedowns)
}

// flight counts what is in flight.
type flight struct {
	mu        sync.Mutex
	flags     int
	claims    map[casefile.CaseRef]time.Time // until when each lease holds
	takedowns map[string]time.Time           // by decision: the end of its grace
	over      map[string]bool                // decisions whose takedown has come to its end
}

func newFlight() *flight {
	return &flight{claims: map[casefile.CaseRef]time.Time{}, takedowns: map[string]time.Time{}, over: map[string]bool{}}
}

func (f *flight) flag(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flags += n
}

func (f *flight) claim(ref casefile.CaseRef, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims[ref] = until
}

func (f *flight) unclaim(ref casefile.CaseRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.claims, ref)
}

// takedown notes the takedown of a decision, which begins when its grace is over.
func (f *flight) takedown(decision string, after time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over[decision] {
		f.takedowns[decision] = after
	}
}

// ended notes that a takedown has come to its end.
func (f *flight) ended(decision string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over[decision] = true
	delete(f.takedowns, decision)
}

// now counts.
func (f *flight) now() inFlight {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, now := inFlight{Flags: f.flags}, time.Now()
	for ref, until := range f.claims {
		if now.After(until) {
			delete(f.claims, ref)
			continue
		}
		n.Claims++
	}
	for _, after := range f.takedowns {
		if !now.Before(after) {
			n.Takedowns++
		}
	}
	return n
}
