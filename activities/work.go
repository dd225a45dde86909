package activities

import (
	"context"
	"crypto/rand"
	"log/slog"
	"math/big"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Router is what the work role asks of policy; *policy.RuleSet is one.
type Router interface {
	// Route gives a case its route.
	Route(in policy.Input) (casefile.Route, error)
	// Deciding gives the rules by which a case is decided; draw is from 0 to 999.
	Deciding(draw int) casefile.Deciding
	// Automatic gives the automatic rule that decides a case, or why none does.
	Automatic(in policy.Input) (policy.AutoRule, bool)
	// AlreadyDecidedSample is the share, in thousandths, of cases with nothing new in them that people
	// look at all the same.
	AlreadyDecidedSample() int
	// AppealTeam is the team that appeals go to, "" for everybody.
	AppealTeam() string
	// Queue gives the queue of a name; false where there is none.
	Queue(name string) (policy.Queue, bool)
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
	// Settings are the times that every case and appeal opened from now on is given.
	Settings workflows.Settings
	// Service is what notices call the platform, Complaints where a complaint is made; "" as in
	// notice.Data. They must be those of the serve role.
	Service, Complaints string
	// SourceTimeout bounds what one source of findings may take; 0 means 2.5 s. All of them together
	// must fit into the time that a local activity has.
	SourceTimeout time.Duration
	// Now is the clock; it never goes into anything that a workflow replays.
	Now func() time.Time
	// Draw gives a number from 0 to below n for a sample; nil draws from crypto/rand.
	Draw func(n int) int
	// Missed is told of every deadline that a case missed, once; nil tells nobody.
	Missed func(queue string, deadline casefile.DeadlineKind)
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

// thousandths is what samples are drawn from.
const thousandths = 1000

// draw gives a number for a sample that nobody outside can foresee: whoever writes posts must not be
// able to choose those that no second person looks at.
func (w *Work) draw() int {
	if w.Draw != nil {
		return w.Draw(thousandths)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(thousandths))
	if err != nil {
		return 0 // 0 belongs to every sample: a person looks
	}
	return int(n.Int64())
}
