package casefile

// State is where a case stands.
type State string

// The states of a case.
const (
	StateNew            State = "new"             // a flag was taken in; findings are being gathered
	StateQueued         State = "queued"          // waits in its queue for a reviewer
	StateClaimed        State = "claimed"         // a reviewer holds it by a lease
	StateAwaitingSecond State = "awaiting_second" // one blind opinion is in; a second person is due
	StateAdjudication   State = "adjudication"    // two opinions differ; a lead decides
	StateDecided        State = "decided"         // settled; the grace time runs, or its entry awaits its proof
	StateProven         State = "proven"          // the decision's entry is proven; its takedown is being started
	StateClosed         State = "closed"          // archived
)

// transitions lists what may follow each state.
var transitions = map[State][]State{
	StateNew:            {StateQueued},
	StateQueued:         {StateQueued, StateClaimed, StateClosed},
	StateClaimed:        {StateClaimed, StateQueued, StateAwaitingSecond, StateAdjudication, StateDecided, StateClosed},
	StateAwaitingSecond: {StateAwaitingSecond, StateClaimed, StateQueued},
	StateAdjudication:   {StateAdjudication, StateClaimed, StateDecided},
	StateDecided:        {StateQueued, StateProven},
	StateProven:         {StateClosed},
	StateClosed:         {},
}

// States are all states in the order of a case's life.
var States = []State{StateNew, StateQueued, StateClaimed, StateAwaitingSecond, StateAdjudication, StateDecided, StateProven, StateClosed}

// Valid reports whether s is a state.
func (s State) Valid() bool { return contains(States, s) }

// CanTransition reports whether a case may go from s to next.
func (s State) CanTransition(next State) bool { return contains(transitions[s], next) }

// Open reports whether the case is not closed.
func (s State) Open() bool { return s != StateClosed }

// CloseReason says why a case was closed without a decision.
type CloseReason string

// The reasons to close without a decision; CloseDecided is the workflow's own.
const (
	CloseDecided     CloseReason = "decided"
	CloseDuplicate   CloseReason = "duplicate"
	CloseOutOfScope  CloseReason = "out_of_scope"
	CloseAccountGone CloseReason = "account_gone"
	CloseTest        CloseReason = "test"
)

// CloseReasons are those that a person may give.
var CloseReasons = []CloseReason{CloseDuplicate, CloseOutOfScope, CloseAccountGone, CloseTest}

// Valid reports whether a person may give r.
func (r CloseReason) Valid() bool { return contains(CloseReasons, r) }
