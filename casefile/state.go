package casefile

// State is where a case stands.
type State string

// The states of a case.
const (
	StateNew     State = "new"     // a flag was taken in; findings are being gathered
	StateQueued  State = "queued"  // waits in its queue for a person, whichever opinion is due
	StateClaimed State = "claimed" // a person holds it by a lease
	StateDecided State = "decided" // settled; the grace time runs, or its entry awaits its proof
	StateProven  State = "proven"  // the decision's entry is proven; its takedown is being started
	StateClosed  State = "closed"  // archived
)

// Stage says who may take a case next. A case that awaits a second person stands like any other, so
// that being second tells nothing.
type Stage string

// The stages.
const (
	StageOpinion      Stage = ""             // anybody who may judge
	StageAdjudication Stage = "adjudication" // two opinions differ: a lead, who sees both
)

// Valid reports whether s is a stage.
func (s Stage) Valid() bool { return s == StageOpinion || s == StageAdjudication }

// transitions lists what may follow each state.
var transitions = map[State][]State{
	StateNew:     {StateQueued, StateDecided, StateProven, StateClosed},
	StateQueued:  {StateQueued, StateClaimed, StateDecided, StateClosed},
	StateClaimed: {StateClaimed, StateQueued, StateDecided, StateClosed},
	StateDecided: {StateQueued, StateProven},
	StateProven:  {StateClosed},
	StateClosed:  {},
}

// States are all states in the order of a case's life.
var States = []State{StateNew, StateQueued, StateClaimed, StateDecided, StateProven, StateClosed}

// Valid reports whether s is a state.
func (s State) Valid() bool { return contains(States, s) }

// CanTransition reports whether a case may go from s to next.
func (s State) CanTransition(next State) bool { return contains(transitions[s], next) }

// Open reports whether the case is not closed.
func (s State) Open() bool { return s != StateClosed }

// CloseReason says why a case was closed without a decision.
type CloseReason string

// The reasons to close a case. The first two are the workflow's own: CloseAlreadyDecided closes as
// VE-00 a case whose evidence an earlier decision had before it, all of it.
const (
	CloseDecided        CloseReason = "decided"
	CloseAlreadyDecided CloseReason = "already_decided"

	CloseDuplicate   CloseReason = "duplicate"
	CloseOutOfScope  CloseReason = "out_of_scope"
	CloseAccountGone CloseReason = "account_gone"
	CloseTest        CloseReason = "test"
)

// CloseReasons are those that a person may give.
var CloseReasons = []CloseReason{CloseDuplicate, CloseOutOfScope, CloseAccountGone, CloseTest}

// Valid reports whether a person may give r.
func (r CloseReason) Valid() bool { return contains(CloseReasons, r) }
