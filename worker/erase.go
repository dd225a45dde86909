package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// SealedObjects is what an erasure asks of the sealed store; *evidence.Store is one.
type SealedObjects interface {
	ForgetKey(account casefile.AccountKey)
	Delete(ctx context.Context, addresses []casefile.Address) (int, error)
}

// CaseDocuments writes the document of one case as it stands; *projector.Projector does.
type CaseDocuments interface {
	Case(ctx context.Context, ref casefile.CaseRef) error
}

// Eraser carries erasures that were begun to their end, from wherever a crash left them. Every step can be
// repeated; several processes may do so at once.
type Eraser struct {
	Records   records.Store
	Objects   SealedObjects
	Index     indexing.Index
	Documents CaseDocuments
	// Cases reaches the workflows. nil where no engine runs, after a restore: then an erasure stays
	// destroyed, and the first process with an engine deletes its workflows and ends it.
	Cases *Cases
	// Namespace is that of the workflows.
	Namespace string
	// Signer signs the verb that closes an open case, in the name of who asked for the erasure.
	Signer *access.Signer
	Log    *slog.Logger
	// Linger is how long after a key was destroyed the account stays shut: no process may hold the key in
	// memory any more. 0 means twice evidence.KeyLinger; negative not at all.
	Linger time.Duration
	// Every is the pause between two looks at what is under way, when no change is told; 0 means 2 s.
	Every time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	eraseEvery = 2 * time.Second
	// erasePage bounds how many erasures are carried on in one round.
	erasePage = 100
	// eraseCall bounds the closing of a case.
	eraseCall = 10 * time.Second
)

func (e *Eraser) now() time.Time {
	if e.Now != nil {
		return e.Now().UTC()
	}
	return time.Now().UTC()
}

// Run carries on whatever is under way until ctx ends.
func (e *Eraser) Run(ctx context.Context) {
	pause := e.Every
	if pause <= 0 {
		pause = eraseEvery
	}
	changes := e.Records.Changes(ctx)
	for {
		err := e.Once(ctx)
		if err != nil && ctx.Err() == nil {
			e.Log.WarnContext(ctx, "erasures could not be listed", "code", string(casefile.ErrorCode(err)))
		}
		if !records.WaitChange(ctx, changes, pause, records.ChangeErasure) {
			return
		}
	}
}

// Once takes every erasure that is under way as far as it can be taken now. One that fails keeps no other
// from its turn; the error is that of the list.
func (e *Eraser) Once(ctx context.Context) error {
	rows, err := e.Records.ErasuresUnderWay(ctx, erasePage)
	if err != nil {
		return fmt.Errorf("list erasures under way: %w", err)
	}
	for _, row := range rows {
		row, err = e.Carry(ctx, row)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			e.Log.WarnContext(ctx, "an erasure goes on later", "erasure", row.ID, "state", string(row.State), "code", string(casefile.ErrorCode(err)))
		case !row.State.UnderWay():
			e.Log.InfoContext(ctx, "an erasure has ended", "erasure", row.ID, "state", string(row.State))
		}
	}
	return nil
}

// Carry takes an erasure as far as it can be taken now and gives the row as it stands then. A row that is
// still under way without an error waits for a time, for the ledger or for the engine.
func (e *Eraser) Carry(ctx context.Context, row records.ErasureRow) (records.ErasureRow, error) {
	if row.State == casefile.ErasureClosing {
		telling, err := e.telling(ctx, row)
		if err != nil || telling {
			return row, err
		}
		err = e.closeCase(ctx, row)
		if err != nil {
			return row, err
		}
		next, err := e.Records.DestroyAccount(ctx, row.ID, e.now())
		if casefile.ErrorCode(err) == casefile.CodeState {
			return row, nil // the case is still being closed
		}
		if err != nil {
			return row, fmt.Errorf("destroy the content key: %w", err)
		}
		crashpoint.Reach("44")
		row = next
	}
	if row.State != casefile.ErasureDestroyed {
		return row, nil
	}
	e.Objects.ForgetKey(row.Account)
	err := e.emptyIndex(ctx, row)
	if err != nil {
		return row, err
	}
	crashpoint.Reach("45")
	gone, err := e.deleteWorkflows(ctx, row)
	if err != nil {
		return row, err
	}
	if e.Cases != nil && !gone || e.now().Before(row.DestroyedAt.Add(e.linger())) {
		return row, nil
	}
	crashpoint.Reach("46")
	addresses, err := e.Records.AccountObjects(ctx, row.Account)
	if err != nil {
		return row, fmt.Errorf("list the account's objects: %w", err)
	}
	_, err = e.Objects.Delete(ctx, addresses)
	if err != nil {
		return row, fmt.Errorf("delete the account's objects: %w", err)
	}
	crashpoint.Reach("47")
	err = e.scrub(ctx)
	if err != nil {
		return row, err
	}
	crashpoint.Reach("48")
	if !gone {
		return row, nil
	}
	return e.end(ctx, row)
}

// end ends an erasure whose entry is in the log.
func (e *Eraser) end(ctx context.Context, row records.ErasureRow) (records.ErasureRow, error) {
	ended, err := e.Records.EndErasure(ctx, row.ID, e.now())
	if casefile.ErrorCode(err) == casefile.CodeState {
		return row, nil // the ledger role has still to append the entry
	}
	if err != nil {
		return row, fmt.Errorf("end an erasure: %w", err)
	}
	crashpoint.Reach("49")
	return ended, e.scrub(ctx)
}

