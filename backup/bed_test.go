package backup

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// bed is records and a log of which the log is ahead.
type bed struct {
	t     *testing.T
	dir   string
	store *sqlite.Store
	log   *ledger.Log
	vkey  string
	heads map[string]casefile.FixedEntry
	mover *Mover
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, dir: t.TempDir(), heads: map[string]casefile.FixedEntry{}}
	skey, vkey, err := ledger.GenerateKey("log.test.example")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	b.vkey = vkey
	b.log, err = ledger.Open(t.Context(), ledger.Options{Dir: filepath.Join(b.dir, "ledger"), Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.log.Close(context.WithoutCancel(t.Context()))) })
	b.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(b.dir, "records.sqlite"), Fast: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	b.mover = &Mover{
		Records: b.store, Prove: b.log.Prove, Now: func() time.Time { return noon.Add(time.Hour) },
		Finish: func(ctx context.Context, d casefile.Decision, state casefile.DecisionState, why string) error {
			return b.store.AdvanceDecision(ctx, d.ID, state, why, nil, noon)
		},
		FinishUndo: func(ctx context.Context, d casefile.Decision, appeal string, state casefile.AppealState, why string) error {
			err := b.store.AdvanceDecision(ctx, d.ID, casefile.DecisionUndone, why, nil, noon)
			if err != nil {
				return err
			}
			return b.store.EndAppeal(ctx, appeal, state, why, noon)
		},
	}
	return b
}

type salts struct{}

// Salt is an HMAC of the event and the label.
func (salts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("an invented key"))
	mac.Write([]byte(string(event) + " " + label))
	return mac.Sum(nil)
}

// put appends the next entry of a chain.
func (b *bed) put(chain, cause string, d casefile.Draft) casefile.FixedEntry {
	b.t.Helper()
	pos := b.next(chain, cause)
	if d.Actor == (casefile.Actor{}) {
		d.Actor = casefile.System
	}
	e, err := casefile.FixEntry(d, pos, salts{}, casefile.AccountRef{Platform: "synthetic", ID: "a-1"})
	require.NoError(b.t, err)
	return b.append(chain, e)
}

// system appends an entry of the system chain.
func (b *bed) system(typ casefile.EntryType, body string) casefile.FixedEntry {
	b.t.Helper()
	e, err := casefile.FixBody(typ, casefile.System, b.next(casefile.SystemChain, ""), []byte(body))
	require.NoError(b.t, err)
	return b.append(casefile.SystemChain, e)
}

func (b *bed) next(chain, cause string) casefile.Position {
	pos := casefile.Position{At: noon, Event: casefile.NewEventID(chain, 1), Cause: cause}
	if head, begun := b.heads[chain]; begun {
		_, n, err := head.Event.Split()
		require.NoError(b.t, err)
		pos.Event, pos.Prev, pos.Cause = casefile.NewEventID(chain, n+1), head.Hash(), ""
	}
	return pos
}

func (b *bed) append(chain string, e casefile.FixedEntry) casefile.FixedEntry {
	b.t.Helper()
	receipts, err := b.log.Append(b.t.Context(), []casefile.FixedEntry{e})
	require.NoError(b.t, err)
	_, err = b.log.Prove(b.t.Context(), receipts[0].Index)
	require.NoError(b.t, err)
	b.heads[chain] = e
	return e
}

// opened opens a case that stands in its queue.
func (b *bed) opened(ref casefile.CaseRef) records.Case {
	b.t.Helper()
	account := casefile.AccountKey("account-" + strings.ToLower(string(ref)))
	flag := casefile.FlagKey("flag-" + string(ref))
	_, _, err := b.store.PutFlag(b.t.Context(), records.FlagReceipt{Flag: flag, Account: account, Platform: "synthetic", Digest: "d", Sealed: "sealed-" + casefile.Address(ref), Source: "p-detect00", At: noon})
	require.NoError(b.t, err)
	_, err = b.store.TakeIn(b.t.Context(), "synthetic", account, flag, ref, noon)
	require.NoError(b.t, err)
	row, err := b.store.Case(b.t.Context(), ref)
	require.NoError(b.t, err)
	row.State, row.Revision = casefile.StateQueued, 1
	row.Route = casefile.Route{Queue: "standard", Severity: 3, DueAt: noon, Rule: "rule"}
	require.NoError(b.t, b.store.Project(b.t.Context(), records.Projection{Case: row, Now: noon}))
	return row
}

