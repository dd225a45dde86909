package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	appealColumns = `id, kind, decision, case_ref, platform, account, notice, complaint, digest, opened_person, opened_role, opened_at, due_at,
	state, revision, late, claim, ruling, event, hash, bundle, why, ended_at`
	selectAppeal = "SELECT " + appealColumns + " FROM appeals WHERE id = ?"
)

func scanAppeal(r scanner) (records.AppealRow, error) {
	var a records.AppealRow
	err := r.Scan(&a.ID, &a.Kind, &a.Decision, &a.Case, &a.Platform, &a.Account, &a.Notice, &a.Complaint, &a.Digest,
		&a.OpenedBy.Person, &a.OpenedBy.Role, toTime{&a.OpenedAt}, toTime{&a.DueAt}, &a.State, &a.Revision, &a.Late,
		toJSON{&a.Claim}, toJSON{&a.Ruling}, &a.Event, &a.Hash, toJSON{&a.Bundle}, &a.Why, toOptionalTime{&a.EndedAt})
	return a, err
}

func checkAppeal(a records.AppealRow) error {
	switch {
	case a.ID == "":
		return casefile.Invalid("id", "required")
	case !a.Kind.Valid():
		return casefile.Invalid("kind", "not a kind of appeal")
	case a.OpenedAt.IsZero():
		return casefile.Invalid("opened_at", "required")
	case a.DueAt.IsZero():
		return casefile.Invalid("due_at", "required")
	}
	return nil
}

// PutAppeal writes an appeal's row, as open, unless one of its kind against the decision stands, in
// whatever state: that one is returned then. CodeNotFound when the decision has no row; CodeConflict
// when another appeal has the id.
func (s *Store) PutAppeal(ctx context.Context, a records.AppealRow) (row records.AppealRow, created bool, err error) {
	err = checkAppeal(a)
	if err != nil {
		return records.AppealRow{}, false, err
	}
	// Apart like an erasure of the account, so that one of the two sees the other.
	row, err = doApart(ctx, s.engine, AccountRows(a.Account), func(ctx context.Context, t *tx) (records.AppealRow, error) {
		err := t.refuseErased(ctx, a.Account, a.Case)
		if err != nil {
			return records.AppealRow{}, err
		}
		n, err := t.changed(ctx, `INSERT INTO appeals (id, kind, decision, case_ref, platform, account, notice, complaint, digest,
				opened_person, opened_role, opened_at, due_at, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (decision, kind) DO NOTHING`,
			a.ID, a.Kind, a.Decision, a.Case, a.Platform, a.Account, a.Notice, a.Complaint, a.Digest,
			a.OpenedBy.Person, a.OpenedBy.Role, micros(a.OpenedAt), micros(a.DueAt), casefile.AppealOpen)
		switch {
		case t.fault(err) == FaultTaken:
			return records.AppealRow{}, casefile.Errorf(casefile.CodeConflict, "another appeal has this id: propose another")
		case t.fault(err) == FaultOrphan:
			return records.AppealRow{}, casefile.Errorf(casefile.CodeNotFound, "no such decision")
		case err != nil:
			return records.AppealRow{}, err
		}
		if n > 0 {
			t.Tell(records.Change{Kind: records.ChangeAppeal, Case: a.Case, ID: a.ID})
		}
		return one(ctx, t, scanAppeal, "SELECT "+appealColumns+" FROM appeals WHERE decision = ? AND kind = ?", a.Decision, a.Kind)
	})
	if err != nil {
		return records.AppealRow{}, false, s.coded(ctx, "put appeal", err)
	}
	return row, row.ID == a.ID, nil
}

// Appeal returns a row; CodeNotFound if there is none.
func (s *Store) Appeal(ctx context.Context, id string) (records.AppealRow, error) {
	a, err := one(ctx, s.engine, scanAppeal, selectAppeal, id)
	return a, s.coded(ctx, "read appeal", missing(err, "appeal"))
}

// DecisionAppeals lists a decision's appeals, oldest first.
func (s *Store) DecisionAppeals(ctx context.Context, decision string) ([]records.AppealRow, error) {
	list, err := all(ctx, s.engine, scanAppeal, "SELECT "+appealColumns+" FROM appeals WHERE decision = ? ORDER BY opened_at, id", decision)
	return list, s.coded(ctx, "list a decision's appeals", err)
}

func listAppeals(state casefile.AppealState, after bool) string {
	text := "SELECT " + appealColumns + " FROM appeals WHERE 1 = 1"
	if state != "" {
		text += " AND state = ?"
	}
	if after {
		text += " AND (due_at, id) > (?, ?)"
	}
	return text + " ORDER BY due_at, id LIMIT ?"
}

// ListAppeals lists appeals by state ("" for all), the one that is due first before the others, after a
// cursor. CodeInvalid with field "cursor" for one that no page returned.
func (s *Store) ListAppeals(ctx context.Context, state casefile.AppealState, after string, limit int) (rows []records.AppealRow, next string, err error) {
	err = checkLimit(limit)
	if err != nil {
		return nil, "", err
	}
	var args []any
	if state != "" {
		args = append(args, state)
	}
	if after != "" {
		c, err := decodeCursor[appealCursor](after)
		if err != nil {
			return nil, "", err
		}
		args = append(args, c.DueAt, c.ID)
	}
	rows, err = all(ctx, s.engine, scanAppeal, listAppeals(state, after != ""), append(args, limit+1)...)
	if err != nil {
		return nil, "", s.coded(ctx, "list appeals", err)
	}
	return page(rows, limit, func(a records.AppealRow) any { return appealCursor{a.DueAt.UnixMicro(), a.ID} })
}