func (e *Eraser) linger() time.Duration {
	if e.Linger == 0 {
		return 2 * evidence.KeyLinger
	}
	return max(e.Linger, 0)
}

func (e *Eraser) scrub(ctx context.Context) error {
	err := e.Records.Scrub(ctx)
	if err != nil {
		return fmt.Errorf("scrub the records: %w", err)
	}
	err = e.Index.Scrub(ctx)
	if err != nil {
		return fmt.Errorf("scrub the index: %w", err)
	}
	return nil
}

// closeCase has the account's open case closed by its workflow. What the workflow refuses, because the case
// was decided since, DestroyAccount finds in the rows and stops for.
func (e *Eraser) closeCase(ctx context.Context, row records.ErasureRow) error {
	cases, err := e.Records.AccountCases(ctx, row.Account)
	if err != nil {
		return fmt.Errorf("list the account's cases: %w", err)
	}
	for _, c := range cases {
		if row.Again || !c.State.Open() {
			continue
		}
		args, err := e.sign(row, c.Ref)
		if err != nil {
			return err
		}
		call, cancel := context.WithTimeout(ctx, eraseCall)
		_, err = e.Cases.Update(call, c.Platform, c.Account, workflows.UpdateErase, args.ID, args)
		cancel()
		if err != nil && casefile.ErrorCode(err) != casefile.CodeState {
			return fmt.Errorf("close the case for the erasure: %w", err)
		}
		crashpoint.Reach("43")
	}
	return nil
}

// telling says whether a workflow of an appeal or a reinstatement still runs: what it has left to do once its
// row has ended is to tell the person concerned, in words that the key opens.
func (e *Eraser) telling(ctx context.Context, row records.ErasureRow) (bool, error) {
	if e.Cases == nil || row.Again {
		return false, nil
	}
	appeals, err := e.Records.AccountAppeals(ctx, row.Account)
	if err != nil {
		return false, fmt.Errorf("list the account's appeals: %w", err)
	}
	for _, a := range appeals {
		for _, id := range []string{casefile.AppealWorkflowID(a.ID), casefile.ReinstatementWorkflowID(a.ID)} {
			run, err := e.Cases.Describe(ctx, id)
			if err != nil || run.State == RunRunning {
				return run.State == RunRunning, err
			}
		}
	}
	return false, nil
}

// sign makes the verb that closes a case, with the API's word that this person asked for the erasure. The
// same erasure has the same verb, so that it counts once.
func (e *Eraser) sign(row records.ErasureRow, ref casefile.CaseRef) (workflows.EraseArgs, error) {
	args := workflows.EraseArgs{Verb: workflows.Verb{ID: row.ID, Case: ref, Actor: row.By}, Erasure: row.ID}
	who := access.Who{Person: row.By.Person, Roles: []casefile.Role{row.By.Role}}
	word, err := e.Signer.Sign(who, row.By.Role, workflows.UpdateErase, casefile.CaseChain(ref), row.ID, args)
	if err != nil {
		return workflows.EraseArgs{}, fmt.Errorf("sign the verb that closes a case: %w", err)
	}
	args.Assertion = &word
	return args, nil
}

// emptyIndex writes every case's document without words, under the revision that was raised for it, and
// takes the account's posts out of history.
func (e *Eraser) emptyIndex(ctx context.Context, row records.ErasureRow) error {
	cases, err := e.Records.AccountCases(ctx, row.Account)
	if err != nil {
		return fmt.Errorf("list the account's cases: %w", err)
	}
	for _, c := range cases {
		err = e.Documents.Case(ctx, c.Ref)
		if err != nil {
			return fmt.Errorf("empty a case's document: %w", err)
		}
	}
	until := *row.DestroyedAt
	if row.Again {
		until = row.At
	}
	err = e.Index.ForgetAccount(ctx, row.Platform, row.Account, until)
	if err != nil {
		return fmt.Errorf("take an account's posts out of history: %w", err)
	}
	return nil
}

// deleteWorkflows deletes every run of the account's case, takedown, appeal and reinstatement workflows.
// gone says that none is left; the engine deletes in its own time.
func (e *Eraser) deleteWorkflows(ctx context.Context, row records.ErasureRow) (gone bool, err error) {
	if e.Cases == nil {
		return false, nil
	}
	ids := []string{casefile.CaseWorkflowID(row.Platform, row.Account)}
	cases, err := e.Records.AccountCases(ctx, row.Account)
	if err != nil {
		return false, fmt.Errorf("list the account's cases: %w", err)
	}
	for _, c := range cases {
		decisions, err := e.Records.CaseDecisions(ctx, c.Ref)
		if err != nil {
			return false, fmt.Errorf("list a case's decisions: %w", err)
		}
		for _, d := range decisions {
			ids = append(ids, casefile.TakedownWorkflowID(c.Ref, d.Decision.ID))
		}
	}
	appeals, err := e.Records.AccountAppeals(ctx, row.Account)
	if err != nil {
		return false, fmt.Errorf("list the account's appeals: %w", err)
	}
	for _, a := range appeals {
		ids = append(ids, casefile.AppealWorkflowID(a.ID), casefile.ReinstatementWorkflowID(a.ID))
	}
	gone = true
	for _, id := range ids {
		left, err := e.Cases.delete(ctx, e.Namespace, id)
		if err != nil {
			return false, err
		}
		gone = gone && left == 0
	}
	return gone, nil
}
