package casefile

// PolicyCode is a code of the violent-extremism taxonomy, VE-00 (no violation) to VE-12. What each
// means, its floor on the ladder and its DSA category stand in package policy.
type PolicyCode string

// The policy codes.
const (
	VE00 PolicyCode = "VE-00" // no violation, a false match included
	VE01 PolicyCode = "VE-01" // imminent credible threat
	VE02 PolicyCode = "VE-02" // perpetrator content
	VE03 PolicyCode = "VE-03" // entity representation
	VE04 PolicyCode = "VE-04" // material support and fundraising
	VE05 PolicyCode = "VE-05" // recruitment or solicitation
	VE06 PolicyCode = "VE-06" // instruction
	VE07 PolicyCode = "VE-07" // incitement to violence
	VE08 PolicyCode = "VE-08" // glorification
	VE09 PolicyCode = "VE-09" // propaganda distribution
	VE10 PolicyCode = "VE-10" // violent hateful ideology
	VE11 PolicyCode = "VE-11" // network operation and ban evasion
	VE12 PolicyCode = "VE-12" // borderline or unclear reference
)

// PolicyCodes are all codes in order.
var PolicyCodes = []PolicyCode{VE00, VE01, VE02, VE03, VE04, VE05, VE06, VE07, VE08, VE09, VE10, VE11, VE12}

// Valid reports whether c is a code of the taxonomy.
func (c PolicyCode) Valid() bool { return contains(PolicyCodes, c) }

// EntityTier says how the entity that a case is about is designated.
type EntityTier string

// The entity tiers.
const (
	E0 EntityTier = "E0" // none
	E1 EntityTier = "E1" // legally designated in an operating jurisdiction
	E2 EntityTier = "E2" // designated elsewhere, or by the platform
	E3 EntityTier = "E3" // violent non-state actor
	E4 EntityTier = "E4" // violence-inducing network without a formal organisation
)

// EntityTiers are all tiers in order.
var EntityTiers = []EntityTier{E0, E1, E2, E3, E4}

// Valid reports whether t is one of the tiers.
func (t EntityTier) Valid() bool { return contains(EntityTiers, t) }

// Mitigation is a legitimate context that must be considered before acting
// (Regulation (EU) 2021/784, Article 1(3)).
type Mitigation string

// The mitigations.
const (
	M1 Mitigation = "M1" // news
	M2 Mitigation = "M2" // education or research
	M3 Mitigation = "M3" // counter-speech or condemnation
	M4 Mitigation = "M4" // documentation of abuses or evidence
	M5 Mitigation = "M5" // art or satire
	M6 Mitigation = "M6" // polemic or political speech
	M7 Mitigation = "M7" // reclaimed or non-extremist meaning of a term or symbol
	M8 Mitigation = "M8" // minor or at-risk user (support path)
)

// Mitigations are all eight, in order; an opinion answers each.
var Mitigations = []Mitigation{M1, M2, M3, M4, M5, M6, M7, M8}

// Valid reports whether m is one of the eight.
func (m Mitigation) Valid() bool { return contains(Mitigations, m) }

// Answer is a person's answer on one mitigation.
type Answer string

// The answers. NotAssessed is only ever given by an automatic rule.
const (
	AnswerYes         Answer = "yes"
	AnswerNo          Answer = "no"
	AnswerNotAssessed Answer = "not_assessed"
)

// Action is a step of the enforcement ladder.
type Action string

// The ladder.
const (
	L0 Action = "L0" // none, or release of a hold
	L1 Action = "L1" // warning and education
	L2 Action = "L2" // label, age-gate or demote
	L3 Action = "L3" // feature limits for 1 to 30 days
	L4 Action = "L4" // removal of content
	L5 Action = "L5" // suspension for a fixed term
	L6 Action = "L6" // termination of the account
	LX Action = "LX" // legal: removal order, preservation, referral; a legal role, not a reviewer
)

// Actions are the steps of the ladder in order of severity, LX last.
var Actions = []Action{L0, L1, L2, L3, L4, L5, L6, LX}

// Valid reports whether a is a step of the ladder.
func (a Action) Valid() bool { return contains(Actions, a) }

// Severity is a's place on the ladder, 0 to 6; -1 for LX, which is outside it.
func (a Action) Severity() int {
	for i, x := range Actions[:7] {
		if x == a {
			return i
		}
	}
	return -1
}

// Timed reports whether a takes a number of days: L3 (1 to 30) and L5 (1 to 365).
func (a Action) Timed() bool { return a == L3 || a == L5 }

func contains[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}
