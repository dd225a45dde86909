package relational

import (
	"context"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	caseColumns = `ref, account, platform, ordinal, state, revision, evidence_revision, queue, severity, confidence, tier, due_at,
	rule, rule_set, rule_values, opened_at, closed_at, close_reason, claim, findings, file, file_digest, decision, previous, flags,
	chain_seq, chain_hash, reserved_by, reserved_until, stage, rank, raised, threat, not_before, assigned_to, missed, restricted,
	attached, round, decide_by, erased_at`
	selectCase = "SELECT " + caseColumns + " FROM cases WHERE ref = ?"
)

func scanCase(r scanner) (records.Case, error) {
	var c records.Case
	err := r.Scan(&c.Ref, &c.Account, &c.Platform, &c.Ordinal, &c.State, &c.Revision, &c.EvidenceRevision,
		&c.Route.Queue, &c.Route.Severity, &c.Route.Confidence, &c.Route.Tier, toTime{&c.Route.DueAt},
		&c.Route.Rule, &c.Route.RuleSet, toJSON{&c.Route.Values}, toTime{&c.OpenedAt}, toOptionalTime{&c.ClosedAt}, &c.CloseReason,
		toJSON{&c.Claim}, &c.Findings, &c.File, &c.FileDigest, &c.Decision, &c.Previous, &c.Flags,
		&c.ChainSeq, &c.ChainHash, &c.ReservedBy, toOptionalTime{&c.ReservedUntil},
		&c.Stage, &c.Rank, &c.Raised, &c.Threat, toOptionalTime{&c.NotBefore}, &c.AssignedTo, toJSON{&c.Missed}, &c.Restricted,
		&c.Attached, &c.Round, toTime{&c.Route.DecideBy}, toOptionalTime{&c.ErasedAt})
	return c, err
}

// Case returns a row; CodeNotFound if there is none.
func (s *Store) Case(ctx context.Context, ref casefile.CaseRef) (records.Case, error) {
	c, err := one(ctx, s.engine, scanCase, selectCase, ref)
	return c, s.coded(ctx, "read case", missing(err, "case"))
}

// AccountCases lists an account's cases, newest first.
func (s *Store) AccountCases(ctx context.Context, account casefile.AccountKey) ([]records.Case, error) {
	list, err := all(ctx, s.engine, scanCase, "SELECT "+caseColumns+" FROM cases WHERE account = ? ORDER BY ordinal DESC", account)
	return list, s.coded(ctx, "list an account's cases", err)
}

// ClaimedBy lists the open cases that a person holds, oldest first.
func (s *Store) ClaimedBy(ctx context.Context, person casefile.Person) ([]records.Case, error) {
	list, err := all(ctx, s.engine, scanCase, "SELECT "+caseColumns+` FROM cases
		WHERE claim_person = ? AND claim_person <> '' AND state <> 'closed' ORDER BY opened_at, ref`, person)
	return list, s.coded(ctx, "list claimed cases", err)
}

// selectHandedTo reads the waiting cases alone. What was handed over is a small part of them.
const selectHandedTo = "SELECT " + caseColumns + ` FROM cases
	WHERE state = 'queued' AND assigned_to = ? AND assigned_to <> '' ORDER BY rank DESC, confidence DESC, due_at, ref`

// HandedTo lists the waiting cases that were handed over to a person, the one to be taken first before
// the others.
func (s *Store) HandedTo(ctx context.Context, person casefile.Person) ([]records.Case, error) {
	list, err := all(ctx, s.engine, scanCase, selectHandedTo, person)
	return list, s.coded(ctx, "list cases handed over", err)
}

// ListCases lists cases by state ("" for all), newest opened first, after a cursor. CodeInvalid
// with field "cursor" for one that no page returned.
func (s *Store) ListCases(ctx context.Context, state casefile.State, after string, limit int) (cases []records.Case, next string, err error) {
	err = checkLimit(limit)
	if err != nil {
		return nil, "", err
	}
	text := "SELECT " + caseColumns + " FROM cases WHERE 1 = 1"
	var args []any
	if state != "" {
		text += " AND state = ?"
		args = append(args, state)
	}
	if after != "" {
		c, err := decodeCursor[listCursor](after)
		if err != nil {
			return nil, "", err
		}
		text += " AND (opened_at, ref) < (?, ?)"
		args = append(args, c.OpenedAt, c.Ref)
	}
	text += " ORDER BY opened_at DESC, ref DESC LIMIT ?"
	cases, err = all(ctx, s.engine, scanCase, text, append(args, limit+1)...)
	if err != nil {
		return nil, "", s.coded(ctx, "list cases", err)
	}
	return page(cases, limit, func(c records.Case) any { return listCursor{c.OpenedAt.UnixMicro(), c.Ref} })
}

// page cuts a list read one row past its limit, and gives the cursor of its last row if it was cut.
func page[T any](rows []T, limit int, cursor func(T) any) ([]T, string, error) {
	if len(rows) <= limit {
		return rows, "", nil
	}
	rows = rows[:limit]
	next, err := encodeCursor(cursor(rows[limit-1]))
	return rows, next, err
}

const opinionColumns = `id, person, role, at, action, days, policies, entity_tier, mitigations, claim, evidence_revision, relied,
	form, digest, notice, emergency`

func scanOpinion(r scanner) (casefile.Opinion, error) {
	var o casefile.Opinion
	err := r.Scan(&o.ID, &o.Person, &o.Role, toTime{&o.At}, &o.Action, &o.Days, toJSON{&o.Policies}, &o.EntityTier,
		toJSON{&o.Mitigations}, &o.Claim, &o.EvidenceRevision, &o.Relied, &o.Form, &o.Digest,
		toJSON{&o.Notice}, &o.Emergency)
	return o, err
}

// Opinions lists a case's opinions that are shown and count, in the order in which they were shown.
func (s *Store) Opinions(ctx context.Context, ref casefile.CaseRef) ([]casefile.Opinion, error) {
	list, err := all(ctx, s.engine, scanOpinion, "SELECT "+opinionColumns+" FROM opinions WHERE case_ref = ? AND void = 0 ORDER BY seq", ref)
	return list, s.coded(ctx, "list opinions", err)
}

func scanComment(r scanner) (records.CommentRow, error) {
	var c records.CommentRow
	err := r.Scan(&c.ID, &c.Case, &c.Person, toTime{&c.At}, &c.Text)
	return c, err
}

// Comments lists a case's comments in the order in which they came.
func (s *Store) Comments(ctx context.Context, ref casefile.CaseRef) ([]records.CommentRow, error) {
	list, err := all(ctx, s.engine, scanComment, "SELECT id, case_ref, person, at, text FROM comments WHERE case_ref = ? ORDER BY seq", ref)
	return list, s.coded(ctx, "list comments", err)
}
