package intake

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/casefile"
)

// Outcomes of a flag besides the error codes.
const (
	outcomeNew   = "new"
	outcomeAgain = "again"
)

type metrics struct {
	flags *prometheus.CounterVec
	wait  prometheus.Histogram
	swept *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	m := metrics{
		flags: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_intake_flags_total",
			Help: "Flags handed in, by what became of them: new, again, or the code of the refusal.",
		}, []string{"outcome"}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "docket_intake_case_wait_seconds",
			Help:    "Time from the signal until the flag's case was known, where it was known in time.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2},
		}),
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_intake_swept_total",
			Help: "Pending flags found by the sweeper, by what was done: signalled, missing (nothing sealed).",
		}, []string{"outcome"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.flags, m.wait, m.swept} {
		err := reg.Register(c)
		if err != nil {
			return metrics{}, fmt.Errorf("register intake metrics: %w", err)
		}
	}
	return m, nil
}

func (m metrics) count(err error) { m.flags.WithLabelValues(string(casefile.ErrorCode(err))).Inc() }
