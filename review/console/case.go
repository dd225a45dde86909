package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// mustChoose reports whether a person says for what they open a case each time: everybody whose
// daily work is not to judge cases.
func mustChoose(who access.Who) bool { return !slices.Contains(who.Roles, casefile.RoleReviewer) }

type purposePage struct {
	Case     casefile.CaseRef
	Purposes []access.Purpose
}

func (v *visit) showCase() error {
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	purpose := v.r.URL.Query().Get("purpose")
	purposes := access.Purposes(v.who.Roles)
	if len(purposes) > 0 && (purpose == "" && mustChoose(v.who) || purpose == "choose") {
		return v.render(http.StatusOK, "purpose", "Open case "+string(ref), purposePage{Case: ref, Purposes: purposes})
	}
	view, err := v.desk().Case(v.ctx(), v.who, ref, purpose)
	if err != nil {
		return err
	}
	return v.renderCase(http.StatusOK, view, caseShow{Purpose: purpose})
}

// shownVerbs are the addresses that a browser shows after a form was answered with a page.
var shownVerbs = []string{"claim", "heartbeat", "comment", "draft", "preview", "opinion", "emergency", "order"}

func (v *visit) backToCase() error {
	if !slices.Contains(shownVerbs, v.r.PathValue("verb")) {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
	}
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	return v.redirect(caseAddress(ref, ""))
}

// caseShow is what a case page shows beside the case.
type caseShow struct {
	Purpose string
	// Draft is the opinion that the person had begun; nil for none.
	Draft *Draft
	// Comment is one that was begun and not taken.
	Comment string
	Faults  []review.Fault
	// Alert is a kind of alert whose words stand in the template.
	Alert string
	// Message is what was wrong, where no kind of alert says it.
	Message string
}

// The kinds of alert that are no flash; every flash of a verb that keeps the case is one, too.
const (
	alertNewEvidence = "new_evidence"
	alertStaleClaim  = "stale_claim"
	alertClaimed     = "claimed"
	alertCommented   = "commented"
	alertExtended    = "extended"
)

// casePage is the whole page of a case.
type casePage struct {
	review.CaseView
	Looks    string // the purpose under which the look is on record
	Me       casefile.Person
	Purposes int // how many the person may choose from
	Alert    string
	Message  string
	Posts    []postRow
	NewPosts int
	Asked    []casefile.Finding // failed and unknown ones first
	More     []casefile.Finding // those that a long list folds away
	Strikes  *casefile.Finding
	Matched  []casefile.PolicyCode
	// Own are the person's own opinions on a case that is not decided, Compared two that differ, for
	// whoever settles them.
	Own      []review.OpinionView
	Compared *comparison
	Form     *opinionForm
	Drafted  bool // the form holds what the person had entered
	Faults   []faultLink
	// Errors are the messages by the key of their field.
	Errors     map[string][]string
	Offers     []offered
	Given      bool // the person has given their opinion in this round
	MayTake    bool
	MayEnd     bool // withdraw the decision
	MayComment bool
	MaySettle  bool
	Comment    string
	CommentKey string
	ClaimKey   string
	NextKey    string
}

// postRow is one post of the evidence, or one version of it.
type postRow struct {
	review.EvidencePost
	N       int
	Relied  bool // ticked
	May     bool // can be relied on
	Version bool // an edited form of a post that stands here more than once
}

// foldFindings is how many findings stand open.
const foldFindings = 24

func (v *visit) renderCase(status int, view review.CaseView, show caseShow) error {
	p := v.newCasePage(view, show)
	return v.render(status, "case", "Case "+string(view.Case), p)
}

// newCasePage lays a case out for a page. A page that a form's answer is shown on keeps the purpose for
// which the case was open.
func (v *visit) newCasePage(view review.CaseView, show caseShow) *casePage {
	v.learn(view.Names)
	looks := view.Purpose
	view.Purpose = show.Purpose // for the page's own addresses; "" where the usual one stands
	p := &casePage{
		CaseView: view, Looks: looks, Me: v.who.Person, Purposes: len(access.Purposes(v.who.Roles)),
		Alert: show.Alert, Message: show.Message, Comment: show.Comment, Errors: map[string][]string{},
		CommentKey: casefile.NewID(), ClaimKey: casefile.NewID(), NextKey: casefile.NewID(), Offers: v.offers(&view),
		MayComment: v.who.May(access.CaseComment) && !view.Withheld && view.State != casefile.StateClosed, MaySettle: v.who.May(access.ActSettle),
	}
	open := view.State == casefile.StateQueued || view.State == casefile.StateClaimed
	for _, o := range view.Opinions {
		mine := o.Person == v.who.Person
		p.Given = p.Given || open && mine && !o.Void
		if view.Decision == nil && mine {
			p.Own = append(p.Own, o)
		}
	}
	p.Compared = compare(view)
	p.MayTake = !view.Mine && !p.Given && open && v.who.May(access.CaseClaim) && (view.Claim == nil || show.Draft != nil) && v.mayBeOffered(view)
	p.MayEnd = v.mayWithdraw(view)
	v.findings(p)
	for _, f := range view.FlagViews {
		for _, r := range f.Reasons {
			if r.Policy.Valid() && !slices.Contains(p.Matched, r.Policy) {
				p.Matched = append(p.Matched, r.Policy)
			}
		}
	}
	slices.Sort(p.Matched)
	draft := show.Draft
	if draft == nil && view.Mine && v.who.May(access.CaseOpinion) {
		draft = &Draft{Next: true, Evidence: view.EvidenceRevision, Comment: show.Comment, Purpose: view.Purpose}
	}
	v.posts(p, draft)
	if draft != nil && !view.Withheld {
		if draft.Evidence != 0 && draft.Evidence < view.EvidenceRevision && p.Alert == "" {
			p.Alert = alertNewEvidence
		}
		draft.Evidence = view.EvidenceRevision
		if view.Mine {
			draft.Claim = view.Claim.Number
		}
		p.Comment = draft.Comment
		p.Drafted = show.Draft != nil
		p.Form = newOpinionForm(*draft, p.Matched, view.Mine)
		p.Form.Emergency = view.Mine && view.Stage == casefile.StageOpinion && v.who.May(access.CaseEmergency)
	}
	p.Faults, p.Errors = faultLinks(show.Faults)
	return p
}

