package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// carriesDraft reports whether a form was sent together with an opinion that is being written.
func carriesDraft(form url.Values) bool { return form.Has("rationale") }

// draft shows the case anew with the draft kept: what has come in since, and evidence uncovered or
// covered.
func (v *visit) draft() error {
	d := readDraft(v.r.PostForm)
	if cover := v.r.PostForm.Get("cover"); cover == "on" || cover == "off" {
		s := v.settingsNow()
		s.Cover = cover == "on"
		v.putSettings(s)
	}
	return v.again(http.StatusOK, d, caseShow{})
}

// again shows the case with a draft.
func (v *visit) again(status int, d Draft, show caseShow) error {
	view, err := v.desk().Case(v.ctx(), v.who, v.ref(), d.Purpose)
	if err != nil {
		return err
	}
	show.Draft, show.Purpose = &d, d.Purpose
	return v.renderCase(status, view, show)
}

// refused puts a refusal on record and shows the case with the draft kept.
func (v *visit) refused(refusal error, d Draft, show caseShow) error {
	err := v.refuse(refusal)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	return v.again(review.HTTPStatus(refusal), d, show)
}

// previewPage shows what an opinion would bring about, before it is confirmed.
type previewPage struct {
	View      review.CaseView
	Form      casefile.OpinionForm
	Step      policy.Step
	Codes     []policy.Code
	Preview   review.Preview
	Fields    []field
	Queue     string
	Key       string
	Next      bool
	Posts     int  // how many it relies on
	Profile   bool // whether it relies on the profile
	Emergency bool // it is an order that is carried out at once
	Faults    []faultLink
	Errors    map[string][]string
}

func (v *visit) preview() error { return v.previewOf(readDraft(v.r.PostForm), false, nil) }

// emergency shows what an order of L5 brings about at once, before it is given.
func (v *visit) emergency() error { return v.previewOf(readDraft(v.r.PostForm), true, nil) }

// previewOf shows the preview of a draft. unsure are faults of the preview's own form, which was sent.
func (v *visit) previewOf(d Draft, emergency bool, unsure []review.Fault) error {
	form, faults := d.Form()
	view, err := v.desk().Case(v.ctx(), v.who, v.ref(), d.Purpose)
	if err != nil {
		return err
	}
	show := caseShow{Draft: &d, Purpose: d.Purpose}
	var refusal error
	switch {
	case !view.Mine:
		show.Alert = alertStaleClaim
		refusal = casefile.Errorf(casefile.CodeStaleClaim, "the claim is not yours any more")
	case d.Evidence != view.EvidenceRevision:
		show.Alert = alertNewEvidence
		refusal = casefile.Errorf(casefile.CodeNewEvidence, "evidence has grown since you looked")
	}
	if refusal != nil {
		return v.refusedWith(refusal, view, show)
	}
	preview, err := v.desk().Preview(v.ctx(), v.who, review.PreviewCall{Case: view.Case, Form: form, Emergency: emergency})
	if err != nil {
		return err
	}
	faults = append(faults, preview.Faults...)
	if len(faults) > 0 {
		show.Faults = faults
		return v.refusedWith(casefile.Invalid(faults[0].Field, "%s", faults[0].Message), view, show)
	}
	d.Claim, d.Preview, d.Key = view.Claim.Number, preview.Token, casefile.NewID()
	return v.renderPreview(view, d, form, preview, emergency, unsure)
}

// refusedWith is refused, with a view of the case at hand.
func (v *visit) refusedWith(refusal error, view review.CaseView, show caseShow) error {
	err := v.refuse(refusal)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	return v.renderCase(review.HTTPStatus(refusal), view, show)
}

func (v *visit) renderPreview(view review.CaseView, d Draft, form casefile.OpinionForm, preview review.Preview, emergency bool, unsure []review.Fault) error {
	p := previewPage{
		View: view, Form: form, Preview: preview, Fields: d.values(), Queue: view.Queue, Key: d.Key, Next: d.Next, Emergency: emergency,
	}
	p.Faults, p.Errors = faultLinks(unsure)
	p.Step, _ = policy.LookupStep(form.Action)
	for _, code := range form.Policies {
		c, ok := policy.LookupCode(code)
		if ok {
			p.Codes = append(p.Codes, c)
		}
	}
	for _, id := range form.Relied {
		if id == casefile.EvidenceProfile {
			p.Profile = true
		} else {
			p.Posts++
		}
	}
	title, status := "Confirm the opinion on "+string(view.Case), http.StatusOK
	if emergency {
		title = "Order a suspension at once on " + string(view.Case)
	}
	if len(unsure) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return v.render(status, "preview", title, p)
}

// opinion gives the opinion that a preview showed.
func (v *visit) opinion() error { return v.give(readDraft(v.r.PostForm), false) }

// order gives the emergency order that a preview showed, once the person has said that they mean it.
func (v *visit) order() error {
	d := readDraft(v.r.PostForm)
	if v.r.PostForm.Get("sure") != "" {
		return v.give(d, true)
	}
	unsure := casefile.Invalid("sure", "tick that you mean it")
	err := v.refuse(unsure)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	return v.previewOf(d, true, review.FaultsOf(unsure))
}

func (v *visit) give(d Draft, emergency bool) error {
	form, faults := d.Form()
	if len(faults) > 0 {
		return v.refused(casefile.Invalid(faults[0].Field, "%s", faults[0].Message), d, caseShow{Faults: faults})
	}
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	answer, err := v.desk().Opinion(v.ctx(), v.who, review.OpinionCall{
		VerbCall: review.VerbCall{Case: ref, Key: d.Key}, Claim: d.Claim, EvidenceRevision: d.Evidence, Form: form, Preview: d.Preview, Emergency: emergency,
	})
	if err != nil {
		return v.opinionRefused(err, d)
	}
	f := Flash{Kind: flashGiven, Case: ref, At: answer.GraceUntil}
	if answer.Decision != "" {
		f.Kind = flashDecided
	}
	v.putFlash(f)
	if !d.Next {
		return v.redirect(caseAddress(ref, d.Purpose))
	}
	return v.openNext(ref, v.r.PostForm.Get("queue"), d)
}

// openNext opens the queue's next case after an opinion that has been taken.
func (v *visit) openNext(ref casefile.CaseRef, queue string, d Draft) error {
	if queue == "" || !v.who.May(access.CaseNext) {
		return v.redirect(caseAddress(ref, d.Purpose))
	}
	next, ok, err := v.desk().Next(v.ctx(), v.who, queue, d.Key+" next")
	if err != nil {
		// The opinion counts, whatever became of the next case: show what it came to.
		v.err = err
		return v.redirect(caseAddress(ref, d.Purpose))
	}
	if !ok {
		return v.redirect(queuePath(queue))
	}
	return v.redirect(v.casePath(next.Case))
}

// opinionRefused answers for an opinion that was not taken. The draft is kept.
func (v *visit) opinionRefused(err error, d Draft) error {
	show := caseShow{Faults: review.FaultsOf(err)}
	var unknown *review.Unknown
	switch code := casefile.ErrorCode(err); {
	case errors.As(err, &unknown), code == casefile.CodeUnavailable, code == casefile.CodeInternal, code == casefile.CodeNotFound:
		return err // the page of the error sends the very same again
	case code == casefile.CodeNewEvidence:
		show.Alert = alertNewEvidence
	case code == casefile.CodeStaleClaim:
		show.Alert = alertStaleClaim
	case len(show.Faults) == 0:
		show.Message = messageOf(err)
	}
	return v.refused(err, d, show)
}
