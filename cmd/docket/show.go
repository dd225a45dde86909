package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// showCase prints a case for a person. Everything that a detector, an account or a colleague wrote
// is made plain.
func showCase(out io.Writer, v review.CaseView) error {
	p := &printer{out: out}
	p.line("Case %s  %s  queue %s  severity %d  confidence %d  tier %s  due %s", v.Case, v.State, v.Queue, v.Severity, v.Confidence, v.Tier, when(v.DueAt))
	for _, m := range marks(v.CaseRow) {
		p.line("! %s", m)
	}
	if v.Why != "" {
		p.line("! %s", plain(v.Why))
	}
	for _, d := range v.Deadlines {
		p.line("Deadline %s %s%s", d.Deadline, when(&d.DueAt), deadlineMark(d))
	}
	if v.Withheld {
		return p.err
	}
	p.line("Evidence revision %d", v.EvidenceRevision)
	p.line("Account %s on %s", plain(v.AccountID), plain(v.Platform))
	p.words("Handle", v.Handle)
	for _, h := range v.AccountState.EarlierHandles {
		p.words("Earlier handle", h)
	}
	if v.AccountState.GoneAt != nil {
		p.line("The account is gone since %s", when(v.AccountState.GoneAt))
	}
	p.words("Name", v.Account.DisplayName)
	p.words("Profile", v.Account.Bio)
	p.line("Routed by rule %s with %s", plain(v.Route.Rule), values(v.Route.Values))
	if v.Claim != nil {
		held := ""
		if v.Held {
			held = ", kept without input"
		}
		p.line("Held by %s (claim %d) until %s%s", v.Claim.Person, v.Claim.Number, when(&v.Claim.ExpiresAt), held)
	}
	for _, r := range v.Referrals {
		p.line("Referred to %s by %s at %s, receipt %s: %s", r.Kind, r.Person, when(&r.At), r.Event, plain(r.Words))
	}
	for _, h := range v.Handled {
		p.line("%s %s", when(&h.At), handledText(h))
	}
	if a := v.Attached; a != nil {
		p.line("Already decided with case %s: %s, %s", a.Case, judgement(a.Judgement), a.State)
	}
	for _, m := range v.Missing {
		p.line("! %s", plain(m))
	}
	p.evidence(v)
	p.head("Findings")
	for _, f := range v.Findings {
		p.line("  %-14s %-8s %s", plain(string(f.Kind)), f.Status, findingText(f))
	}
	p.around(v)
	if r := v.Recommendation; r != nil {
		p.head("Policy recommends")
		p.line("  %s: %s", recommended(*r), plain(r.Reason))
	}
	p.opinions(v)
	p.decision(v)
	return p.err
}

// handledText says what somebody did with a case beside judging it, and why.
func handledText(h review.HandledView) string {
	by := fmt.Sprintf("by %s (%s)", h.Person, h.Role)
	text := ""
	switch h.What {
	case casefile.HandlingHandOver:
		to := string(h.To)
		if to == "" {
			to = "queue " + h.Queue
		}
		text = fmt.Sprintf("handed over %s to %s", by, to)
	case casefile.HandlingEscalated:
		text = fmt.Sprintf("escalated %s to queue %s", by, h.Queue)
	case casefile.HandlingThreat:
		text = fmt.Sprintf("escalated as a THREAT TO LIFE %s to queue %s", by, h.Queue)
	case casefile.HandlingDeadline:
		text = fmt.Sprintf("deadline %s moved %s to %s", h.Deadline, by, when(h.Until))
	case casefile.HandlingReleased:
		text = fmt.Sprintf("claim of %s ended %s", h.To, by)
	case casefile.HandlingDisabled:
		text = fmt.Sprintf("%s was disabled %s: the claim ended", h.To, by)
	default:
		text = fmt.Sprintf("%s %s", h.What, by)
	}
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return plain(text)
}

func (p *printer) evidence(v review.CaseView) {
	p.head("Why flagged")
	for _, f := range v.FlagViews {
		for _, r := range f.Reasons {
			p.line("  %s %s weight %.2g: %s", r.Policy, plain(r.Rule), r.Weight, plain(r.Detail))
		}
	}
	p.head("Evidence")
	if len(v.Evidence) == 0 {
		p.line("  no posts")
	}
	for _, e := range v.Evidence {
		mark := " "
		if e.New {
			mark = "+" // since the last look
		}
		if e.Undecided {
			mark += "*" // no earlier decision had it before it
		}
		p.line("%s %s  [%s] %s", mark, when(&e.Event.At), plain(e.Event.ID), plain(e.Event.Text))
	}
}

