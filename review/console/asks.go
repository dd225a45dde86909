package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// verb is something that a person does with a case on a page of its own, which says what it does and
// asks for what it takes. Nothing is done before that page's form is sent.
type verb struct {
	// name is the last part of its address.
	name   string
	may    access.Permission
	title  string
	text   []string
	button string
	danger bool
	wants  wants
	// keeps says that the case stays with whoever holds it: an opinion that they have begun goes on.
	keeps bool
	// done is the flash of one that was taken.
	done string
	do   func(v *visit, f verbForm) (outcome, error)
}

// wants are the fields of a verb's form.
type wants struct {
	// when is the field of a time ahead, with what the page offers; "" for none.
	when    string
	presets []time.Duration
	// exact says that a time can be written, too.
	exact    bool
	taker    bool // a person or a queue
	kind     bool // of a referral
	deadline bool // which one
	closing  bool // the reason to close, from a list
	words    string
	// sure is what has to be ticked; "" for nothing.
	sure string
}

// outcome is what a verb came to.
type outcome struct {
	ref   casefile.CaseRef // the case to go on with
	kind  string           // of the flash, where it is another than the verb's
	until *time.Time
	name  string
	// purpose is for what the case is open from then on, where it is another than before.
	purpose access.Purpose
}

func caseOf(a review.VerbAnswer) outcome { return outcome{ref: a.Case} }

// verbs are all of them, in the order in which a case page offers them.
func verbs() []verb { return append(caseVerbs(), dataVerbs()...) }

