package casefile

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Judgement is the coded part of an opinion or a decision.
type Judgement struct {
	Action Action `json:"action"`
	// Days is the length of a timed action: L3 1 to 30, L5 1 to 365; 0 for every other.
	Days int `json:"days,omitempty"`
	// Policies holds at least one code, the one that the action rests on first.
	Policies    []PolicyCode          `json:"policies"`
	EntityTier  EntityTier            `json:"entity_tier"`
	Mitigations map[Mitigation]Answer `json:"mitigations"`
}

// Same reports whether two judgements agree on the action and on the policy code that it rests on.
// Their terms may differ.
func (j Judgement) Same(k Judgement) bool {
	return j.Action == k.Action && len(j.Policies) > 0 && len(k.Policies) > 0 && j.Policies[0] == k.Policies[0]
}

// Limits of an opinion's words, in characters.
const (
	MinRationale = 10
	MaxRationale = 4000
	MaxRelied    = MaxFlagEvidence
)

// EvidenceProfile is relied on like a post where the account's own profile is the evidence.
const EvidenceProfile = "profile"

// OpinionForm is one person's full judgement, words included: what a form or the API hands in and
// what the sealed store keeps.
type OpinionForm struct {
	Judgement
	Rationale string `json:"rationale"`
	// Relied are the ids of the evidence posts relied on, or EvidenceProfile.
	Relied []string `json:"relied"`
}

// Faults are all errors of one input. It is an error when it is not empty.
type Faults []*Error

// Error joins the messages.
func (f Faults) Error() string {
	parts := make([]string, len(f))
	for i, e := range f {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the single errors to errors.Is and errors.As.
func (f Faults) Unwrap() []error {
	out := make([]error, len(f))
	for i, e := range f {
		out[i] = e
	}
	return out
}

// Err returns f as an error, nil when it is empty.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Validate checks the coded part; field names are JSON paths ("mitigations.M3").
func (j Judgement) Validate() Faults {
	var f Faults
	bad := func(field, format string, args ...any) { f = append(f, Invalid(field, format, args...)) }
	switch {
	case !j.Action.Valid():
		bad("action", "required: one of L0 to L6")
	case j.Action == LX:
		bad("action", "LX is a legal order, recorded by the legal role, not an opinion")
	}
	switch {
	case j.Action == L3 && (j.Days < 1 || j.Days > 30):
		bad("days", "L3 limits features for 1 to 30 days")
	case j.Action == L5 && (j.Days < 1 || j.Days > 365):
		bad("days", "L5 suspends for 1 to 365 days")
	case j.Action.Valid() && !j.Action.Timed() && j.Days != 0:
		bad("days", "%s takes no number of days", j.Action)
	}
	if len(j.Policies) == 0 {
		bad("policies", "at least one policy code is required")
	}
	seen := map[PolicyCode]bool{}
	for i, p := range j.Policies {
		field := fmt.Sprintf("policies[%d]", i)
		switch {
		case !p.Valid():
			bad(field, "not a policy code VE-00 to VE-12")
		case seen[p]:
			bad(field, "%s stands twice", p)
		case p == VE00 && len(j.Policies) > 1:
			bad(field, "VE-00 (no violation) excludes every other code")
		case p == VE00 && j.Action != L0 && j.Action.Valid():
			bad("action", "VE-00 (no violation) allows only L0")
		}
		seen[p] = true
	}
	if len(j.Policies) > 0 && j.Policies[0] != VE00 && j.Policies[0].Valid() && j.Action == L0 && !j.anyMitigation() {
		bad("action", "L0 on a violation needs a mitigation answered yes, or VE-00")
	}
	if len(j.Policies) == 1 && j.Policies[0] == VE12 && j.Action.Severity() > L2.Severity() {
		bad("action", "VE-12 (unclear reference) alone allows at most L2")
	}
	switch {
	case !j.EntityTier.Valid():
		bad("entity_tier", "required: one of E0 to E4")
	case j.EntityTier == E0 && seen[VE03]:
		bad("entity_tier", "VE-03 (entity representation) needs an entity: E1 to E4")
	}
	answered := 0
	for _, m := range Mitigations {
		a, ok := j.Mitigations[m]
		if ok {
			answered++
		}
		switch a {
		case AnswerYes, AnswerNo:
		case "":
			bad("mitigations."+string(m), "must be answered yes or no")
		default:
			bad("mitigations."+string(m), "must be yes or no")
		}
	}
	if len(j.Mitigations) > answered {
		bad("mitigations", "only M1 to M8 are mitigations")
	}
	return f
}

func (j Judgement) anyMitigation() bool {
	for _, m := range Mitigations {
		if j.Mitigations[m] == AnswerYes {
			return true
		}
	}
	return false
}

// Validate checks the whole form and returns every fault at once.
func (o OpinionForm) Validate() Faults {
	f := o.Judgement.Validate()
	n := utf8.RuneCountInString(strings.TrimSpace(o.Rationale))
	switch {
	case n < MinRationale:
		f = append(f, Invalid("rationale", "required: at least %d characters", MinRationale))
	case n > MaxRationale:
		f = append(f, Invalid("rationale", "%d characters; the limit is %d", n, MaxRationale))
	}
	if len(o.Relied) > MaxRelied {
		f = append(f, Invalid("relied", "%d items; the limit is %d", len(o.Relied), MaxRelied))
	}
	if len(o.Relied) == 0 && o.Action != L0 && o.Action.Valid() {
		f = append(f, Invalid("relied", "name at least one evidence post, or the profile"))
	}
	return f
}

// Opinion is an OpinionForm without its words: what workflow payloads and records hold.
type Opinion struct {
	ID     string    `json:"id"` // the verb's id
	Person Person    `json:"person"`
	Role   Role      `json:"role"`
	At     time.Time `json:"at"`
	Judgement
	Claim            int `json:"claim"`
	EvidenceRevision int `json:"evidence_revision"`
	// Relied is how many posts the form relies on; the profile is not counted.
	Relied int `json:"relied"`
	// Form is the address of the sealed OpinionForm, Digest the keyed digest of its bytes.
	Form   Address `json:"form"`
	Digest string  `json:"digest"`
	// Notice is the exact notice that the author saw before confirming; nil where the action sends none.
	Notice *NoticeRef `json:"notice,omitempty"`
	// Emergency says that a senior ordered L5 at once; another person reviews it within a day.
	Emergency bool `json:"emergency,omitempty"`
}
