package workflows

import "go.temporal.io/sdk/workflow"

// Changes of the workflows that histories from before them do not have. Each is asked for only where it
// makes a difference, so that no other history carries its mark.
const (
	// versionThreatClock: a threat to life has its clock again when nobody has the case in hand any more,
	// and at once where somebody else holds it.
	versionThreatClock = "threat-clock-again"
	// versionCloseBlind: a case that one person closes while another's opinion waits unseen goes to a lead
	// who sees neither.
	versionCloseBlind = "close-blind"
	// versionCloseSampled: of the cases that a second person looks at by lot, those that one person closes
	// go to a lead as well, so that where a closing goes tells nobody of an opinion.
	versionCloseSampled = "close-sampled"
	// versionPartlyDone: a takedown of which an act was refused goes on with posts, and has the person told
	// of what was done.
	versionPartlyDone = "partly-done"
	// versionUndoPasses: an act that cannot be taken back for now does not hold up the others, and what is
	// uncertain can be settled while the rest or the notice is still under way. Every reinstatement asks.
	versionUndoPasses = "undo-passes"
)

// versionOf says whether this run has a change. A run that began before it goes on without.
func versionOf(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) == 1
}
