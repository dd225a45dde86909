package telling

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// FromRecords gives the outbox that the records keep.
func FromRecords(rows records.Tellings) Outbox { return outbox{rows} }

// Wake gives a channel that is told when the records' feed tells of a telling, or has lost something;
// for Options.Wake. It is closed when ctx ends.
func Wake(ctx context.Context, feed records.Feed) <-chan struct{} {
	out := make(chan struct{}, 1)
	changes := feed.Changes(ctx)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case c, open := <-changes:
				if !open {
					return
				}
				if c.Kind != records.ChangeTelling && c.Kind != "" {
					continue
				}
			}
			select {
			case out <- struct{}{}:
			default: // the last one has not been heard yet
			}
		}
	}()
	return out
}

type outbox struct{ rows records.Tellings }

// RowOf is the row that the records keep of a message, for projections, which write theirs themselves.
func RowOf(m Message) records.TellingRow {
	return records.TellingRow{
		ID: m.ID, Kind: string(m.Kind), Page: m.Urgency == Page, Team: m.Team, Queue: m.Queue, Platform: m.Platform,
		Case: m.Case, Subject: m.Subject, DueAt: m.DueAt, At: m.At,
	}
}

func urgencyOf(page bool) Urgency {
	if page {
		return Page
	}
	return Notice
}

func messageOf(r records.TellingRow) Message {
	return Message{
		ID: r.ID, Kind: Kind(r.Kind), Urgency: urgencyOf(r.Page), Team: r.Team, Queue: r.Queue, Platform: r.Platform,
		Case: r.Case, Subject: r.Subject, DueAt: r.DueAt, At: r.At,
	}
}

func (o outbox) PutTelling(ctx context.Context, m Message) error {
	err := m.Validate()
	if err != nil {
		return &casefile.Error{Code: casefile.CodeInvalid, Op: "put a telling", Message: "it is not sound", Err: err}
	}
	return o.rows.PutTelling(ctx, RowOf(m))
}

func (o outbox) UnroutedTellings(ctx context.Context, limit int) ([]Message, error) {
	rows, err := o.rows.UnroutedTellings(ctx, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Message, 0, len(rows))
	for _, r := range rows {
		out = append(out, messageOf(r))
	}
	return out, nil
}

func (o outbox) RouteTelling(ctx context.Context, id string, channels []string, now time.Time) error {
	return o.rows.RouteTelling(ctx, id, channels, now)
}

func (o outbox) RerouteTellings(ctx context.Context) error { return o.rows.RerouteTellings(ctx) }

func (o outbox) TakeTelling(ctx context.Context, channel string, now, until time.Time) (Row, bool, error) {
	t, ok, err := o.rows.TakeTelling(ctx, channel, now, until)
	if err != nil || !ok {
		return Row{}, false, err
	}
	return Row{Message: messageOf(t.TellingRow), Channel: t.Channel, Attempts: t.Attempts}, true, nil
}

func (o outbox) TellingSent(ctx context.Context, id, channel string, at time.Time) error {
	return o.rows.TellingSent(ctx, id, channel, at)
}

func (o outbox) TellingFailed(ctx context.Context, id, channel string, code Code, nextTry time.Time) error {
	return o.rows.TellingFailed(ctx, id, channel, string(code), nextTry)
}

func (o outbox) TellingUndelivered(ctx context.Context, id, channel string, code Code, at time.Time) error {
	return o.rows.TellingUndelivered(ctx, id, channel, string(code), at)
}

func (o outbox) TellingsWaiting(ctx context.Context) ([]Waiting, error) {
	list, err := o.rows.TellingsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Waiting, 0, len(list))
	for _, w := range list {
		out = append(out, Waiting{Channel: w.Channel, Urgency: urgencyOf(w.Page), Count: w.Count, OldestAt: w.OldestAt})
	}
	return out, nil
}
