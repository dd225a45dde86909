package relational

import (
	"context"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// checkHandling checks what a projection brings beside opinions, comments and the decision.
func checkHandling(p records.Projection) error {
	for _, b := range p.Blind {
		switch {
		case b.Case != p.Case.Ref:
			return casefile.Invalid("blind", "an opinion is another case's")
		case b.ID == "" || b.At.IsZero() || b.Sealed == "":
			return casefile.Invalid("blind", "a blind opinion has an id, a time and a sealed form")
		}
	}
	for _, r := range p.Parts {
		switch {
		case r.Case != p.Case.Ref:
			return casefile.Invalid("parts", "a part is in another case")
		case r.Person == "" || r.At.IsZero():
			return casefile.Invalid("parts", "a part has a person and a time")
		case r.Part != records.PartFlag && r.Part != records.PartClaim && r.Part != records.PartOpinion:
			return casefile.Invalid("parts", "not a part in a case")
		}
	}
	for _, r := range p.Referrals {
		if r.ID == "" || r.At.IsZero() {
			return casefile.Invalid("referrals", "a referral has an id and a time")
		}
	}
	for _, h := range p.Handlings {
		if h.ID == "" || h.At.IsZero() {
			return casefile.Invalid("handlings", "a handling has an id and a time")
		}
	}
	for _, t := range p.Tellings {
		err := checkTelling(t)
		if err != nil {
			return err
		}
	}
	return nil
}

// projectHandling writes who took part, referrals and opinions, blind or shown. An opinion that is
// shown takes the place of the blind one; one that is void is marked last, so that it may be written
// and void at once.
func (t *tx) projectHandling(ctx context.Context, p records.Projection) error {
	err := t.addParts(ctx, p.Parts)
	if err != nil {
		return err
	}
	err = t.addReferrals(ctx, p.Case.Ref, p.Referrals)
	if err != nil {
		return err
	}
	err = t.addHandlings(ctx, p.Case.Ref, p.Handlings)
	if err != nil {
		return err
	}
	err = t.addBlind(ctx, p.Blind)
	if err != nil {
		return err
	}
	err = t.addOpinions(ctx, p.Opinions)
	if err != nil {
		return err
	}
	if len(p.Opinions) > 0 || len(p.Blind) > 0 {
		_, err = t.Exec(ctx, `UPDATE blind_opinions SET shown_at = ?1 WHERE case_ref = ?2 AND shown_at IS NULL
			AND id IN (SELECT id FROM opinions WHERE case_ref = ?2)`, micros(p.Now), p.Case.Ref)
		if err != nil {
			return err
		}
	}
	return t.voidOpinions(ctx, p.Case.Ref, p.VoidOpinions)
}

func (t *tx) addParts(ctx context.Context, rows []records.PartRow) error {
	for _, r := range rows {
		round := r.Round
		if r.Part != records.PartOpinion {
			round = 0
		}
		_, err := t.Exec(ctx, `INSERT INTO parts (case_ref, person, part, round, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (case_ref, person, part, round) DO NOTHING`, r.Case, r.Person, r.Part, round, micros(r.At))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addReferrals(ctx context.Context, ref casefile.CaseRef, rows []casefile.Referral) error {
	for _, r := range rows {
		_, err := t.Exec(ctx, `INSERT INTO referrals (id, case_ref, kind, person, at, note, digest, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, r.ID, ref, r.Kind, r.Person, micros(r.At), r.Note, r.Digest, r.Event)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addHandlings(ctx context.Context, ref casefile.CaseRef, rows []casefile.HandlingNote) error {
	for _, h := range rows {
		_, err := t.Exec(ctx, `INSERT INTO handlings (id, case_ref, what, person, role, at, queue, to_person, deadline, until, words)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			h.ID, ref, h.What, h.Person, h.Role, micros(h.At), h.Queue, h.To, h.Deadline, microsOrNull(h.Until), h.Words)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addBlind(ctx context.Context, rows []records.BlindOpinion) error {
	for _, b := range rows {
		_, err := t.Exec(ctx, `INSERT INTO blind_opinions (id, case_ref, person, at, sealed) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, b.ID, b.Case, b.Person, micros(b.At), b.Sealed)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) voidOpinions(ctx context.Context, ref casefile.CaseRef, ids []string) error {
	for _, id := range ids {
		for _, text := range []string{
			"UPDATE opinions SET void = 1 WHERE id = ? AND case_ref = ?",
			"UPDATE blind_opinions SET void = 1 WHERE id = ? AND case_ref = ?",
		} {
			_, err := t.Exec(ctx, text, id, ref)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func scanPart(r scanner) (records.PartRow, error) {
	var p records.PartRow
	err := r.Scan(&p.Case, &p.Person, &p.Part, &p.Round, toTime{&p.At})
	return p, err
}

// Parts lists who took part in a case, in the order in which it was written down.
func (s *Store) Parts(ctx context.Context, ref casefile.CaseRef) ([]records.PartRow, error) {
	list, err := all(ctx, s.engine, scanPart, "SELECT case_ref, person, part, round, at FROM parts WHERE case_ref = ? ORDER BY seq", ref)
	return list, s.coded(ctx, "list who took part", err)
}

const selectBlind = "SELECT id, case_ref, person, at, sealed FROM blind_opinions WHERE case_ref = ? AND shown_at IS NULL AND void = ? ORDER BY seq"

func scanBlind(r scanner) (records.BlindOpinion, error) {
	var b records.BlindOpinion
	err := r.Scan(&b.ID, &b.Case, &b.Person, toTime{&b.At}, &b.Sealed)
	return b, err
}

// BlindOpinions lists a case's opinions that count and are not shown yet, in the order in which they came.
func (s *Store) BlindOpinions(ctx context.Context, ref casefile.CaseRef) ([]records.BlindOpinion, error) {
	list, err := all(ctx, s.engine, scanBlind, selectBlind, ref, 0)
	return list, s.coded(ctx, "list blind opinions", err)
}

// VoidOpinions lists a case's opinions that count no more, in the order in which they came: those that
// were shown, and those that nobody but their authors ever saw.
func (s *Store) VoidOpinions(ctx context.Context, ref casefile.CaseRef) (shown []casefile.Opinion, blind []records.BlindOpinion, err error) {
	err = s.engine.Snapshot(ctx, func(q Querier) error {
		shown, err = all(ctx, q, scanOpinion, "SELECT "+opinionColumns+" FROM opinions WHERE case_ref = ? AND void = 1 ORDER BY seq", ref)
		if err != nil {
			return err
		}
		blind, err = all(ctx, q, scanBlind, selectBlind, ref, 1)
		return err
	})
	if err != nil {
		return nil, nil, s.coded(ctx, "list void opinions", err)
	}
	return shown, blind, nil
}

func scanReferral(r scanner) (casefile.Referral, error) {
	var x casefile.Referral
	err := r.Scan(&x.ID, &x.Kind, &x.Person, toTime{&x.At}, &x.Note, &x.Digest, &x.Event)
	return x, err
}

// Referrals lists a case's referrals, in the order in which they were made.
func (s *Store) Referrals(ctx context.Context, ref casefile.CaseRef) ([]casefile.Referral, error) {
	list, err := all(ctx, s.engine, scanReferral, "SELECT id, kind, person, at, note, digest, event FROM referrals WHERE case_ref = ? ORDER BY seq", ref)
	return list, s.coded(ctx, "list referrals", err)
}

// PutDecidedItems notes which evidence a decision had before it; repeats change nothing. CodeNotFound
// when the decision has no row.
func (s *Store) PutDecidedItems(ctx context.Context, account casefile.AccountKey, decision string, items []string, at time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		for _, item := range items {
			_, err := t.Exec(ctx, `INSERT INTO decided_items (account, item, decision, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (account, item, decision) DO NOTHING`, account, item, decision, micros(at))
			if t.fault(err) == FaultOrphan {
				return casefile.Errorf(casefile.CodeNotFound, "no such decision")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return s.coded(ctx, "put decided items", err)
}

// atOnce bounds how many values one statement asks for.
const atOnce = 256

// decidedItems gives the newest decision first for each item.
func decidedItems(n int) string {
	return `SELECT i.item, i.decision FROM decided_items i JOIN decisions d ON d.id = i.decision
		WHERE i.account = ? AND i.item IN (` + placeholders(n) + `) AND d.state NOT IN ('withdrawn', 'undone')
		ORDER BY i.item, i.at DESC, d.seq DESC`
}

// DecidedItems gives, of the items asked for and in order of the items, those that a decision on the
// account that was not withdrawn or taken back had before it, each with the newest such decision.
func (s *Store) DecidedItems(ctx context.Context, account casefile.AccountKey, items []string) ([]records.DecidedItem, error) {
	scan := func(r scanner) (records.DecidedItem, error) {
		var d records.DecidedItem
		err := r.Scan(&d.Item, &d.Decision)
		return d, err
	}
	items = slices.Compact(slices.Sorted(slices.Values(items)))
	var list []records.DecidedItem
	for some := range slices.Chunk(items, atOnce) {
		some = padded(some)
		args := []any{account}
		for _, item := range some {
			args = append(args, item)
		}
		found, err := all(ctx, s.engine, scan, decidedItems(len(some)), args...)
		if err != nil {
			return nil, s.coded(ctx, "read decided items", err)
		}
		list = append(list, slices.CompactFunc(found, func(a, b records.DecidedItem) bool { return a.Item == b.Item })...)
	}
	return list, nil
}

// padded repeats the last value until there are a power of two of them, so that lists of any length
// make few different statements.
func padded[T any](list []T) []T {
	n := 1
	for n < len(list) {
		n *= 2
	}
	out := slices.Clone(list)
	for len(out) < n {
		out = append(out, list[len(list)-1])
	}
	return out
}

// PutHandles notes that an account had handles at a time; a time before the one that is known changes
// nothing.
func (s *Store) PutHandles(ctx context.Context, platform string, account casefile.AccountKey, hashes []string, at time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		for _, h := range hashes {
			_, err := t.Exec(ctx, `INSERT INTO account_handles (platform, hash, account, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (platform, hash, account) DO UPDATE SET at = excluded.at WHERE account_handles.at < excluded.at`,
				platform, h, account, micros(at))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return s.coded(ctx, "put handles", err)
}

// AccountsByHandle lists the accounts of a platform ("" for all) that have or had a handle, the one
// that was last seen with it first.
func (s *Store) AccountsByHandle(ctx context.Context, platform, hash string) ([]casefile.AccountKey, error) {
	text, args := "SELECT account FROM account_handles WHERE hash = ?", []any{hash}
	if platform != "" {
		text += " AND platform = ?"
		args = append(args, platform)
	}
	list, err := all(ctx, s.engine, scanText[casefile.AccountKey], text+" ORDER BY at DESC, account", args...)
	return list, s.coded(ctx, "list accounts by handle", err)
}

const selectOpenCases = "SELECT " + caseColumns + " FROM cases WHERE state <> 'closed' AND ref > ? ORDER BY ref LIMIT ?"

// OpenCases lists open cases by reference, after one ("" for the first).
func (s *Store) OpenCases(ctx context.Context, after casefile.CaseRef, limit int) ([]records.Case, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanCase, selectOpenCases, after, limit)
	return list, s.coded(ctx, "list open cases", err)
}

func scanHandling(r scanner) (casefile.HandlingNote, error) {
	var h casefile.HandlingNote
	err := r.Scan(&h.ID, &h.What, &h.Person, &h.Role, toTime{&h.At}, &h.Queue, &h.To, &h.Deadline, toOptionalTime{&h.Until}, &h.Words)
	return h, err
}

// Handlings lists what was done with a case for a reason, in order.
func (s *Store) Handlings(ctx context.Context, ref casefile.CaseRef) ([]casefile.HandlingNote, error) {
	list, err := all(ctx, s.engine, scanHandling, `SELECT id, what, person, role, at, queue, to_person, deadline, until, words
		FROM handlings WHERE case_ref = ? ORDER BY seq`, ref)
	return list, s.coded(ctx, "list what was done with a case", err)
}
