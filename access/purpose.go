package access

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// Purpose says why somebody opens a case; it goes on record with the view.
type Purpose string

// The purposes.
const (
	PurposeReview  Purpose = "review"  // to judge it
	PurposeAppeal  Purpose = "appeal"  // to judge an appeal against it
	PurposeSupport Purpose = "support" // to help a colleague with it
	PurposePolicy  Purpose = "policy"  // to learn from it for the rules
	PurposeAudit   Purpose = "audit"   // to check how it was decided

	// PurposeBreakGlass is nobody's to ask for: it stands where a case was opened because the person
	// had broken its glass (Glass.Opens).
	PurposeBreakGlass Purpose = "break_glass"
	// PurposeTakedown is nobody's to ask for either: it stands where a system that acts was given a
	// proven decision with its account.
	PurposeTakedown Purpose = "takedown"
)

// purposes lists each purpose with the roles that may have it; a role's first is its usual one.
var purposes = []struct {
	purpose Purpose
	roles   []casefile.Role
}{
	{PurposeReview, judging},
	{PurposeAppeal, judging},
	{PurposeSupport, []casefile.Role{senior, lead}},
	{PurposePolicy, []casefile.Role{policy, lead}},
	{PurposeAudit, []casefile.Role{auditor}},
}

// Purposes lists what somebody with these roles may open a case for, the usual one first; none for
// roles that open no cases.
func Purposes(roles []casefile.Role) []Purpose {
	var out []Purpose
	if !Allowed(roles, CaseRead) {
		return nil
	}
	for _, p := range purposes {
		if slices.ContainsFunc(p.roles, func(r casefile.Role) bool { return slices.Contains(roles, r) }) {
			out = append(out, p.purpose)
		}
	}
	return out
}

// Purpose checks a purpose that the person named, or gives their usual one for "". CodeForbidden
// when they may not open cases, or not for that.
func (w Who) Purpose(asked string) (Purpose, error) {
	may := Purposes(w.Roles)
	if len(may) == 0 {
		return "", casefile.Errorf(casefile.CodeForbidden, "your roles open no cases")
	}
	if asked == "" {
		return may[0], nil
	}
	if !slices.Contains(may, Purpose(asked)) {
		return "", &casefile.Error{Code: casefile.CodeForbidden, Field: "purpose", Message: "not a purpose that your roles may have"}
	}
	return Purpose(asked), nil
}
