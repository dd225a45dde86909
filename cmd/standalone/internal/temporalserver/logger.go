package temporalserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.uber.org/zap/zapcore"

	"github.com/docket-triage/docket/cmd/standalone/internal/quietlog"
)

// repeatInterval is how long equal messages are left out: on a disk that stalls for seconds the
// server complains once for every task that it then tries again.
const repeatInterval = 30 * time.Second

// serverLogger hands the server's warnings and errors to a slog logger.
type serverLogger struct {
	slog   *slog.Logger
	silent *atomic.Bool
}

var (
	_ log.Logger     = (*serverLogger)(nil)
	_ log.WithLogger = (*serverLogger)(nil)
)

// fatalError is what the server declared fatal, with the error it named, if any.
type fatalError struct {
	message string
	cause   error
}

// Error gives the server's message and the cause.
func (e *fatalError) Error() string {
	if e.cause == nil {
		return e.message
	}
	return e.message + ": " + e.cause.Error()
}

// Unwrap returns the cause, or nil.
func (e *fatalError) Unwrap() error { return e.cause }

func newServerLogger(l *slog.Logger) *serverLogger {
	quiet := slog.New(quietlog.New(l.Handler(), repeatInterval))
	return &serverLogger{slog: quiet.With("component", "temporal"), silent: &atomic.Bool{}}
}

// silence drops everything logged from now on, here and in all loggers made by With.
func (l *serverLogger) silence() { l.silent.Store(true) }

func (l *serverLogger) log(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if l.silent.Load() || !l.slog.Enabled(ctx, level) {
		return
	}
	l.slog.LogAttrs(ctx, level, msg, attrs(tags)...)
}

// Debug drops the message: the server says at debug and info what its operators watch, not what
// Docket's need.
func (l *serverLogger) Debug(string, ...tag.Tag) {}

// Info drops the message, as Debug does.
func (l *serverLogger) Info(string, ...tag.Tag) {}

// Warn logs at slog's warning level.
func (l *serverLogger) Warn(msg string, tags ...tag.Tag) { l.log(slog.LevelWarn, msg, tags) }

// Error logs at slog's error level.
func (l *serverLogger) Error(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// DPanic logs at slog's error level; the server goes on, as it does in production.
func (l *serverLogger) DPanic(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// Panic logs at slog's error level and panics, as the server expects it to.
func (l *serverLogger) Panic(msg string, tags ...tag.Tag) { l.Fatal(msg, tags...) }

// Fatal logs at slog's error level and panics with a *fatalError. The server counts on not being
// returned to. While it is being built that becomes Start's error; later it ends the process,
// which loses nothing, since what was acknowledged is on disk.
func (l *serverLogger) Fatal(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	panic(&fatalError{message: msg, cause: errorIn(tags)})
}

// With returns a logger that adds the tags to each message.
func (l *serverLogger) With(tags ...tag.Tag) log.Logger {
	args := make([]any, 0, len(tags))
	for _, a := range attrs(tags) {
		args = append(args, a)
	}
	return &serverLogger{slog: l.slog.With(args...), silent: l.silent}
}

func attrs(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		v := t.Value()
		if s, ok := v.(fmt.Stringer); ok {
			v = s.String()
		}
		out = append(out, slog.Any(t.Key(), v))
	}
	return out
}

// errorIn finds the first error among the tags, or nil.
func errorIn(tags []tag.Tag) error {
	for _, t := range tags {
		z, ok := t.(tag.ZapTag)
		if !ok || z.Field().Type != zapcore.ErrorType {
			continue
		}
		if err, ok := z.Field().Interface.(error); ok {
			return err
		}
	}
	return nil
}
