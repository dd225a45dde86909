package tellingtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/docket-triage/docket/telling"
)

// State is what became of a message on a channel.
type State string

// The states.
const (
	Waiting     State = "waiting"
	Sent        State = "sent"
	Undelivered State = "undelivered"
)

// Delivery is a message on a channel.
type Delivery struct {
	State    State
	Attempts int
	Code     telling.Code // of the last failure
	At       time.Time    // when it was sent or given up, otherwise of its next try
}

// Memory is an outbox that keeps everything in memory. Its zero value is empty and ready.
type Memory struct {
	mu   sync.Mutex
	rows []*row
}

type row struct {
	message    telling.Message
	routed     bool
	deliveries map[string]*Delivery
}

var _ telling.Outbox = (*Memory)(nil)

// Delivery says what became of a message on a channel; ok is false if it is not due there.
func (m *Memory) Delivery(id, channel string) (d Delivery, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.delivery(id, channel)
	if found == nil {
		return Delivery{}, false
	}
	return *found, true
}

func (m *Memory) row(id string) *row {
	i := slices.IndexFunc(m.rows, func(r *row) bool { return r.message.ID == id })
	if i < 0 {
		return nil
	}
	return m.rows[i]
}

func (m *Memory) delivery(id, channel string) *Delivery {
	r := m.row(id)
	if r == nil {
		return nil
	}
	return r.deliveries[channel]
}

// PutTelling implements telling.Outbox.
func (m *Memory) PutTelling(_ context.Context, msg telling.Message) error {
	err := msg.Validate()
	if err != nil {
		return fmt.Errorf("put a telling: %w", err)
	}
	m.PutUnchecked(msg)
	return nil
}

// PutUnchecked puts what PutTelling may refuse, as a newer version of the program might have.
func (m *Memory) PutUnchecked(msg telling.Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.row(msg.ID) == nil {
		m.rows = append(m.rows, &row{message: msg, deliveries: map[string]*Delivery{}})
	}
}

// UnroutedTellings implements telling.Outbox.
func (m *Memory) UnroutedTellings(_ context.Context, limit int) ([]telling.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []telling.Message
	for _, r := range m.rows {
		if !r.routed && len(out) < limit {
			out = append(out, r.message)
		}
	}
	return out, nil
}

// RouteTelling implements telling.Outbox.
func (m *Memory) RouteTelling(_ context.Context, id string, channels []string, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.row(id)
	if r == nil {
		return nil
	}
	r.routed = true
	for channel, d := range r.deliveries {
		if d.State == Waiting && !slices.Contains(channels, channel) {
			delete(r.deliveries, channel)
		}
	}
	for _, channel := range channels {
		if r.deliveries[channel] == nil {
			r.deliveries[channel] = &Delivery{State: Waiting, At: now}
		}
	}
	return nil
}

// RerouteTellings implements telling.Outbox.
func (m *Memory) RerouteTellings(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		for _, d := range r.deliveries {
			if d.State == Waiting {
				r.routed = false
			}
		}
	}
	return nil
}

// TakeTelling implements telling.Outbox.
func (m *Memory) TakeTelling(_ context.Context, channel string, now, until time.Time) (telling.Row, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []*row
	for _, r := range m.rows {
		d := r.deliveries[channel]
		if d != nil && d.State == Waiting && !d.At.After(now) {
			due = append(due, r)
		}
	}
	if len(due) == 0 {
		return telling.Row{}, false, nil
	}
	urgency := map[telling.Urgency]int{telling.Page: 0, telling.Notice: 1}
	r := slices.MinFunc(due, func(a, b *row) int { // the first put of equals
		x, y := a.deliveries[channel], b.deliveries[channel]
		c := cmp.Or(
			cmp.Compare(urgency[a.message.Urgency], urgency[b.message.Urgency]),
			cmp.Compare(min(x.Attempts, 1), min(y.Attempts, 1)),
		)
		if c == 0 && x.Attempts > 0 {
			c = x.At.Compare(y.At)
		}
		return c
	})
	d := r.deliveries[channel]
	d.At = until
	return telling.Row{Message: r.message, Channel: channel, Attempts: d.Attempts}, true, nil
}

// settle changes what waits; everything else stands.
func (m *Memory) settle(id, channel string, change func(d *Delivery)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.delivery(id, channel)
	if d != nil && d.State == Waiting {
		change(d)
	}
}

// TellingSent implements telling.Outbox.
func (m *Memory) TellingSent(_ context.Context, id, channel string, at time.Time) error {
	m.settle(id, channel, func(d *Delivery) { d.State, d.At = Sent, at })
	return nil
}

// TellingFailed implements telling.Outbox.
func (m *Memory) TellingFailed(_ context.Context, id, channel string, code telling.Code, nextTry time.Time) error {
	m.settle(id, channel, func(d *Delivery) { d.Attempts, d.Code, d.At = d.Attempts+1, code, nextTry })
	return nil
}

// TellingUndelivered implements telling.Outbox.
func (m *Memory) TellingUndelivered(_ context.Context, id, channel string, code telling.Code, at time.Time) error {
	m.settle(id, channel, func(d *Delivery) {
		d.Attempts, d.Code, d.State, d.At = d.Attempts+1, code, Undelivered, at
	})
	return nil
}

// TellingsWaiting implements telling.Outbox.
func (m *Memory) TellingsWaiting(context.Context) ([]telling.Waiting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []telling.Waiting
	count := func(channel string, msg telling.Message) {
		i := slices.IndexFunc(out, func(w telling.Waiting) bool { return w.Channel == channel && w.Urgency == msg.Urgency })
		if i < 0 {
			out = append(out, telling.Waiting{Channel: channel, Urgency: msg.Urgency, OldestAt: msg.At})
			i = len(out) - 1
		}
		out[i].Count++
		if msg.At.Before(out[i].OldestAt) {
			out[i].OldestAt = msg.At
		}
	}
	for _, r := range m.rows {
		if !r.routed {
			count("", r.message)
			continue
		}
		for channel, d := range r.deliveries {
			if d.State == Waiting {
				count(channel, r.message)
			}
		}
	}
	return out, nil
}
