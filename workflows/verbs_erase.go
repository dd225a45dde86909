package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// UpdateErase closes the case because its account is being erased.
const UpdateErase = "erase"

// EraseArgs closes the case for an erasure of its account. It needs no claim: whoever holds the case
// loses it.
type EraseArgs struct {
	Verb
	Erasure string `json:"erasure"` // its id
}

// checkErase: a case that is decided ends as it was decided, which the erasure waits for.
func (r *caseRun) checkErase(_ workflow.Context, a EraseArgs) error {
	switch {
	case a.Erasure == "":
		return casefile.Invalid("erasure", "required")
	case r.s.State != casefile.StateNew && r.s.State != casefile.StateQueued && r.s.State != casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be closed for an erasure", r.s.State)
	}
	return nil
}

// erase closes the case. Opinions that nothing came of are void, as with every closing.
func (r *caseRun) erase(_ workflow.Context, a EraseArgs) {
	r.s.CloseReason = casefile.CloseErased
	r.closing, r.closedBy = true, a.Actor
}
