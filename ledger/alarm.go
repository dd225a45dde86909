package ledger

import (
	"context"
	"log/slog"

	"github.com/docket-triage/docket/casefile"
)

// AlarmKind says what an alarm is about.
type AlarmKind string

// The kinds of alarm. None of them can come from a retry: each means a fault in a program, or
// somebody's hand, but for AlarmCopy, which may be a disk's.
const (
	AlarmConflict AlarmKind = "conflict" // a known event id came with other bytes
	AlarmFork     AlarmKind = "fork"     // an entry names another predecessor than the log holds
	AlarmGap      AlarmKind = "gap"      // an entry's predecessor is not in the log
	AlarmRollback AlarmKind = "rollback" // the log is shorter than it was, or was replaced
	AlarmCopy     AlarmKind = "copy"     // a checkpoint could not be copied to its second place; once for a row of failures
)

// Alarm is something that a person has to look at. It holds no content.
type Alarm struct {
	Kind  AlarmKind
	Event casefile.EventID // "" for AlarmRollback and AlarmCopy
	// Known is the EntryHash in the log, Offered the one that came; "" where there is none.
	Known, Offered string
}

func (l *Log) alarm(ctx context.Context, a Alarm) {
	l.logger.ErrorContext(ctx, "ledger alarm", slog.String("kind", string(a.Kind)),
		slog.String("event", string(a.Event)), slog.String("known", a.Known), slog.String("offered", a.Offered))
	if l.onAlarm != nil {
		l.onAlarm(a)
	}
}