// caseVerbs are what is done with the case itself.
func caseVerbs() []verb {
	return []verb{
		{
			name: "release", may: access.CaseClaim, title: "Give the case back", button: "Give it back", danger: true, done: flashReleased,
			text: []string{"The case goes back to its queue for others. An opinion that you have begun and not given is lost."},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().Release(v.ctx(), v.who, f.call(v), f.Claim)
				return caseOf(a), err
			},
		},
		{
			name: "snooze", may: access.CaseSnooze, title: "Snooze the case", button: "Snooze it", danger: true, done: flashSnoozed,
			text: []string{
				"The case goes back to its queue, and nobody is offered it before the time that you choose, at most 7 days ahead.",
				"Its deadlines run on. An opinion that you have begun and not given is lost.",
			},
			wants: wants{when: "until", exact: true, presets: []time.Duration{time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour, 72 * time.Hour, casefile.MaxSnooze}},
			do: func(v *visit, f verbForm) (outcome, error) {
				until, err := f.moment("until", v.now)
				if err != nil {
					return outcome{}, err
				}
				a, err := v.desk().Snooze(v.ctx(), v.who, f.call(v), f.Claim, until)
				return outcome{ref: a.Case, until: &until}, err
			},
		},
		{
			name: "hold", may: access.CaseHold, title: "Hold the case", button: "Hold it", keeps: true, done: flashHeld,
			text: []string{
				"The case stays yours without your input until the time that you choose, at most 24 hours ahead: for when you wait for something.",
				"Its deadlines run on. What you have begun is kept.",
			},
			wants: wants{when: "until", exact: true, presets: []time.Duration{30 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, casefile.MaxHold}},
			do: func(v *visit, f verbForm) (outcome, error) {
				until, err := f.moment("until", v.now)
				if err != nil {
					return outcome{}, err
				}
				a, err := v.desk().Hold(v.ctx(), v.who, f.call(v), f.Claim, until)
				return outcome{ref: a.Case, until: &until}, err
			},
		},
		{
			name: "handover", may: access.CaseHandOver, title: "Hand the case over", button: "Hand it over", danger: true, done: flashHandedOver,
			text: []string{
				"To a person: the case is then offered to nobody else. To a queue: whoever takes cases from it gets it.",
				"Its deadlines run on. An opinion that you have begun and not given is lost.",
			},
			wants: wants{taker: true, words: "Why you hand it over"},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().HandOver(v.ctx(), v.who, review.HandOverCall{VerbCall: f.call(v), Claim: f.Claim, To: f.To, Queue: f.Queue, Reason: f.Reason})
				return caseOf(a), err
			},
		},
		{
			name: "escalate", may: access.CaseEscalate, title: "Escalate to a lead", button: "Escalate it", danger: true, done: flashEscalated,
			text: []string{
				"The case goes to the lead's queue. If you hold it you give it up, and an opinion that you have begun and not given is lost.",
				"If somebody's life is in danger, do not escalate it so: say that it is a threat to life.",
			},
			wants: wants{words: "Why a lead must look"},
			do:    func(v *visit, f verbForm) (outcome, error) { return v.escalate(f, false) },
		},
		{
			name: "threat", may: access.CaseEscalate, title: "Threat to life", button: "Page people now", danger: true, done: flashThreat,
			text: []string{
				"People are paged at once, at any hour. The case jumps every queue, and somebody must take it up within 15 minutes; until then they are paged again every quarter of an hour.",
				"The case goes to the lead's queue. If you hold it you give it up, and an opinion that you have begun and not given is lost.",
				"It cannot be taken back. For anything else, escalate to a lead.",
			},
			wants: wants{words: "Who is in danger, and what the evidence for it is", sure: "Somebody's life may be in danger: page people now"},
			do:    func(v *visit, f verbForm) (outcome, error) { return v.escalate(f, true) },
		},
		{
			name: "refer", may: access.CaseRefer, title: "Refer the case", button: "Refer it", keeps: true, done: flashReferred,
			text: []string{
				"Another team looks at it as well; the case itself goes on, and what you have begun is kept. The referral gets a receipt of its own on the ledger.",
				"Referred to child safety or self-harm, the case is restricted from then on: only its holder, leads and that team see its words. Referred to child safety, it shows no media to anybody.",
			},
			wants: wants{kind: true, words: "What the team needs to know"},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().Refer(v.ctx(), v.who, review.ReferCall{VerbCall: f.call(v), Claim: f.Claim, Kind: casefile.ReferralKind(f.Kind), Reason: f.Reason})
				return outcome{ref: a.Case, name: string(a.Referral)}, err
			},
		},
		{
			name: "deadline", may: access.CaseDeadline, title: "Move a deadline", button: "Move it", keeps: true, done: flashMoved,
			text:  []string{"The new time lies at most 90 days ahead. It goes on the ledger that you moved it, and until when; your words are sealed."},
			wants: wants{deadline: true, when: "to", exact: true, presets: []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour}, words: "Why it is moved"},
			do: func(v *visit, f verbForm) (outcome, error) {
				to, err := f.moment("to", v.now)
				if err != nil {
					return outcome{}, err
				}
				a, err := v.desk().MoveDeadline(v.ctx(), v.who, review.DeadlineCall{VerbCall: f.call(v), Deadline: casefile.DeadlineKind(f.Deadline), To: to, Reason: f.Reason})
				return outcome{ref: a.Case, until: &to}, err
			},
		},
		{
			name: "end", may: access.CaseForceRelease, title: "End somebody's claim", button: "End the claim", danger: true, keeps: true, done: flashEnded,
			text:  []string{"Whoever holds the case loses it, and it goes back to its queue. What they have written stays on their page. It goes on the ledger."},
			wants: wants{words: "Why you end it"},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().ForceRelease(v.ctx(), v.who, f.call(v), f.Reason)
				return caseOf(a), err
			},
		},
		{
			name: "close", may: access.CaseClose, title: "Close without a decision", button: "Close the case", danger: true, done: flashClosed,
			text: []string{
				"The case closes and nothing is done on the platform. The closing goes on the ledger with its reason. " +
					"If you have looked at the content and found no violation, decide VE-00 with L0 instead: that is a decision.",
				"A lead may be asked to decide it instead.",
			},
			wants: wants{closing: true},
			do: func(v *visit, f verbForm) (outcome, error) {
				// What is said afterwards is the same whether the case is closed or a lead decides it.
				a, err := v.desk().Close(v.ctx(), v.who, review.CloseCall{
					VerbCall: f.call(v), Claim: f.Claim, EvidenceRevision: f.Evidence, Reason: casefile.CloseReason(f.Reason),
				})
				return caseOf(a), err
			},
		},
		{
			name: "withdraw", may: access.CaseWithdraw, title: "Withdraw the decision", button: "Withdraw it", danger: true, keeps: true, done: flashWithdrawn,
			text: []string{
				"The decision does not stand, nothing is done on the platform, and the case goes back to its queue. " +
					"That it was withdrawn stays on record. The opinions of this round count no more.",
			},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().Withdraw(v.ctx(), v.who, f.call(v), f.Decision)
				return caseOf(a), err
			},
		},
		{
			name: "reopen", may: access.CaseReopen, title: "Open the account again", button: "Open a new case", keeps: true, done: flashReopened,
			text: []string{"A new case of the same account is opened with the evidence of this one. The decision of this case stays as it is."},
			do: func(v *visit, f verbForm) (outcome, error) {
				a, err := v.desk().Reopen(v.ctx(), v.who, f.call(v))
				if err != nil || a.Case != "" {
					return outcome{ref: a.Case}, err
				}
				old, err := casefile.ParseCaseRef(string(v.ref()))
				return outcome{ref: old, kind: flashReopening}, err
			},
		},
		{
			name: "glass", may: access.GlassBreak, title: "Break the glass", button: "Break the glass", danger: true, keeps: true, done: flashGlass,
			text: []string{
				"The case opens to you for the time that you choose, to read and for nothing else. For when it cannot wait for somebody who may open it.",
				"That you broke it goes on the ledger before anything opens, and every look goes on record. Somebody else reads your reason afterwards and says whether it was justified.",
			},
			wants: wants{
				when: "for", presets: []time.Duration{15 * time.Minute, 30 * time.Minute, access.MaxGlass},
				words: fmt.Sprintf("Why it cannot wait (%d to %d characters)", access.MinGlassReason, access.MaxGlassReason),
				sure:  "I know that this goes on the ledger and is reviewed",
			},
			do: func(v *visit, f verbForm) (outcome, error) {
				lasts, err := f.length("for")
				if err != nil {
					return outcome{}, err
				}
				g, err := v.desk().BreakGlass(v.ctx(), v.who, v.ref(), f.Reason, lasts)
				return outcome{ref: g.Case, until: &g.Until, purpose: access.PurposeBreakGlass}, err
			},
		},
	}
}

