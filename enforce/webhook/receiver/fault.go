package receiver

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

// FaultKind is a way in which a platform fails.
type FaultKind string

// The kinds of fault. "Acting" is also answering a question.
const (
	Down       FaultKind = "down"        // does nothing: 503 with Retry-After
	Throttled  FaultKind = "throttled"   // does nothing: 429, with Retry-After where one is set
	Broken     FaultKind = "broken"      // does nothing: 500
	DropBefore FaultKind = "drop_before" // does nothing: the connection breaks
	SlowBefore FaultKind = "slow_before" // waits, then acts, also when the caller has gone
	SlowAfter  FaultKind = "slow_after"  // acts, then waits, or until the caller has gone
	ErrorAfter FaultKind = "error_after" // acts: 500
	DropAfter  FaultKind = "drop_after"  // acts: the connection breaks
	Garbage    FaultKind = "garbage"     // acts: 200 with what is no answer
)

var faultKinds = []FaultKind{Down, Throttled, Broken, DropBefore, SlowBefore, SlowAfter, ErrorAfter, DropAfter, Garbage}

// Fault is a failure to play.
type Fault struct {
	Kind FaultKind
	// Types are the requests that it can hit; none means all.
	Types []webhook.Type
	// Every hits only each so-manieth of those requests; 0 and 1 mean each.
	Every int
	// Times is how often it hits before it is over; 0 means until Clear.
	Times int
	// Wait is how long the slow kinds wait; Hold, where it is set, is waited for instead.
	Wait time.Duration
	Hold <-chan struct{}
	// Hit, where it is set, is called when the fault hits a request, before anything else.
	Hit func()
	// RetryAfter goes with Down (a second at least) and Throttled; whole seconds, rounded up.
	RetryAfter time.Duration
}

// validate names what is wrong; the error is CodeInvalid.
func (f Fault) validate() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return casefile.Invalid("kind", "must be one of %v", faultKinds)
	case f.Every < 0 || f.Times < 0 || f.Wait < 0 || f.RetryAfter < 0:
		return casefile.Invalid("fault", "numbers and times must not be negative")
	}
	return nil
}

// armed is a fault with how often it was met.
type armed struct {
	Fault
	met, hit int
}

// Inject adds a fault. Of several, the first that hits a request is played. The error is CodeInvalid.
func (r *Receiver) Inject(f Fault) error {
	err := f.validate()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, &armed{Fault: f})
	return nil
}

// Clear ends all faults. What waits already goes on waiting.
func (r *Receiver) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = nil
}

// next gives the fault that hits a request, the zero Fault where none does.
func (r *Receiver) next(t webhook.Type) Fault {
	f := r.hitting(t)
	if f.Hit != nil {
		f.Hit()
	}
	return f
}

func (r *Receiver) hitting(t webhook.Type) Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		if len(f.Types) > 0 && !slices.Contains(f.Types, t) || f.Times > 0 && f.hit >= f.Times {
			continue
		}
		f.met++
		if f.met%max(f.Every, 1) == 0 {
			f.hit++
			return f.Fault
		}
	}
	return Fault{}
}

// wait lasts as long as the fault says, or until gone.
func (f Fault) wait(gone <-chan struct{}) {
	if f.Hold != nil {
		select {
		case <-f.Hold:
		case <-gone:
		}
		return
	}
	timer := time.NewTimer(f.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-gone:
	}
}

func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
