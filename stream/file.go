package stream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/docket-triage/docket/casefile"
)

// file reads the events of one file, one ahead.
type file struct {
	name   string
	f      *os.File
	lines  *bufio.Reader
	format Format
	reject func(Reject)
	start  bool // nothing of the file has been read yet

	pos   fileToken // behind the last event handed out, and the bad lines after it
	after fileToken // behind head
	head  *casefile.Event
	long  []byte // a line that outgrew the reader's buffer
}

var gzipMagic = []byte{0x1f, 0x8b}

// openFile opens a file at the place that the token among known names, or at its beginning.
func openFile(path string, format Format, known []fileToken, read *atomic.Int64, reject func(Reject)) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open a stream file: %w", err)
	}
	out := &file{name: filepath.Base(path), f: f, format: format, reject: reject}
	err = out.begin(known, read)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s: %w", out.name, err), f.Close())
	}
	return out, nil
}

func (f *file) begin(known []fileToken, read *atomic.Int64) error {
	info, err := f.f.Stat()
	if err != nil {
		return fmt.Errorf("ask for the size: %w", err)
	}
	if info.IsDir() {
		return casefile.Invalid("files", "a folder, not a file")
	}
	f.pos = fileToken{Name: f.name, Size: info.Size(), HeadOf: min(info.Size(), headBytes)}
	f.pos.Head, err = headDigest(f.f, f.pos.HeadOf)
	if err != nil {
		return err
	}
	for _, k := range known {
		same, err := f.sameAs(k)
		if err != nil {
			return err
		}
		if same {
			f.pos.Offset, f.pos.Line = k.Offset, k.Line
		}
	}
	return f.seek(read)
}

// sameAs reports whether k was said of this file, which may have grown since.
func (f *file) sameAs(k fileToken) (bool, error) {
	if k.Name != f.name || k.HeadOf > f.pos.Size {
		return false, nil
	}
	if k.HeadOf == f.pos.HeadOf {
		return k.Head == f.pos.Head, nil
	}
	head, err := headDigest(f.f, k.HeadOf)
	if err != nil {
		return false, err
	}
	return k.HeadOf > 0 && k.Head == head, nil
}

// seek puts the reader at f.pos. A compressed file is read up to there.
func (f *file) seek(read *atomic.Int64) error {
	magic := make([]byte, len(gzipMagic))
	n, err := f.f.ReadAt(magic, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the first bytes: %w", err)
	}
	counted := &countingReader{r: f.f, n: read}
	if bytes.Equal(magic[:n], gzipMagic) {
		zr, err := gzip.NewReader(counted)
		if err != nil {
			return fmt.Errorf("open as gzip: %w", err)
		}
		skipped, err := io.CopyN(io.Discard, zr, f.pos.Offset)
		if errors.Is(err, io.EOF) {
			return casefile.Invalid("token", "the file holds %d bytes, but %d had been read of it", skipped, f.pos.Offset)
		}
		if err != nil {
			return fmt.Errorf("skip what had been read: %w", err)
		}
		f.lines = bufio.NewReaderSize(zr, 64<<10)
	} else {
		if f.pos.Offset > f.pos.Size {
			return casefile.Invalid("token", "the file holds %d bytes, but %d had been read of it", f.pos.Size, f.pos.Offset)
		}
		_, err = f.f.Seek(f.pos.Offset, io.SeekStart)
		if err != nil {
			return fmt.Errorf("skip what had been read: %w", err)
		}
		read.Add(f.pos.Offset)
		f.lines = bufio.NewReaderSize(counted, 64<<10)
	}
	f.start = f.pos.Offset == 0
	return nil
}

// advance counts the head as handed out and reads up to the next event, if there is one. Lines
// that are no event go to the sink.
func (f *file) advance(ctx context.Context) error {
	if f.head != nil {
		f.pos, f.head = f.after, nil
	}
	for {
		err := ctx.Err()
		if err != nil {
			return fmt.Errorf("read %s: %w", f.name, err)
		}
		line, size, fits, err := f.line()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s at line %d: %w", f.name, f.pos.Line+1, err)
		}
		next := f.pos
		next.Offset += size
		next.Line++
		e, skip, err := f.decode(line, fits)
		if err == nil && !skip {
			f.head, f.after = &e, next
			return nil
		}
		f.pos = next
		if err != nil {
			f.reject(Reject{File: f.name, Line: next.Line, Err: err})
		}
	}
}

func (f *file) decode(line []byte, fits bool) (e casefile.Event, skip bool, err error) {
	if f.start {
		f.start = false
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	if !fits || len(line) > casefile.MaxEventBytes {
		return e, false, &casefile.Error{
			Code:    casefile.CodeTooLarge,
			Message: fmt.Sprintf("a line of more than %d bytes", casefile.MaxEventBytes),
		}
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return e, true, nil
	}
	format := f.format
	if format == FormatAuto {
		format = recognise(line)
		if format == "" {
			return e, false, casefile.Errorf(casefile.CodeInvalid, "not a line of any format that is read")
		}
		f.format = format
	}
	e, err = format.decode(line)
	return e, false, err
}

// line reads one line. size counts its end too; fits is false, and line empty, when it is longer
// than an event may be. The line is good until the next call.
func (f *file) line() (line []byte, size int64, fits bool, err error) {
	fits = true
	f.long = f.long[:0]
	for {
		part, err := f.lines.ReadSlice('\n')
		size += int64(len(part))
		if fits && len(f.long)+len(part) > casefile.MaxEventBytes+2 { // an end of two bytes is no part of it
			fits, f.long = false, f.long[:0]
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if fits {
				f.long = append(f.long, part...)
			}
			continue
		case errors.Is(err, io.EOF) && size > 0:
			// The last line may lack its end.
		case err != nil:
			return nil, 0, false, err
		}
		if !fits {
			return nil, size, false, nil
		}
		if len(f.long) > 0 {
			f.long = append(f.long, part...)
			part = f.long
		}
		return bytes.TrimRight(part, "\r\n"), size, true, nil
	}
}

func (f *file) close() error {
	err := f.f.Close()
	if err != nil {
		return fmt.Errorf("close %s: %w", f.name, err)
	}
	return nil
}

// countingReader counts what is read through it.
type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

// Read reads from the reader beneath.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
