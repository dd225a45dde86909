package review

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
)

// Limits of a page.
const (
	defaultPage = 50
	maxPage     = 200
)

func pageLimit(limit int) int {
	switch {
	case limit <= 0:
		return defaultPage
	case limit > maxPage:
		return maxPage
	}
	return limit
}

// rowView shows a row's codes.
func (d *Desk) rowView(who access.Who, c records.Case) CaseRow {
	v := CaseRow{
		Case: c.Ref, Platform: c.Platform, State: c.State, Queue: c.Route.Queue, Severity: c.Route.Severity,
		Confidence: c.Route.Confidence, Tier: c.Route.Tier, OpenedAt: c.OpenedAt, ClosedAt: c.ClosedAt,
		Reason: c.CloseReason, Flags: c.Flags, Raised: c.Raised, Threat: c.Threat, Missed: c.Missed, AssignedTo: c.AssignedTo,
		Restricted: c.Restricted, DueAt: optional(c.Route.DueAt), DecideBy: optional(c.Route.DecideBy),
	}
	if c.Claim != nil && c.State == casefile.StateClaimed {
		v.Holder = c.Claim.Person
	}
	if c.NotBefore != nil && c.NotBefore.After(d.now()) {
		v.SnoozedUntil = c.NotBefore
	}
	if who.May(access.CaseAdjudicate) {
		v.Stage = c.Stage
	}
	return v
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// sees reports whether the caller may see a case's words as far as its restriction goes.
func (d *Desk) sees(who access.Who, c records.Case) bool {
	holder := c.State == casefile.StateClaimed && c.Claim.Live(d.now()) && c.Claim.Person == who.Person
	return access.MaySeeRestricted(who, c.Restricted, holder)
}

// rows shows rows with account id and handle where the caller judges cases and may see the case; for
// everybody else, a list shows codes only.
func (d *Desk) rows(ctx context.Context, who access.Who, cases []records.Case) []CaseRow {
	out := make([]CaseRow, 0, len(cases))
	for _, c := range cases {
		v := d.rowView(who, c)
		v.Withheld = !d.sees(who, c)
		if who.May(access.CaseClaim) && !v.Withheld {
			profile, _, err := d.profile(ctx, c.Account)
			if err == nil && profile != nil {
				v.AccountID, v.Handle = profile.Account.ID, profile.Account.Handle
			}
		}
		out = append(out, v)
	}
	return out
}

// Queues counts what stands in each queue.
func (d *Desk) Queues(ctx context.Context, who access.Who) ([]QueueView, error) {
	err := who.Require(access.QueueRead)
	if err != nil {
		return nil, err
	}
	counts, err := d.o.Records.Queues(ctx)
	if err != nil {
		return nil, fmt.Errorf("count queues: %w", err)
	}
	out := make([]QueueView, 0, len(counts))
	for _, c := range counts {
		q, _ := d.queue(c.Queue)
		out = append(out, QueueView{
			Name: c.Queue, Title: q.Title, Team: q.Team, Mine: access.MayTakeFrom(who, q.Roles, q.Team) == nil,
			Waiting: c.Waiting, Snoozed: c.Snoozed, Claimed: c.Claimed, Overdue: c.Overdue,
			Oldest: c.Oldest, NextDue: c.NextDue,
		})
	}
	return out, nil
}

// QueueCases lists a queue in its order, after a cursor that an earlier page returned. limit 0
// means 50; the highest is 200.
func (d *Desk) QueueCases(ctx context.Context, who access.Who, queue, cursor string, limit int) (CasePage, error) {
	err := who.Require(access.QueueRead)
	if err != nil {
		return CasePage{}, err
	}
	cases, next, err := d.o.Records.QueueCases(ctx, queue, cursor, pageLimit(limit))
	if err != nil {
		return CasePage{}, fmt.Errorf("list queue: %w", err)
	}
	return CasePage{Cases: d.rows(ctx, who, cases), Next: next}, nil
}

// ListCases lists cases by state ("" for all), newest opened first.
func (d *Desk) ListCases(ctx context.Context, who access.Who, state casefile.State, cursor string, limit int) (CasePage, error) {
	err := who.Require(access.CaseList)
	if err != nil {
		return CasePage{}, err
	}
	if state != "" && !state.Valid() {
		return CasePage{}, casefile.Invalid("state", "not a state of a case")
	}
	cases, next, err := d.o.Records.ListCases(ctx, state, cursor, pageLimit(limit))
	if err != nil {
		return CasePage{}, fmt.Errorf("list cases: %w", err)
	}
	return CasePage{Cases: d.rows(ctx, who, cases), Next: next}, nil
}

// Query asks for cases. Empty fields do not restrict. Text is a case number, an account id, or
// words that all stand in a case.
type Query struct {
	Text     string              `json:"q,omitempty"`
	State    casefile.State      `json:"state,omitempty"`
	Queue    string              `json:"queue,omitempty"`
	Policy   casefile.PolicyCode `json:"policy,omitempty"`
	Action   casefile.Action     `json:"action,omitempty"`
	Platform string              `json:"platform,omitempty"`
	Cursor   string              `json:"cursor,omitempty"`
	Limit    int                 `json:"limit,omitempty"`
}

// maxQueryBytes bounds the text of a query.
const maxQueryBytes = 1000

func (q Query) validate() error {
	var f casefile.Faults
	bad := func(field, message string) { f = append(f, casefile.Invalid(field, "%s", message)) }
	if len(q.Text) > maxQueryBytes {
		bad("q", "too long")
	}
	if q.State != "" && !q.State.Valid() {
		bad("state", "not a state of a case")
	}
	if q.Policy != "" && !q.Policy.Valid() {
		bad("policy", "not a policy code VE-00 to VE-12")
	}
	if q.Action != "" && !q.Action.Valid() {
		bad("action", "not a step of the ladder L0 to L6, LX")
	}
	if q.Platform != "" && !casefile.ValidPlatform(q.Platform) {
		bad("platform", "not the name of a platform")
	}
	return f.Err()
}

// Find looks for cases: a case number and an exact account id in the records, which always
// answer; everything else in the index, with the truth of the records laid over each hit. A hit
// that is not in the records, or whose row does not fit the query's state or queue any more, is
// left out. CodeUnavailable when the index is down.
func (d *Desk) Find(ctx context.Context, who access.Who, q Query) (CasePage, error) {
	err := who.Require(access.CaseFind)
	if err != nil {
		return CasePage{}, err
	}
	q.Text = strings.TrimSpace(q.Text)
	err = q.validate()
	if err != nil {
		return CasePage{}, err
	}
	var direct []records.Case
	if q.Cursor == "" && q.Text != "" {
		direct, err = d.findDirect(ctx, q)
		if err != nil {
			return CasePage{}, err
		}
	}
	page, err := d.o.Search.Search(ctx, indexing.CaseQuery{
		Text: q.Text, State: q.State, Queue: q.Queue, Policy: q.Policy, Action: q.Action, Platform: q.Platform,
		Cursor: q.Cursor, Limit: pageLimit(q.Limit),
	})
	if err != nil {
		if len(direct) > 0 {
			return CasePage{Cases: d.rows(ctx, who, direct)}, nil
		}
		if casefile.ErrorCode(err) == casefile.CodeInvalid {
			return CasePage{}, err
		}
		return CasePage{}, &casefile.Error{Code: casefile.CodeUnavailable, Op: "search cases", Err: err,
			Message: "search does not answer now; queues, case numbers and account ids still work"}
	}
	found := direct
	seen := map[casefile.CaseRef]bool{}
	for _, c := range direct {
		seen[c.Ref] = true
	}
	for _, doc := range page.Cases {
		if seen[doc.Ref] {
			continue
		}
		row, err := d.o.Records.Case(ctx, doc.Ref)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			continue
		}
		if err != nil {
			return CasePage{}, fmt.Errorf("read case row: %w", err)
		}
		if q.fits(row) {
			found = append(found, row)
		}
	}
	total := max(page.Total, len(found))
	return CasePage{Cases: d.rows(ctx, who, found), Total: &total, Next: page.Next}, nil
}

