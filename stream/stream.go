// Package stream reads streams of events and hands them on in ordered batches, each with a token
// from which a later run goes on.
package stream

import (
	"context"

	"github.com/docket-triage/docket/casefile"
)

// Token says how far a source has been read. It is opaque to everyone but the source that gave it;
// the empty token is the beginning.
type Token string

// Batch is a run of events in the source's order. Token stands behind the last of them: whoever
// has dealt with the batch keeps Token and has the next run go on there, so that nothing is read
// twice. A batch may hold no event and only move the token on. Bytes are the decoded bytes of the
// lines it was made from, malformed ones included.
type Batch struct {
	Events []casefile.Event
	Token  Token
	Bytes  int64
}

// Progress is how much of a source has been read, in bytes as they are stored (compressed ones
// where the source is compressed).
type Progress struct {
	Done, Total int64
}

// Fraction is Done of Total, 0 to 1; an empty source is done.
func (p Progress) Fraction() float64 {
	if p.Total <= 0 {
		return 1
	}
	return min(1, float64(p.Done)/float64(p.Total))
}

// Source is a stream of events. Next belongs to one goroutine; Progress may be asked from any.
type Source interface {
	// Next gives the next batch. The error is io.EOF behind the last one.
	Next(ctx context.Context) (Batch, error)
	// Progress says how much has been read.
	Progress() Progress
	// Close frees what the source holds open.
	Close() error
}
