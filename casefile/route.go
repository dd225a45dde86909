package casefile

import "time"

// Tier is how soon a person must first look at a case.
type Tier string

// The tiers with their times to first touch.
const (
	TierFlash   Tier = "flash"   // 15 minutes
	TierUrgent  Tier = "urgent"  // 1 hour
	TierAlert   Tier = "alert"   // 24 hours
	TierRoutine Tier = "routine" // as the queue's decision deadline says
)

// Valid reports whether t is one of the tiers.
func (t Tier) Valid() bool { return contains([]Tier{TierFlash, TierUrgent, TierAlert, TierRoutine}, t) }

// Route is where policy sends a case: queue, priority as severity (0 to 7) and confidence (0 to 3),
// never one number, and deadline; with the rule that gave it and the values it saw.
type Route struct {
	Queue      string `json:"queue"`
	Severity   int    `json:"severity"`
	Confidence int    `json:"confidence"`
	Tier       Tier   `json:"tier"`
	// DueAt is until when a person first looks at the case, DecideBy until when it is decided.
	DueAt    time.Time `json:"due_at"`
	DecideBy time.Time `json:"decide_by"`
	Rule     string    `json:"rule"`
	RuleSet  string    `json:"rule_set"` // version: hash of the rule file
	// Values are the live values that the rule's condition read, by their names in the condition.
	Values map[string]string `json:"values,omitempty"`
}
