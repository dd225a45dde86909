package console

import (
	"net/http"
	"net/url"
	"regexp"
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

// counted lists every queue with what stands in it: those that are known, then those that only a
// case names.
func (v *visit) counted() ([]review.QueueView, error) {
	counts, err := v.desk().Queues(v.ctx(), v.who)
	if err != nil {
		return nil, err
	}
	var out []review.QueueView
	for _, q := range v.console.o.Queues {
		i := slices.IndexFunc(counts, func(c review.QueueView) bool { return c.Name == q.Name })
		if i < 0 {
			out = append(out, review.QueueView{Name: q.Name, Title: q.Title})
			continue
		}
		out = append(out, counts[i])
		counts = slices.Delete(counts, i, i+1)
	}
	return append(out, counts...), nil
}

func (v *visit) queues() error {
	queues, err := v.counted()
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
	Counts review.QueueView
	Page   review.CasePage
	Next   string // address of the next page
	Key    string
}

const pageOfCases = 50

// queueName is the shape of a queue's name.
var queueName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (v *visit) queue() error {
	queue := v.r.PathValue("queue")
	if !queueName.MatchString(queue) {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such queue")
	}
	queues, err := v.counted()
	if err != nil {
		return err
	}
	// A queue that no case stands in any more may be known to nobody: it is empty, not missing.
	p := queuePage{Queue: queue, Title: queue, Key: casefile.NewID()}
	i := slices.IndexFunc(queues, func(q review.QueueView) bool { return q.Name == queue })
	if i >= 0 {
		p.Title, p.Counts = queues[i].Title, queues[i]
	}
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
