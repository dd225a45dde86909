// Package quietlog keeps a chatty component from filling a log: of equal messages it passes the
// first in each interval and counts the others.
package quietlog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// SuppressedKey is the attribute that says how many equal messages were left out before one.
const SuppressedKey = "suppressed"

// maxMessages bounds how many different messages are remembered. Messages are meant to be
// constants; should they not be, forgetting them all costs some repeats.
const maxMessages = 512

// Handler is a slog.Handler that thins equal messages of one level out, whatever their
// attributes. It may be used from any goroutine.
type Handler struct {
	next     slog.Handler
	interval time.Duration
	seen     *seen
}

type seen struct {
	mu   sync.Mutex
	last map[message]*repeats
}

type message struct {
	level slog.Level
	text  string
}

type repeats struct {
	passed     time.Time
	suppressed int
}

var _ slog.Handler = (*Handler)(nil)

// New wraps next. Time is taken from the records, so a test needs no clock.
func New(next slog.Handler, interval time.Duration) *Handler {
	return &Handler{next: next, interval: interval, seen: &seen{last: map[message]*repeats{}}}
}

// Enabled says what next says.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle passes the record on, with SuppressedKey if some were left out before it, or counts it.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	suppressed, pass := h.seen.note(message{r.Level, r.Message}, r.Time, h.interval)
	if !pass {
		return nil
	}
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int(SuppressedKey, suppressed))
	}
	return h.next.Handle(ctx, r)
}

func (s *seen) note(m message, at time.Time, interval time.Duration) (suppressed int, pass bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.last[m]
	if !ok {
		if len(s.last) >= maxMessages {
			clear(s.last)
		}
		s.last[m] = &repeats{passed: at}
		return 0, true
	}
	if at.Sub(last.passed) < interval {
		last.suppressed++
		return 0, false
	}
	suppressed = last.suppressed
	*last = repeats{passed: at}
	return suppressed, true
}

// WithAttrs returns a handler that counts together with this one.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{next: h.next.WithAttrs(attrs), interval: h.interval, seen: h.seen}
}

// WithGroup returns a handler that counts together with this one.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{next: h.next.WithGroup(name), interval: h.interval, seen: h.seen}
}
