package relational

import (
	"context"
	"sync"

	"github.com/docket-triage/docket/records"
)

// feedBuffer is how many changes a reader may fall behind before it loses some.
const feedBuffer = 256

// Feed tells the readers in this process of committed changes. Publishing never blocks. Make it
// with NewFeed.
type Feed struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	closed bool
}

type subscriber struct {
	ch chan records.Change
	// lost is set once the channel's last slot was given to the empty Change. Until the reader
	// has read that one, which is the last in the channel, further changes add nothing to it.
	lost bool
}

// NewFeed makes a feed without readers.
func NewFeed() *Feed { return &Feed{subs: map[*subscriber]struct{}{}} }

// Changes returns a channel that gets changes until ctx ends or the feed closes, and is closed then.
func (f *Feed) Changes(ctx context.Context) <-chan records.Change {
	sub := &subscriber{ch: make(chan records.Change, feedBuffer)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(sub.ch)
		return sub.ch
	}
	f.subs[sub] = struct{}{}
	context.AfterFunc(ctx, func() { f.drop(sub) })
	return sub.ch
}

func (f *Feed) drop(sub *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.subs[sub]; ok {
		delete(f.subs, sub)
		close(sub.ch)
	}
}

// Publish tells every reader of the changes. A reader who has fallen behind gets one empty Change
// for all that it missed.
func (f *Feed) Publish(changes []records.Change) {
	if len(changes) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for sub := range f.subs {
		for _, c := range changes {
			sub.send(c)
		}
	}
}

// send runs under the feed's lock, so that the channel can only get emptier meanwhile: it never blocks.
func (s *subscriber) send(c records.Change) {
	switch {
	case s.lost && len(s.ch) > 0:
	case len(s.ch) == cap(s.ch)-1:
		s.lost = true
		s.ch <- records.Change{}
	default:
		s.lost = false
		s.ch <- c
	}
}

// Close ends every channel; later ones are closed from the start.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for sub := range f.subs {
		delete(f.subs, sub)
		close(sub.ch)
	}
}
