package main

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/docket-triage/docket/stream"
)

// accountCounter counts the different accounts of a replay as its events pass by. It keeps a hash
// for each, which is right for files and wrong for an endless stream.
type accountCounter struct {
	stream.Source
	seed  maphash.Seed
	seen  map[uint64]struct{}
	count atomic.Int64
}

func countAccounts(s stream.Source) *accountCounter {
	return &accountCounter{Source: s, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// Next gives the next batch of the source.
func (c *accountCounter) Next(ctx context.Context) (stream.Batch, error) {
	batch, err := c.Source.Next(ctx)
	for _, e := range batch.Events {
		c.seen[maphash.String(c.seed, e.Platform+"\x00"+e.Account.ID)] = struct{}{}
	}
	c.count.Store(int64(len(c.seen)))
	return batch, err
}
