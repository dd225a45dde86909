package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// pollEvery is how often the checkpoint is read while somebody waits for one.
const pollEvery = 5 * time.Millisecond

// publication lets many callers wait for a published checkpoint while one of them polls for all.
type publication struct {
	read func(context.Context) ([]byte, error)

	mu      sync.Mutex
	raw     []byte
	size    uint64
	err     error         // of the last read
	changed chan struct{} // closed after each read while somebody waits
	waiting int
	polling bool
}

// wait returns a checkpoint of more than index entries. It gives up when ctx or stop is done.
func (p *publication) wait(ctx context.Context, stop <-chan struct{}, index uint64) (raw []byte, size uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size > index {
		return p.raw, p.size, nil
	}
	p.waiting++
	defer func() { p.waiting-- }()
	if !p.polling {
		p.polling = true
		p.changed = make(chan struct{})
		go p.poll(context.WithoutCancel(ctx))
	}
	for p.size <= index {
		changed := p.changed
		p.mu.Unlock()
		stopped := false
		select {
		case <-changed:
		case <-ctx.Done():
		case <-stop:
			stopped = true
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return nil, 0, fmt.Errorf("wait for a checkpoint: %w", errors.Join(ctx.Err(), p.err))
		}
		if stopped && p.size <= index {
			return nil, 0, casefile.Errorf(casefile.CodeUnavailable, "the ledger was closed")
		}
	}
	return p.raw, p.size, nil
}

// poll reads the checkpoint until nobody waits any more.
func (p *publication) poll(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		raw, err := p.read(ctx)
		var size uint64
		if err == nil {
			size, err = checkpointSize(raw)
		}
		p.mu.Lock()
		p.err = err
		if errors.Is(err, os.ErrNotExist) {
			p.err = nil
		}
		if err == nil && size >= p.size {
			p.raw, p.size = raw, size
		}
		close(p.changed)
		p.changed = make(chan struct{})
		if p.waiting == 0 {
			p.polling = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		<-tick.C
	}
}
