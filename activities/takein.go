package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// newCaseAttempts bounds the search for a free case number: a second repeat among 2^50 numbers is
// a sign that something else is wrong.
const newCaseAttempts = 3

// TakeIn takes flags into the account's open case by compare-and-set on their receipt rows. A flag
// without a row, or whose row names another case, is dropped and recorded. Where the open case is
// that of a lost run and decided, nothing is taken in: the answer has the decision, with its proof if
// records saw it. One without a proof is taken for undecided where the ask says so.
func (w *Work) TakeIn(ctx context.Context, ask workflows.TakeInAsk) (workflows.TakeInAnswer, error) {
	decided, err := w.decidedCase(ctx, ask)
	if err != nil || decided.Ref != "" {
		return decided, err
	}
	answer := workflows.TakeInAnswer{Settings: w.Settings}
	for i, flag := range ask.Flags {
		t, err := w.takeOne(ctx, ask, flag)
		if err != nil {
			return workflows.TakeInAnswer{}, fmt.Errorf("take a flag in: %w", err)
		}
		switch t.Outcome {
		case records.TakenNow, records.TakenBefore:
		default:
			err = w.recordDrop(ctx, ask, i, t.Outcome)
			if err != nil {
				return workflows.TakeInAnswer{}, err
			}
			continue
		}
		// A flag that no projection has shown yet is new to the workflow, also where an attempt at this
		// activity took it in before and its answer was lost.
		answer.Taken = append(answer.Taken, workflows.TakenFlag{Flag: flag, Digest: t.Receipt.Digest})
		if !slices.Contains(answer.FlagAuthors, t.Receipt.Source) {
			answer.FlagAuthors = append(answer.FlagAuthors, t.Receipt.Source)
		}
		answer.Ref, answer.Ordinal, answer.OpenedAt, answer.Previous = t.Case, t.Ordinal, t.OpenedAt, t.Previous
		answer.Revision, answer.EvidenceRevision = t.Revision, t.EvidenceRevision
	}
	if answer.Ref == "" || answer.Revision == 0 {
		return answer, nil
	}
	return answer, w.addLost(ctx, &answer)
}

// addLost adds what a run that takes a lost one's place must know of it.
func (w *Work) addLost(ctx context.Context, answer *workflows.TakeInAnswer) error {
	row, err := w.Records.Case(ctx, answer.Ref)
	if err != nil {
		return fmt.Errorf("read the open case: %w", err)
	}
	answer.Round, answer.Threat = row.Round, row.Threat
	answer.Referrals, err = w.Records.Referrals(ctx, row.Ref)
	if err != nil {
		return fmt.Errorf("list the case's referrals: %w", err)
	}
	answer.LastClaim, err = w.lastClaim(ctx, row)
	if err != nil {
		return err
	}
	answer.Kept, err = w.kept(ctx, row)
	if err != nil {
		return err
	}
	answer.VoidIDs, err = w.undecidedOpinions(ctx, answer.Ref)
	return err
}

// kept is how a case was handled, which the loss of its run undoes nothing of; nil for one that never
// stood in a queue.
func (w *Work) kept(ctx context.Context, row records.Case) (*workflows.Kept, error) {
	if row.Route.Rule == "" {
		return nil, nil
	}
	handlings, err := w.Records.Handlings(ctx, row.Ref)
	if err != nil {
		return nil, fmt.Errorf("list how the case was handled: %w", err)
	}
	k := &workflows.Kept{
		Queue: row.Route.Queue, Moved: len(row.Missed) > 0, Raised: row.Raised, Missed: row.Missed, DueAt: row.Route.DueAt, DecideBy: row.Route.DecideBy,
		NotBefore: row.NotBefore, AssignedTo: row.AssignedTo,
	}
	for _, h := range handlings {
		switch h.What {
		case casefile.HandlingEscalated, casefile.HandlingThreat:
			k.Moved = true
		case casefile.HandlingHandOver:
			k.Moved = k.Moved || h.To == ""
		case casefile.HandlingDeadline:
			if !slices.Contains(k.Led, h.Deadline) {
				k.Led = append(k.Led, h.Deadline)
			}
		}
	}
	return k, nil
}

// lastClaim is a claim number that none of the case's claims so far is above; 0 where nobody ever
// claimed it.
func (w *Work) lastClaim(ctx context.Context, row records.Case) (int, error) {
	if row.Claim != nil {
		return row.Claim.Number, nil
	}
	parts, err := w.Records.Parts(ctx, row.Ref)
	if err != nil {
		return 0, fmt.Errorf("list who took part in the case: %w", err)
	}
	if !slices.ContainsFunc(parts, func(p records.PartRow) bool { return p.Part == records.PartClaim }) {
		return 0, nil
	}
	return row.Revision, nil // every claim took a revision
}