// escalate puts a case before a lead.
func (v *visit) escalate(f verbForm, threat bool) (outcome, error) {
	a, err := v.desk().Escalate(v.ctx(), v.who, review.EscalateCall{VerbCall: f.call(v), Threat: threat, Reason: f.Reason})
	return caseOf(a), err
}

// verbPages are the rows that the verbs have in the table of pages: one that asks and one that does.
func verbPages() []Page {
	var out []Page
	for _, k := range verbs() {
		path, name := "/cases/{case}/"+k.name, "console."+k.name
		out = append(out,
			Page{Method: http.MethodGet, Path: path, Name: name, Permission: k.may, serve: func(v *visit) error { return v.ask(k) }},
			Page{Method: http.MethodPost, Path: path, Name: name, Permission: k.may, serve: func(v *visit) error { return v.act(k) }},
		)
	}
	return out
}

// verbForm is the form of a verb as it was sent, so that its page can show it again.
type verbForm struct {
	Claim    int
	Evidence int
	Purpose  string
	Decision string
	Key      string
	Reason   string // words, or a reason from a list
	In       string // a time from now, or "at" for the one that is written
	At       string // as it was written
	To       string
	Queue    string
	Kind     string
	Deadline string
	Sure     bool
	// Go says that the form is to be done what it says, not only to be shown.
	Go bool
}

// readVerbForm reads a form. It never fails: what cannot be understood is kept as it was sent.
func readVerbForm(v url.Values) verbForm {
	return verbForm{
		Claim: number(v, "claim"), Evidence: number(v, "evidence"), Purpose: word(v, "purpose"), Decision: word(v, "decision"), Key: word(v, "key"),
		Reason: text(v, "reason"), In: word(v, "in"), At: word(v, "at"), To: word(v, "to"), Queue: word(v, "queue"), Kind: word(v, "kind"),
		Deadline: word(v, "deadline"), Sure: v.Get("sure") != "", Go: v.Get("go") != "",
	}
}

// fence are the fields that a verb's page sends on without showing them.
func (f verbForm) fence() []field {
	return []field{{"claim", strconv.Itoa(f.Claim)}, {"evidence", strconv.Itoa(f.Evidence)}, {"purpose", f.Purpose}}
}

func (f verbForm) call(v *visit) review.VerbCall { return review.VerbCall{Case: v.ref(), Key: f.Key} }

// inAt chooses the time that is written.
const inAt = "at"

// momentLayouts are those that fields for a time send, and those that people write where a browser has
// no such field. All are in UTC, as every time of the console.
var momentLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05", time.RFC3339}

