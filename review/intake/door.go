// Package intake is the door for flags: the same for every detector, over HTTP or from a file. It
// makes an accepted flag durable before anything else happens with it, so that it comes to be in
// exactly one case, whatever crashes when.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
)

// Records is what the door keeps in the records.
type Records interface {
	Flag(ctx context.Context, key casefile.FlagKey) (records.FlagReceipt, error)
	PutFlag(ctx context.Context, r records.FlagReceipt) (records.FlagReceipt, bool, error)
	PendingFlags(ctx context.Context, before time.Time, limit int) ([]records.FlagReceipt, error)
	NoteSwept(ctx context.Context, keys []casefile.FlagKey, now time.Time) error
	Account(ctx context.Context, account casefile.AccountKey) (records.Account, error)
	SetProfile(ctx context.Context, platform string, account casefile.AccountKey, profile casefile.Address, asOf time.Time) error
	PutHandles(ctx context.Context, platform string, account casefile.AccountKey, hashes []string, at time.Time) error
	Changes(ctx context.Context) <-chan records.Change
}

// Signaller tells an account's workflow of a receipt row, starting the workflow if it does not run.
// It is signal-with-start: repeats are harmless. Errors are CodeUnavailable.
type Signaller interface {
	SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error
}

// Options are what a Door is made of. Records, Sealer, Identity, Signals and Log are required.
type Options struct {
	Records  Records
	Sealer   evidence.Sealer
	Identity evidence.Identity
	Signals  Signaller
	// Reclaim, where it is set, frees an account's workflow id of a run that is none of ours. The sweeper
	// calls it before it signals again: what such a run was signalled is lost.
	Reclaim func(ctx context.Context, platform string, account casefile.AccountKey) error
	Log     *slog.Logger
	// Metrics takes the door's counters; nil keeps them to itself.
	Metrics prometheus.Registerer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Wait is how long Submit waits for the case; 0 means 2 s.
	Wait time.Duration
	// SignalTimeout bounds one signal; 0 means 5 s.
	SignalTimeout time.Duration
	// SweepAfter is how old a pending row is before it is signalled again; 0 means one minute.
	SweepAfter time.Duration
	// SweepEvery is the time between two sweeps of the Sweeper; 0 means 15 s.
	SweepEvery time.Duration
	// Parallel is how many lines of one Lines call are in work at once; 0 means 16.
	Parallel int
}

// Door takes flags in. Safe for concurrent use.
type Door struct {
	o       Options
	metrics metrics
}

