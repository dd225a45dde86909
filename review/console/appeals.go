package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// appealsPage lists appeals, the one that is due first before the others.
type appealsPage struct {
	State   casefile.AppealState
	States  []casefile.AppealState
	Appeals []review.AppealRow
	Next    string // address of the next page
	Key     string // idempotency key of the next-appeal button
	Judges  bool
}

const pageOfAppeals = 100

func (v *visit) appeals() error {
	q := v.r.URL.Query()
	p := appealsPage{State: casefile.AppealState(word(q, "state")), States: casefile.AppealStates, Key: casefile.NewID(), Judges: v.who.May(access.AppealClaim)}
	page, err := v.desk().OpenAppeals(v.ctx(), v.who, p.State, q.Get("cursor"), pageOfAppeals)
	if err != nil {
		return err
	}
	p.Appeals = page.Appeals
	if page.Next != "" {
		p.Next = "/appeals?" + url.Values{"state": {string(p.State)}, "cursor": {page.Next}}.Encode()
	}
	var people []casefile.Person
	for _, a := range p.Appeals {
		people = append(people, a.Holder, a.RuledBy)
	}
	v.know(people...)
	return v.render(http.StatusOK, "appeals", "Appeals", p)
}

// nextAppeal gives the person the appeal that is due first among those in which they took no part.
func (v *visit) nextAppeal() error {
	a, ok, err := v.desk().NextAppeal(v.ctx(), v.who, word(v.r.PostForm, "key"))
	if err != nil {
		return err
	}
	if !ok {
		v.putFlash(Flash{Kind: flashNoAppeal})
		return v.redirect("/appeals")
	}
	return v.redirect(appealPath(a.Appeal))
}

func appealPath(id string) string { return (&url.URL{Path: "/appeals/" + id}).EscapedPath() }

// appealVerbs are the addresses that a browser shows after a form was answered with a page.
var appealVerbs = []string{"claim", "release", "draft", "preview", "rule"}

func (v *visit) backToAppeal() error {
	if !slices.Contains(appealVerbs, v.r.PathValue("verb")) {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
	}
	return v.redirect(appealPath(v.r.PathValue("appeal")))
}

// ruling is the form of a ruling as it was sent, so that a page can show it again.
type ruling struct {
	Outcome   string
	Rationale string
	Claim     int
	Preview   string
	Key       string
	Sure      bool
}

func readRuling(v url.Values) ruling {
	return ruling{
		Outcome: word(v, "outcome"), Rationale: text(v, "rationale"), Claim: number(v, "claim"), Preview: word(v, "preview"), Key: word(v, "key"),
		Sure: v.Get("sure") != "",
	}
}

func (r ruling) form() casefile.AppealForm {
	return casefile.AppealForm{Outcome: casefile.AppealOutcome(r.Outcome), Rationale: r.Rationale}
}

// values writes the form back, for hidden fields.
func (r ruling) values() []field {
	return []field{{"outcome", r.Outcome}, {"rationale", r.Rationale}, {"claim", strconv.Itoa(r.Claim)}}
}

// appealPage is the whole page of an appeal: the complaint, the notice and the decision that it is
// about, and everything that the decision had before it.
type appealPage struct {
	review.AppealView
	CasePage *casePage
	Form     *ruling // nil for whoever cannot rule on it now
	Errors   map[string][]string
	Faults   []faultLink
	// Message is what was wrong, where no field says it.
	Message  string
	MayTake  bool
	ClaimKey string
	MinWords int
	MaxWords int
}

// Emergency reports whether it is the review of an emergency order, which nobody complained of.
func (p appealPage) Emergency() bool { return p.AppealRow.Kind == casefile.AppealEmergency }

// appealShow is what the page shows beside the appeal.
type appealShow struct {
	Form    *ruling
	Faults  []review.Fault
	Message string
}

func (v *visit) appeal() error { return v.showAppeal(http.StatusOK, appealShow{}) }

func (v *visit) showAppeal(status int, show appealShow) error {
	view, err := v.desk().Appeal(v.ctx(), v.who, v.r.PathValue("appeal"))
	if err != nil {
		return err
	}
	return v.renderAppeal(status, view, show)
}

func (v *visit) renderAppeal(status int, view review.AppealView, show appealShow) error {
	v.know(view.Holder, view.RuledBy, view.OpenedBy)
	p := appealPage{
		AppealView: view, CasePage: v.newCasePage(view.View, caseShow{}), Message: show.Message, ClaimKey: casefile.NewID(),
		MinWords: casefile.MinRationale, MaxWords: casefile.MaxRationale,
	}
	// The page of an appeal judges the appeal alone: the case's own verbs are its page's.
	p.CasePage.Form, p.CasePage.Offers, p.CasePage.MayComment, p.CasePage.MayTake, p.CasePage.MayEnd = nil, nil, false, false, false
	p.MayTake = !view.Mine && view.Claim == nil && view.State.Open() && !view.Part && v.who.May(access.AppealClaim)
	p.Form = show.Form
	if p.Form == nil && view.Mine && v.who.May(access.AppealRule) {
		p.Form = &ruling{}
	}
	if p.Form != nil && view.Mine {
		p.Form.Claim = view.Claim.Number
	}
	p.Faults, p.Errors = faultLinks(show.Faults)
	return v.render(status, "appeal", "Appeal "+view.Appeal, p)
}

