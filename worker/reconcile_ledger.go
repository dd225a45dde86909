package worker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
)

// Missing says on which side of a Difference something is missing.
type Missing string

// The sides.
const (
	MissingEntry     Missing = "entry"     // the records have it, the log does not
	MissingRow       Missing = "row"       // the log has it, the records do not
	MissingAgreement Missing = "agreement" // both have it, and they say different things
)

// Difference is one thing in which records and log do not agree, although neither waits for the other.
type Difference struct {
	Missing   Missing            `json:"missing"`
	Type      casefile.EntryType `json:"type"` // of the entry that is meant
	Event     casefile.EventID   `json:"event,omitempty"`
	Decision  string             `json:"decision,omitempty"`
	Appeal    string             `json:"appeal,omitempty"`
	Act       int                `json:"act,omitempty"` // number, 0 where no act is meant
	Direction casefile.Direction `json:"direction,omitempty"`
	What      string             `json:"what"`
}

// LedgerReport is what comparing records and log came to.
type LedgerReport struct {
	// Compared is false where it could not be done; Code says why: not_found where this process was
	// given no log or no key for it.
	Compared bool          `json:"compared"`
	Code     casefile.Code `json:"code,omitempty"`
	Origin   string        `json:"origin,omitempty"`
	Entries  uint64        `json:"entries"` // that the log's checkpoint covered
	// Decisions, Acts and Appeals are how many rows were compared; an act counts in each direction.
	Decisions int `json:"decisions"`
	Acts      int `json:"acts"`
	Appeals   int `json:"appeals"`
	// InFlight are steps of which one side has more than the other because it is always written first.
	InFlight int `json:"in_flight"`
	// Faults are those of the log itself.
	Faults      []verify.Fault `json:"faults"`
	Differences []Difference   `json:"differences"`
	// Stopped is set when there were more differences than are listed.
	Stopped bool `json:"stopped,omitempty"`
}

// OK says that everything was compared and agrees.
func (r *LedgerReport) OK() bool {
	return r.Compared && len(r.Faults) == 0 && len(r.Differences) == 0
}

// maxDifferences is how many are listed.
const maxDifferences = 10_000

const (
	// publishPatience is how long an entry that must be in the log may take to come under a checkpoint;
	// the log publishes one about 100 ms after an entry.
	publishPatience = 5 * time.Second
	publishPoll     = 100 * time.Millisecond
)

// LedgerAudit compares the records with the whole log, which it verifies on the way: every decision,
// ruling and act in the records has its entry, every such entry its row. It changes nothing.
//
// What is under way is no difference. Each step has an order: a decision's row, its entry, the row's
// proof; an act's planned row, the plan's entry, the begin of the act, its outcome's row, the outcome's
// entry, the decision's next state. So the rows are read first and then the log: what a row shows to be
// behind it must be in the log. And whatever the log holds before its last entry in a chain must be in
// a row that is read after the log.
//
// It costs one verification of the log, one pass over the decisions and appeals, and memory for each of
// those (some hundred bytes), not for each entry.
type LedgerAudit struct {
	Records records.Store
	Source  verify.Source // nil where this process has none
	Key     string        // the log's verifier key, "" where this process has none
	Log     *slog.Logger
	// Patience bounds the wait for a checkpoint over an entry that must be there; 0 means 5 s.
	Patience time.Duration
}

// auditRun is one comparison.
type auditRun struct {
	*LedgerAudit
	report    *LedgerReport
	decisions map[string]auditedDecision // as they were before the log was read
	appeals   map[string]auditedAppeal
	log       *loggedThings
	named     map[Difference]bool // those found, without their words: either side may find one
}

// Compare goes through everything once. The error is for what kept it from being compared, with the
// report of what was found before.
func (a *LedgerAudit) Compare(ctx context.Context) (LedgerReport, error) {
	report := LedgerReport{Faults: []verify.Fault{}, Differences: []Difference{}}
	if a.Source == nil || a.Key == "" {
		report.Code = casefile.CodeNotFound
		return report, nil
	}
	run := &auditRun{LedgerAudit: a, report: &report, decisions: map[string]auditedDecision{}, appeals: map[string]auditedAppeal{}, log: newLoggedThings(), named: map[Difference]bool{}}
	for _, part := range []func(context.Context) error{run.readRows, run.readLog, run.compareRows, run.compareEntries} {
		err := part(ctx)
		if err != nil {
			report.Compared, report.Code = false, casefile.ErrorCode(err)
			return report, fmt.Errorf("compare records and log: %w", err)
		}
		if report.Code != "" {
			break
		}
	}
	for _, d := range report.Differences {
		a.Log.ErrorContext(ctx, "records and log differ", "missing", string(d.Missing), "type", string(d.Type), "event", string(d.Event),
			"decision", d.Decision, "appeal", d.Appeal)
	}
	return report, nil
}

