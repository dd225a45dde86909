package review

import (
	"context"
	"fmt"
	"net/url"
	"slices"
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

// sees reports whether the caller may see a case's words as far as its restriction goes. The row is one
// that d.restrict has looked at.
func (d *Desk) sees(who access.Who, c records.Case) bool {
	return access.MaySeeRestricted(who, c.Restricted, d.holds(who, c))
}

// holds reports whether somebody holds a case by a lease that runs.
func (d *Desk) holds(who access.Who, c records.Case) bool {
	return c.State == casefile.StateClaimed && c.Claim.Live(d.now()) && c.Claim.Person == who.Person
}

// restrictedUnknown stands where it could not be found out whether a case is restricted: leads alone see it.
const restrictedUnknown casefile.ReferralKind = "unknown"

// restrict lays on a case the restriction of the closed cases whose evidence it has by being opened
// again: what was restricted once is not shown by another number. Of a case that was referred to several
// teams, each has the restriction that lets it in.
func (d *Desk) restrict(ctx context.Context, who access.Who, c records.Case) records.Case {
	if c.Restricted != "" {
		return d.ownReferral(ctx, who, c)
	}
	before, err := d.reopened(ctx, c)
	if err != nil {
		c.Restricted = restrictedUnknown
		return c
	}
	for _, b := range before {
		if b.Restricted != "" {
			c.Restricted = d.ownReferral(ctx, who, b).Restricted
			break
		}
	}
	return c
}

// ownReferral puts the caller's team in the place of the one that a restricted case was referred to first,
// where it was referred to both.
func (d *Desk) ownReferral(ctx context.Context, who access.Who, c records.Case) records.Case {
	for _, kind := range casefile.ReferralKinds {
		if !kind.Restricts() || kind == c.Restricted || kind.Team() != who.Team {
			continue
		}
		list, err := d.o.Records.Referrals(ctx, c.Ref)
		if err == nil && slices.ContainsFunc(list, func(r casefile.Referral) bool { return r.Kind == kind }) {
			c.Restricted = kind
		}
	}
	return c
}

// reopened lists the closed cases whose evidence a case has by being opened again, the last first.
func (d *Desk) reopened(ctx context.Context, c records.Case) ([]records.Case, error) {
	var out []records.Case
	for c.Previous != "" { // ordinals fall from case to case, so that this ends
		receipts, err := d.o.Records.CaseFlags(ctx, c.Ref)
		if err != nil {
			return nil, fmt.Errorf("list the case's flags: %w", err)
		}
		i := slices.IndexFunc(receipts, func(r records.FlagReceipt) bool { return r.Reopens != "" })
		if i < 0 {
			break
		}
		before, err := d.o.Records.Case(ctx, receipts[i].Reopens)
		if err != nil {
			return nil, fmt.Errorf("read the row of a case opened again: %w", err)
		}
		if before.Ordinal >= c.Ordinal {
			break
		}
		c = before
		out = append(out, c)
	}
	return out, nil
}

// rows shows rows with account id and handle where the caller judges cases and may see the case; for
// everybody else, a list shows codes only.
func (d *Desk) rows(ctx context.Context, who access.Who, cases []records.Case) []CaseRow {
	out := make([]CaseRow, 0, len(cases))
	for _, c := range cases {
		c = d.restrict(ctx, who, c)
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
		return CasePage{}, casefile.Invalid("state", "not a state of a case: one of %s", listed(casefile.States))
	}
	cases, next, err := d.o.Records.ListCases(ctx, state, cursor, pageLimit(limit))
	if err != nil {
		return CasePage{}, fmt.Errorf("list cases: %w", err)
	}
	return CasePage{Cases: d.rows(ctx, who, cases), Next: next}, nil
}

// Query asks for cases. Empty fields do not restrict. Text is a case number, the number on a notice, an
// account id, a handle or the address of a profile, or words that all stand in a case.
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
		bad("state", "not a state of a case: one of "+listed(casefile.States))
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

// Find looks for cases: by case number, by the number on a notice, by account id and by any handle that
// an account has or had, or the address of its profile, in the records, which always answer; everything
// else in the index, with the truth of the records laid over each hit. A hit that is not in the records,
// or whose row does not fit the query's state or queue any more, is left out. A restricted case is found
// by its number alone by whoever may not see it. CodeUnavailable when the index is down or hangs.
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
	f := finder{desk: d, who: who, q: q, seen: map[casefile.CaseRef]bool{}}
	if q.Cursor == "" && q.Text != "" && q.Policy == "" && q.Action == "" {
		err = f.direct(ctx)
		if err != nil {
			return CasePage{}, err
		}
	}
	searching, cancel := context.WithTimeout(ctx, d.o.SearchTimeout)
	defer cancel()
	page, err := d.o.Search.Search(searching, indexing.CaseQuery{
		Text: q.Text, State: q.State, Queue: q.Queue, Policy: q.Policy, Action: q.Action, Platform: q.Platform,
		Cursor: q.Cursor, Limit: pageLimit(q.Limit),
	})
	if err != nil {
		if len(f.found) > 0 {
			return CasePage{Cases: d.rows(ctx, who, f.found)}, nil
		}
		if casefile.ErrorCode(err) == casefile.CodeInvalid {
			return CasePage{}, err
		}
		return CasePage{}, &casefile.Error{Code: casefile.CodeUnavailable, Op: "search cases", Err: err,
			Message: "search does not answer now; queues, case and notice numbers, account ids and handles still work"}
	}
	for _, doc := range page.Cases {
		if f.seen[doc.Ref] {
			continue
		}
		row, err := d.o.Records.Case(ctx, doc.Ref)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			continue
		}
		if err != nil {
			return CasePage{}, fmt.Errorf("read case row: %w", err)
		}
		f.add(ctx, row)
	}
	total := max(page.Total-f.hidden, len(f.found))
	return CasePage{Cases: d.rows(ctx, who, f.found), Total: &total, Next: page.Next}, nil
}