func (v *visit) appealCall(key string) review.AppealCall {
	return review.AppealCall{Appeal: v.r.PathValue("appeal"), Key: key}
}

// claimAppeal takes an appeal, and lets whoever holds it keep it for longer: the script asks for that on
// the person's input and takes JSON.
func (v *visit) claimAppeal() error {
	a, err := v.desk().ClaimAppeal(v.ctx(), v.who, v.appealCall(word(v.r.PostForm, "claim_key")))
	script := strings.Contains(v.r.Header.Get("Accept"), "application/json")
	draft := carriesDraft(v.r.PostForm)
	switch {
	case err != nil && !script && draft:
		return v.rulingRefused(err, readRuling(v.r.PostForm))
	case err != nil:
		return err
	case script && a.Claim != nil:
		return v.answerJSON(lease{ExpiresAt: a.Claim.ExpiresAt})
	case draft:
		return v.rulingDraft()
	}
	return v.redirect(appealPath(v.r.PathValue("appeal")))
}

func (v *visit) releaseAppeal() error {
	_, err := v.desk().ReleaseAppeal(v.ctx(), v.who, v.appealCall(word(v.r.PostForm, "key")), number(v.r.PostForm, "claim"))
	if err != nil && carriesDraft(v.r.PostForm) {
		return v.rulingRefused(err, readRuling(v.r.PostForm))
	}
	if err != nil {
		return err
	}
	v.putFlash(Flash{Kind: flashAppealReleased})
	return v.redirect("/appeals")
}

// rulingDraft shows the appeal with the ruling that was begun.
func (v *visit) rulingDraft() error {
	f := readRuling(v.r.PostForm)
	return v.showAppeal(http.StatusOK, appealShow{Form: &f})
}

// rulingPage shows what a ruling would bring about, before it is confirmed.
type rulingPage struct {
	View    review.AppealView
	Form    ruling
	Preview review.Preview
	Fields  []field
	Key     string
	Faults  []faultLink
	Errors  map[string][]string
}

func (v *visit) previewRuling() error {
	return v.showRuling(http.StatusOK, readRuling(v.r.PostForm), nil)
}

// showRuling shows the preview of a ruling. unsure are faults of the preview's own form.
func (v *visit) showRuling(status int, f ruling, unsure []review.Fault) error {
	preview, err := v.desk().PreviewRuling(v.ctx(), v.who, v.r.PathValue("appeal"), f.form())
	if err != nil {
		return v.rulingRefused(err, f)
	}
	if len(preview.Faults) > 0 {
		return v.rulingFaults(casefile.Invalid(preview.Faults[0].Field, "%s", preview.Faults[0].Message), preview.Faults, f)
	}
	view, err := v.desk().Appeal(v.ctx(), v.who, v.r.PathValue("appeal"))
	if err != nil {
		return err
	}
	if !view.Mine {
		return v.rulingRefused(casefile.Errorf(casefile.CodeStaleClaim, "the claim on this appeal is not yours any more"), f)
	}
	v.learn(view.View.Names)
	f.Claim = view.Claim.Number
	p := rulingPage{View: view, Form: f, Preview: preview, Fields: f.values(), Key: casefile.NewID()}
	p.Faults, p.Errors = faultLinks(unsure)
	return v.render(status, "ruling", "Confirm the ruling", p)
}

// rule decides an appeal as a preview showed it, once the person has said that they mean it.
func (v *visit) rule() error {
	f := readRuling(v.r.PostForm)
	if !f.Sure {
		unsure := casefile.Invalid("sure", "tick that you mean it")
		err := v.refuse(unsure)
		if casefile.ErrorCode(err) == casefile.CodeUnavailable {
			return err
		}
		return v.showRuling(http.StatusUnprocessableEntity, f, review.FaultsOf(unsure))
	}
	_, err := v.desk().RuleAppeal(v.ctx(), v.who, review.RuleAppealCall{AppealCall: v.appealCall(f.Key), Claim: f.Claim, Form: f.form(), Preview: f.Preview})
	if err != nil {
		return v.rulingRefused(err, f)
	}
	v.putFlash(Flash{Kind: flashRuled})
	return v.redirect(appealPath(v.r.PathValue("appeal")))
}

// rulingRefused answers for a ruling that was not taken. Its words are kept.
func (v *visit) rulingRefused(err error, f ruling) error {
	switch casefile.ErrorCode(err) {
	case casefile.CodeUnavailable, casefile.CodeInternal, casefile.CodeNotFound, casefile.CodeForbidden:
		return err // the page of the error keeps what was written
	}
	return v.rulingFaults(err, review.FaultsOf(err), f)
}

func (v *visit) rulingFaults(refusal error, faults []review.Fault, f ruling) error {
	show := appealShow{Form: &f, Faults: faults}
	if len(faults) == 0 {
		show.Message = messageOf(refusal)
	}
	err := v.refuse(refusal)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	return v.showAppeal(review.HTTPStatus(refusal), show)
}