// moment is the time ahead that a form names.
func (f verbForm) moment(field string, now time.Time) (time.Time, error) {
	if f.In == inAt || f.In == "" && f.At != "" {
		for _, layout := range momentLayouts {
			t, err := time.ParseInLocation(layout, f.At, time.UTC)
			if err == nil {
				return t.UTC(), nil
			}
		}
		return time.Time{}, casefile.Invalid(field, "a date and a time in UTC, as 2006-01-31 15:04")
	}
	d, err := f.length(field)
	if err != nil {
		return time.Time{}, err
	}
	return now.Add(d).UTC(), nil
}

// length is how long from now a form says.
func (f verbForm) length(field string) (time.Duration, error) {
	d, err := time.ParseDuration(f.In)
	if err != nil || d <= 0 {
		return 0, casefile.Invalid(field, "choose one")
	}
	return d, nil
}

// verbPage is the page of a verb.
type verbPage struct {
	Case    casefile.CaseRef
	Verb    string // the last part of the address
	Title   string
	Text    []string
	Button  string
	Danger  bool
	Draft   bool // an opinion that was begun goes along
	Wants   verbWants
	Form    verbForm
	Fields  []field
	Faults  []faultLink
	Errors  map[string][]string
	Message string
	Bars    []string // every reason why an account cannot be erased
}

// verbWants are the fields that the page shows.
type verbWants struct {
	When      string
	Exact     bool
	Presets   []choice
	Taker     bool
	Queues    []review.QueueView
	Takers    []review.Taker
	Kinds     []choice
	Deadlines []choice
	Reasons   []choice
	Words     string
	Sure      string
}

// choice is one option of a list.
type choice struct{ Value, Label string }

// ask shows the page of a verb: by its address, or with what a case page sent along.
func (v *visit) ask(k verb) error {
	from := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		from = v.r.PostForm
	}
	return v.showVerb(http.StatusOK, k, readVerbForm(from), nil, "")
}

// act does what a verb's page was confirmed to do.
func (v *visit) act(k verb) error {
	f := readVerbForm(v.r.PostForm)
	if !f.Go {
		return v.ask(k)
	}
	if k.wants.sure != "" && !f.Sure {
		return v.verbRefused(k, f, casefile.Invalid("sure", "tick that you mean it"))
	}
	out, err := k.do(v, f)
	if err != nil {
		return v.verbRefused(k, f, err)
	}
	kind := k.done
	if out.kind != "" {
		kind = out.kind
	}
	if k.keeps && carriesDraft(v.r.PostForm) {
		return v.again(http.StatusOK, readDraft(v.r.PostForm), caseShow{Alert: kind})
	}
	v.putFlash(Flash{Kind: kind, Case: out.ref, Name: out.name, At: out.until})
	if out.purpose != "" {
		return v.redirect(caseAddress(out.ref, string(out.purpose)))
	}
	if k.keeps || f.Claim == 0 { // whoever did not hold the case goes on looking at it
		return v.redirect(v.claimedPath(out.ref))
	}
	return v.redirect("/queues")
}

// verbRefused answers for a verb that was not done, with its page and everything that was entered.
func (v *visit) verbRefused(k verb, f verbForm, err error) error {
	switch casefile.ErrorCode(err) {
	case casefile.CodeUnavailable, casefile.CodeInternal, casefile.CodeNotFound:
		return err // the page of the error sends the very same again
	}
	faults, bars := review.FaultsOf(err), barsOf(err)
	message := ""
	switch {
	case len(bars) > 0:
		faults, message = nil, "The account cannot be erased now."
	case len(faults) == 0:
		message = messageOf(err)
	}
	refusal := v.refuse(err)
	if casefile.ErrorCode(refusal) == casefile.CodeUnavailable {
		return refusal
	}
	return v.showVerb(review.HTTPStatus(err), k, f, faults, message, bars...)
}

func (v *visit) showVerb(status int, k verb, f verbForm, faults []review.Fault, message string, bars ...string) error {
	ref, err := casefile.ParseCaseRef(string(v.ref()))
	if err != nil {
		return err
	}
	if f.Key == "" {
		f.Key = casefile.NewID()
	}
	p := verbPage{
		Case: ref, Verb: k.name, Title: k.title, Text: k.text, Button: k.button, Danger: k.danger, Form: f, Message: message, Bars: bars, Fields: f.fence(),
	}
	if carriesDraft(v.r.PostForm) {
		p.Draft, p.Fields = true, readDraft(v.r.PostForm).values()
	}
	p.Fields = append(p.Fields, field{"decision", f.Decision}, field{"key", f.Key}, field{"go", "on"})
	p.Faults, p.Errors = faultLinks(faults)
	p.Wants, err = v.verbWants(k.wants)
	if err != nil {
		return err
	}
	return v.render(status, "confirm", k.title+": "+string(ref), p)
}

