package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

const (
	// channel is what the database's changes are told on.
	channel = "docket_records"
	// maxTold bounds how many changes a transaction tells one by one.
	maxTold = 100
	// maxPayload is below the 8,000 bytes that PostgreSQL takes.
	maxPayload = 7000

	// askAfter is how long the listener hears nothing before it asks whether the server is there.
	askAfter = 15 * time.Second
	// answerWithin is how long the server has for that.
	answerWithin = 5 * time.Second
	// longestRetry bounds the pause before the listener connects again.
	longestRetry = 5 * time.Second
)

// notice is a change as it is told: its kind and key.
type notice struct {
	Kind records.ChangeKind `json:"kind,omitempty"`
	Case casefile.CaseRef   `json:"case,omitempty"`
	Flag casefile.FlagKey   `json:"flag,omitempty"`
	ID   string             `json:"id,omitempty"`
}

// announce hands the transaction's changes to the server, which tells them once it is committed.
func (c *conn) announce(ctx context.Context) error {
	told, err := payloads(c.changes)
	if err != nil || len(told) == 0 {
		return err
	}
	_, err = c.tx.ExecContext(ctx, "SELECT pg_notify($1, told) FROM unnest($2::text[]) AS told", channel, told)
	if err != nil {
		return fmt.Errorf("announce changes: %w", err)
	}
	return nil
}

// payloads is changes as they are told. Too many of them, or one that is too long, are told as "look
// at everything".
func payloads(changes []records.Change) ([]string, error) {
	var list []string
	for _, change := range changes {
		text, err := json.Marshal(notice(change))
		if err != nil {
			return nil, fmt.Errorf("marshal change: %w", err)
		}
		if len(text) > maxPayload || len(list) == maxTold {
			return []string{"{}"}, nil
		}
		list = append(list, string(text))
	}
	return list, nil
}

// listener hears what all processes tell, this one included, and hands it to the feed.
type listener struct {
	config *pgx.ConnConfig
	feed   *relational.Feed
	logger *slog.Logger
}

// connect opens a connection that hears the changes committed from now on.
func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "LISTEN "+channel)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// run listens until ctx ends, and connects again whenever the connection is lost. What was told in
// between is lost: the feed then says to look at everything.
func (l *listener) run(ctx context.Context, conn *pgx.Conn) {
	for {
		err := l.listen(ctx, conn)
		_ = conn.Close(context.WithoutCancel(ctx)) // it is of no use any more
		if ctx.Err() != nil {
			return
		}
		l.logger.WarnContext(ctx, "records: the feed of changes has lost its connection", slog.Any("error", err))
		conn = l.reconnect(ctx)
		if conn == nil {
			return
		}
		l.logger.InfoContext(ctx, "records: the feed of changes is connected again")
		l.feed.Publish([]records.Change{{}})
	}
}

// reconnect tries until it has a connection; nil once ctx has ended.
func (l *listener) reconnect(ctx context.Context) *pgx.Conn {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, longestRetry) {
		conn, err := l.connect(ctx)
		if err == nil {
			return conn
		}
		err = wait(ctx, pause/2+rand.N(pause/2))
		if err != nil {
			return nil
		}
	}
}

// listen hands on what it hears until the connection is lost or ctx ends.
func (l *listener) listen(ctx context.Context, conn *pgx.Conn) error {
	for {
		silence, stop := context.WithTimeout(ctx, askAfter)
		heard, err := conn.WaitForNotification(silence)
		stop()
		switch {
		case err == nil:
			l.feed.Publish([]records.Change{decode(heard.Payload)})
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			asked, stop := context.WithTimeout(ctx, answerWithin)
			err = conn.Ping(asked)
			stop()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// decode reads what a process told. Whatever it is not, it may be news: look at everything.
func decode(payload string) records.Change {
	var n notice
	err := json.Unmarshal([]byte(payload), &n)
	if err != nil {
		return records.Change{}
	}
	return records.Change(n)
}
