package console

import (
	"fmt"
	"time"
)

// Until is a moment with how far away it is; the script counts it down, and without the script the
// words say how things stood when the page was made.
type Until struct {
	At   time.Time
	Away string
	Late bool
}

func until(now, at time.Time) Until {
	d := at.Sub(now)
	if d < 0 {
		return Until{At: at, Away: span(-d) + " ago", Late: true}
	}
	return Until{At: at, Away: "in " + span(d)}
}

// since says how long ago a moment was, to the minute.
func since(now, at time.Time) Until {
	d := now.Sub(at)
	if d < time.Minute {
		return Until{At: at, Away: "just now"}
	}
	if d < time.Hour {
		return Until{At: at, Away: fmt.Sprintf("%d min ago", int64(d/time.Minute))}
	}
	return Until{At: at, Away: span(d) + " ago"}
}

// span writes a duration in its two largest units, as the script does.
func span(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s >= 48*3600:
		return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
	case s >= 3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d s", s)
}

// stamp writes a moment for people, always in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 UTC") }

// machineTime writes a moment for the script.
func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
