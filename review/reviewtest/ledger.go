package reviewtest

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/published"
)

// Ledger is a true log in a folder, with the key that its proofs are checked by.
type Ledger struct {
	*ledger.Log
	Dir, Key string
}

// NewLedger starts a log in a folder of the test's own.
func NewLedger(t testing.TB) *Ledger {
	t.Helper()
	l := &Ledger{Dir: t.TempDir()}
	var err error
	var skey string
	skey, l.Key, err = ledger.GenerateKey("ledger.test.example/review")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	l.Log, err = ledger.Open(t.Context(), ledger.Options{Dir: l.Dir, Signer: signer, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, l.Close(ctx))
	})
	return l
}

// WithLedger lets decisions go on a true log, which the desk serves them from with their proofs.
func (b *Bench) WithLedger() *Ledger {
	b.t.Helper()
	l := NewLedger(b.t)
	b.Workflows.Ledger = l
	b.Options.Published = published.Log{Source: verify.Dir(l.Dir)}
	b.Desk = review.New(b.Options)
	return l
}

// Append puts the entries of a decided case on the log, and leaves its row without a proof: a crash
// between the two leaves just that. Again it changes nothing. It gives the decision's receipt.
func (w *Workflows) Append(ctx context.Context, ref casefile.CaseRef) (casefile.Receipt, error) {
	row, err := w.Records.Case(ctx, ref)
	if err != nil {
		return casefile.Receipt{}, err
	}
	d, err := w.Records.Decision(ctx, row.Decision)
	if err != nil {
		return casefile.Receipt{}, err
	}
	entries, err := w.entries(ctx, d.Decision)
	if err != nil {
		return casefile.Receipt{}, err
	}
	receipts, err := w.Ledger.Append(ctx, entries)
	if err != nil {
		return casefile.Receipt{}, err
	}
	return receipts[len(receipts)-1], nil
}

// entries are those of a case's chain up to its decision's.
func (w *Workflows) entries(ctx context.Context, d casefile.Decision) ([]casefile.FixedEntry, error) {
	salter, err := w.Sealer.Salter(ctx, d.Account)
	if err != nil {
		return nil, err
	}
	row, err := w.Records.Account(ctx, d.Account)
	if err != nil {
		return nil, err
	}
	data, err := w.Sealer.Open(ctx, d.Account, evidence.KindProfile, row.Profile)
	if err != nil {
		return nil, err
	}
	var profile evidence.Profile
	err = json.Unmarshal(data, &profile)
	if err != nil {
		return nil, err
	}
	drafts := []casefile.Draft{
		{Type: casefile.EntryFlagAccepted, Actor: casefile.System, Flag: &casefile.FlagBody{Flag: "flag", Digest: "digest", EvidenceRevision: 1}},
		{Type: casefile.EntryRoute, Actor: casefile.System, Route: &casefile.RouteBody{Digest: "digest"}},
	}
	for i := range d.Opinions {
		o := &d.Opinions[i]
		drafts = append(drafts, casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.Actor{Person: o.Person, Role: o.Role}, Opinion: o})
	}
	drafts = append(drafts, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d})
	out := make([]casefile.FixedEntry, len(drafts))
	prev := ""
	for i, draft := range drafts {
		at := casefile.Position{Event: casefile.NewEventID(casefile.CaseChain(d.Case), i+1), Prev: prev, At: d.DecidedAt}
		out[i], err = casefile.FixEntry(draft, at, salter, casefile.AccountRef{Platform: profile.Platform, ID: profile.Account.ID})
		if err != nil {
			return nil, err
		}
		prev = out[i].Hash()
	}
	return out, nil
}

// Restarted says on the log that a case's run was lost behind its decision's entry.
func (w *Workflows) Restarted(ctx context.Context, ref casefile.CaseRef, before casefile.Receipt) error {
	chain, seq, err := before.Event.Split()
	if err != nil {
		return err
	}
	fixed, err := casefile.FixBody(casefile.EntryRestarted, casefile.System, casefile.Position{
		Event: casefile.NewEventID(chain, seq+1), Prev: before.Hash, At: w.Clock.Now(),
	}, json.RawMessage(`{"revision":1,"void":[]}`))
	if err == nil {
		_, err = w.Ledger.Append(ctx, []casefile.FixedEntry{fixed})
	}
	if err != nil {
		return err
	}
	row, err := w.Records.Case(ctx, ref)
	if err != nil {
		return err
	}
	row.Decision = ""
	requeue(&row)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.project(ctx, &row, records.Projection{})
}