// life is a case of which the log holds more than the records.
type life struct {
	*bed
	ref      casefile.CaseRef
	decision casefile.Decision
	entry    casefile.FixedEntry
}

// decided is a case whose decision is in the log; grace says that the records have it, within its grace time.
func (b *bed) decided(ref casefile.CaseRef, action casefile.Action, grace bool) *life {
	b.t.Helper()
	row := b.opened(ref)
	opinion := casefile.Opinion{
		ID: "OPINION" + string(ref[:5]), Person: "p-anna0000", Role: casefile.RoleReviewer, At: noon, Relied: 2, Form: "form", Digest: "digest",
		Judgement: casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}},
	}
	if action.Timed() {
		opinion.Days = 7
	}
	said := b.put(casefile.CaseChain(ref), "", casefile.Draft{Type: casefile.EntryOpinion, Opinion: &opinion})
	l := &life{bed: b, ref: ref, decision: casefile.Decision{
		ID: "DECISION" + string(ref[:5]), Case: ref, Platform: "synthetic", Account: row.Account, Judgement: opinion.Judgement,
		DecidedBy: casefile.ByOneOpinion, DecidedAt: noon, Opinions: []casefile.Opinion{opinion}, OpinionEvents: []casefile.EventID{said.Event},
	}}
	if grace {
		row.State, row.Revision, row.Decision = casefile.StateDecided, 2, l.decision.ID
		require.NoError(b.t, b.store.Project(b.t.Context(), records.Projection{Case: row, Decision: &records.DecisionRow{Decision: l.decision, State: casefile.DecisionGrace}, Now: noon}))
	}
	l.entry = b.put(casefile.CaseChain(ref), "", casefile.Draft{Type: casefile.EntryDecision, Decision: &l.decision})
	return l
}

func (l *life) acts() []casefile.Act { return casefile.PlanActs(l.decision, l.decision.Relied()) }

func (l *life) plan() *life {
	body := &casefile.PlannedBody{Decision: l.decision.ID, Platform: "synthetic"}
	for _, a := range l.acts() {
		body.Acts = append(body.Acts, casefile.PlannedAct{Number: a.Number, Kind: a.Kind, Until: a.Until, Undo: "digest"})
	}
	l.put(casefile.TakedownChain(l.decision.ID), l.entry.Hash(), casefile.Draft{Type: casefile.EntryActsPlanned, Planned: body})
	return l
}

func (l *life) say(chain string, dir casefile.Direction, states ...casefile.ActState) *life {
	body := &casefile.OutcomeBody{Decision: l.decision.ID, Direction: dir}
	for i, s := range states {
		body.Outcomes = append(body.Outcomes, casefile.ActOutcome{Act: l.acts()[i], Direction: dir, State: s, At: noon, Reference: "R-" + string(s)})
	}
	l.put(chain, "", casefile.Draft{Type: casefile.EntryActsOutcome, Outcome: body})
	return l
}

func (l *life) outcome(states ...casefile.ActState) *life {
	return l.say(casefile.TakedownChain(l.decision.ID), casefile.Do, states...)
}

func (b *bed) moveOn() Moved {
	b.t.Helper()
	moved, err := b.mover.MoveOn(b.t.Context(), verify.Dir(filepath.Join(b.dir, "ledger")), b.vkey)
	require.NoError(b.t, err)
	return moved
}

func (l *life) row() records.DecisionRow {
	l.t.Helper()
	d, err := l.store.Decision(l.t.Context(), l.decision.ID)
	require.NoError(l.t, err)
	return d
}

// states are those of the decision's acts, by their keys.
func (l *life) states() map[string]casefile.ActState {
	l.t.Helper()
	rows, err := l.store.Acts(l.t.Context(), l.decision.ID)
	require.NoError(l.t, err)
	out := map[string]casefile.ActState{}
	for _, r := range rows {
		state := r.State
		if state == casefile.ActPlanned && r.StartedAt != nil {
			state = "begun"
		}
		out[strings.TrimPrefix(r.Act.Key(r.Direction), l.decision.ID+"/")] = state
	}
	return out
}

func (l *life) caseState() casefile.State {
	l.t.Helper()
	c, err := l.store.Case(l.t.Context(), l.ref)
	require.NoError(l.t, err)
	return c.State
}

func wrapped(account casefile.AccountKey) records.WrappedKey {
	return records.WrappedKey{Account: account, Platform: "synthetic", Wrapped: []byte("wrapped"), KeyID: "k-1", At: noon}
}
