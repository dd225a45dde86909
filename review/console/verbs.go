package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// claim takes a case; with a draft, it takes the case again and shows the draft.
func (v *visit) claim() error {
	call := review.VerbCall{Case: v.ref(), Key: v.r.PostForm.Get("claim_key")}
	answer, err := v.desk().Claim(v.ctx(), v.who, call)
	if !carriesDraft(v.r.PostForm) {
		if err != nil {
			return err
		}
		return v.redirect(v.claimedPath(answer.Case))
	}
	d := readDraft(v.r.PostForm)
	if err != nil {
		return v.opinionRefused(err, d)
	}
	return v.again(http.StatusOK, d, caseShow{Alert: alertClaimed})
}

// claimedPath keeps the purpose for which the case was open.
func (v *visit) claimedPath(ref casefile.CaseRef) string {
	if purpose := v.r.PostForm.Get("purpose"); purpose != "" {
		return caseAddress(ref, purpose)
	}
	return v.casePath(ref)
}

// lease tells the page until when its claim runs.
type lease struct {
	ExpiresAt time.Time `json:"expires_at"`
}

// heartbeat moves the lease on. The script sends it on the person's input and takes JSON; the
// button sends the form, draft and all.
func (v *visit) heartbeat() error {
	claim := number(v.r.PostForm, "claim")
	answer, err := v.desk().Heartbeat(v.ctx(), v.who, review.VerbCall{Case: v.ref()}, claim)
	script := strings.Contains(v.r.Header.Get("Accept"), "application/json")
	switch {
	case err != nil && !script && carriesDraft(v.r.PostForm):
		return v.opinionRefused(err, readDraft(v.r.PostForm))
	case err != nil:
		return err
	case script && answer.Claim != nil:
		return v.answerJSON(lease{ExpiresAt: answer.Claim.ExpiresAt})
	case carriesDraft(v.r.PostForm):
		return v.again(http.StatusOK, readDraft(v.r.PostForm), caseShow{Alert: alertExtended})
	}
	return v.redirect(v.claimedPath(answer.Case))
}

// comment adds a comment; an opinion begun beside it is kept, and so is a comment that is refused.
func (v *visit) comment() error {
	d := readDraft(v.r.PostForm)
	answer, err := v.desk().Comment(v.ctx(), v.who, review.VerbCall{Case: v.ref(), Key: v.r.PostForm.Get("comment_key")}, d.Comment)
	switch {
	case carriesDraft(v.r.PostForm) && err != nil:
		return v.opinionRefused(err, d)
	case carriesDraft(v.r.PostForm):
		d.Comment = ""
		return v.again(http.StatusOK, d, caseShow{Alert: alertCommented})
	case err != nil:
		return v.commentRefused(err, d)
	}
	v.putFlash(Flash{Kind: flashCommented, Case: answer.Case})
	return v.redirect(v.claimedPath(answer.Case))
}

// commentRefused shows the case again with the comment that was not taken.
func (v *visit) commentRefused(refusal error, d Draft) error {
	faults := review.FaultsOf(refusal)
	if len(faults) == 0 {
		return refusal
	}
	err := v.refuse(refusal)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	view, err := v.desk().Case(v.ctx(), v.who, v.ref(), d.Purpose)
	if err != nil {
		return err
	}
	return v.renderCase(review.HTTPStatus(refusal), view, caseShow{Purpose: d.Purpose, Comment: d.Comment, Faults: faults})
}
