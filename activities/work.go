package activities

import (
	"context"
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
	// SourceTimeout bounds what one source of findings may take; 0 means 2.5 s. All of them together
	// must fit into the time that a local activity has.
	SourceTimeout time.Duration
	// Now is the clock; it never goes into anything that a workflow replays.
	Now func() time.Time
}

const sourceTimeout = 2500 * time.Millisecond

// within bounds one source's time: a source that hangs fails, and holds up no case.
func (w *Work) within(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := w.SourceTimeout
	if limit <= 0 {
		limit = sourceTimeout
	}
	return context.WithTimeout(ctx, limit)
}
