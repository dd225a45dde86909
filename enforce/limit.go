package enforce

import (
	"context"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/docket-triage/docket/casefile"
)

// Rate is how many requests a platform may be sent: acts, reverses, questions and notices alike.
type Rate struct {
	// PerSecond is the number of requests a second in the long run, above 0.
	PerSecond float64 `json:"per_second" koanf:"per_second"`
	// Burst is how many may go at once after a quiet time, at least 1.
	Burst int `json:"burst" koanf:"burst"`
}

// Validate names the field at fault; the error is CodeInvalid.
func (r Rate) Validate() error {
	switch {
	case !(r.PerSecond > 0) || math.IsInf(r.PerSecond, 1):
		return casefile.Invalid("per_second", "must be above 0")
	case r.Burst < 1:
		return casefile.Invalid("burst", "must be at least 1")
	}
	return nil
}

// limited is a platform behind a limit.
type limited struct {
	platform Platform
	limiter  *rate.Limiter
}

// Limit puts a limit before a platform. A request over it waits for its turn, in the order of
// arrival, as long as its context allows; where the turn would come too late it is not sent and the
// error is CodeUnavailable with RetryAfter. Every platform needs a limit of its own. The error is
// that of Rate.Validate.
func Limit(p Platform, r Rate) (Platform, error) {
	err := r.Validate()
	if err != nil {
		return nil, err
	}
	return &limited{platform: p, limiter: rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)}, nil
}

// Name is the platform's.
func (l *limited) Name() string { return l.platform.Name() }

// Capabilities are the platform's.
func (l *limited) Capabilities() Capabilities { return l.platform.Capabilities() }

// Prepare waits for its turn.
func (l *limited) Prepare(ctx context.Context, r Request) (UndoRecord, error) {
	err := l.wait(ctx)
	if err != nil {
		return UndoRecord{}, err
	}
	return l.platform.Prepare(ctx, r)
}

// Do waits for its turn.
func (l *limited) Do(ctx context.Context, r Request) (string, error) {
	err := l.wait(ctx)
	if err != nil {
		return "", err
	}
	return l.platform.Do(ctx, r)
}

// Undo waits for its turn.
func (l *limited) Undo(ctx context.Context, r Request, u UndoRecord) (string, error) {
	err := l.wait(ctx)
	if err != nil {
		return "", err
	}
	return l.platform.Undo(ctx, r, u)
}

// Lookup waits for its turn.
func (l *limited) Lookup(ctx context.Context, r Request) (bool, string, error) {
	err := l.wait(ctx)
	if err != nil {
		return false, "", err
	}
	return l.platform.Lookup(ctx, r)
}

// Notify waits for its turn.
func (l *limited) Notify(ctx context.Context, account casefile.AccountRef, n casefile.Notice) error {
	err := l.wait(ctx)
	if err != nil {
		return err
	}
	return l.platform.Notify(ctx, account, n)
}

// wait returns when a request may go. One that gives up hands its turn back.
func (l *limited) wait(ctx context.Context) error {
	err := l.limiter.Wait(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return notSent(ctx.Err(), "given up before its turn came")
	}
	missing := 1 - l.limiter.Tokens() // of the one that a request takes
	after := time.Duration(min(missing/float64(l.limiter.Limit())*float64(time.Second), float64(math.MaxInt64/2)))
	return WithRetryAfter(notSent(nil, "the platform's limit leaves no turn in time"), after)
}

func notSent(err error, message string) error {
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: "limit", Message: message, Err: err}
}
