package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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

// DropStart puts a workflow start that the API did not make on record, twice over: for the system chain
// of the ledger, and among the refusals. It keeps of it no more than has the form of a name or an id:
// whoever forged it chose every byte.
func (w *Work) DropStart(ctx context.Context, ask workflows.DropStartAsk) error {
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
	err = w.Records.PutOutbox(ctx, records.OutboxEntry{
		Type: casefile.EntryRefusedStart, Actor: casefile.System, Body: body, At: w.Now(), Key: onceKey(ctx, "start"),
	})
	if err != nil {
		return fmt.Errorf("record a refused start: %w", err)
	}
	err = w.Records.PutRefusal(ctx, records.Refusal{Verb: verbStart, Code: casefile.CodeForbidden, At: w.Now(), Key: onceKey(ctx, "start")})
	if err != nil {
		return fmt.Errorf("record a refused start among the refusals: %w", err)
	}
	w.Log.WarnContext(ctx, "workflow start refused", "kind", ask.Kind, "platform", ask.Platform, "thing", ask.Thing, "why", ask.Why)
	return nil
}

// randomID says whether s has the form of casefile.NewID.
func randomID(s string) bool {
	return len(s) == 26 && strings.Trim(s, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}
