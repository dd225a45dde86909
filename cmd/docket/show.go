package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// plain makes content under review safe for a terminal: control and format characters, which could
// move the cursor or turn the text around, are shown as U+XXXX.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			_, _ = fmt.Fprintf(&b, "<U+%04X>", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// printLine writes v as one line of JSON.
func printLine(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// showCase prints a case for a person.
func showCase(out io.Writer, v review.CaseView) error {
	p := &printer{out: out}
	p.line("Case %s  %s  queue %s  severity %d  confidence %d  tier %s  due %s", v.Case, v.State, v.Queue, v.Severity, v.Confidence, v.Tier, when(v.DueAt))
	p.line("Account %s on %s, handle %s, name %s", plain(v.AccountID), v.Platform, plain(v.Handle), plain(v.Account.DisplayName))
	if v.Account.Bio != "" {
		p.line("Profile: %s", plain(v.Account.Bio))
	}
	p.line("Routed by rule %s with %s", v.Route.Rule, values(v.Route.Values))
	if v.Claim != nil {
		p.line("Held by %s (claim %d) until %s", v.Claim.Person, v.Claim.Number, when(&v.Claim.ExpiresAt))
	}
	for _, m := range v.Missing {
		p.line("! %s", m)
	}
	p.head("Why flagged")
	for _, f := range v.FlagViews {
		for _, r := range f.Reasons {
			p.line("  %s %s weight %.2g: %s", r.Policy, r.Rule, r.Weight, plain(r.Detail))
		}
	}
	p.head("Evidence")
	for _, e := range v.Evidence {
		p.line("  %s  [%s] %s", e.Event.At.Format("2006-01-02 15:04"), plain(e.Event.ID), plain(e.Event.Text))
	}
	p.head("Findings")
	for _, f := range v.Findings {
		p.line("  %-14s %-8s %s", f.Kind, f.Status, findingText(f))
	}
	for _, c := range v.Comments {
		p.line("Comment by %s: %s", c.Person, plain(c.Text))
	}
	if d := v.Decision; d != nil {
		p.head("Decision")
		p.line("  %s %v %s: %s", d.Action, d.Policies, d.EntityTier, d.State)
		for _, a := range d.Acts {
			p.line("  act %d %s: %s", a.Act.Number, a.Act.Kind, a.State)
		}
	}
	if v.Proof != nil {
		p.line("  proof: entry %s, index %d, hash %s", v.Proof.Event, v.Proof.Index, v.Proof.Hash)
	}
	return p.err
}

func findingText(f casefile.Finding) string {
	if f.Status != casefile.StatusKnown {
		return f.Why
	}
	var parts []string
	for name, v := range f.Values {
		parts = append(parts, fmt.Sprintf("%s=%.4g", name, v))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

func values(m map[string]string) string {
	var parts []string
	for k, v := range m {
		parts = append(parts, k+"="+plain(v))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// printer keeps the first error of many writes.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

func (p *printer) head(title string) { p.line("\n%s", title) }
