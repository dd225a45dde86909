package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/docket-triage/docket/casefile"
)

// DefaultBatchSize is how many events a batch of files holds at most when nothing is said.
const DefaultBatchSize = 512

// Options say what Open reads.
type Options struct {
	// Files are paths, plain or gzip (told by the first bytes). The same file twice is an error.
	Files []string
	// Format is FormatAuto when empty.
	Format Format
	// BatchSize is the most events in a batch; 0 means DefaultBatchSize.
	BatchSize int
	// Resume is where an earlier run stopped; "" is the beginning. Files that it does not name are
	// read from their beginning, and it keeps what it says of files that are not given this time.
	Resume Token
	// Rejects is told of each line that is no event, once over all runs, in the order of reading.
	// It may be nil: such lines are counted all the same.
	Rejects func(Reject)
}

// Files is the source Open makes of files: their events merged by time, each file's own order kept.
type Files struct {
	files    []*file
	elsewhen []fileToken // positions in files that are not given this time
	batch    int
	told     int64 // decoded bytes that batches have told of, or that the token skipped
	read     atomic.Int64
	total    int64
	rejected atomic.Int64
	err      error // to be told by the next Next
}

// Open opens files for reading. Several files are merged by the time of the event that each has to
// give next; on a tie the file named first goes first. A file whose lines are not in order of time
// keeps its own order, so the merge is as good as that order. Errors are CodeInvalid for bad
// options, a token that is not ours, and a file shorter than what had been read of it.
func Open(ctx context.Context, o Options) (*Files, error) {
	if len(o.Files) == 0 {
		return nil, casefile.Invalid("files", "name at least one file")
	}
	format, err := ParseFormat(string(o.Format))
	if err != nil {
		return nil, err
	}
	known, err := parseFilesToken(o.Resume)
	if err != nil {
		return nil, err
	}
	s := &Files{batch: o.BatchSize}
	if s.batch <= 0 {
		s.batch = DefaultBatchSize
	}
	err = s.open(ctx, o, format, known)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Files) open(ctx context.Context, o Options, format Format, known []fileToken) error {
	reject := func(r Reject) {
		s.rejected.Add(1)
		if o.Rejects != nil {
			o.Rejects(r)
		}
	}
	seen := map[string]bool{}
	for _, path := range o.Files {
		f, err := openFile(path, format, known, &s.read, reject)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
		s.total += f.pos.Size
		key := f.name + "\x00" + f.pos.Head
		if seen[key] {
			return casefile.Invalid("files", "%s is given twice", f.name)
		}
		seen[key] = true
	}
	for _, k := range known {
		given := false
		for _, f := range s.files {
			same, err := f.sameAs(k)
			if err != nil {
				return err
			}
			given = given || same
		}
		if !given {
			s.elsewhen = append(s.elsewhen, k)
		}
	}
	s.told = s.decoded()
	for _, f := range s.files {
		err := f.advance(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// Next gives the next batch. Behind the last one the error is io.EOF. Any other error (a file that
// cannot be read, broken compression, the end of ctx) comes after the events read before it; the
// last token still holds. A call whose ctx had ended before it loses nothing.
func (s *Files) Next(ctx context.Context) (Batch, error) {
	err := ctx.Err()
	if err != nil {
		return Batch{}, fmt.Errorf("read the next batch: %w", err)
	}
	if s.err != nil {
		return Batch{}, s.err
	}
	var b Batch
	for len(b.Events) < s.batch && s.err == nil {
		f := s.earliest()
		if f == nil {
			s.err = io.EOF
			break
		}
		b.Events = append(b.Events, *f.head)
		s.err = f.advance(ctx)
	}
	decoded := s.decoded()
	b.Bytes, s.told = decoded-s.told, decoded
	if len(b.Events) == 0 && b.Bytes == 0 {
		return Batch{}, s.err
	}
	b.Token, err = s.token()
	if err != nil {
		return Batch{}, err
	}
	return b, nil
}

// earliest is the file with the earliest event to give, nil when all are read.
func (s *Files) earliest() *file {
	var best *file
	for _, f := range s.files {
		if f.head != nil && (best == nil || f.head.At.Before(best.head.At)) {
			best = f
		}
	}
	return best
}

func (s *Files) decoded() int64 {
	var n int64
	for _, f := range s.files {
		n += f.pos.Offset
	}
	return n
}

func (s *Files) token() (Token, error) {
	files := make([]fileToken, 0, len(s.files)+len(s.elsewhen))
	for _, f := range s.files {
		files = append(files, f.pos)
	}
	return formatFilesToken(append(files, s.elsewhen...))
}

// Progress counts stored bytes over all files; those skipped by the token count as read.
func (s *Files) Progress() Progress { return Progress{Done: s.read.Load(), Total: s.total} }

// Rejected counts the lines of this run that were no event.
func (s *Files) Rejected() int64 { return s.rejected.Load() }

// Close closes the files.
func (s *Files) Close() error {
	var all []error
	for _, f := range s.files {
		all = append(all, f.close())
	}
	err := errors.Join(all...)
	if err != nil {
		return fmt.Errorf("close the stream: %w", err)
	}
	return nil
}
