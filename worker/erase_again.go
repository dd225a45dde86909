package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
)

// erasedEntry is what the ledger says of one erasure.
type erasedEntry struct {
	Erasure string `json:"erasure"`
	Account string `json:"account"`
	at      time.Time
	by      casefile.Actor
}

// Reapply carries out again, after a restore, every erasure that the log has and the records do not, and
// gives how many there were. The log is the one that was kept, or its copy; it is checked against its key
// as it is read. e has the restored records, sealed store and index, and no engine: what is left for it is
// done by the first serve role that starts. Nobody else may use the stores meanwhile; again is harmless.
//
// An account that was flagged anew after its erasure keeps what came since, where the restored records know
// the erasure.
func (e *Eraser) Reapply(ctx context.Context, log verify.Source, logKey string, identity evidence.Identity) (int, error) {
	erased, err := erasedEntries(ctx, log, logKey)
	if err != nil || len(erased) == 0 {
		return 0, err
	}
	for after := casefile.AccountKey(""); ; {
		accounts, err := e.Records.AccountsAfter(ctx, after, erasePage)
		if err != nil {
			return 0, fmt.Errorf("list accounts: %w", err)
		}
		for _, a := range accounts {
			err = e.beginAgain(ctx, a, erased[evidence.ErasedName(identity, a.Account)])
			if err != nil {
				return 0, err
			}
			after = a.Account
		}
		if len(accounts) < erasePage {
			break
		}
	}
	return e.carryAgain(ctx)
}

// beginAgain begins the newest erasure of an account that its restored key is older than. The earlier ones
// were of the same key, or of one that is gone.
func (e *Eraser) beginAgain(ctx context.Context, a records.Account, entries []erasedEntry) error {
	if len(entries) == 0 {
		return nil
	}
	key, err := e.Records.AccountKey(ctx, a.Account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read an account's key: %w", err)
	}
	x := entries[len(entries)-1]
	if key.At.After(x.at) {
		return nil // flagged anew after it
	}
	_, _, err = e.Records.BeginErasure(ctx, records.ErasureRow{
		ID: x.Erasure, Account: a.Account, Platform: a.Platform, Name: x.Account, By: x.by, At: x.at, Again: true,
	})
	if err != nil {
		return fmt.Errorf("begin an erasure again: %w", err)
	}
	return nil
}

// carryAgain takes every erasure that is under way as far as it can be taken without an engine. One that was
// being asked for when the backup was made, and that the log does not have, is left to the serve role.
func (e *Eraser) carryAgain(ctx context.Context) (int, error) {
	n := 0
	for after := int64(0); ; {
		rows, err := e.Records.ErasuresAfter(ctx, after, erasePage)
		if err != nil {
			return n, fmt.Errorf("list erasures: %w", err)
		}
		for _, row := range rows {
			after = row.Seq
			if !row.State.UnderWay() || row.State == casefile.ErasureClosing && !row.Again {
				continue
			}
			_, err = e.Carry(ctx, row)
			if err != nil {
				return n, fmt.Errorf("carry an erasure out again: %w", err)
			}
			n++
		}
		if len(rows) < erasePage {
			return n, nil
		}
	}
}

// erasedEntries reads the erasures of a log by the account's name in it, oldest first.
func erasedEntries(ctx context.Context, log verify.Source, logKey string) (map[string][]erasedEntry, error) {
	out := map[string][]erasedEntry{}
	err := verify.Entries(ctx, log, logKey, func(t verify.TailEntry) error {
		if t.Entry.Type != casefile.EntryErased {
			return nil
		}
		chain, _, err := t.Entry.Event.Split()
		if err != nil || chain != casefile.SystemChain {
			return err
		}
		var x erasedEntry
		err = json.Unmarshal(t.Entry.Body, &x)
		if err != nil || x.Erasure == "" || x.Account == "" {
			return casefile.Errorf(casefile.CodeInvalid, "entry %d says of no erasure what it must", t.Index)
		}
		x.at, err = time.Parse(casefile.TimeFormat, t.Entry.At)
		if err != nil {
			return casefile.Errorf(casefile.CodeInvalid, "entry %d has no time", t.Index)
		}
		x.by = t.Entry.Actor
		out[x.Account] = append(out[x.Account], x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the log's erasures: %w", err)
	}
	return out, nil
}
