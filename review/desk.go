package review

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Workflows is the desk's way to the cases' workflows. Package worker implements it over the
// Temporal client.
type Workflows interface {
	// SignalFlag tells an account's workflow of a receipt row, starting it if it does not run.
	// Repeats are harmless.
	SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error
	// Update sends a verb (a workflows.Update... name with its arguments) and waits for its answer.
	// verbID is the Update id. Refusals come as *casefile.Error with the workflow's code, field and
	// message; a workflow that does not run is CodeState. Anything else (a deadline, a lost
	// connection) means that the outcome is not known.
	Update(ctx context.Context, platform string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error)
}

// Records is what the desk keeps in and reads from the records.
type Records interface {
	records.Cases
	records.Decisions
	records.Watch
	Account(ctx context.Context, account casefile.AccountKey) (records.Account, error)
	Strikes(ctx context.Context, account casefile.AccountKey, now time.Time) ([]records.Strike, error)
	Flag(ctx context.Context, key casefile.FlagKey) (records.FlagReceipt, error)
	PutFlag(ctx context.Context, r records.FlagReceipt) (records.FlagReceipt, bool, error)
	CaseFlags(ctx context.Context, ref casefile.CaseRef) ([]records.FlagReceipt, error)
	Changes(ctx context.Context) <-chan records.Change
}

// Search is what the desk asks of the index.
type Search interface {
	Search(ctx context.Context, q indexing.CaseQuery) (indexing.CasePage, error)
}

// Options are what a Desk is made of. Records, Sealer, Identity, Search, Workflows and Log are
// required.
type Options struct {
	Records   Records
	Sealer    evidence.Sealer
	Identity  evidence.Identity
	Search    Search
	Workflows Workflows
	Log       *slog.Logger
	// Service is what the platform calls itself on notices; "" writes "this service". Complaints is
	// where a complaint is made; "" says to answer the notice.
	Service, Complaints string
	// QueueTitle gives a queue's name for people; nil, or "" for a queue, shows the bare name.
	QueueTitle func(queue string) string
	// CanNotify says whether a platform can deliver a notice; nil means that none can.
	CanNotify func(platform string) bool
	// Platforms are the platforms known to this deployment; an account id or a flag id that comes
	// without one is looked up on each. Empty means those of the newest cases.
	Platforms []string
	// Grace is how long a decision can be withdrawn, as the workflows are configured.
	Grace time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// VerbTimeout bounds one verb; 0 means 10 s.
	VerbTimeout time.Duration
	// ReserveFor is how long Next holds a row while it claims the case; 0 means 5 s.
	ReserveFor time.Duration
	// PreviewFor is how long a preview can be confirmed; 0 means 2 h.
	PreviewFor time.Duration
	// ReopenWait is how long Reopen waits for the new case; 0 means 2 s.
	ReopenWait time.Duration
}

// Desk is everything that people do with cases, without a protocol. Every method checks what its
// caller may do by the table of package access and refuses with CodeForbidden; callers put refusals
// on record with Refuse. Errors are *casefile.Error (or casefile.Faults, all faults of one form);
// a verb whose outcome is not known gives an *Unknown. Safe for concurrent use.
type Desk struct {
	o Options
}

// New makes a Desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QueueTitle == nil {
		o.QueueTitle = func(string) string { return "" }
	}
	if o.CanNotify == nil {
		o.CanNotify = func(string) bool { return false }
	}
	setDefault(&o.VerbTimeout, 10*time.Second)
	setDefault(&o.ReserveFor, 5*time.Second)
	setDefault(&o.PreviewFor, 2*time.Hour)
	setDefault(&o.ReopenWait, 2*time.Second)
	return &Desk{o: o}
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

func (d *Desk) now() time.Time { return d.o.Now().UTC() }

// platforms are those that an id without a platform is looked up on.
func (d *Desk) platforms(ctx context.Context) ([]string, error) {
	if len(d.o.Platforms) > 0 {
		return d.o.Platforms, nil
	}
	cases, _, err := d.o.Records.ListCases(ctx, "", "", maxPage)
	if err != nil {
		return nil, fmt.Errorf("list the newest cases: %w", err)
	}
	var out []string
	for _, c := range cases {
		if !slices.Contains(out, c.Platform) {
			out = append(out, c.Platform)
		}
	}
	return out, nil
}
