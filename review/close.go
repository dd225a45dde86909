package review

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// CloseCall closes a case without a decision.
type CloseCall struct {
	VerbCall
	Claim            int
	EvidenceRevision int
	Reason           casefile.CloseReason
}

// Close closes a case without a decision. CodeInvalid on field reason; otherwise as Opinion.
func (d *Desk) Close(ctx context.Context, who access.Who, call CloseCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateClose, need: access.CaseClose, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if !call.Reason.Valid() {
		names := make([]string, len(casefile.CloseReasons))
		for i, r := range casefile.CloseReasons {
			names[i] = string(r)
		}
		return VerbAnswer{}, casefile.Invalid("reason", "one of %s", strings.Join(names, ", "))
	}
	return d.update(ctx, s, workflows.UpdateClose, func(v workflows.Verb) any {
		return workflows.CloseArgs{Verb: v, Claim: call.Claim, EvidenceRevision: call.EvidenceRevision, Reason: call.Reason}
	})
}

// reopenVerb names a reopening among the verbs; it is a receipt row and a signal, not an Update.
const reopenVerb = "reopen"

// Reopened is the answer to Reopen. Case is "" when the new case was not known in time: the
// account's earlier cases on the old one's page have it later.
type Reopened struct {
	Case casefile.CaseRef `json:"case,omitempty"`
	Key  string           `json:"verb_id"`
}

// Reopen opens the account of a closed case again: it writes a receipt row that names the case and
// its archived file, and tells the account's workflow. CodeState when the case is not closed, has
// no archived file, or the account has an open case.
func (d *Desk) Reopen(ctx context.Context, who access.Who, call VerbCall) (Reopened, error) {
	s, err := d.start(ctx, request{who: who, name: reopenVerb, need: access.CaseReopen, ref: call.Case, key: call.Key})
	if err != nil {
		return Reopened{}, err
	}
	// A flag's id holds no space, so no detector's flag has this key.
	flag := d.o.Identity.Flag(s.row.Platform, reopenVerb+" "+s.verb.ID)
	receipt, err := d.o.Records.Flag(ctx, flag)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		receipt, err = d.putReopening(ctx, s, flag)
	}
	if err != nil {
		return Reopened{}, err
	}
	out := Reopened{Case: receipt.Case, Key: s.key}
	if receipt.Status == records.FlagAccepted {
		return out, nil
	}
	waiting, cancel := context.WithTimeout(ctx, d.o.ReopenWait)
	defer cancel()
	changes := d.o.Records.Changes(waiting)
	err = d.signal(ctx, receipt)
	if err != nil {
		return Reopened{}, &Unknown{Key: s.key, TimedOut: ctx.Err() != nil, err: err}
	}
	out.Case, err = d.awaitCase(ctx, flag, changes)
	return out, err
}

func (d *Desk) signal(ctx context.Context, r records.FlagReceipt) error {
	ctx, cancel := context.WithTimeout(ctx, d.o.VerbTimeout)
	defer cancel()
	return d.o.Workflows.SignalFlag(ctx, r.Platform, r.Account, r.Flag)
}

func (d *Desk) putReopening(ctx context.Context, s started, flag casefile.FlagKey) (records.FlagReceipt, error) {
	switch {
	case s.row.State != casefile.StateClosed:
		return records.FlagReceipt{}, casefile.Errorf(casefile.CodeState, "only a closed case can be opened again; this one is %s", s.row.State)
	case s.row.ErasedAt != nil:
		return records.FlagReceipt{}, casefile.Errorf(casefile.CodeState, "the case's account was erased: there is nothing to go on with")
	case s.row.File == "":
		return records.FlagReceipt{}, casefile.Errorf(casefile.CodeState, "the case's file is not archived yet")
	}
	account, err := d.o.Records.Account(ctx, s.row.Account)
	if err != nil {
		return records.FlagReceipt{}, fmt.Errorf("read account row: %w", err)
	}
	if account.OpenCase != "" {
		return records.FlagReceipt{}, casefile.Errorf(casefile.CodeState, "the account has an open case: %s", account.OpenCase)
	}
	receipt, _, err := d.o.Records.PutFlag(ctx, records.FlagReceipt{
		Flag: flag, Account: s.row.Account, Platform: s.row.Platform,
		Digest: d.o.Identity.Digest([]byte("docket-reopen/1\n" + string(s.row.Ref) + "\n" + s.verb.ID)),
		Sealed: s.row.File, Source: s.verb.Actor.Person, At: d.now(), Status: records.FlagPending, Reopens: s.row.Ref,
	})
	if err != nil {
		return records.FlagReceipt{}, fmt.Errorf("write receipt row: %w", err)
	}
	return receipt, nil
}

// awaitCase looks at the row after every hint until the feed ends; "" when it was not taken in by then.
func (d *Desk) awaitCase(ctx context.Context, flag casefile.FlagKey, changes <-chan records.Change) (casefile.CaseRef, error) {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		receipt, err := d.o.Records.Flag(ctx, flag)
		if err != nil {
			return "", fmt.Errorf("read receipt row: %w", err)
		}
		if receipt.Status == records.FlagAccepted {
			return receipt.Case, nil
		}
		select {
		case _, ok := <-changes:
			if !ok {
				return "", nil
			}
		case <-look.C:
		}
	}
}
