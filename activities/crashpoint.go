package activities

import (
	"context"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/workflows"
)

// What follows marks steps of the life of a case whose number depends on what an activity was asked
// for. Steps that a workflow takes alone have their mark in the activity that comes next.

// projected marks the projection of a case.
func projected(ask workflows.ProjectAsk) {
	switch {
	case ask.State.State == casefile.StateClosed:
		crashpoint.Reach("22")
	case ask.Bundle != nil:
		crashpoint.Reach("20")
	case len(ask.Opinions) > 0:
		crashpoint.Reach("17")
	case ask.State.Claim != nil:
		crashpoint.Reach("14")
	case ask.State.State == casefile.StateQueued:
		crashpoint.Reach("11")
	}
}

// appealProjected marks the projection of an appeal.
func appealProjected(ask workflows.ProjectAppealAsk) {
	switch {
	case ask.Bundle != nil:
		crashpoint.Reach("36")
	case ask.State.Claim != nil, ask.State.Ruling != nil:
		crashpoint.Reach("35")
	default:
		crashpoint.Reach("34")
	}
}

// appended marks what has been put on the ledger, and proven where a proof was asked for.
func appended(entries []casefile.FixedEntry) {
	if !crashpoint.Armed {
		return
	}
	for _, f := range entries {
		e, err := casefile.ParseEntry(f.Data)
		if err != nil {
			continue
		}
		entryAppended(string(e.Event), e.Type)
	}
}

func entryAppended(event string, typ casefile.EntryType) {
	undoing := strings.HasPrefix(event, casefile.ReinstatementChain(""))
	switch typ {
	case casefile.EntryFlagAccepted, casefile.EntryRoute:
		crashpoint.Reach("12")
	case casefile.EntryOpinion:
		crashpoint.Reach("18")
	case casefile.EntryDecision:
		crashpoint.Reach("19")
	case casefile.EntryClosed:
		crashpoint.Reach("22")
	case casefile.EntryActsPlanned:
		if undoing {
			crashpoint.Reach("38")
		} else {
			crashpoint.Reach("24")
		}
	case casefile.EntryActsOutcome:
		if undoing {
			crashpoint.Reach("40")
		} else {
			crashpoint.Reach("28")
		}
	case casefile.EntryNotice:
		switch {
		case undoing:
			crashpoint.Reach("41")
		case strings.HasPrefix(event, casefile.AppealChain("")):
			crashpoint.Reach("37")
		default:
			crashpoint.Reach("29")
		}
	case casefile.EntryActSettled:
		crashpoint.Reach("30")
	case casefile.EntryAppealOpened:
		crashpoint.Reach("34")
	case casefile.EntryAppealRuling:
		crashpoint.Reach("36")
	}
}

// begun, sent and written mark the three moments of an act, in either direction.

func (s step) begun(ctx context.Context) {
	if s.dir == casefile.Do {
		crashpoint.Reach("25")
		return
	}
	reversed(ctx)
}

func (s step) sent(ctx context.Context) {
	if s.dir == casefile.Do {
		crashpoint.Reach("26")
		return
	}
	reversed(ctx)
}

// written marks the outcome of an act.
func written(ctx context.Context, dir casefile.Direction) {
	if dir == casefile.Do {
		crashpoint.Reach("27")
		return
	}
	reversed(ctx)
}

// reversed marks a moment of an act that is taken back: because its time has come, or a ruling did.
func reversed(ctx context.Context) {
	if crashpoint.Armed && activity.IsActivity(ctx) && activity.GetInfo(ctx).ActivityType.Name == workflows.ActivityEndAct {
		crashpoint.Reach("31")
		return
	}
	crashpoint.Reach("39")
}