func (r *auditRun) readRows(ctx context.Context) error {
	for after := ""; ; {
		rows, err := r.Records.EveryDecision(ctx, after, reconcilePage)
		if err != nil {
			return fmt.Errorf("list decisions: %w", err)
		}
		for _, row := range rows {
			after = row.Decision.ID
			r.report.Decisions++
			r.report.Acts += len(row.Acts)
			r.decisions[after] = auditDecision(row)
		}
		if len(rows) < reconcilePage {
			break
		}
	}
	for after := ""; ; {
		rows, next, err := r.Records.ListAppeals(ctx, "", after, reconcilePage)
		if err != nil {
			return fmt.Errorf("list appeals: %w", err)
		}
		for _, row := range rows {
			r.report.Appeals++
			r.appeals[row.ID] = auditAppeal(row)
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// readLog verifies the log and takes its entries in.
func (r *auditRun) readLog(ctx context.Context) error {
	report, err := verify.Log(ctx, r.Source, r.Key, verify.Options{Entry: r.log.take})
	if err != nil {
		return err
	}
	r.report.Faults = append(r.report.Faults, report.Faults...)
	r.report.Origin, r.report.Entries = report.Checkpoint.Origin, report.Checkpoint.Size
	if report.Checkpoint.Origin == "" || report.Stopped {
		r.report.Code = casefile.CodeUnproven // nothing to compare with
		return nil
	}
	r.report.Compared = true
	return nil
}

// compareRows holds the log to the rows that were read before it. What the log lacks may have been
// appended without being published yet: it is waited for.
func (r *auditRun) compareRows(ctx context.Context) error {
	patience := r.Patience
	if patience <= 0 {
		patience = publishPatience
	}
	until := time.Now().Add(patience)
	decisions, appeals := slices.Sorted(maps.Keys(r.decisions)), slices.Sorted(maps.Keys(r.appeals))
	for {
		var found []Difference
		decisions = slices.DeleteFunc(decisions, func(id string) bool {
			differ, waits := r.log.lacks(r.decisions[id])
			found = append(found, differ...)
			if len(differ) == 0 {
				r.report.InFlight += waits
			}
			return len(differ) == 0
		})
		appeals = slices.DeleteFunc(appeals, func(id string) bool {
			differ := r.log.lacksOfAppeal(r.appeals[id])
			found = append(found, differ...)
			return len(differ) == 0
		})
		if len(found) == 0 || !time.Now().Before(until) || len(r.report.Faults) > 0 {
			r.differ(found)
			return nil
		}
		err := r.readMore(ctx)
		if err != nil {
			return err
		}
	}
}

// readMore takes in what has come under a checkpoint since, or waits a moment.
func (r *auditRun) readMore(ctx context.Context) error {
	before := r.report.Entries
	size, err := verify.EntriesFrom(ctx, r.Source, r.Key, before, func(e verify.TailEntry) error {
		r.log.take(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what the log holds since: %w", err)
	}
	if size > before {
		r.report.Entries = size
		return nil
	}
	select {
	case <-time.After(publishPoll):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compareEntries holds the rows to what the log holds. A row that seems to lack something is read again:
// it may have been written since.
func (r *auditRun) compareEntries(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(r.log.decisions)) {
		entries := r.log.decisions[id]
		row, there := r.decisions[id]
		differ, waits := entries.lacks(row, there)
		if len(differ) > 0 || waits > 0 {
			var err error
			row, there, err = r.readAgain(ctx, id)
			if err != nil {
				return err
			}
			differ, waits = entries.lacks(row, there)
		}
		r.report.InFlight += waits
		r.differ(differ)
		if r.report.Stopped {
			return nil
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.log.appeals)) {
		entries := r.log.appeals[id]
		row, there := r.appeals[id]
		differ, waits := entries.lacks(row, there)
		if len(differ) > 0 || waits > 0 {
			now, err := r.Records.Appeal(ctx, id)
			if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
				return fmt.Errorf("read an appeal again: %w", err)
			}
			differ, waits = entries.lacks(auditAppeal(now), err == nil)
		}
		r.report.InFlight += waits
		r.differ(differ)
		if r.report.Stopped {
			return nil
		}
	}
	return nil
}

func (r *auditRun) readAgain(ctx context.Context, id string) (auditedDecision, bool, error) {
	row, err := r.Records.Decision(ctx, id)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return auditedDecision{}, false, nil
	}
	if err != nil {
		return auditedDecision{}, false, fmt.Errorf("read a decision again: %w", err)
	}
	acts, err := r.Records.Acts(ctx, id)
	if err != nil {
		return auditedDecision{}, false, fmt.Errorf("read a decision's acts again: %w", err)
	}
	return auditDecision(records.DecidedActs{DecisionRow: row, Acts: acts}), true, nil
}

func (r *auditRun) differ(found []Difference) {
	for _, d := range found {
		same := d
		same.Missing, same.What = "", ""
		if r.named[same] {
			continue
		}
		r.named[same] = true
		if len(r.report.Differences) == maxDifferences {
			r.report.Stopped = true
			return
		}
		r.report.Differences = append(r.report.Differences, d)
	}
}
