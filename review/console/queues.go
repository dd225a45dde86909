package console

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

type queuesPage struct {
	Queues []queueRow
	Held   []review.CaseRow
	Handed []review.CaseRow // to the person, and not taken up yet
	Empty  bool             // nothing waits anywhere
}

type queueRow struct {
	review.QueueView
	Key string // idempotency key of its next-case button
}

// counted lists every queue with what stands in it: those that are known, then those that only a
// case names. The leads' own queue is shown to whoever takes cases from it, and to those who judge none.
func (v *visit) counted() ([]review.QueueView, error) {
	counts, err := v.desk().Queues(v.ctx(), v.who)
	if err != nil {
		return nil, err
	}
	var all []review.QueueView
	for _, q := range v.console.o.Queues {
		i := slices.IndexFunc(counts, func(c review.QueueView) bool { return c.Name == q.Name })
		if i < 0 {
			all = append(all, review.QueueView{Name: q.Name, Title: q.Title, Team: q.Team, Mine: access.MayTakeFrom(v.who, q.Roles, q.Team) == nil})
			continue
		}
		all = append(all, counts[i])
		counts = slices.Delete(counts, i, i+1)
	}
	out := make([]review.QueueView, 0, len(all)+len(counts))
	for _, q := range append(all, counts...) {
		if !v.leadsOnly(q.Name) || q.Mine || !v.who.May(access.CaseClaim) {
			out = append(out, q)
		}
	}
	return out, nil
}

// leadsOnly reports whether only leads take cases from a queue.
func (v *visit) leadsOnly(name string) bool {
	i := slices.IndexFunc(v.console.o.Queues, func(q policy.Queue) bool { return q.Name == name })
	return i >= 0 && len(v.console.o.Queues[i].Roles) == 1 && v.console.o.Queues[i].Roles[0] == casefile.RoleLead
}

func (v *visit) queues() error {
	queues, err := v.counted()
	if err != nil {
		return err
	}
	p := queuesPage{Empty: true}
	for _, q := range queues {
		p.Queues = append(p.Queues, queueRow{QueueView: q, Key: casefile.NewID()})
		p.Empty = p.Empty && q.Waiting == 0 && q.Snoozed == 0
	}
	if v.who.May(access.CaseClaim) {
		p.Held, err = v.desk().Held(v.ctx(), v.who)
		if err == nil {
			p.Handed, err = v.desk().HandedTo(v.ctx(), v.who)
		}
		if err != nil {
			return err
		}
	}
	v.knowHolders(p.Held)
	return v.render(http.StatusOK, "queues", "Queues", p)
}

// knowHolders looks up the names of those who hold the cases of a list, or to whom they were handed.
func (v *visit) knowHolders(cases []review.CaseRow) {
	var people []casefile.Person
	for _, c := range cases {
		people = append(people, c.Holder, c.AssignedTo)
	}
	v.know(people...)
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
	switch {
	case i >= 0:
		p.Title, p.Counts = queues[i].Title, queues[i]
	case v.leadsOnly(queue):
		return casefile.Errorf(casefile.CodeForbidden, "this queue is the leads'")
	}
	p.Page, err = v.desk().QueueCases(v.ctx(), v.who, queue, v.r.URL.Query().Get("cursor"), pageOfCases)
	if err != nil {
		return err
	}
	if p.Page.Next != "" {
		p.Next = queuePath(queue) + "?" + url.Values{"cursor": {p.Page.Next}}.Encode()
	}
	v.knowHolders(p.Page.Cases)
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
		v.putFlash(Flash{Kind: flashEmpty})
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
