package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// verbStart is what the table of refusals calls a workflow's start.
const verbStart = "start"

// workflowTypes are the types that a start can be refused of.
var workflowTypes = []string{
	workflows.CaseWorkflowType, workflows.TakedownWorkflowType, workflows.AppealWorkflowType, workflows.ReinstatementWorkflowType,
}

// RefusedStarts is where starts that the API did not make are put on record.
type RefusedStarts interface {
	PutOutbox(ctx context.Context, e records.OutboxEntry) error
	PutRefusal(ctx context.Context, r records.Refusal) error
}

// StartRefuser puts workflow starts that the API did not make on record.
type StartRefuser struct {
	Records RefusedStarts
	Log     *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// DropStart puts a run that the API did not start on record, from within it.
func (w *Work) DropStart(ctx context.Context, ask workflows.DropStartAsk) error {
	run := ""
	if activity.IsActivity(ctx) {
		run = activity.GetInfo(ctx).WorkflowExecution.RunID
	}
	return StartRefuser{Records: w.Records, Log: w.Log, Now: w.Now}.Refuse(ctx, run, ask)
}

// Refuse puts a start on record, twice over: for the system chain of the ledger, and among the refusals.
// Of one run there is one record, whoever finds it and however often. It keeps of the start no more than
// has the form of a name or an id: whoever forged it chose every byte.
func (r StartRefuser) Refuse(ctx context.Context, run string, ask workflows.DropStartAsk) error {
	if !slices.Contains(workflowTypes, ask.Kind) {
		ask.Kind = ""
	}
	if !casefile.ValidPlatform(ask.Platform) {
		ask.Platform = ""
	}
	if !keyedHash(ask.Thing) && !randomID(ask.Thing) {
		ask.Thing = ""
	}
	if strings.Trim(ask.Why, "abcdefghijklmnopqrstuvwxyz_") != "" {
		ask.Why = ""
	}
	body, err := json.Marshal(map[string]any{"kind": ask.Kind, "platform": ask.Platform, "thing": ask.Thing, "why": ask.Why})
	if err != nil {
		return fmt.Errorf("encode a refused start: %w", err)
	}
	now, key := time.Now, ""
	if r.Now != nil {
		now = r.Now
	}
	if run != "" {
		key = run + "/start"
	}
	err = r.Records.PutOutbox(ctx, records.OutboxEntry{Type: casefile.EntryRefusedStart, Actor: casefile.System, Body: body, At: now(), Key: key})
	if err != nil {
		return fmt.Errorf("record a refused start: %w", err)
	}
	err = r.Records.PutRefusal(ctx, records.Refusal{Verb: verbStart, Code: casefile.CodeForbidden, At: now(), Key: key})
	if err != nil {
		return fmt.Errorf("record a refused start among the refusals: %w", err)
	}
	r.Log.WarnContext(ctx, "workflow start refused", "kind", ask.Kind, "platform", ask.Platform, "thing", ask.Thing, "why", ask.Why)
	return nil
}

// randomID says whether s has the form of casefile.NewID.
func randomID(s string) bool {
	return len(s) == 26 && strings.Trim(s, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}
