package enforce

import (
	"errors"
	"time"
)

// delayed is an error with the time that has to pass before the request is worth sending again.
type delayed struct {
	err   error
	after time.Duration
}

// Error is the error's own text.
func (d *delayed) Error() string { return d.err.Error() }

// Unwrap is the error itself.
func (d *delayed) Unwrap() error { return d.err }

// WithRetryAfter adds to an error how long to wait before the same request is sent again. A negative
// time counts as none; a nil error stays nil.
func WithRetryAfter(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &delayed{err: err, after: max(after, 0)}
}

// RetryAfter gives the time that the platform, or a limit before it, asked to wait; false where the
// error does not say.
func RetryAfter(err error) (time.Duration, bool) {
	var d *delayed
	if !errors.As(err, &d) {
		return 0, false
	}
	return d.after, true
}