func (q Query) fits(c records.Case) bool {
	return (q.State == "" || c.State == q.State) && (q.Queue == "" || c.Route.Queue == q.Queue) &&
		(q.Platform == "" || c.Platform == q.Platform)
}

// finder gathers what a query finds, each case once.
type finder struct {
	desk   *Desk
	who    access.Who
	q      Query
	found  []records.Case
	seen   map[casefile.CaseRef]bool
	hidden int // restricted cases that were left out
}

// add takes a case that was found by something of its account's or by its words. That a restricted case
// has them is not for everybody to know.
func (f *finder) add(ctx context.Context, c records.Case) {
	if f.seen[c.Ref] || !f.q.fits(c) {
		return
	}
	f.seen[c.Ref] = true
	if !f.desk.sees(f.who, f.desk.restrict(ctx, f.who, c)) {
		f.hidden++
		return
	}
	f.found = append(f.found, c)
}

// direct finds what the records can.
func (f *finder) direct(ctx context.Context) error {
	r := f.desk.o.Records
	ref, err := casefile.ParseCaseRef(f.q.Text)
	if err == nil {
		var row records.Case
		row, err = r.Case(ctx, ref)
		switch {
		case err == nil && f.q.fits(row):
			f.seen[row.Ref] = true
			f.found = append(f.found, row)
		case err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound:
			return fmt.Errorf("read case row: %w", err)
		}
	}
	told, err := f.desk.toldNotice(ctx, f.q.Text)
	switch {
	case err == nil:
		row, err := r.Case(ctx, told.Case)
		if err != nil {
			return fmt.Errorf("read case row: %w", err)
		}
		f.add(ctx, row)
	case casefile.ErrorCode(err) != casefile.CodeNotFound:
		return err
	}
	platforms := []string{f.q.Platform}
	if f.q.Platform == "" {
		platforms, err = f.desk.platforms(ctx)
		if err != nil {
			return err
		}
	}
	for _, platform := range platforms {
		for _, name := range accountNames(f.q.Text) {
			err = f.account(ctx, platform, name)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// account finds the cases of the accounts of a platform whose id this is, and of those that have or had
// it as their handle.
func (f *finder) account(ctx context.Context, platform, name string) error {
	d := f.desk
	accounts := []casefile.AccountKey{d.o.Identity.Account(casefile.AccountRef{Platform: platform, ID: name})}
	hash := d.o.Identity.HandleHash(platform, name)
	if hash != "" {
		more, err := d.o.Records.AccountsByHandle(ctx, platform, hash)
		if err != nil {
			return fmt.Errorf("look for accounts by handle: %w", err)
		}
		accounts = append(accounts, more...)
	}
	for _, a := range accounts {
		cases, err := d.o.Records.AccountCases(ctx, a)
		if err != nil {
			return fmt.Errorf("list an account's cases: %w", err)
		}
		for _, c := range cases {
			f.add(ctx, c)
		}
	}
	return nil
}

// maxAddressParts bounds how many parts of an address are looked up.
const maxAddressParts = 6

// accountNames lists what a text may name an account by: itself, without the @ before a handle, and for
// the address of a profile, or of a page below it, each part of its path, also with the host behind it as
// handles of federated platforms have it.
func accountNames(text string) []string {
	names := []string{text}
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(strings.TrimPrefix(text, "@"))
	address, err := url.Parse(text)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return names
	}
	parts := strings.FieldsFunc(address.Path, func(r rune) bool { return r == '/' })
	for _, part := range parts[:min(len(parts), maxAddressParts)] {
		part = strings.TrimPrefix(part, "@")
		if part == "" {
			continue
		}
		add(part)
		add(part + "@" + address.Hostname())
	}
	return names
}
