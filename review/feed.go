package review

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// PublishedLog is the log, as far as its last checkpoint goes. What stands in it, and in which order, is
// what the feed of decisions goes by: rows of two decisions may come to their proofs in another order
// than that of their entries, and a reader who went by rows would miss the late one for good.
type PublishedLog interface {
	// Size is how many entries the checkpoint published last covers.
	Size(ctx context.Context) (uint64, error)
	// Entries gives the bytes of entries in their order from an index below size on, at least one.
	Entries(ctx context.Context, from, size uint64) ([][]byte, error)
}

// Withheld says why an item of the feed holds its entry and its proof alone.
type Withheld string

// The reasons.
const (
	WithheldNoAct       Withheld = "no_act"       // L0: there is nothing to act on, and the account is nobody's business
	WithheldAnotherTeam Withheld = "another_team" // restricted to a team that the caller is not of, or not theirs to act on
	WithheldErased      Withheld = "erased"       // the account was erased; the entry's commitments open no more
)

// ProvenDecision is a decision as other systems that act are given it (docs/formats/proven-decision.md):
// with its proof, and with what opens every commitment of its entry, so that they can build the entry's
// bytes again without a key of ours. It holds codes, digests and addresses, nobody's words.
type ProvenDecision struct {
	Index uint64 `json:"index"` // of the decision's entry in the log
	ID    string `json:"id"`
	// State is how far the decision had come when it was asked for. It is our word and not proven.
	State    casefile.DecisionState `json:"state"`
	Withheld Withheld               `json:"withheld,omitempty"` // "" where the rest is there
	Decision *casefile.Decision     `json:"decision,omitempty"`
	Account  *casefile.AccountRef   `json:"account,omitempty"`
	Salts    []Salt                 `json:"salts,omitempty"`
	Bundle   casefile.Bundle        `json:"bundle"`
}

// Salt is one salt of an entry's commitments.
type Salt struct {
	Event casefile.EventID `json:"event"`
	Label string           `json:"label"`
	Salt  []byte           `json:"salt"`
}

// DecisionFeed is a part of the feed. Next is the index to go on after: that of the last entry of the log,
// of whatever kind, that was looked at.
type DecisionFeed struct {
	Decisions []ProvenDecision `json:"decisions"`
	Next      int64            `json:"next"`
}

// Limits of one call of the feed.
const (
	// MaxFeedWait is how long a call waits at most for a decision.
	MaxFeedWait = 30 * time.Second
	// maxFeedWalk is how many entries of the log one call looks at before it answers with what it has.
	maxFeedWalk = 20_000
)

// FeedFrom is the cursor before the log's first entry.
const FeedFrom = -1

