package casefile

import "time"

// Entries of the system chain about holds and erasures.
const (
	EntryHold   EntryType = "hold"   // a legal hold was put on an account, or ended
	EntryErased EntryType = "erased" // an account's content key was destroyed
)

// CloseErased is why an erasure closes an open case; the workflow's own, no person gives it.
const CloseErased CloseReason = "erased"

// ErasureState is how far an erasure has come.
type ErasureState string

// The states of an erasure. Closing and destroyed go on by themselves, whatever stops in between.
const (
	ErasureClosing   ErasureState = "closing"   // an open case is being closed; nothing is destroyed yet
	ErasureDestroyed ErasureState = "destroyed" // the key is gone; index, objects and workflows follow
	ErasureDone      ErasureState = "done"      // nothing of the account is left
	ErasureStopped   ErasureState = "stopped"   // something came in its way before the key was destroyed
)

// UnderWay reports whether the erasure has not come to its end.
func (s ErasureState) UnderWay() bool { return s == ErasureClosing || s == ErasureDestroyed }

// ErasureBar is a code of what keeps an account from being erased.
type ErasureBar string

// The bars.
const (
	BarDecision  ErasureBar = "decision"     // a decision is within its grace time, or on its way to the ledger
	BarTakedown  ErasureBar = "takedown"     // acts are being done, or the person has still to be told
	BarUncertain ErasureBar = "uncertain"    // an act's outcome is not established
	BarTimed     ErasureBar = "timed"        // an act has still to end by itself
	BarAppeal    ErasureBar = "appeal"       // an appeal is open, or what it took back is not all done
	BarWindow    ErasureBar = "appeal_until" // the person may still appeal
	BarHold      ErasureBar = "hold"         // a legal hold stands
)

// ErasureReason is one reason why an account cannot be erased now: codes only.
type ErasureReason struct {
	Bar      ErasureBar `json:"bar"`
	Case     CaseRef    `json:"case,omitempty"`
	Decision string     `json:"decision,omitempty"`
	Act      int        `json:"act,omitempty"`
	Appeal   string     `json:"appeal,omitempty"`
	Hold     string     `json:"hold,omitempty"`
	// Until is when it ends by itself; nil where it does not, or where that is not known.
	Until *time.Time `json:"until,omitempty"`
}
