package telling

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	told        *prometheus.CounterVec
	failed      *prometheus.CounterVec
	undelivered *prometheus.CounterVec
	nowhere     *prometheus.CounterVec
	missed      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, o Outbox, now func() time.Time) (metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "docket_telling_" + name, Help: help}, labels)
	}
	m := metrics{
		told:        counter("told_total", "Messages that a channel has told.", "channel", "urgency"),
		failed:      counter("failed_total", "Attempts that failed, by what was wrong.", "channel", "code"),
		undelivered: counter("undelivered_total", "Messages that a channel has given up.", "channel", "urgency"),
		nowhere:     counter("nowhere_total", "Messages that no channel was due to tell.", "urgency"),
		missed:      counter("missed_addresses_total", "Addresses that the mail server refused while it took others of the same mail.", "channel"),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.told, m.failed, m.undelivered, m.nowhere, m.missed, newWaitingMetrics(o, now)} {
		err := reg.Register(c)
		if err != nil {
			return metrics{}, fmt.Errorf("register the metrics of telling: %w", err)
		}
	}
	return m, nil
}

// waitingMetrics reads what waits when it is asked for.
type waitingMetrics struct {
	outbox Outbox
	now    func() time.Time
	count  *prometheus.Desc
	oldest *prometheus.Desc
}

func newWaitingMetrics(o Outbox, now func() time.Time) *waitingMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("docket_telling_"+name, help, []string{"channel", "urgency"}, nil)
	}
	return &waitingMetrics{
		outbox: o, now: now,
		count:  desc("waiting", "Messages that a channel has yet to tell; without a channel, those that have yet to be routed."),
		oldest: desc("oldest_waiting_seconds", "Age of the oldest of them."),
	}
}

// Describe names the gauges.
func (w *waitingMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- w.count
	ch <- w.oldest
}

// scrapeTime bounds the reading of the outbox for one scrape.
const scrapeTime = 2 * time.Second

// Collect reads the outbox.
func (w *waitingMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	list, err := w.outbox.TellingsWaiting(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(w.count, err)
		return
	}
	now := w.now()
	for _, x := range list {
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, x.Channel, string(x.Urgency))
		}
		gauge(w.count, float64(x.Count))
		gauge(w.oldest, now.Sub(x.OldestAt).Seconds())
	}
}
