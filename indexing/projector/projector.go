// Package projector keeps the index's case documents up with the records: it drains the index
// outbox, in order, for ever. An index that is down holds nothing else up.
package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
)

// batch is how many changes are taken at once, lookAgain after how long the outbox is looked at
// even without a notice, backOff the pause after a failure.
const (
	batch     = 100
	lookAgain = 5 * time.Second
	backOff   = time.Second
)

// Records is what the projector reads.
type Records interface {
	records.Cases
	records.IndexOutbox
	records.Feed
	CaseFlags(ctx context.Context, ref casefile.CaseRef) ([]records.FlagReceipt, error)
	Account(ctx context.Context, account casefile.AccountKey) (records.Account, error)
	Decision(ctx context.Context, id string) (records.DecisionRow, error)
}

// Sealer is what the projector opens: flags and profiles, for the words that search may hold.
type Sealer interface {
	Open(ctx context.Context, account casefile.AccountKey, kind evidence.Kind, address casefile.Address) ([]byte, error)
}

// Projector writes case documents.
type Projector struct {
	Records Records
	Sealer  Sealer
	Index   indexing.Cases
	Log     *slog.Logger
}

// Run drains the outbox until ctx ends.
func (p *Projector) Run(ctx context.Context) {
	changes := p.Records.Changes(ctx)
	for {
		more, err := p.Drain(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.Log.WarnContext(ctx, "index projection failed", "code", string(casefile.ErrorCode(err)))
			records.WaitChange(ctx, changes, backOff)
			continue
		}
		if !more && !records.WaitChange(ctx, changes, lookAgain, records.ChangeIndex) {
			return
		}
	}
}

// Drain writes one batch of documents; more says that the outbox may hold more.
func (p *Projector) Drain(ctx context.Context) (more bool, err error) {
	list, err := p.Records.IndexChanges(ctx, batch)
	if err != nil {
		return false, fmt.Errorf("read the index outbox: %w", err)
	}
	for _, c := range list {
		ref := c.Case
		if c.Decision != "" {
			d, err := p.Records.Decision(ctx, c.Decision)
			if err != nil {
				return false, fmt.Errorf("read a decision: %w", err)
			}
			ref = d.Decision.Case
		}
		err = p.Case(ctx, ref)
		if err != nil {
			return false, err
		}
		err = p.Records.IndexedUpTo(ctx, c)
		if err != nil {
			return false, fmt.Errorf("note an indexed change: %w", err)
		}
	}
	return len(list) == batch, nil
}

// Case writes the document of one case as it stands in the records.
func (p *Projector) Case(ctx context.Context, ref casefile.CaseRef) error {
	c, err := p.Records.Case(ctx, ref)
	if err != nil {
		return fmt.Errorf("read a case: %w", err)
	}
	doc := indexing.CaseDoc{
		Ref: c.Ref, Platform: c.Platform, Account: c.Account, Ordinal: c.Ordinal, State: c.State, Queue: c.Route.Queue,
		Severity: c.Route.Severity, Confidence: c.Route.Confidence, Tier: c.Route.Tier, OpenedAt: c.OpenedAt, ClosedAt: c.ClosedAt,
		CloseReason: c.CloseReason, Rule: c.Route.Rule, Revision: c.Revision,
	}
	if !c.Route.DueAt.IsZero() {
		due := c.Route.DueAt
		doc.DueAt = &due
	}
	policies := map[casefile.PolicyCode]bool{}
	if c.Decision != "" {
		d, err := p.Records.Decision(ctx, c.Decision)
		if err != nil {
			return fmt.Errorf("read a decision: %w", err)
		}
		doc.Action, doc.DecidedState = d.Decision.Action, string(d.State)
		for _, code := range d.Decision.Policies {
			policies[code] = true
		}
	}
	if c.ErasedAt == nil { // a process may hold a destroyed key for a while
		err = p.words(ctx, c, &doc, policies)
		if err != nil {
			return err
		}
	}
	for code := range policies {
		doc.Policies = append(doc.Policies, code)
	}
	sort.Slice(doc.Policies, func(i, j int) bool { return doc.Policies[i] < doc.Policies[j] })
	err = p.Index.PutCase(ctx, doc)
	if err != nil {
		return fmt.Errorf("write a case document: %w", err)
	}
	return nil
}

// words adds what the sealed store holds. What was erased or is damaged is left out: one object must
// not hold up every document behind it.
func (p *Projector) words(ctx context.Context, c records.Case, doc *indexing.CaseDoc, policies map[casefile.PolicyCode]bool) error {
	account, err := p.Records.Account(ctx, c.Account)
	if err != nil {
		return fmt.Errorf("read an account: %w", err)
	}
	if account.Profile != "" {
		profile, err := openJSON[evidence.Profile](ctx, p.Sealer, c.Account, evidence.KindProfile, account.Profile)
		if err != nil && !p.gone(ctx, c.Ref, err) {
			return err
		}
		doc.AccountID, doc.Handle, doc.Names = profile.Account.ID, profile.Account.Handle, profile.Account.DisplayName
	}
	rows, err := p.Records.CaseFlags(ctx, c.Ref)
	if err != nil {
		return fmt.Errorf("list a case's flags: %w", err)
	}
	rules, texts := map[string]bool{}, []string{}
	seen := map[string]bool{}
	for _, row := range rows {
		if row.Reopens != "" {
			continue
		}
		f, err := openJSON[casefile.Flag](ctx, p.Sealer, c.Account, evidence.KindFlag, row.Sealed)
		if err != nil && p.gone(ctx, c.Ref, err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, r := range f.Reasons {
			policies[r.Policy] = true
			rules[r.Rule] = true
		}
		for _, e := range f.Evidence {
			if e.Text != "" && !seen[e.ID] {
				seen[e.ID] = true
				texts = append(texts, e.Text)
			}
		}
	}
	for rule := range rules {
		doc.Rules = append(doc.Rules, rule)
	}
	sort.Strings(doc.Rules)
	doc.Text = strings.Join(texts, "\n")
	return nil
}

// gone says that trying again brings nothing back. Damage is logged: somebody must look.
func (p *Projector) gone(ctx context.Context, ref casefile.CaseRef, err error) bool {
	if errors.Is(err, evidence.ErrDamaged) {
		p.Log.ErrorContext(ctx, "a sealed object of a case is damaged", "case", string(ref))
		return true
	}
	return casefile.ErrorCode(err) == casefile.CodeNotFound
}
