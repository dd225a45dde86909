package worker

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/records"
)

// queueMetrics reads what stands in each queue when it is asked for.
type queueMetrics struct {
	cases   records.Cases
	waiting *prometheus.Desc
	claimed *prometheus.Desc
	overdue *prometheus.Desc
	oldest  *prometheus.Desc
}

// QueueMetrics gives the gauges of the queues: waiting, claimed and overdue cases, and the age of
// the oldest waiting one. A scrape that the records do not answer in time goes without them.
func QueueMetrics(cases records.Cases) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("docket_queue_"+name, help, []string{"queue"}, nil)
	}
	return &queueMetrics{
		cases:   cases,
		waiting: desc("waiting_cases", "Cases that wait for a reviewer."),
		claimed: desc("claimed_cases", "Cases that a reviewer holds."),
		overdue: desc("overdue_cases", "Waiting cases past their deadline."),
		oldest:  desc("oldest_seconds", "Age of the oldest waiting case."),
	}
}

// Describe names the gauges.
func (q *queueMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{q.waiting, q.claimed, q.overdue, q.oldest} {
		ch <- d
	}
}

// scrapeTimeout bounds the reading of the queues for one scrape.
const scrapeTimeout = 2 * time.Second

// Collect reads the queues.
func (q *queueMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	queues, err := q.cases.Queues(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(q.waiting, err)
		return
	}
	now := time.Now()
	for _, c := range queues {
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, c.Queue)
		}
		gauge(q.waiting, float64(c.Waiting))
		gauge(q.claimed, float64(c.Claimed))
		gauge(q.overdue, float64(c.Overdue))
		if c.Oldest != nil {
			gauge(q.oldest, now.Sub(*c.Oldest).Seconds())
		}
	}
}

// LedgerAlarms counts the alarms of the ledger by kind: each is a fork, a gap, a rollback or an
// unequal retry, and needs a person at once.
func LedgerAlarms(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "docket_ledger_alarms_total", Help: "Alarms of the ledger, by kind."}, []string{"kind"})
	r.MustRegister(c)
	return c
}
