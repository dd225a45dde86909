//go:build !crashpoints

package casefile

import "time"

// afterDays is when a timed act ends that begins at t.
func afterDays(t time.Time, days int) time.Time { return t.AddDate(0, 0, days) }
