package relational

import (
	"context"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// caseHead is what Project reads of the row before it writes.
type caseHead struct {
	account  casefile.AccountKey
	state    casefile.State
	revision int
	touched  bool // somebody has held the case
}

// Project applies a projection. What TakeIn wrote stands: account, platform, ordinal, opening time
// and previous case are not written again, nor is the reservation.
//
// CodeNotFound when TakeIn never opened the case; CodeConflict when the case is another account's;
// CodeState when a closed case would open again; CodeInvalid when a queued case has no queue or
// deadline, a threat to life a rank below RankThreat, or something in it is another case's.
func (s *Store) Project(ctx context.Context, p records.Projection) error {
	err := checkProjection(p)
	if err != nil {
		return err
	}
	err = execApart(ctx, s.engine, AccountRows(p.Case.Account), func(ctx context.Context, t *tx) error { return t.project(ctx, p) })
	return s.coded(ctx, "project case", err)
}

func checkProjection(p records.Projection) error {
	c := p.Case
	switch {
	case !c.State.Valid():
		return casefile.Invalid("state", "not a state of a case")
	case c.State == casefile.StateQueued && c.Route.Queue == "":
		return casefile.Invalid("route.queue", "a queued case has a queue")
	case c.State == casefile.StateQueued && c.Route.DueAt.IsZero():
		return casefile.Invalid("route.due_at", "a queued case has a deadline")
	case p.Now.IsZero():
		return casefile.Invalid("now", "required")
	case !c.Stage.Valid():
		return casefile.Invalid("stage", "not a stage of a case")
	case c.Threat && c.Rank != 0 && c.Rank < records.RankThreat:
		return casefile.Invalid("rank", "a threat to life goes before everything else")
	case p.Decision != nil && p.Decision.Decision.Case != c.Ref:
		return casefile.Invalid("decision.case", "the decision is another case's")
	}
	for _, o := range p.Opinions {
		if o.Case != c.Ref {
			return casefile.Invalid("opinions", "an opinion is another case's")
		}
	}
	for _, m := range p.Comments {
		if m.Case != c.Ref {
			return casefile.Invalid("comments", "a comment is another case's")
		}
	}
	return checkHandling(p)
}

func (t *tx) project(ctx context.Context, p records.Projection) error {
	head, err := one(ctx, t, func(r scanner) (caseHead, error) {
		var h caseHead
		err := r.Scan(&h.account, &h.state, &h.revision, &h.touched)
		return h, err
	}, "SELECT account, state, revision, touched FROM cases WHERE ref = ?", p.Case.Ref)
	if err != nil {
		return missing(err, "case")
	}
	switch {
	case head.account != p.Case.Account:
		return casefile.Errorf(casefile.CodeConflict, "the case is another account's")
	case p.Case.Revision <= head.revision:
		return nil
	case !head.state.Open() && p.Case.State.Open():
		return casefile.Errorf(casefile.CodeState, "the case is closed")
	}
	err = t.updateCase(ctx, p.Case, head.touched || touches(p))
	if err != nil {
		return err
	}
	err = t.updateAccount(ctx, p.Case)
	if err != nil {
		return err
	}
	switch p.Case.State {
	case casefile.StateQueued, casefile.StateClaimed, casefile.StateClosed:
		// A case that a rule closed, and a flag that came into one already decided, stand in no queue:
		// their flags have come to the end of their way as well.
		err = t.markQueued(ctx, p)
		if err != nil {
			return err
		}
	}
	err = t.projectHandling(ctx, p)
	if err != nil {
		return err
	}
	err = t.addComments(ctx, p.Comments)
	if err != nil {
		return err
	}
	if p.Decision != nil {
		err = t.projectDecision(ctx, *p.Decision, p.Now)
		if err != nil {
			return err
		}
	}
	err = t.addTellings(ctx, p.Tellings)
	if err != nil {
		return err
	}
	t.Tell(records.Change{Kind: records.ChangeCase, Case: p.Case.Ref})
	return t.indexCase(ctx, p.Case.Ref, p.Case.Revision)
}

// touches reports whether somebody holds the case, or is known to have held it.
func touches(p records.Projection) bool {
	return p.Case.Claim != nil || slices.ContainsFunc(p.Parts, func(r records.PartRow) bool { return r.Part == records.PartClaim })
}

// overdueAt is the deadline that the case is held to.
func overdueAt(r casefile.Route, touched bool) time.Time {
	if touched && !r.DecideBy.IsZero() {
		return r.DecideBy
	}
	return r.DueAt
}

func (t *tx) updateCase(ctx context.Context, c records.Case, touched bool) error {
	values, err := jsonText(c.Route.Values)
	if err != nil {
		return err
	}
	claim, err := jsonText(c.Claim)
	if err != nil {
		return err
	}
	missed, err := jsonText(c.Missed)
	if err != nil {
		return err
	}
	var holder casefile.Person
	if c.Claim != nil {
		holder = c.Claim.Person
	}
	rank := c.Rank
	if rank == 0 {
		rank = records.RankOf(c.Route.Severity, c.Raised, c.Threat)
	}
	_, err = t.Exec(ctx, `UPDATE cases SET state = ?, revision = ?, evidence_revision = ?, queue = ?, severity = ?, confidence = ?,
			tier = ?, due_at = ?, rule = ?, rule_set = ?, rule_values = ?, closed_at = ?, close_reason = ?, claim = ?, claim_person = ?,
			findings = ?, file = ?, file_digest = ?, decision = ?, flags = ?, chain_seq = ?, chain_hash = ?,
			stage = ?, rank = ?, raised = ?, threat = ?, not_before = ?, assigned_to = ?, missed = ?, restricted = ?, attached = ?,
			round = ?, decide_by = ?, touched = ?, overdue_at = ?
		WHERE ref = ?`,
		c.State, c.Revision, c.EvidenceRevision, c.Route.Queue, c.Route.Severity, c.Route.Confidence,
		c.Route.Tier, micros(c.Route.DueAt), c.Route.Rule, c.Route.RuleSet, values, microsOrNull(c.ClosedAt), c.CloseReason, claim, holder,
		c.Findings, c.File, c.FileDigest, c.Decision, c.Flags, c.ChainSeq, c.ChainHash,
		c.Stage, rank, bit(c.Raised), bit(c.Threat), microsOrNull(c.NotBefore), c.AssignedTo, missed, c.Restricted, c.Attached,
		c.Round, micros(c.Route.DecideBy), bit(touched), micros(overdueAt(c.Route, touched)), c.Ref)
	return err
}

// updateAccount moves the account's counters on. Only the projection that closes the case finds it
// as the account's open one: a later one of the same case does not take the account back to it.
func (t *tx) updateAccount(ctx context.Context, c records.Case) error {
	_, err := t.Exec(ctx, "UPDATE accounts SET revision = ? WHERE account = ? AND revision < ?", c.Revision, c.Account, c.Revision)
	if err != nil || c.State.Open() {
		return err
	}
	_, err = t.Exec(ctx, "UPDATE accounts SET open_case = '', last_case = ? WHERE account = ? AND open_case = ?", c.Ref, c.Account, c.Ref)
	return err
}

func (t *tx) markQueued(ctx context.Context, p records.Projection) error {
	keys, err := all(ctx, t, scanText[casefile.FlagKey],
		"UPDATE flags SET queued_at = ? WHERE case_ref = ? AND queued_at IS NULL RETURNING flag", micros(p.Now), p.Case.Ref)
	if err != nil {
		return err
	}
	for _, k := range keys {
		t.Tell(records.Change{Kind: records.ChangeFlag, Flag: k, Case: p.Case.Ref})
	}
	return nil
}

func (t *tx) addOpinions(ctx context.Context, rows []records.OpinionRow) error {
	for _, row := range rows {
		o := row.Opinion
		policies, err := jsonText(append([]casefile.PolicyCode{}, o.Policies...))
		if err != nil {
			return err
		}
		answers := o.Mitigations
		if answers == nil {
			answers = map[casefile.Mitigation]casefile.Answer{}
		}
		mitigations, err := jsonText(answers)
		if err != nil {
			return err
		}
		notice, err := jsonText(o.Notice)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO opinions (id, case_ref, person, role, at, action, days, policies, entity_tier,
				mitigations, claim, evidence_revision, relied, form, digest, notice, emergency)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			o.ID, row.Case, o.Person, o.Role, micros(o.At), o.Action, o.Days, policies, o.EntityTier,
			mitigations, o.Claim, o.EvidenceRevision, o.Relied, o.Form, o.Digest, notice, bit(o.Emergency))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addComments(ctx context.Context, rows []records.CommentRow) error {
	for _, c := range rows {
		_, err := t.Exec(ctx, "INSERT INTO comments (id, case_ref, person, at, text) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			c.ID, c.Case, c.Person, micros(c.At), c.Text)
		if err != nil {
			return err
		}
	}
	return nil
}