// mayBeOffered reports whether the case is not kept for others: for the one to whom it was handed over,
// or for those who take cases from its queue.
func (v *visit) mayBeOffered(view review.CaseView) bool {
	theirs := view.AssignedTo == v.who.Person
	switch {
	case view.Withheld, view.AssignedTo != "" && !theirs && !v.who.May(access.CaseAdjudicate):
		return false
	case theirs, view.Threat:
		return true
	}
	i := slices.IndexFunc(v.console.o.Queues, func(q policy.Queue) bool { return q.Name == view.Queue })
	return i < 0 || access.MayTakeFrom(v.who, v.console.o.Queues[i].Roles, v.console.o.Queues[i].Team) == nil
}

// mayWithdraw reports whether the person takes the decision back: everybody on whose opinion it rests,
// and where it rests on nobody's a lead.
func (v *visit) mayWithdraw(view review.CaseView) bool {
	d := view.Decision
	if d == nil || d.State != casefile.DecisionGrace || !v.who.May(access.CaseWithdraw) || d.Emergency {
		return false
	}
	if d.DecidedBy == casefile.ByAutomation {
		return v.who.May(access.CaseAdjudicate)
	}
	return slices.ContainsFunc(view.Opinions, func(o review.OpinionView) bool { return o.Person == v.who.Person && !o.Void })
}

func (v *visit) posts(p *casePage, draft *Draft) {
	versions := map[string]int{}
	for _, e := range p.Evidence {
		versions[e.Event.ID]++
	}
	for i, e := range p.Evidence {
		row := postRow{EvidencePost: e, N: i + 1, May: e.Event.ID != "", Version: e.Event.ID != "" && versions[e.Event.ID] > 1}
		if draft != nil {
			row.Relied = slices.Contains(draft.Relied, e.Event.ID)
		}
		if e.New {
			p.NewPosts++
		}
		p.Posts = append(p.Posts, row)
	}
}

var findingRank = map[casefile.FindingStatus]int{casefile.StatusFailed: 0, casefile.StatusUnknown: 1, casefile.StatusKnown: 2}

func (v *visit) findings(p *casePage) {
	all := slices.Clone(p.Findings)
	slices.SortStableFunc(all, func(a, b casefile.Finding) int { return cmp.Compare(findingRank[a.Status], findingRank[b.Status]) })
	for i := range all {
		if all[i].Kind == casefile.FindingStrikes && p.Strikes == nil {
			p.Strikes = &all[i]
		}
	}
	p.Asked = all
	if len(all) > foldFindings {
		p.Asked, p.More = all[:foldFindings], all[foldFindings:]
	}
}

// standing is what an open page compares itself with. The case's revision is not in it: it grows with
// everything that anybody does, also with an opinion that nobody is to know of.
type standing struct {
	EvidenceRevision int                    `json:"evidence_revision"`
	State            casefile.State         `json:"state"`
	Decision         casefile.DecisionState `json:"decision,omitempty"`
	Proven           bool                   `json:"proven"`
}

// standing tells an open page how far its case has come, in codes; it is no look at the case.
func (v *visit) standing() error {
	s, err := v.desk().Standing(v.ctx(), v.who, v.ref())
	if err != nil {
		return err
	}
	return v.answerJSON(standing{EvidenceRevision: s.EvidenceRevision, State: s.State, Decision: s.Decision, Proven: s.Proven})
}

func (v *visit) answerJSON(data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	v.status = http.StatusOK
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(body) // the browser is gone: nobody is left to tell
	return nil
}

// bundle hands the offline proof of the case's decision out as a file.
func (v *visit) bundle() error {
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	b, err := v.desk().Proof(v.ctx(), v.who, ref)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", string(ref)+".bundle.json"))
	return v.answerJSON(b)
}

type viewsPage struct {
	Case casefile.CaseRef
	Rows []review.ViewRow
	Next int64
}

// caseViews lists who looked at a case, and why.
func (v *visit) caseViews() error {
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	p := viewsPage{Case: ref}
	p.Rows, p.Next, err = v.desk().Views(v.ctx(), v.who, ref, int64(number(v.r.URL.Query(), "after")), pageOfWatch)
	if err != nil {
		return err
	}
	var people []casefile.Person
	for _, r := range p.Rows {
		people = append(people, r.Person)
	}
	v.know(people...)
	return v.render(http.StatusOK, "views", "Who looked at "+string(ref), p)
}