// undecidedOpinions lists the ids of the opinions on a case, shown or not, that no decision on the
// ledger came of.
func (w *Work) undecidedOpinions(ctx context.Context, ref casefile.CaseRef) ([]string, error) {
	shown, err := w.Records.Opinions(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("list the case's opinions: %w", err)
	}
	blind, err := w.Records.BlindOpinions(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("list the case's blind opinions: %w", err)
	}
	var ids []string
	for _, o := range shown {
		ids = append(ids, o.ID)
	}
	for _, o := range blind {
		if !slices.Contains(ids, o.ID) {
			ids = append(ids, o.ID)
		}
	}
	return ids, nil
}

// decidedCase answers for a lost run whose case is open and decided; the answer's Ref is "" where there
// is none. Only a flag of the account's own brings such a case back.
func (w *Work) decidedCase(ctx context.Context, ask workflows.TakeInAsk) (workflows.TakeInAnswer, error) {
	none := workflows.TakeInAnswer{}
	account, err := w.Records.Account(ctx, ask.Account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound || err == nil && account.OpenCase == "" {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("read the account's row: %w", err)
	}
	row, err := w.Records.Case(ctx, account.OpenCase)
	if err != nil {
		return none, fmt.Errorf("read the open case: %w", err)
	}
	if row.Decision == "" || row.Platform != ask.Platform || !row.State.Open() {
		return none, nil
	}
	d, err := w.Records.Decision(ctx, row.Decision)
	if err != nil {
		return none, fmt.Errorf("read the open case's decision: %w", err)
	}
	if d.State == casefile.DecisionWithdrawn || d.Bundle == nil && ask.Undecided {
		return none, nil
	}
	known, err := w.anyFlagOf(ctx, ask)
	if err != nil || !known {
		return none, err
	}
	answer := workflows.TakeInAnswer{
		Ref: row.Ref, Ordinal: row.Ordinal, OpenedAt: row.OpenedAt, Previous: row.Previous,
		Revision: row.Revision, EvidenceRevision: row.EvidenceRevision, Round: row.Round, Threat: row.Threat, Settings: w.Settings,
	}
	if d.Bundle == nil {
		answer.Unproven = &d.Decision
	} else {
		answer.Proven = &workflows.ProvenDecision{Decision: d.Decision, Bundle: *d.Bundle}
	}
	answer.Referrals, err = w.Records.Referrals(ctx, row.Ref)
	if err != nil {
		return none, fmt.Errorf("list the case's referrals: %w", err)
	}
	answer.LastClaim, err = w.lastClaim(ctx, row)
	return answer, err
}

// anyFlagOf says whether one of the flags asked for has a row of the account.
func (w *Work) anyFlagOf(ctx context.Context, ask workflows.TakeInAsk) (bool, error) {
	for _, flag := range ask.Flags {
		row, err := w.Records.Flag(ctx, flag)
		switch {
		case casefile.ErrorCode(err) == casefile.CodeNotFound:
		case err != nil:
			return false, fmt.Errorf("read a flag's row: %w", err)
		case row.Account == ask.Account && row.Platform == ask.Platform:
			return true, nil
		}
	}
	return false, nil
}

func (w *Work) takeOne(ctx context.Context, ask workflows.TakeInAsk, flag casefile.FlagKey) (records.TakenIn, error) {
	var t records.TakenIn
	var err error
	for range newCaseAttempts {
		t, err = w.Records.TakeIn(ctx, ask.Platform, ask.Account, flag, casefile.NewCaseRef(), w.Now())
		if casefile.ErrorCode(err) != casefile.CodeConflict {
			break
		}
	}
	if err == nil {
		crashpoint.Reach("9")
	}
	return t, err
}

// recordDrop puts the dropped flag at a place of the list on record.
func (w *Work) recordDrop(ctx context.Context, ask workflows.TakeInAsk, at int, why records.TakeOutcome) error {
	flag := ask.Flags[at]
	if !keyedHash(string(flag)) {
		flag = "" // what a forged signal says instead of a key goes on no record
	}
	platform := ask.Platform
	if !casefile.ValidPlatform(platform) {
		platform = "" // nor what a forged start says instead of a platform
	}
	body, err := json.Marshal(map[string]any{"platform": platform, "flag": flag, "why": why})
	if err != nil {
		return fmt.Errorf("encode a dropped flag: %w", err)
	}
	err = w.Records.PutOutbox(ctx, records.OutboxEntry{
		Type: casefile.EntryFlagDropped, Actor: casefile.System, Body: body, At: w.Now(), Key: onceKey(ctx, "drop", strconv.Itoa(at)),
	})
	if err != nil {
		return fmt.Errorf("record a dropped flag: %w", err)
	}
	w.Log.WarnContext(ctx, "flag dropped", "platform", platform, "flag", string(flag), "why", string(why))
	return nil
}

// keyedHash says whether s has the form of a keyed hash: a flag's or an account's key.
func keyedHash(s string) bool {
	return len(s) == 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
