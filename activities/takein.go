package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// newCaseAttempts bounds the search for a free case number: a second repeat among 2^50 numbers is
// a sign that something else is wrong.
const newCaseAttempts = 3

// TakeIn takes flags into the account's open case by compare-and-set on their receipt rows. A flag
// without a row, or whose row names another case, is dropped and recorded.
func (w *Work) TakeIn(ctx context.Context, ask workflows.TakeInAsk) (workflows.TakeInAnswer, error) {
	var answer workflows.TakeInAnswer
	for _, flag := range ask.Flags {
		t, err := w.takeOne(ctx, ask, flag)
		if err != nil {
			return workflows.TakeInAnswer{}, fmt.Errorf("take a flag in: %w", err)
		}
		switch t.Outcome {
		case records.TakenNow, records.TakenBefore:
		default:
			err = w.recordDrop(ctx, ask, flag, t.Outcome)
			if err != nil {
				return workflows.TakeInAnswer{}, err
			}
			continue
		}
		// A flag that no projection has shown yet is new to the workflow, also where an attempt at this
		// activity took it in before and its answer was lost.
		answer.Taken = append(answer.Taken, workflows.TakenFlag{Flag: flag, Digest: t.Receipt.Digest})
		answer.Ref, answer.Ordinal, answer.OpenedAt, answer.Previous = t.Case, t.Ordinal, t.OpenedAt, t.Previous
		answer.Revision, answer.EvidenceRevision = t.Revision, t.EvidenceRevision
	}
	if answer.Ref == "" || answer.Revision == 0 {
		return answer, nil
	}
	row, err := w.Records.Case(ctx, answer.Ref)
	if err != nil {
		return workflows.TakeInAnswer{}, fmt.Errorf("read the open case: %w", err)
	}
	// Every claim took a revision, so none that has ended had a higher number.
	answer.LastClaim = row.Revision
	if row.Claim != nil {
		answer.LastClaim = row.Claim.Number
	}
	return answer, nil
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
	return t, err
}

func (w *Work) recordDrop(ctx context.Context, ask workflows.TakeInAsk, flag casefile.FlagKey, why records.TakeOutcome) error {
	if !keyedHash(flag) {
		flag = "" // what a forged signal says instead of a key goes on no record
	}
	body, err := json.Marshal(map[string]any{"platform": ask.Platform, "flag": flag, "why": why})
	if err != nil {
		return fmt.Errorf("encode a dropped flag: %w", err)
	}
	err = w.Records.PutOutbox(ctx, records.OutboxEntry{Type: casefile.EntryFlagDropped, Actor: casefile.System, Body: body, At: w.Now()})
	if err != nil {
		return fmt.Errorf("record a dropped flag: %w", err)
	}
	w.Log.WarnContext(ctx, "flag dropped", "platform", ask.Platform, "flag", string(flag), "why", string(why))
	return nil
}

// keyedHash says whether a signal's flag looks like a flag's key.
func keyedHash(flag casefile.FlagKey) bool {
	return len(flag) == 32 && strings.Trim(string(flag), "abcdefghijklmnopqrstuvwxyz234567") == ""
}
