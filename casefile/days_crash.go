//go:build crashpoints

package casefile

import (
	"os"
	"time"
)

// crashDay is how long a day of a timed act is in a crash run, which cannot wait for a true one: as the
// environment says ("8s"), 24 hours where it says nothing.
var crashDay = func() time.Duration {
	text := os.Getenv("DOCKET_CRASH_DAY")
	if text == "" {
		return 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		panic("DOCKET_CRASH_DAY must be a time above 0, such as 8s")
	}
	return d
}()

// afterDays is when a timed act ends that begins at t.
func afterDays(t time.Time, days int) time.Time {
	return t.Add(time.Duration(days) * crashDay).Truncate(time.Microsecond)
}
