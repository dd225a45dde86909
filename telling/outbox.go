package telling

import (
	"context"
	"time"
)

// Row is one message on its way over one channel.
type Row struct {
	Message
	Channel string
	// Attempts is how often the channel has failed with it.
	Attempts int
}

// Waiting counts what has not been told on a channel yet.
type Waiting struct {
	Channel  string // "" for what has not been routed
	Urgency  Urgency
	Count    int
	OldestAt time.Time // the lowest At of them
}

// Outbox holds tellings until every channel that is due to tell them has. It keeps one state for each
// message and channel: waiting, sent or undelivered; the last two are final. A message is open while it
// has not been routed or one of its channels waits.
//
// Several processes may drain one outbox: TakeTelling reserves what it gives. Whoever dies in between
// leaves a message that is told again, under the same id. tellingtest.Exercise holds an outbox to this.
type Outbox interface {
	// PutTelling adds a message that no transaction of its own writes, to be routed. An id that is there
	// already changes nothing, ever. The error is CodeInvalid for a message that Validate refuses.
	PutTelling(ctx context.Context, m Message) error
	// UnroutedTellings lists messages that wait to be routed, in the order in which they were put.
	UnroutedTellings(ctx context.Context, limit int) ([]Message, error)
	// RouteTelling says on which channels a message is due, from now on. A channel that is new to the
	// message waits; one that waited and is not named is dropped; a final state stays. With no channel
	// waiting the message is no longer open. An unknown id changes nothing.
	RouteTelling(ctx context.Context, id string, channels []string, now time.Time) error
	// RerouteTellings makes every open message wait to be routed again: the configuration may have
	// changed. What has been sent stays sent, and attempts stay counted.
	RerouteTellings(ctx context.Context) error
	// TakeTelling gives a message that is due on a channel at now and lets nobody else have it before
	// until. Pages come before notices; of each, first what has not failed yet, in the order in which it
	// was put, then what has, by the time of its next try. ok is false if nothing is due.
	TakeTelling(ctx context.Context, channel string, now, until time.Time) (row Row, ok bool, err error)
	// TellingSent notes that a channel has told a message.
	TellingSent(ctx context.Context, id, channel string, at time.Time) error
	// TellingFailed notes that a channel failed and when it is tried again; one attempt more is counted.
	TellingFailed(ctx context.Context, id, channel string, code Code, nextTry time.Time) error
	// TellingUndelivered notes that a channel failed and is not tried again.
	TellingUndelivered(ctx context.Context, id, channel string, code Code, at time.Time) error
	// TellingsWaiting counts what waits, by channel and urgency; what has not been routed under "".
	TellingsWaiting(ctx context.Context) ([]Waiting, error)
}
