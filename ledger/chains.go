package ledger

import (
	"context"
	"fmt"
	"sync"
)

// chainLocks gives each chain a lock of its own for as long as somebody holds or wants it: what
// Append looked up about a chain stays true until it has appended.
type chainLocks struct {
	mu    sync.Mutex
	locks map[string]*chainLock
}

type chainLock struct {
	users int
	held  chan struct{} // holds one token while locked
}

// lock waits for the chain's lock, or for ctx. The release it returns is called once.
func (c *chainLocks) lock(ctx context.Context, chain string) (release func(), err error) {
	c.mu.Lock()
	if c.locks == nil {
		c.locks = map[string]*chainLock{}
	}
	l := c.locks[chain]
	if l == nil {
		l = &chainLock{held: make(chan struct{}, 1)}
		c.locks[chain] = l
	}
	l.users++
	c.mu.Unlock()
	select {
	case l.held <- struct{}{}:
		return func() {
			<-l.held
			c.leave(chain, l)
		}, nil
	case <-ctx.Done():
		c.leave(chain, l)
		return nil, fmt.Errorf("wait for the chain: %w", ctx.Err())
	}
}

func (c *chainLocks) leave(chain string, l *chainLock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.users--
	if l.users == 0 {
		delete(c.locks, chain)
	}
}
