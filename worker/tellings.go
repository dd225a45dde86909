package worker

import (
	"context"
	"time"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
)

// TellingOutbox makes the tellings of the records an outbox for package telling: neither knows of the
// other.
func TellingOutbox(rows records.Tellings) telling.Outbox { return outbox{rows} }

type outbox struct{ rows records.Tellings }

func (o outbox) PutTelling(ctx context.Context, m telling.Message) error {
	err := m.Validate()
	if err != nil {
		return err
	}
	return o.rows.PutTelling(ctx, records.TellingRow{
		ID: m.ID, Kind: string(m.Kind), Page: m.Urgency == telling.Page, Team: m.Team, Queue: m.Queue, Platform: m.Platform,
		Case: m.Case, Subject: m.Subject, DueAt: m.DueAt, At: m.At,
	})
}

func message(r records.TellingRow) telling.Message {
	m := telling.Message{
		ID: r.ID, Kind: telling.Kind(r.Kind), Urgency: urgency(r.Page), Team: r.Team, Queue: r.Queue, Platform: r.Platform,
		Case: r.Case, Subject: r.Subject, DueAt: r.DueAt, At: r.At,
	}
	return m
}

func urgency(page bool) telling.Urgency {
	if page {
		return telling.Page
	}
	return telling.Notice
}

func (o outbox) UnroutedTellings(ctx context.Context, limit int) ([]telling.Message, error) {
	rows, err := o.rows.UnroutedTellings(ctx, limit)
	if err != nil {
		return nil, err
	}
	out := make([]telling.Message, len(rows))
	for i, r := range rows {
		out[i] = message(r)
	}
	return out, nil
}

func (o outbox) RouteTelling(ctx context.Context, id string, channels []string, now time.Time) error {
	return o.rows.RouteTelling(ctx, id, channels, now)
}

func (o outbox) RerouteTellings(ctx context.Context) error { return o.rows.RerouteTellings(ctx) }

func (o outbox) TakeTelling(ctx context.Context, channel string, now, until time.Time) (telling.Row, bool, error) {
	t, ok, err := o.rows.TakeTelling(ctx, channel, now, until)
	if err != nil || !ok {
		return telling.Row{}, false, err
	}
	return telling.Row{Message: message(t.TellingRow), Channel: t.Channel, Attempts: t.Attempts}, true, nil
}

func (o outbox) TellingSent(ctx context.Context, id, channel string, at time.Time) error {
	return o.rows.TellingSent(ctx, id, channel, at)
}

func (o outbox) TellingFailed(ctx context.Context, id, channel string, code telling.Code, nextTry time.Time) error {
	return o.rows.TellingFailed(ctx, id, channel, string(code), nextTry)
}

func (o outbox) TellingUndelivered(ctx context.Context, id, channel string, code telling.Code, at time.Time) error {
	return o.rows.TellingUndelivered(ctx, id, channel, string(code), at)
}

func (o outbox) TellingsWaiting(ctx context.Context) ([]telling.Waiting, error) {
	rows, err := o.rows.TellingsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]telling.Waiting, len(rows))
	for i, w := range rows {
		out[i] = telling.Waiting{Channel: w.Channel, Urgency: urgency(w.Page), Count: w.Count, OldestAt: w.OldestAt}
	}
	return out, nil
}