// New makes a Door. An error says that its counters are registered already.
func New(o Options) (*Door, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Wait, 2*time.Second)
	setDefault(&o.SignalTimeout, 5*time.Second)
	setDefault(&o.SweepAfter, time.Minute)
	setDefault(&o.SweepEvery, 15*time.Second)
	if o.Parallel <= 0 {
		o.Parallel = 16
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	return &Door{o: o, metrics: m}, nil
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Result is the answer to one flag. It is the same for every retry, except that Status and Case
// fill in once the account's workflow has taken the flag in.
type Result struct {
	ID     string             `json:"id"`
	Status records.FlagStatus `json:"status"`
	Case   casefile.CaseRef   `json:"case,omitempty"`
}

// Submit takes one flag in, in its JSON form, and waits a little for its case. Repeating it is
// harmless at any time. Errors: CodeForbidden, CodeInvalid and CodeTooLarge (the flag; Field says
// where), CodeConflict (the id was used for another claim), CodeUnavailable (an engine is down; if
// the row was written it stays, and the sweeper or a retry brings it on).
func (d *Door) Submit(ctx context.Context, who access.Who, raw []byte) (Result, error) {
	err := who.Require(access.FlagSubmit)
	if err != nil {
		d.metrics.count(err)
		return Result{}, err
	}
	flag, err := casefile.DecodeFlag(raw)
	if err != nil {
		d.metrics.count(err)
		return Result{}, err
	}
	return d.take(ctx, who.Person, flag, d.o.Wait)
}

// take brings a decoded flag in and waits at most wait for its case.
func (d *Door) take(ctx context.Context, source casefile.Person, flag casefile.Flag, wait time.Duration) (Result, error) {
	row, again, err := d.receive(ctx, source, flag)
	if err != nil {
		d.metrics.count(err)
		return Result{}, fmt.Errorf("take flag in: %w", err)
	}
	if row.Status == records.FlagPending {
		row, err = d.signal(ctx, row, wait)
		if err != nil {
			d.metrics.count(err)
			return Result{}, err
		}
	}
	if again {
		d.metrics.flags.WithLabelValues(outcomeAgain).Inc()
	} else {
		d.metrics.flags.WithLabelValues(outcomeNew).Inc()
	}
	return Result{ID: flag.ID, Status: row.Status, Case: row.Case}, nil
}

// Encode gives the bytes of a decoded flag that are sealed and digested: the same for every equal
// flag, however its JSON was written.
func Encode(flag casefile.Flag) ([]byte, error) {
	data, err := json.Marshal(flag)
	if err != nil {
		return nil, fmt.Errorf("encode flag: %w", err)
	}
	return data, nil
}

// receive makes the flag durable: sealed, and with its receipt row. again is true when the row
// stood before. The row is written last, so that whatever it names can be opened.
func (d *Door) receive(ctx context.Context, source casefile.Person, flag casefile.Flag) (records.FlagReceipt, bool, error) {
	data, err := Encode(flag)
	if err != nil {
		return records.FlagReceipt{}, false, err
	}
	key := d.o.Identity.Flag(flag.Platform, flag.ID)
	digest := d.o.Identity.Digest(data)
	row, err := d.o.Records.Flag(ctx, key)
	switch {
	case casefile.ErrorCode(err) == casefile.CodeNotFound:
	case err != nil:
		return records.FlagReceipt{}, false, err
	case row.Digest != digest:
		return records.FlagReceipt{}, false, conflict()
	case row.Status != records.FlagPending:
		return row, true, nil
	}
	again := err == nil

	receipt := records.FlagReceipt{
		Flag: key, Account: d.o.Identity.Account(flag.Ref()), Platform: flag.Platform, Digest: digest,
		Source: source, Status: records.FlagPending,
	}
	receipt.Sealed, err = d.seal(ctx, receipt.Account, flag, data)
	switch casefile.ErrorCode(err) {
	case "":
	case casefile.CodeState, casefile.CodeNotFound:
		// The account is being erased: the flag is taken, for good, and nothing of it is kept.
		receipt.Status = records.FlagErased
	default:
		return records.FlagReceipt{}, false, err
	}
	receipt.At = d.o.Now().UTC()
	row, created, err := d.o.Records.PutFlag(ctx, receipt)
	if err != nil {
		return records.FlagReceipt{}, false, err
	}
	if row.Digest != digest {
		return records.FlagReceipt{}, false, conflict()
	}
	crashpoint.Reach("5")
	return row, again || !created, nil
}

// seal seals the whole flag, and what is now known of the account. CodeState or CodeNotFound while the
// account has no key and may have none.
func (d *Door) seal(ctx context.Context, account casefile.AccountKey, flag casefile.Flag, data []byte) (casefile.Address, error) {
	err := d.o.Sealer.EnsureKey(ctx, flag.Platform, account)
	if err != nil {
		return "", err
	}
	crashpoint.Reach("3")
	sealed, _, err := d.o.Sealer.Seal(ctx, account, evidence.KindFlag, data)
	if err != nil {
		return "", err
	}
	err = d.putProfile(ctx, account, flag)
	if err != nil {
		return "", err
	}
	crashpoint.Reach("4")
	return sealed, nil
}

func conflict() error {
	return &casefile.Error{Code: casefile.CodeConflict, Field: "id", Message: "this id was used before for a flag with other content"}
}

// putProfile seals what is now known of the account: what the flag tells laid over what was known.
func (d *Door) putProfile(ctx context.Context, account casefile.AccountKey, flag casefile.Flag) error {
	profile := evidence.Profile{Platform: flag.Platform, Account: flag.Account}
	known, err := d.knownProfile(ctx, account)
	if err != nil {
		return err
	}
	if known != nil {
		profile.Account = known.Account.Merge(flag.Account)
	}
	data, err := json.Marshal(profile)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	address, _, err := d.o.Sealer.Seal(ctx, account, evidence.KindProfile, data)
	if err != nil {
		return err
	}
	err = d.o.Records.SetProfile(ctx, flag.Platform, account, address, flag.At)
	if err != nil {
		return err
	}
	return d.putHandle(ctx, account, flag)
}

// putHandle notes the keyed hash of the handle that the flag tells, so that the account is found by it
// for ever, also after it took another one.
func (d *Door) putHandle(ctx context.Context, account casefile.AccountKey, flag casefile.Flag) error {
	hash := d.o.Identity.HandleHash(flag.Platform, flag.Account.Handle)
	if hash == "" {
		return nil
	}
	return d.o.Records.PutHandles(ctx, flag.Platform, account, []string{hash}, flag.At)
}

// knownProfile is nil when the account has none, or it was erased.
func (d *Door) knownProfile(ctx context.Context, account casefile.AccountKey) (*evidence.Profile, error) {
	row, err := d.o.Records.Account(ctx, account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound || err == nil && row.Profile == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := d.o.Sealer.Open(ctx, account, evidence.KindProfile, row.Profile)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p evidence.Profile
	err = json.Unmarshal(data, &p)
	if err != nil { // the decoder's own words may quote the profile
		return nil, casefile.Errorf(casefile.CodeInternal, "the sealed profile does not decode")
	}
	return &p, nil
}

// signal tells the account's workflow of the row and waits at most wait for what comes of it.
func (d *Door) signal(ctx context.Context, row records.FlagReceipt, wait time.Duration) (records.FlagReceipt, error) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	var changes <-chan records.Change
	if wait > 0 {
		changes = d.o.Records.Changes(waiting) // before the signal, so that no answer is missed
	}
	err := d.send(ctx, row)
	if err != nil {
		return row, err
	}
	if wait <= 0 {
		return row, nil
	}
	return d.await(ctx, row, changes, wait)
}

func (d *Door) send(ctx context.Context, row records.FlagReceipt) error {
	ctx, cancel := context.WithTimeout(ctx, d.o.SignalTimeout)
	defer cancel()
	err := d.o.Signals.SignalFlag(ctx, row.Platform, row.Account, row.Flag)
	if err == nil {
		crashpoint.Reach("6")
		return nil
	}
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: "signal flag", Err: err,
		Message: "the flag is on record but its case cannot be reached now; it will be, and the same flag may be sent again"}
}

// await looks at the row after every hint of the feed, and now and then without one: the feed may skip.
func (d *Door) await(ctx context.Context, row records.FlagReceipt, changes <-chan records.Change, wait time.Duration) (records.FlagReceipt, error) {
	begun := time.Now()
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		now, err := d.o.Records.Flag(ctx, row.Flag)
		if err != nil {
			return row, err
		}
		if now.Status != records.FlagPending {
			d.metrics.wait.Observe(time.Since(begun).Seconds())
			return now, nil
		}
		if !hint(ctx, row.Flag, changes, look.C, timeout.C) {
			return row, nil
		}
	}
}

// hint blocks until the row may have changed; false when there is no time left.
func hint(ctx context.Context, key casefile.FlagKey, changes <-chan records.Change, look, timeout <-chan time.Time) bool {
	for {
		select {
		case c, ok := <-changes:
			if !ok {
				changes = nil
				continue
			}
			if c.Kind == "" || c.Flag == key {
				return true
			}
		case <-look:
			return true
		case <-timeout:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// errEnd tells that a reader is done; it never leaves the package.
var errEnd = errors.New("end of input")
