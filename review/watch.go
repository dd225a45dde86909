package review

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Refusal is a request that is about to be refused.
type Refusal struct {
	Person casefile.Person // "" when nobody was authenticated
	Case   casefile.CaseRef
	Verb   string // from the caller's fixed list of routes and pages
	Err    error
}

// Refuse puts a refusal on record; the API and the console call it before they answer. What is not
// the caller's fault (CodeUnavailable, CodeInternal) is no refusal and leaves nothing. An error
// means that the refusal could not be recorded: answer with it instead.
func (d *Desk) Refuse(ctx context.Context, r Refusal) error {
	code := casefile.ErrorCode(r.Err)
	switch code {
	case "", casefile.CodeUnavailable, casefile.CodeInternal:
		return nil
	}
	ref := r.Case
	if ref != "" {
		// What stands in a URL may be anything: only a well-formed number goes on record.
		parsed, err := casefile.ParseCaseRef(string(ref))
		if err != nil {
			parsed = ""
		}
		ref = parsed
	}
	err := d.o.Records.PutRefusal(context.WithoutCancel(ctx), records.Refusal{
		Person: r.Person, Case: ref, Verb: r.Verb, Code: code, At: d.now(),
	})
	if err != nil {
		return &casefile.Error{Code: casefile.CodeUnavailable, Op: "record a refusal", Err: err,
			Message: "the request could not be put on record; try again later"}
	}
	return nil
}

// ViewRow is one look at a case, as the auditor's list shows it.
type ViewRow struct {
	Seq     int64            `json:"seq"`
	Person  casefile.Person  `json:"person"`
	Case    casefile.CaseRef `json:"case"`
	Purpose string           `json:"purpose"`
	At      string           `json:"at"`
}

// RefusalRow is one refused request, as the auditor's list shows it.
type RefusalRow struct {
	Seq    int64            `json:"seq"`
	Person casefile.Person  `json:"person,omitempty"`
	Case   casefile.CaseRef `json:"case,omitempty"`
	Verb   string           `json:"verb"`
	Code   casefile.Code    `json:"code"`
	At     string           `json:"at"`
}

// Views lists the looks at a case ("" for every case) in order, after a sequence number; next is
// the number to go on after, 0 on the last page.
func (d *Desk) Views(ctx context.Context, who access.Who, ref casefile.CaseRef, after int64, limit int) (rows []ViewRow, next int64, err error) {
	err = who.Require(access.WatchRead)
	if err != nil {
		return nil, 0, err
	}
	if ref != "" {
		row, err := d.row(ctx, who, ref)
		if err != nil {
			return nil, 0, err
		}
		ref = row.Ref
	}
	limit = pageLimit(limit)
	views, err := d.o.Records.Views(ctx, ref, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list views: %w", err)
	}
	rows = make([]ViewRow, 0, len(views))
	for _, v := range views {
		rows = append(rows, ViewRow{Seq: v.Seq, Person: v.Person, Case: v.Case, Purpose: v.Purpose, At: v.At.UTC().Format(casefile.TimeFormat)})
	}
	if len(rows) == limit {
		next = rows[limit-1].Seq
	}
	return rows, next, nil
}

// Refusals lists refused requests in order, as Views does.
func (d *Desk) Refusals(ctx context.Context, who access.Who, after int64, limit int) (rows []RefusalRow, next int64, err error) {
	err = who.Require(access.WatchRead)
	if err != nil {
		return nil, 0, err
	}
	limit = pageLimit(limit)
	refusals, err := d.o.Records.Refusals(ctx, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list refusals: %w", err)
	}
	rows = make([]RefusalRow, 0, len(refusals))
	for _, r := range refusals {
		rows = append(rows, RefusalRow{Seq: r.Seq, Person: r.Person, Case: r.Case, Verb: r.Verb, Code: r.Code, At: r.At.UTC().Format(casefile.TimeFormat)})
	}
	if len(rows) == limit {
		next = rows[limit-1].Seq
	}
	return rows, next, nil
}

// Change is one hint of the change feed: something changed. It carries codes only; an empty Kind means
// "look at everything".
type Change struct {
	Kind records.ChangeKind `json:"kind"` // case, decision, appeal, act or switch
	Case casefile.CaseRef   `json:"case,omitempty"`
	// ID is an appeal's, an act's key (decision, number and direction), or the name of a switch or of a
	// rule whose breaker changed.
	ID string `json:"id,omitempty"`
}

// watched are the kinds of change that are told, each to those with one permission.
var watched = map[records.ChangeKind]access.Permission{
	records.ChangeCase:     access.CaseList,
	records.ChangeDecision: access.DecisionRead,
	records.ChangeAppeal:   access.AppealList,
	records.ChangeAct:      access.ActList,
	records.ChangeSwitch:   access.SessionManage, // every page says what is paused
}

// Watch gives changes until ctx ends; then the channel is closed. They are hints and may skip: a slow
// reader gets an empty Change instead of those it missed. That an opinion was given is told as every
// other change of a case is.
func (d *Desk) Watch(ctx context.Context, who access.Who) (<-chan Change, error) {
	err := who.Require(access.QueueRead)
	if err != nil && !who.May(access.ActList) {
		return nil, err
	}
	out := make(chan Change)
	in := d.o.Records.Changes(ctx)
	go func() {
		defer close(out)
		for c := range in {
			need, told := watched[c.Kind]
			if c.Kind != "" && (!told || !who.May(need)) {
				continue
			}
			select {
			case out <- Change{Kind: c.Kind, Case: c.Case, ID: c.ID}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
