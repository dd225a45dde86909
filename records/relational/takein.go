package relational

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// openCase is what TakeIn reads of a case.
type openCase struct {
	ref      casefile.CaseRef
	state    casefile.State
	ordinal  int
	openedAt time.Time
	openedBy casefile.FlagKey
	revision int
	evidence int
	previous casefile.CaseRef
}

// The row itself says whether a case is open: the account's counter only repeats it.
const selectOpenCase = `SELECT ref, state, ordinal, opened_at, opened_by, revision, evidence_revision, previous
	FROM cases WHERE account = ? AND state <> 'closed'`

func scanOpenCase(r scanner) (openCase, error) {
	var c openCase
	err := r.Scan(&c.ref, &c.state, &c.ordinal, toTime{&c.openedAt}, &c.openedBy, &c.revision, &c.evidence, &c.previous)
	return c, err
}

// TakeIn is the compare-and-set of a flag's row, and the opening of a case where the account has
// none open, in one transaction. CodeConflict when propose is needed and another case has it: the
// caller proposes another. An answer to a dropped row tells of the account's open case, if any. The
// row of a flag whose account was erased is closed; that of one that came after the open case's
// decision was proven waits for the account's next case.
func (s *Store) TakeIn(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey, propose casefile.CaseRef, now time.Time) (records.TakenIn, error) {
	taken, err := doApart(ctx, s.engine, AccountRows(account), func(ctx context.Context, t *tx) (records.TakenIn, error) {
		in := takeIn{t: t, platform: platform, account: account, flag: flag, propose: propose, now: now}
		return in.run(ctx)
	})
	return taken, s.coded(ctx, "take flag in", err)
}

type takeIn struct {
	t        *tx
	platform string
	account  casefile.AccountKey
	flag     casefile.FlagKey
	propose  casefile.CaseRef
	now      time.Time
}

func (in takeIn) run(ctx context.Context) (records.TakenIn, error) {
	open, err := one(ctx, in.t, scanOpenCase, selectOpenCase, in.account)
	none := errors.Is(err, sql.ErrNoRows)
	if err != nil && !none {
		return records.TakenIn{}, err
	}
	row, err := one(ctx, in.t, scanFlag, selectFlag, in.flag)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return in.answer(ctx, open, records.FlagReceipt{}, records.DroppedNoRow)
	case err != nil:
		return records.TakenIn{}, err
	case row.Account != in.account || row.Platform != in.platform:
		return in.answer(ctx, open, records.FlagReceipt{}, records.DroppedNoRow)
	case row.Status == records.FlagAccepted && !none && row.Case == open.ref:
		return in.answer(ctx, open, row, records.TakenBefore)
	case row.Status == records.FlagAccepted:
		return in.answer(ctx, open, row, records.DroppedOther)
	case row.Status == records.FlagErased:
		return in.answer(ctx, open, row, records.DroppedErased)
	}
	erased, err := in.erased(ctx)
	if err != nil {
		return records.TakenIn{}, err
	}
	if erased {
		row, err = in.drop(ctx)
		if err != nil {
			return records.TakenIn{}, err
		}
		return in.answer(ctx, open, row, records.DroppedErased)
	}
	if !none && open.state == casefile.StateProven {
		return in.answer(ctx, open, row, records.TakenLater)
	}
	if none {
		open, err = in.open(ctx)
		if err != nil {
			return records.TakenIn{}, err
		}
	}
	_, err = in.t.Exec(ctx, "UPDATE flags SET status = 'accepted', case_ref = ?, accepted_at = ? WHERE flag = ? AND status = 'pending'",
		open.ref, micros(in.now), in.flag)
	if err != nil {
		return records.TakenIn{}, err
	}
	row, err = one(ctx, in.t, scanFlag, selectFlag, in.flag)
	if err != nil {
		return records.TakenIn{}, err
	}
	in.t.Tell(records.Change{Kind: records.ChangeFlag, Flag: in.flag, Case: open.ref})
	return in.answer(ctx, open, row, records.TakenNow)
}

// erased reports whether the account's content key was destroyed, and with it the sealed flag, or is
// about to be.
func (in takeIn) erased(ctx context.Context) (bool, error) {
	n, err := one(ctx, in.t, scanInt, `SELECT (SELECT COUNT(*) FROM account_keys WHERE account = ?1 AND destroyed_at IS NOT NULL)
		+ (SELECT COUNT(*) FROM erasures WHERE account = ?1 AND state IN ('closing', 'destroyed'))`, in.account)
	return n > 0, err
}

// drop closes the row of a flag that nobody can read any more: nothing is to be done about it.
func (in takeIn) drop(ctx context.Context) (records.FlagReceipt, error) {
	_, err := in.t.Exec(ctx, "UPDATE flags SET status = ? WHERE flag = ? AND status = 'pending'", records.FlagErased, in.flag)
	if err != nil {
		return records.FlagReceipt{}, err
	}
	in.t.Tell(records.Change{Kind: records.ChangeFlag, Flag: in.flag})
	return one(ctx, in.t, scanFlag, selectFlag, in.flag)
}

// open writes the row of the account's next case and moves the account's counters on.
func (in takeIn) open(ctx context.Context) (openCase, error) {
	if in.propose == "" {
		return openCase{}, casefile.Invalid("propose", "required: the number of a case to open")
	}
	a, err := one(ctx, in.t, scanAccount, selectAccount, in.account)
	if err != nil {
		return openCase{}, err
	}
	n, err := in.t.changed(ctx, `INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, previous, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ref) DO NOTHING`,
		in.propose, in.account, in.platform, a.Ordinal+1, in.flag, micros(in.now), a.LastCase, casefile.StateNew)
	if err != nil {
		return openCase{}, err
	}
	if n == 0 {
		return openCase{}, casefile.Errorf(casefile.CodeConflict, "the case number %s is taken: propose another", in.propose)
	}
	_, err = in.t.Exec(ctx, "UPDATE accounts SET ordinal = ?, open_case = ? WHERE account = ?", a.Ordinal+1, in.propose, in.account)
	if err != nil {
		return openCase{}, err
	}
	in.t.Tell(records.Change{Kind: records.ChangeCase, Case: in.propose})
	return one(ctx, in.t, scanOpenCase, selectOpenCase, in.account)
}

func (in takeIn) answer(ctx context.Context, open openCase, row records.FlagReceipt, outcome records.TakeOutcome) (records.TakenIn, error) {
	out := records.TakenIn{
		Receipt: row, Outcome: outcome, Case: open.ref, Ordinal: open.ordinal, OpenedAt: open.openedAt,
		Revision: open.revision, EvidenceRevision: open.evidence, Previous: open.previous,
	}
	if open.ref != "" {
		out.Opened = open.openedBy == in.flag
		return out, nil
	}
	a, err := one(ctx, in.t, scanAccount, selectAccount, in.account)
	if errors.Is(err, sql.ErrNoRows) {
		return out, nil
	}
	out.Previous = a.LastCase
	return out, err
}