// ruled reports whether a ruling's entry is proven: what is on the ledger is not undecided again.
func ruled(s casefile.AppealState) bool {
	switch s {
	case casefile.AppealRejected, casefile.AppealUpheld, casefile.AppealReinstated, casefile.AppealIncomplete:
		return true
	}
	return false
}

// ended reports whether nothing more is due to an appeal by itself.
func ended(s casefile.AppealState) bool { return ruled(s) && s != casefile.AppealUpheld }

// ProjectAppeal applies a projection, whole or not at all, if its revision is above the row's. Once the
// ruling's proof stands it stays, and so does what a reinstatement came to. CodeNotFound when there is
// no such appeal; CodeState when one that was ruled on would wait for its ruling again.
func (s *Store) ProjectAppeal(ctx context.Context, p records.AppealProjection) error {
	err := checkAppealProjection(p)
	if err != nil {
		return err
	}
	err = exec(ctx, s.engine, func(ctx context.Context, t *tx) error { return t.projectAppeal(ctx, p) })
	return s.coded(ctx, "project appeal", err)
}

func checkAppealProjection(p records.AppealProjection) error {
	known := false
	for _, state := range casefile.AppealStates {
		known = known || state == p.State
	}
	switch {
	case !known:
		return casefile.Invalid("state", "not a state of an appeal")
	case p.State == casefile.AppealReinstated || p.State == casefile.AppealIncomplete:
		return casefile.Invalid("state", "an appeal is ended by its reinstatement")
	case ruled(p.State) && p.Ruling == nil:
		return casefile.Invalid("ruling", "required once it is ruled on")
	case p.Ruling != nil && p.Ruling.Appeal != p.ID:
		return casefile.Invalid("ruling.appeal", "the ruling is another appeal's")
	case p.Now.IsZero():
		return casefile.Invalid("now", "required")
	}
	for _, r := range p.Tellings {
		err := checkTelling(r)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) projectAppeal(ctx context.Context, p records.AppealProjection) error {
	row, err := one(ctx, t, scanAppeal, selectAppeal, p.ID)
	switch {
	case err != nil:
		return missing(err, "appeal")
	case p.Revision <= row.Revision:
		return nil
	case ruled(row.State) && !ruled(p.State):
		return casefile.Errorf(casefile.CodeState, "the appeal was ruled on: it is %s", row.State)
	}
	if !ended(row.State) {
		row.State = p.State
	}
	if row.EndedAt == nil && ended(row.State) {
		row.EndedAt = &p.Now
	}
	row.Revision, row.Late, row.Claim, row.Ruling = p.Revision, p.Late, p.Claim, p.Ruling
	if p.Event != "" {
		row.Event, row.Hash = p.Event, p.Hash
	}
	if p.Bundle != nil {
		row.Bundle = p.Bundle
	}
	err = t.updateAppeal(ctx, row)
	if err != nil {
		return err
	}
	return t.addTellings(ctx, p.Tellings)
}

func (t *tx) updateAppeal(ctx context.Context, a records.AppealRow) error {
	claim, err := jsonText(a.Claim)
	if err != nil {
		return err
	}
	ruling, err := jsonText(a.Ruling)
	if err != nil {
		return err
	}
	bundle, err := jsonText(a.Bundle)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE appeals SET state = ?, revision = ?, late = ?, claim = ?, ruling = ?, event = ?, hash = ?, bundle = ?, why = ?, ended_at = ?
		WHERE id = ?`, a.State, a.Revision, bit(a.Late), claim, ruling, a.Event, a.Hash, bundle, a.Why, microsOrNull(a.EndedAt), a.ID)
	if err != nil {
		return err
	}
	t.Tell(records.Change{Kind: records.ChangeAppeal, Case: a.Case, ID: a.ID})
	return nil
}

// EndAppeal moves an upheld appeal on to reinstated or incomplete. An incomplete one becomes reinstated
// once the rest was taken back; a reinstated one stays so. CodeNotFound when there is none; CodeState
// when it was not upheld; CodeInvalid for any other state.
func (s *Store) EndAppeal(ctx context.Context, id string, state casefile.AppealState, why string, now time.Time) error {
	if state != casefile.AppealReinstated && state != casefile.AppealIncomplete {
		return casefile.Invalid("state", "an upheld appeal ends as reinstated or incomplete")
	}
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		row, err := one(ctx, t, scanAppeal, selectAppeal, id)
		switch {
		case err != nil:
			return missing(err, "appeal")
		case row.State == state, row.State == casefile.AppealReinstated:
			return nil
		case row.State != casefile.AppealUpheld && row.State != casefile.AppealIncomplete:
			return casefile.Errorf(casefile.CodeState, "an appeal that is %s does not become %s", row.State, state)
		}
		row.State, row.Why, row.EndedAt = state, why, &now
		return t.updateAppeal(ctx, row)
	})
	return s.coded(ctx, "end appeal", err)
}

// NoticeByNumber finds a notice by the number printed on it; CodeNotFound if there is none.
func (s *Store) NoticeByNumber(ctx context.Context, number string) (records.NoticeRow, error) {
	n, err := one(ctx, s.engine, scanNotice, selectNotice, number)
	return n, s.coded(ctx, "read notice", missing(err, "notice"))
}
