package assembly

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/worker"
)

// detectMetrics are the counters of the role detect since its start.
type detectMetrics struct{ role *worker.Detect }

func detectCounter(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("docket_detect_"+name+"_total", help, nil, nil)
}

var (
	detectEvents  = detectCounter("events", "Events read.")
	detectFlags   = detectCounter("flags", "Flags handed to the door.")
	detectRefused = detectCounter("refused_flags", "Flags that the door refused for good.")
	detectOutside = detectCounter("outside_posts", "Posts older than the window of history: counted, not stored.")
	detectMissed  = detectCounter("missed_posts", "Posts that history did not take.")
)

// Describe names the counters.
func (detectMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{detectEvents, detectFlags, detectRefused, detectOutside, detectMissed} {
		ch <- d
	}
}

// Collect asks the role.
func (m detectMetrics) Collect(ch chan<- prometheus.Metric) {
	c := m.role.Counts()
	counter := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	counter(detectEvents, c.Events)
	counter(detectFlags, c.Flags)
	counter(detectRefused, c.Refused)
	counter(detectOutside, c.Outside)
	counter(detectMissed, c.Missed)
}