func (q Query) fits(c records.Case) bool {
	return (q.State == "" || c.State == q.State) && (q.Queue == "" || c.Route.Queue == q.Queue) &&
		(q.Platform == "" || c.Platform == q.Platform)
}

// findDirect answers what the records can: a case number, or the id of an account.
func (d *Desk) findDirect(ctx context.Context, q Query) ([]records.Case, error) {
	if q.Policy != "" || q.Action != "" {
		return nil, nil
	}
	var out []records.Case
	ref, err := casefile.ParseCaseRef(q.Text)
	if err == nil {
		var row records.Case
		row, err = d.o.Records.Case(ctx, ref)
		switch {
		case err == nil && q.fits(row):
			out = append(out, row)
		case err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound:
			return nil, fmt.Errorf("read case row: %w", err)
		}
	}
	platforms := []string{q.Platform}
	if q.Platform == "" {
		platforms, err = d.platforms(ctx)
		if err != nil {
			return nil, err
		}
	}
	for _, p := range platforms {
		cases, err := d.o.Records.AccountCases(ctx, d.o.Identity.Account(casefile.AccountRef{Platform: p, ID: q.Text}))
		if err != nil {
			return nil, fmt.Errorf("list an account's cases: %w", err)
		}
		for _, c := range cases {
			if q.fits(c) && !containsCase(out, c.Ref) {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

func containsCase(cases []records.Case, ref casefile.CaseRef) bool {
	for _, c := range cases {
		if c.Ref == ref {
			return true
		}
	}
	return false
}