// verbWants fills the lists of a verb's page.
func (v *visit) verbWants(w wants) (verbWants, error) {
	out := verbWants{When: w.when, Exact: w.exact, Taker: w.taker, Words: w.words, Sure: w.sure}
	for _, d := range w.presets {
		out.Presets = append(out.Presets, choice{Value: shortDuration(d), Label: longDuration(d)})
	}
	if w.kind {
		out.Kinds = referralChoices
	}
	if w.deadline {
		out.Deadlines = []choice{{string(casefile.DeadlineTouch), deadlineWords(casefile.DeadlineTouch)}, {string(casefile.DeadlineDecision), deadlineWords(casefile.DeadlineDecision)}}
	}
	if w.closing {
		out.Reasons = closeChoices
	}
	if !w.taker {
		return out, nil
	}
	queues, err := v.counted()
	if err != nil {
		return verbWants{}, err
	}
	out.Queues = queues
	out.Takers, err = v.desk().Takers(v.ctx(), v.who, v.ref())
	switch casefile.ErrorCode(err) {
	case casefile.CodeStaleClaim, casefile.CodeNotFound: // the verb itself says so
		return out, nil
	}
	return out, err
}

// referralChoices say what each kind of referral is for.
var referralChoices = []choice{
	{string(casefile.ReferChildSafety), "child safety: a child is shown, sought or harmed. Restricts the case and hides its media"},
	{string(casefile.ReferSelfHarm), "self-harm: somebody may harm themselves. Restricts the case"},
	{string(casefile.ReferLegal), "legal: a duty to report, to keep or to hand out"},
	{string(casefile.ReferPolicyTeam), "policy team: the rules do not say"},
}

// closeChoices say what each reason to close means.
var closeChoices = []choice{
	{string(casefile.CloseDuplicate), "duplicate: another case is about the same"},
	{string(casefile.CloseOutOfScope), "out of scope: not about violent extremism"},
	{string(casefile.CloseAccountGone), "account gone: it was deleted by its owner or the platform"},
	{string(casefile.CloseTest), "test: not a real account"},
}

// shortDuration writes a length for a form.
func shortDuration(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Minute)) + "m"
}

// longDuration writes a length for people.
func longDuration(d time.Duration) string {
	n, unit := int(d/time.Minute), "minute"
	switch {
	case d > 24*time.Hour && d%(24*time.Hour) == 0:
		n, unit = int(d/(24*time.Hour)), "day"
	case d%time.Hour == 0:
		n, unit = int(d/time.Hour), "hour"
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// offered is a verb as a case page offers it.
type offered struct {
	Verb, Label string
	Danger      bool
}

// offers lists the verbs that make sense on a case as it stands for the person. Each asks first.
func (v *visit) offers(view *review.CaseView) []offered {
	open := view.State == casefile.StateQueued || view.State == casefile.StateClaimed
	sense := map[string]bool{
		"release": view.Mine, "snooze": view.Mine, "hold": view.Mine, "handover": view.Mine, "refer": view.Mine, "close": view.Mine,
		"escalate": open, "threat": open && !view.Threat, "deadline": open, "end": view.Claim != nil && !view.Mine,
		"reopen": view.State == casefile.StateClosed && view.Data.ErasedAt == nil, "glass": view.Withheld,
		"keep": view.Data.Erasing == "", "unkeep": len(view.Data.Holds) > 0, "erase": view.Data.Erasing == "" && view.Data.ErasedAt == nil,
	}
	var out []offered
	for _, k := range verbs() {
		if sense[k.name] && v.who.May(k.may) && view.Withheld == (k.name == "glass") {
			out = append(out, offered{Verb: k.name, Label: offerLabels[k.name], Danger: k.name == "threat" || k.name == "glass" || k.name == "erase"})
		}
	}
	return out
}

// offerLabels are the words of the buttons.
var offerLabels = map[string]string{
	"release": "Give back", "snooze": "Snooze", "hold": "Hold", "handover": "Hand over", "escalate": "Escalate", "threat": "Threat to life",
	"refer": "Refer", "deadline": "Move a deadline", "end": "End the claim", "close": "Close without a decision", "reopen": "Open the account again",
	"glass": "Break the glass", "keep": "Put a legal hold on", "unkeep": "End the legal hold", "erase": "Erase the account",
}
