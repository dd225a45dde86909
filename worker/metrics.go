package worker

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// scrapeTimeout bounds what one collector reads for one scrape. One that the records do not answer in
// time goes without its values.
const scrapeTimeout = 2 * time.Second

// queueMetrics reads what stands in each queue when it is asked for.
type queueMetrics struct {
	cases   records.Cases
	waiting *prometheus.Desc
	claimed *prometheus.Desc
	overdue *prometheus.Desc
	oldest  *prometheus.Desc
}

// QueueMetrics gives the gauges of the queues: waiting, claimed and overdue cases, and the age of
// the oldest waiting one.
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

// handlingMetrics reads how acts, automatic rules and appeals stand when it is asked for.
type handlingMetrics struct {
	rows HandlingRecords
	now  func() time.Time

	acts, actsOldest, actsOverdue *prometheus.Desc
	tripped, decided              *prometheus.Desc
	appeals, appealsOldest        *prometheus.Desc
}

// HandlingRecords is what HandlingMetrics reads.
type HandlingRecords interface {
	records.Switches
	records.Appeals
}

// HandlingMetrics gives the gauges of acts that have not come to a good end (by stage, with the age of
// the oldest and the number of those overdue, see ActOverdue), of each automatic rule's breaker, and of
// appeals that wait for their ruling or for their reinstatement. now is the clock; nil means time.Now.
func HandlingMetrics(rows HandlingRecords, now func() time.Time) prometheus.Collector {
	if now == nil {
		now = time.Now
	}
	return &handlingMetrics{
		rows: rows, now: now,
		acts:          prometheus.NewDesc("docket_acts_pending", "Acts that have not come to a good end.", []string{"stage"}, nil),
		actsOldest:    prometheus.NewDesc("docket_acts_oldest_seconds", "Time since the oldest of them was planned.", []string{"stage"}, nil),
		actsOverdue:   prometheus.NewDesc("docket_acts_overdue", "Acts without an outcome 15 minutes after they were planned. Anything above 0 needs a person.", nil, nil),
		tripped:       prometheus.NewDesc("docket_breaker_tripped", "1 while the breaker of an automatic rule is tripped.", []string{"rule"}, nil),
		decided:       prometheus.NewDesc("docket_breaker_decided", "Cases that the rule decided in the hour that its breaker counts.", []string{"rule"}, nil),
		appeals:       prometheus.NewDesc("docket_appeals_waiting", "Appeals that wait for their ruling, or for what was upheld to be taken back.", []string{"state"}, nil),
		appealsOldest: prometheus.NewDesc("docket_appeals_oldest_seconds", "Time since the oldest of them was opened.", []string{"state"}, nil),
	}
}

// Describe names the gauges.
func (h *handlingMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{h.acts, h.actsOldest, h.actsOverdue, h.tripped, h.decided, h.appeals, h.appealsOldest} {
		ch <- d
	}
}

// Collect reads them.
func (h *handlingMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	h.collectActs(ctx, ch)
	h.collectBreakers(ctx, ch)
	h.collectAppeals(ctx, ch)
}

// aged counts things and knows the oldest of them.
type aged struct {
	count  int
	oldest time.Time
}

func (a *aged) add(at time.Time) {
	if a.count == 0 || at.Before(a.oldest) {
		a.oldest = at
	}
	a.count++
}

func (h *handlingMetrics) gauges(ch chan<- prometheus.Metric, count, oldest *prometheus.Desc, a aged, label string) {
	ch <- prometheus.MustNewConstMetric(count, prometheus.GaugeValue, float64(a.count), label)
	age := 0.0
	if a.count > 0 {
		age = h.now().Sub(a.oldest).Seconds()
	}
	ch <- prometheus.MustNewConstMetric(oldest, prometheus.GaugeValue, age, label)
}

var actStages = []records.ActStage{records.ActWaiting, records.ActRetrying, records.ActUncertain, records.ActFailed}

func (h *handlingMetrics) collectActs(ctx context.Context, ch chan<- prometheus.Metric) {
	stages := map[records.ActStage]*aged{}
	for _, s := range actStages {
		stages[s] = &aged{}
	}
	late, now := 0, h.now()
	err := pendingActs(ctx, h.rows, func(a records.PendingAct) {
		if stages[a.Stage] != nil {
			stages[a.Stage].add(a.PlannedAt)
		}
		if overdue(a, now) {
			late++
		}
	})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(h.acts, err)
		return
	}
	for _, s := range actStages {
		h.gauges(ch, h.acts, h.actsOldest, *stages[s], string(s))
	}
	ch <- prometheus.MustNewConstMetric(h.actsOverdue, prometheus.GaugeValue, float64(late))
}

func (h *handlingMetrics) collectBreakers(ctx context.Context, ch chan<- prometheus.Metric) {
	breakers, err := h.rows.Breakers(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(h.tripped, err)
		return
	}
	for _, b := range breakers {
		tripped := 0.0
		if b.Tripped != nil {
			tripped = 1
		}
		ch <- prometheus.MustNewConstMetric(h.tripped, prometheus.GaugeValue, tripped, b.Rule)
		ch <- prometheus.MustNewConstMetric(h.decided, prometheus.GaugeValue, float64(b.Count), b.Rule)
	}
}

// waitingAppeals are the states of appeals that something is still due to.
var waitingAppeals = []casefile.AppealState{casefile.AppealOpen, casefile.AppealClaimed, casefile.AppealDecided, casefile.AppealUpheld}

func (h *handlingMetrics) collectAppeals(ctx context.Context, ch chan<- prometheus.Metric) {
	for _, state := range waitingAppeals {
		var a aged
		for after := ""; a.count < maxPendingActs; {
			rows, next, err := h.rows.ListAppeals(ctx, state, after, reconcilePage)
			if err != nil {
				ch <- prometheus.NewInvalidMetric(h.appeals, err)
				return
			}
			for _, row := range rows {
				a.add(row.OpenedAt)
			}
			if next == "" {
				break
			}
			after = next
		}
		h.gauges(ch, h.appeals, h.appealsOldest, a, string(state))
	}
}

// MissedDeadlines counts the deadlines that cases missed, by the queue in which a case stands since and
// the deadline. The function is for activities.Work.Missed.
func MissedDeadlines(r prometheus.Registerer) func(queue string, deadline casefile.DeadlineKind) {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "docket_deadlines_missed_total", Help: "Deadlines that cases missed.",
	}, []string{"queue", "deadline"})
	r.MustRegister(c)
	return func(queue string, deadline casefile.DeadlineKind) { c.WithLabelValues(queue, string(deadline)).Inc() }
}

// LedgerAlarms counts the alarms of the ledger by kind: each is a fork, a gap, a rollback, an unequal
// retry, or a checkpoint that could not be copied, and needs a person at once.
func LedgerAlarms(r prometheus.Registerer) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "docket_ledger_alarms_total", Help: "Alarms of the ledger, by kind."}, []string{"kind"})
	r.MustRegister(c)
	return c
}
