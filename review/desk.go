package review

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Workflows is the desk's way to the workflows. Package worker implements it over the Temporal
// client. Refusals come as *casefile.Error with the workflow's code, field and message; a workflow
// that does not run is CodeState. Any other error (a deadline, a lost connection) means that the
// outcome is not known.
type Workflows interface {
	// SignalFlag tells an account's workflow of a receipt row, starting it if it does not run.
	// Repeats are harmless.
	SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error
	// Update sends a verb on a case (a workflows.Update... name with its arguments) and waits for its
	// answer. verbID is the Update id.
	Update(ctx context.Context, platform string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error)
	// StartAppeal starts the workflow of an appeal by the key of its row. Repeats are harmless, also
	// when the appeal is decided already.
	StartAppeal(ctx context.Context, appeal string) error
	// UpdateAppeal sends a verb on an appeal, as Update does on a case.
	UpdateAppeal(ctx context.Context, appeal, name, verbID string, args any) (workflows.AppealResult, error)
	// UpdateSettle sends a person's word on an uncertain act: to the takedown of the decision, or to the
	// reinstatement that the upheld appeal named brought about.
	UpdateSettle(ctx context.Context, ref casefile.CaseRef, appeal string, args workflows.SettleArgs) (workflows.SettleResult, error)
}

// Records is what the desk keeps in and reads from the records.
type Records interface {
	records.Cases
	records.Handled
	records.Decisions
	records.Appeals
	records.Switches
	records.Watch
	records.Erasures
	AccountKey(ctx context.Context, account casefile.AccountKey) (records.WrappedKey, error)
	Account(ctx context.Context, account casefile.AccountKey) (records.Account, error)
	Strikes(ctx context.Context, account casefile.AccountKey, now time.Time) ([]records.Strike, error)
	Flag(ctx context.Context, key casefile.FlagKey) (records.FlagReceipt, error)
	PutFlag(ctx context.Context, r records.FlagReceipt) (records.FlagReceipt, bool, error)
	CaseFlags(ctx context.Context, ref casefile.CaseRef) ([]records.FlagReceipt, error)
	Person(ctx context.Context, id casefile.Person) (records.PersonRow, error)
	PersonByLogin(ctx context.Context, login string) (records.PersonRow, error)
	ListPeople(ctx context.Context) ([]records.PersonRow, error)
	Changes(ctx context.Context) <-chan records.Change
}

// Rules is what the desk asks of the routing rules in force; *policy.RuleSet has it.
type Rules interface {
	Queues() []policy.Queue
	Queue(name string) (policy.Queue, bool)
	AppealTeam() string
}

// People manages staff; *access.Access does.
type People interface {
	ListPeople(ctx context.Context, by access.Who) ([]records.PersonRow, error)
	AddPerson(ctx context.Context, by access.Who, p access.NewPerson) (person records.PersonRow, code string, err error)
	DisablePerson(ctx context.Context, by access.Who, person casefile.Person) error
	EnablePerson(ctx context.Context, by access.Who, person casefile.Person) error
	ResetPerson(ctx context.Context, by access.Who, person casefile.Person) (code string, err error)
	NewAPIToken(ctx context.Context, person casefile.Person) (token string, err error)
}

// Reconciler finds workflows that are missing and starts them again from their rows.
type Reconciler interface {
	// Once goes through everything once. The report is shown as JSON to whoever asked.
	Once(ctx context.Context) (report any, err error)
}

// ReconcilerFunc makes a Reconciler of a function with a report of its own type.
type ReconcilerFunc[R any] func(ctx context.Context) (R, error)

// Once calls the function.
func (f ReconcilerFunc[R]) Once(ctx context.Context) (any, error) { return f(ctx) }

// Search is what the desk asks of the index.
type Search interface {
	Search(ctx context.Context, q indexing.CaseQuery) (indexing.CasePage, error)
}

// Options are what a Desk is made of. Everything up to Log is required.
type Options struct {
	Records   Records
	Sealer    evidence.Sealer
	Identity  evidence.Identity
	Search    Search
	Workflows Workflows
	// Signer signs every verb: no workflow lets one count that is not signed.
	Signer *access.Signer
	// Rules say who takes cases from which queue.
	Rules  Rules
	People People
	Glass  *access.Glass
	// Reasons seals the words of reasons that are about no account.
	Reasons access.Reasons
	Log     *slog.Logger
	// Reconciler is nil where this process does not reconcile, Published where it does not know where the
	// log is.
	Reconciler Reconciler
	Published  PublishedLog
	// Service is what the platform calls itself on notices; "" writes "this service". Complaints is
	// where a complaint is made; "" says to answer the notice.
	Service, Complaints string
	// CanNotify says whether a platform can deliver a notice; nil means that none can.
	CanNotify func(platform string) bool
	// Platforms are the platforms known to this deployment; an account id or a flag id that comes
	// without one is looked up on each. Empty means those of the newest cases.
	Platforms []string
	// Grace is how long a decision can be withdrawn, Lease how long a claim lasts without input, as the
	// workflows are configured.
	Grace, Lease time.Duration
	// Down names what does not answer for now (records, index, temporal, ledger); nil where nobody watches.
	Down func() []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// VerbTimeout bounds one verb; 0 means 10 s.
	VerbTimeout time.Duration
	// SearchTimeout bounds one question to the index; 0 means 5 s.
	SearchTimeout time.Duration
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
	if o.CanNotify == nil {
		o.CanNotify = func(string) bool { return false }
	}
	setDefault(&o.VerbTimeout, 10*time.Second)
	setDefault(&o.SearchTimeout, 5*time.Second)
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
