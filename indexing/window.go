package indexing

import "time"

const (
	// Window is how far back history reaches from the newest event of a platform's stream. Posts
	// are dropped by whole months once they have left it.
	Window = 30 * 24 * time.Hour
	// MaxAhead is how far past the clock an event may lie and still move the window. An event
	// further ahead comes from a wrong clock: it is counted as outside, or it would push all of
	// history out.
	MaxAhead = 24 * time.Hour
)

// WindowStart is the first moment of the window that ends with newest: whole hours, so that an
// engine may keep its counts by the hour.
func WindowStart(newest time.Time) time.Time {
	return newest.UTC().Add(-Window).Truncate(time.Hour)
}
