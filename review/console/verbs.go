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

// comment adds a comment; an opinion begun beside it is kept.
func (v *visit) comment() error {
	d := readDraft(v.r.PostForm)
	answer, err := v.desk().Comment(v.ctx(), v.who, review.VerbCall{Case: v.ref(), Key: v.r.PostForm.Get("comment_key")}, d.Comment)
	if !carriesDraft(v.r.PostForm) {
		if err != nil {
			return err
		}
		v.putFlash(flashCommented, answer.Case, nil)
		return v.redirect(v.claimedPath(answer.Case))
	}
	if err != nil {
		return v.opinionRefused(err, d)
	}
	d.Comment = ""
	return v.again(http.StatusOK, d, caseShow{Alert: alertCommented})
}

// confirmPage asks once more before something that is not easily taken back.
type confirmPage struct {
	Case    casefile.CaseRef
	Purpose string
	Verb    string // the last part of the address
	Title   string
	Text    string
	Button  string
	Fields  []field
	Reasons []casefile.CloseReason
	Reason  string
	Faults  []faultLink
}

// confirm shows a confirmation for a verb. The names are those of the query's values that the form
// sends on.
func (v *visit) confirm(p confirmPage, names ...string) error {
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	from := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		from = v.r.PostForm
	}
	p.Case, p.Purpose = ref, word(from, "purpose")
	for _, name := range append(names, "purpose") {
		p.Fields = append(p.Fields, field{name, word(from, name)})
	}
	p.Fields = append(p.Fields, field{"key", casefile.NewID()})
	status := http.StatusOK
	if len(p.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return v.render(status, "confirm", p.Title+": "+string(ref), p)
}

func (v *visit) verbCall() review.VerbCall {
	return review.VerbCall{Case: v.ref(), Key: v.r.PostForm.Get("key")}
}

func (v *visit) confirmRelease() error {
	return v.confirm(confirmPage{
		Verb: "release", Title: "Give the case back", Button: "Give it back",
		Text: "The case goes back to its queue for others. An opinion that you have begun and not given is lost.",
	}, "claim")
}

func (v *visit) release() error {
	answer, err := v.desk().Release(v.ctx(), v.who, v.verbCall(), number(v.r.PostForm, "claim"))
	if err != nil {
		return err
	}
	v.putFlash(flashReleased, answer.Case, nil)
	return v.redirect("/queues")
}

var closePage = confirmPage{
	Verb: "close", Title: "Close without a decision", Button: "Close the case", Reasons: casefile.CloseReasons,
	Text: "The case closes and nothing is done on the platform. The closing goes on the ledger with its reason. " +
		"If you have looked at the content and found no violation, decide VE-00 with L0 instead: that is a decision.",
}

func (v *visit) confirmClose() error { return v.confirm(closePage, "claim", "evidence") }

func (v *visit) closeCase() error {
	answer, err := v.desk().Close(v.ctx(), v.who, review.CloseCall{
		VerbCall: v.verbCall(), Claim: number(v.r.PostForm, "claim"), EvidenceRevision: number(v.r.PostForm, "evidence"),
		Reason: casefile.CloseReason(v.r.PostForm.Get("reason")),
	})
	if casefile.ErrorCode(err) == casefile.CodeInvalid && len(review.FaultsOf(err)) > 0 {
		err = v.refuse(err)
		if casefile.ErrorCode(err) != casefile.CodeInvalid {
			return err
		}
		p := closePage
		p.Faults, _ = faultLinks(review.FaultsOf(err))
		return v.confirm(p, "claim", "evidence")
	}
	if err != nil {
		return err
	}
	v.putFlash(flashClosed, answer.Case, nil)
	return v.redirect("/queues")
}

func (v *visit) confirmWithdraw() error {
	return v.confirm(confirmPage{
		Verb: "withdraw", Title: "Withdraw the decision", Button: "Withdraw it",
		Text: "The decision does not stand, nothing is done on the platform, and the case goes back to its queue. " +
			"That it was withdrawn stays on record.",
	}, "decision")
}

func (v *visit) withdraw() error {
	answer, err := v.desk().Withdraw(v.ctx(), v.who, v.verbCall(), word(v.r.PostForm, "decision"))
	if err != nil {
		return err
	}
	v.putFlash(flashWithdrawn, answer.Case, nil)
	return v.redirect(v.claimedPath(answer.Case))
}

func (v *visit) confirmReopen() error {
	return v.confirm(confirmPage{
		Verb: "reopen", Title: "Open the account again", Button: "Open a new case",
		Text: "A new case of the same account is opened with the evidence of this one. The decision of this case stays as it is.",
	})
}

func (v *visit) reopen() error {
	answer, err := v.desk().Reopen(v.ctx(), v.who, v.verbCall())
	if err != nil {
		return err
	}
	if answer.Case == "" {
		v.putFlash(flashReopening, "", nil)
		ref, err := casefile.ParseCaseRef(string(v.ref()))
		if err != nil {
			return err
		}
		return v.redirect(v.claimedPath(ref))
	}
	v.putFlash(flashReopened, answer.Case, nil)
	return v.redirect(v.claimedPath(answer.Case))
}
