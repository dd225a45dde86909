package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
)

// ActOverdue is how long after it was planned an act should have its outcome.
const ActOverdue = 15 * time.Minute

// ActWatch has people told, once, of each act that has no outcome long after it was planned, and of each proven
// decision whose acts are not planned as long after its proof.
type ActWatch struct {
	Records interface {
		records.Switches
		records.Tellings
		UnfinishedDecisions(ctx context.Context, after string, limit int) ([]records.DecisionRow, error)
	}
	// Every is the pause between two rounds of Run; 0 means a minute.
	Every time.Duration
	Log   *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Run watches until ctx ends.
func (w *ActWatch) Run(ctx context.Context) {
	pause := w.Every
	if pause <= 0 {
		pause = time.Minute
	}
	every(ctx, pause, func(ctx context.Context) {
		_, err := w.Once(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "acts not watched", "code", string(casefile.ErrorCode(err)))
		}
	})
}

// Once has people told of the acts and decisions that are overdue, and says how many there are. Where somebody has
// paused the platform's acts nobody is told: they wait by intention, and once they may begin again they
// have as long as they had at first.
func (w *ActWatch) Once(ctx context.Context) (int, error) {
	now := time.Now()
	if w.Now != nil {
		now = w.Now()
	}
	switches, err := w.Records.Switches(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the switches: %w", err)
	}
	late, err := overdueActs(ctx, w.Records, now)
	if err != nil {
		return 0, err
	}
	for _, a := range late {
		if paused(switches, a.Platform) || now.Sub(switchedOn(switches, a.Platform)) <= ActOverdue {
			continue
		}
		err = w.Records.PutTelling(ctx, records.TellingRow{
			ID: telling.ID(telling.KindActLate, a.Act.Key(a.Direction)), Kind: string(telling.KindActLate), Page: true,
			Platform: a.Platform, Case: a.Case, Subject: a.Act.Decision, At: now,
		})
		if err != nil {
			return 0, fmt.Errorf("have people told of an overdue act: %w", err)
		}
	}
	n, err := w.unplanned(ctx, switches, now)
	return len(late) + n, err
}

// unplanned has people told of proven decisions whose acts are not even planned: before each act is planned
// the platform is asked for the state before it, and it may be away.
func (w *ActWatch) unplanned(ctx context.Context, switches []records.SwitchRow, now time.Time) (int, error) {
	found := 0
	for after, more := "", true; more; {
		rows, err := w.Records.UnfinishedDecisions(ctx, after, reconcilePage)
		if err != nil {
			return found, fmt.Errorf("list unfinished decisions: %w", err)
		}
		more = len(rows) == reconcilePage
		for _, d := range rows {
			after = d.Decision.ID
			if d.State != casefile.DecisionRecorded || d.Bundle == nil || now.Sub(d.UpdatedAt) <= ActOverdue {
				continue
			}
			found++
			if paused(switches, d.Decision.Platform) || now.Sub(switchedOn(switches, d.Decision.Platform)) <= ActOverdue {
				continue
			}
			err = w.Records.PutTelling(ctx, records.TellingRow{
				ID: telling.ID(telling.KindActLate, d.Decision.ID), Kind: string(telling.KindActLate), Page: true,
				Platform: d.Decision.Platform, Case: d.Decision.Case, Subject: d.Decision.ID, At: now,
			})
			if err != nil {
				return found, fmt.Errorf("have people told of a decision that is not carried out: %w", err)
			}
		}
	}
	return found, nil
}

// paused says whether a switch that covers the platform's acts is off.
func paused(switches []records.SwitchRow, platform string) bool {
	for _, s := range switches {
		if !s.On && (s.Name == records.SwitchActs || s.Name == records.ActsOf(platform)) {
			return true
		}
	}
	return false
}

// switchedOn is when a switch that covers the platform's acts was last switched on; zero for never.
func switchedOn(switches []records.SwitchRow, platform string) time.Time {
	var at time.Time
	for _, s := range switches {
		if s.On && (s.Name == records.SwitchActs || s.Name == records.ActsOf(platform)) && s.At.After(at) {
			at = s.At
		}
	}
	return at
}

// overdueActs lists the acts that are overdue by themselves: not those that wait for one before them,
// which is overdue itself, or a person's turn.
func overdueActs(ctx context.Context, rows records.Switches, now time.Time) ([]records.PendingAct, error) {
	type chain struct {
		decision string
		dir      casefile.Direction
	}
	first := map[chain]records.PendingAct{}
	var order []chain
	err := pendingActs(ctx, rows, func(a records.PendingAct) {
		c := chain{a.Act.Decision, a.Direction}
		before, seen := first[c]
		switch {
		case !seen:
			order = append(order, c)
			first[c] = a
		case comesBefore(a, before):
			first[c] = a
		}
	})
	if err != nil {
		return nil, err
	}
	var late []records.PendingAct
	for _, c := range order {
		a := first[c]
		if overdue(a, now) {
			late = append(late, a)
		}
	}
	return late, nil
}

// comesBefore says whether one act of a decision is taken before another: acts are done in order and
// taken back the last first.
func comesBefore(a, b records.PendingAct) bool {
	if a.Direction == casefile.Undo {
		return a.Act.Number > b.Act.Number
	}
	return a.Act.Number < b.Act.Number
}

func overdue(a records.PendingAct, now time.Time) bool {
	return (a.Stage == records.ActWaiting || a.Stage == records.ActRetrying) && now.Sub(a.PlannedAt) > ActOverdue
}

// maxPendingActs bounds how many acts one round looks at, the longest waiting first.
const maxPendingActs = 10_000

// pendingActs goes through the acts that have not come to a good end.
func pendingActs(ctx context.Context, rows records.Switches, each func(records.PendingAct)) error {
	seen := 0
	for after := ""; seen < maxPendingActs; {
		acts, next, err := rows.PendingActs(ctx, "", "", after, reconcilePage)
		if err != nil {
			return fmt.Errorf("list pending acts: %w", err)
		}
		for _, a := range acts {
			each(a)
		}
		seen += len(acts)
		if next == "" {
			return nil
		}
		after = next
	}
	return nil
}
