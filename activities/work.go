package activities

import (
	"log/slog"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
)

// Router gives a case its route; *policy.RuleSet is one.
type Router interface {
	Route(in policy.Input) (casefile.Route, error)
}

// Work is the work role's activities.
type Work struct {
	Records  records.Store
	Sealer   evidence.Sealer
	Identity evidence.Identity
	History  indexing.History
	Scorer   classify.Scorer
	Router   Router
	Log      *slog.Logger
	// Now is the clock; it never goes into anything that a workflow replays.
	Now func() time.Time
}
