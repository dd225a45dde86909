package console

import (
	"net/http"
	"net/url"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// findPage looks for cases. What is looked for is sent in a form and never stands in an address.
type findPage struct {
	Query   review.Query
	States  []casefile.State
	Codes   []policy.Code
	Queues  []review.QueueView
	Page    *review.CasePage // nil before anything was asked
	Faults  []faultLink
	Errors  map[string][]string
	Message string
	// Newest says that the page lists the newest cases, nothing having been asked.
	Newest bool
	Next   string // address of the next page of the newest
}

func (v *visit) newFindPage() (findPage, error) {
	queues, err := v.counted()
	if err != nil {
		return findPage{}, err
	}
	return findPage{States: casefile.States, Codes: policy.Taxonomy(), Queues: queues, Errors: map[string][]string{}}, nil
}

// findForm shows the form over the newest cases.
func (v *visit) findForm() error {
	p, err := v.newFindPage()
	if err != nil {
		return err
	}
	list, err := v.desk().ListCases(v.ctx(), v.who, "", v.r.URL.Query().Get("cursor"), pageOfCases)
	if err != nil {
		return err
	}
	v.knowHolders(list.Cases)
	p.Page, p.Newest = &list, true
	if list.Next != "" {
		p.Next = "/find?" + url.Values{"cursor": {list.Next}}.Encode()
	}
	return v.render(http.StatusOK, "find", "Find", p)
}

func (v *visit) find() error {
	form := v.r.PostForm
	p, err := v.newFindPage()
	if err != nil {
		return err
	}
	p.Query = review.Query{
		Text: word(form, "q"), State: casefile.State(word(form, "state")), Queue: word(form, "queue"),
		Policy: casefile.PolicyCode(word(form, "policy")), Cursor: form.Get("cursor"), Limit: pageOfCases,
	}
	found, err := v.desk().Find(v.ctx(), v.who, p.Query)
	if err == nil {
		v.knowHolders(found.Cases)
		p.Page = &found
		return v.render(http.StatusOK, "find", "Find", p)
	}
	switch casefile.ErrorCode(err) {
	case casefile.CodeInvalid, casefile.CodeUnavailable:
	default:
		return err
	}
	err = v.refuse(err)
	p.Faults, p.Errors = faultLinks(review.FaultsOf(err))
	if len(p.Faults) == 0 {
		p.Message = messageOf(err)
	}
	return v.render(review.HTTPStatus(err), "find", "Find", p)
}
