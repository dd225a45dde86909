package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

type queuesPage struct {
	Queues []queueRow
	Held   []review.CaseRow
	Empty  bool // nothing waits anywhere
}

type queueRow struct {
	review.QueueView
	Key string // idempotency key of its next-case button
}

func (v *visit) queues() error {
	queues, err := v.desk().Queues(v.ctx(), v.who)
	if err != nil {
		return err
	}
	p := queuesPage{Empty: true}
	for _, q := range queues {
		p.Queues = append(p.Queues, queueRow{QueueView: q, Key: casefile.NewID()})
		p.Empty = p.Empty && q.Waiting == 0
	}
	if v.who.May(access.CaseClaim) {
		p.Held, err = v.desk().Held(v.ctx(), v.who)
		if err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, "queues", "Queues", p)
}

type queuePage struct {
	Queue  string
	Title  string
	Counts *review.QueueView // nil where the queue has none
	Page   review.CasePage
	Next   string // address of the next page
	Key    string
}

const pageOfCases = 50

func (v *visit) queue() error {
	queue := v.r.PathValue("queue")
	queues, err := v.desk().Queues(v.ctx(), v.who)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(queues, func(q review.QueueView) bool { return q.Name == queue })
	if i < 0 {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such queue")
	}
	p := queuePage{Queue: queue, Title: queues[i].Title, Counts: &queues[i], Key: casefile.NewID()}
	p.Page, err = v.desk().QueueCases(v.ctx(), v.who, queue, v.r.URL.Query().Get("cursor"), pageOfCases)
	if err != nil {
		return err
	}
	if p.Page.Next != "" {
		p.Next = queuePath(queue) + "?" + url.Values{"cursor": {p.Page.Next}}.Encode()
	}
	return v.render(http.StatusOK, "queue", p.Title, p)
}

func queuePath(queue string) string { return (&url.URL{Path: "/queues/" + queue}).EscapedPath() }

// next claims the next case of a queue and opens it.
func (v *visit) next() error {
	queue := v.r.PathValue("queue")
	answer, ok, err := v.desk().Next(v.ctx(), v.who, queue, v.r.PostForm.Get("key"))
	if err != nil {
		return err
	}
	if !ok {
		v.putFlash(flashEmpty, "", nil)
		return v.redirect("/queues")
	}
	return v.redirect(v.casePath(answer.Case))
}

// casePath is the address at which the person opens a case that they hold.
func (v *visit) casePath(ref casefile.CaseRef) string {
	if mustChoose(v.who) {
		return caseAddress(ref, string(access.PurposeReview))
	}
	return caseAddress(ref, "")
}

// caseAddress is the address of a case, opened for a purpose ("" for the person's usual one).
func caseAddress(ref casefile.CaseRef, purpose string) string {
	u := url.URL{Path: "/cases/" + string(ref)}
	if purpose != "" {
		u.RawQuery = url.Values{"purpose": {purpose}}.Encode()
	}
	return u.String()
}