// DecisionsAfter gives decisions with their proofs in the order of their entries in the log, behind an
// index, up to the checkpoint published last. A decision whose proof is on its way ends the part before
// it. limit 0 means 50; the highest is 200. Where there is none, it waits for one, at most for wait (and
// MaxFeedWait). That the caller was given an account goes on record, with purpose takedown, before it is.
// CodeForbidden for anybody but a service of a team that acts (access.MayReceive); CodeInvalid on field
// after; CodeUnavailable, also where this process cannot read the log.
func (d *Desk) DecisionsAfter(ctx context.Context, who access.Who, after int64, limit int, wait time.Duration) (DecisionFeed, error) {
	err := access.MayReceive(who)
	if err != nil {
		return DecisionFeed{}, err
	}
	if d.o.Published == nil {
		return DecisionFeed{}, casefile.Errorf(casefile.CodeUnavailable, "this process does not know where the log is served")
	}
	if after < FeedFrom {
		return DecisionFeed{}, casefile.Invalid("after", "an index of the log, or %d for its beginning", FeedFrom)
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	// From before the first look on, so that nothing comes in between unseen.
	changes := d.o.Records.Changes(watching)
	timer := time.NewTimer(min(max(wait, 0), MaxFeedWait))
	defer timer.Stop()
	w := feedWalk{desk: d, who: who, limit: pageLimit(limit), out: DecisionFeed{Decisions: []ProvenDecision{}, Next: after}}
	for {
		whole, err := w.goOn(ctx)
		if err != nil {
			return DecisionFeed{}, err
		}
		if len(w.out.Decisions) > 0 || !whole || !awaitDecision(ctx, changes, timer.C) {
			break
		}
	}
	err = w.putOnRecord(ctx)
	if err != nil {
		return DecisionFeed{}, err
	}
	return w.out, nil
}

// awaitDecision waits for a change that may be of a decision; false when the time is over.
func awaitDecision(ctx context.Context, changes <-chan records.Change, over <-chan time.Time) bool {
	for {
		select {
		case c, open := <-changes:
			if !open {
				return false
			}
			// A case's restart lets one pass that waited for a proof that never comes.
			if c.Kind == records.ChangeDecision || c.Kind == records.ChangeCase || c.Kind == "" {
				return true
			}
		case <-over:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// feedWalk goes along the log for one call.
type feedWalk struct {
	desk  *Desk
	who   access.Who
	limit int
	out   DecisionFeed
	given []casefile.CaseRef // whose accounts are in out
}

// decisionSuffix is how the canonical JSON of every entry of a decision ends.
var decisionSuffix = fmt.Appendf(nil, `"type":%q,"v":%d}`, casefile.EntryDecision, casefile.EntryVersion)

// goOn goes on to the end of the published log. whole is false where there is more: the part is full, or
// enough was looked at.
func (w *feedWalk) goOn(ctx context.Context) (whole bool, err error) {
	size, err := w.desk.o.Published.Size(ctx)
	if err != nil {
		return false, err
	}
	end := uint64(w.out.Next+1) + maxFeedWalk
	for at := uint64(w.out.Next + 1); at < size; {
		entries, err := w.desk.o.Published.Entries(ctx, at, size)
		if err != nil {
			return false, err
		}
		for _, entry := range entries {
			if bytes.HasSuffix(entry, decisionSuffix) {
				ready, err := w.take(ctx, at, size, entry)
				if err != nil {
					return false, err
				}
				if !ready {
					return true, nil // what stands behind it waits with it
				}
			}
			w.out.Next = int64(at)
			at++
			if len(w.out.Decisions) == w.limit || at == end {
				return false, nil
			}
		}
	}
	return true, nil
}

// take puts a decision's entry into the part. ready is false while its proof is on its way.
func (w *feedWalk) take(ctx context.Context, index, size uint64, data []byte) (ready bool, err error) {
	entry, body, err := decisionOf(data)
	if err != nil {
		return false, err
	}
	d := w.desk
	row, err := d.o.Records.Decision(ctx, body.Decision)
	if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
		return false, fmt.Errorf("read the decision of a ledger entry: %w", err)
	}
	if err != nil || row.Bundle == nil {
		return w.lost(ctx, index, size, entry, body)
	}
	if row.Bundle.Index != index { // logged twice: it is served where its proof says
		return true, nil
	}
	item, err := d.proven(ctx, w.who, row)
	if err != nil {
		return false, err
	}
	if item.Account != nil {
		w.given = append(w.given, row.Decision.Case)
	}
	w.out.Decisions = append(w.out.Decisions, item)
	return true, nil
}

// decisionBody is what is read of a decision's entry.
type decisionBody struct {
	Decision string           `json:"decision"`
	Case     casefile.CaseRef `json:"case"`
}

func decisionOf(data []byte) (entry casefile.Entry, body decisionBody, err error) {
	entry, err = casefile.ParseEntry(data)
	if err == nil {
		err = json.Unmarshal(entry.Body, &body)
	}
	if err != nil {
		return entry, body, &casefile.Error{Code: casefile.CodeInternal, Op: "read the log", Message: "the log holds a decision's entry that does not read as one", Err: err}
	}
	return entry, body, nil
}

// lost reports whether a decision's entry has no proof and gets none: its run was lost or reset, and the
// case, started again, does not go on from it (docs/life-of-a-case.md). While the case's row names the
// decision, it may yet. Without this, one such entry would end the feed for good.
func (w *feedWalk) lost(ctx context.Context, index, size uint64, entry casefile.Entry, body decisionBody) (bool, error) {
	row, err := w.desk.o.Records.Case(ctx, body.Case)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read case row: %w", err)
	}
	if row.Decision == body.Decision {
		return false, nil
	}
	chain, _, err := entry.Event.Split()
	if err != nil {
		return false, err
	}
	for at, end := index+1, min(size, index+1+maxFeedWalk); at < end; {
		entries, err := w.desk.o.Published.Entries(ctx, at, size)
		if err != nil {
			return false, err
		}
		for _, data := range entries {
			at++
			if !bytes.Contains(data, []byte(chain+"/")) {
				continue
			}
			e, err := casefile.ParseEntry(data)
			if err == nil && e.Type == casefile.EntryRestarted && strings.HasPrefix(string(e.Event), chain+"/") {
				return true, nil
			}
		}
	}
	return false, nil
}

// proven makes an item of a proven decision's row, as the caller may see it.
func (d *Desk) proven(ctx context.Context, who access.Who, row records.DecisionRow) (ProvenDecision, error) {
	item := ProvenDecision{Index: row.Bundle.Index, ID: row.Decision.ID, State: row.State, Bundle: *row.Bundle}
	if len(casefile.PlanActs(row.Decision, row.Decision.Relied())) == 0 {
		item.Withheld = WithheldNoAct
		return item, nil
	}
	c, err := d.row(ctx, who, row.Decision.Case)
	if err != nil {
		return ProvenDecision{}, err
	}
	if !access.MayActOn(who, c.Restricted) {
		item.Withheld = WithheldAnotherTeam
		return item, nil
	}
	salter, err := d.o.Sealer.Salter(ctx, row.Decision.Account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		item.Withheld = WithheldErased
		return item, nil
	}
	if err != nil {
		return ProvenDecision{}, fmt.Errorf("read the salts of a decision's account: %w", err)
	}
	profile, _, err := d.profile(ctx, row.Decision.Account)
	if err == nil && profile == nil {
		err = casefile.Errorf(casefile.CodeInternal, "there is none")
	}
	if err != nil {
		return ProvenDecision{}, fmt.Errorf("read the profile of the account of the decision at index %d: %w", item.Index, err)
	}
	item.Account = &casefile.AccountRef{Platform: profile.Platform, ID: profile.Account.ID}
	item.Decision = &row.Decision
	item.Salts = d.saltsOf(ctx, row, salter, *item.Account)
	return item, nil
}

// saltsOf gives exactly the salts that the building of a decision's entry takes.
func (d *Desk) saltsOf(ctx context.Context, row records.DecisionRow, salter casefile.Salter, account casefile.AccountRef) []Salt {
	used := noting{salter: salter}
	entry, err := casefile.ParseEntry(row.Bundle.Entry)
	if err == nil {
		var fixed casefile.FixedEntry
		at, _ := time.Parse(casefile.TimeFormat, entry.At) // a malformed one gives other bytes
		fixed, err = casefile.FixEntry(casefile.Draft{Type: casefile.EntryDecision, Actor: entry.Actor, Decision: &row.Decision},
			casefile.Position{Event: entry.Event, Prev: entry.Prev, Cause: entry.Cause, At: at}, &used, account)
		if err == nil && !bytes.Equal(fixed.Data, row.Bundle.Entry) {
			err = casefile.Errorf(casefile.CodeUnproven, "the row is not what its entry says")
		}
	}
	if err != nil { // whoever is given it finds that out by themselves, and refuses it
		d.o.Log.LogAttrs(ctx, slog.LevelError, "a decision's row does not give its ledger entry", slog.String("decision", row.Decision.ID), slog.String("code", string(casefile.ErrorCode(err))))
	}
	return used.salts
}

// noting is a Salter that notes which salts were asked for.
type noting struct {
	salter casefile.Salter
	salts  []Salt
}

// Salt implements casefile.Salter.
func (n *noting) Salt(event casefile.EventID, label string) []byte {
	salt := n.salter.Salt(event, label)
	if !slices.ContainsFunc(n.salts, func(s Salt) bool { return s.Event == event && s.Label == label }) {
		n.salts = append(n.salts, Salt{Event: event, Label: label, Salt: salt})
	}
	return salt
}

// putOnRecord puts on record, before they leave, whose accounts the caller is given.
func (w *feedWalk) putOnRecord(ctx context.Context) error {
	for _, ref := range w.given {
		err := w.desk.putView(ctx, w.who, records.Case{Ref: ref}, access.PurposeTakedown)
		if err != nil {
			return err
		}
	}
	return nil
}