// around prints what else is known of the account and of accounts like it.
func (p *printer) around(v review.CaseView) {
	if len(v.Earlier)+len(v.Linked) > 0 {
		p.head("Earlier and linked")
	}
	for _, e := range v.Earlier {
		p.line("  case %s opened %s: %s", e.Case, when(&e.OpenedAt), strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Action, codes(e.Policies), e.Reason)))
	}
	for _, l := range v.Linked {
		p.line("  account %s, handle %s: %s", plain(l.Account.ID), plain(l.Account.Handle), plain(l.Why))
	}
}

func (p *printer) opinions(v review.CaseView) {
	if len(v.Comments)+len(v.Opinions) > 0 {
		p.head("What people said")
	}
	for _, c := range v.Comments {
		p.line("  %s %s commented: %s", when(&c.At), c.Person, plain(c.Text))
	}
	for _, o := range v.Opinions {
		note := ""
		switch {
		case o.Void:
			note = " (counts no more)"
		case o.Blind:
			note = " (not shown to others yet)"
		}
		p.line("  %s %s (%s) judged %s%s: %s", when(&o.At), o.Person, o.Role, judgement(o.Judgement), note, plain(o.Rationale))
	}
}

func (p *printer) decision(v review.CaseView) {
	d := v.Decision
	if d == nil {
		return
	}
	p.head("Decision")
	p.line("  %s: %s %s", judgement(d.Judgement), d.State, plain(d.Why))
	p.line("  decided by %s%s", d.DecidedBy, ruleOf(d))
	if d.GraceUntil != nil {
		p.line("  can be withdrawn until %s", d.GraceUntil.UTC().Format(time.RFC3339))
	}
	for _, a := range d.Acts {
		p.line("  act %d %s (%s): %s %s%s", a.Act.Number, a.Act.Kind, a.Direction, a.State, plain(a.Why), triesOf(a))
	}
	for _, a := range d.Appeals {
		p.line("  %s %s: %s, due %s %s", a.Kind, plain(a.Appeal), a.State, when(&a.DueAt), outcomeText(a.Kind, a.Outcome))
	}
	if v.Proof != nil {
		p.line("  proof: entry %s, index %d, hash %s", v.Proof.Event, v.Proof.Index, v.Proof.Hash)
	}
	if d.Notice != "" {
		p.line("  notice %s, %s:\n%s", d.NoticeNo, d.NoticeSent, strings.TrimSuffix(quoted(d.Notice), "\n"))
	}
}

func ruleOf(d *review.DecisionView) string {
	if d.Rule == "" {
		return ""
	}
	return ", rule " + plain(d.Rule)
}

func triesOf(a review.ActView) string {
	out := ""
	if a.Tries > 0 {
		out += fmt.Sprintf(", %d attempts came to nothing, the last with %s", a.Tries, plain(a.LastError))
	}
	if a.SettledBy != "" {
		out += fmt.Sprintf(", settled by %s", a.SettledBy)
	}
	return out
}

func deadlineMark(d review.DeadlineView) string {
	switch {
	case d.Missed:
		return ", MISSED"
	case d.Met:
		return ", met"
	case d.Half:
		return ", half of the time is over"
	}
	return ""
}

func judgement(j casefile.Judgement) string {
	s := fmt.Sprintf("%s under %s, entity %s", j.Action, codes(j.Policies), j.EntityTier)
	if j.Days > 0 {
		s += fmt.Sprintf(", %d days", j.Days)
	}
	return s
}

func codes(policies []casefile.PolicyCode) string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = string(p)
	}
	return strings.Join(names, " ")
}

func findingText(f casefile.Finding) string {
	if f.Status != casefile.StatusKnown {
		return plain(f.Why)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.Values)) {
		parts = append(parts, fmt.Sprintf("%s=%.4g", plain(name), f.Values[name]))
	}
	return strings.Join(parts, " ")
}

func values(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, plain(k)+"="+plain(m[k]))
	}
	return strings.Join(parts, ", ")
}

// printer keeps the first error of many writes.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

func (p *printer) head(title string) { p.line("\n%s", title) }

// words prints a line of the account's own words, if there are any.
func (p *printer) words(name, text string) {
	if text != "" {
		p.line("%s: %s", name, plain(text))
	}
}
