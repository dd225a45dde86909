package intake

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// LineResult is the answer to one line of NDJSON (docs/formats/api.md). Line counts from 1 and
// counts blank lines, which get no answer. Exactly one of Status and Error is set.
type LineResult struct {
	Line   int                `json:"line"`
	ID     string             `json:"id,omitempty"`
	Status records.FlagStatus `json:"status,omitempty"`
	Case   casefile.CaseRef   `json:"case,omitempty"`
	Error  *LineError         `json:"error,omitempty"`
}

// LineError says why a line was refused.
type LineError struct {
	Code    casefile.Code `json:"code"`
	Field   string        `json:"field,omitempty"`
	Message string        `json:"message"`
}

// Lines takes many flags in, one a line, and gives each line's answer to emit in the order of the
// lines. A bad line spoils no other, and a line does not wait for its case. Lines with the same id
// are taken in their order. It returns CodeForbidden, or the first error of r or of emit; lines
// before it are taken in all the same.
func (d *Door) Lines(ctx context.Context, who access.Who, r io.Reader, emit func(LineResult) error) error {
	err := who.Require(access.FlagSubmit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan chan LineResult, d.o.Parallel)
	read := make(chan error, 1)
	go func() {
		defer close(answers)
		read <- d.dispatch(ctx, who.Person, r, answers)
	}()
	var failed error
	for slot := range answers {
		answer := <-slot
		if failed != nil {
			continue
		}
		failed = emit(answer)
		if failed != nil {
			cancel()
		}
	}
	err = <-read
	if failed != nil {
		return fmt.Errorf("answer a line: %w", failed)
	}
	if err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	return nil
}

// dispatch reads lines and starts the work on each; the capacity of answers bounds what is in work.
func (d *Door) dispatch(ctx context.Context, source casefile.Person, r io.Reader, answers chan<- chan LineResult) error {
	lines := newLineReader(r)
	busy := map[casefile.FlagKey]chan struct{}{} // by flag, closed when its last line is done
	for {
		line, err := lines.next()
		if errors.Is(err, errEnd) {
			return nil
		}
		var tooLong *casefile.Error
		if err != nil && !errors.As(err, &tooLong) {
			return err
		}
		slot := make(chan LineResult, 1)
		select {
		case answers <- slot:
		case <-ctx.Done():
			return ctx.Err()
		}
		number := lines.number
		if err != nil {
			d.metrics.count(err)
			slot <- LineResult{Line: number, Error: lineError(err)}
			continue
		}
		flag, err := casefile.DecodeFlag(line)
		if err != nil {
			d.metrics.count(err)
			slot <- LineResult{Line: number, ID: flag.ID, Error: lineError(err)}
			continue
		}
		key := d.o.Identity.Flag(flag.Platform, flag.ID)
		before, done := busy[key], make(chan struct{})
		busy[key] = done
		if len(busy) > 4*d.o.Parallel {
			forget(busy)
		}
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			result, err := d.take(ctx, source, flag, 0)
			if err != nil {
				d.logFailure(ctx, err)
				slot <- LineResult{Line: number, ID: flag.ID, Error: lineError(err)}
				return
			}
			slot <- LineResult{Line: number, ID: result.ID, Status: result.Status, Case: result.Case}
		}()
	}
}

// forget drops the flags whose lines are done.
func forget(busy map[casefile.FlagKey]chan struct{}) {
	for key, done := range busy {
		select {
		case <-done:
			delete(busy, key)
		default:
		}
	}
}

// logFailure logs what is not the caller's fault: the answer's line does not say it.
func (d *Door) logFailure(ctx context.Context, err error) {
	switch code := casefile.ErrorCode(err); code {
	case casefile.CodeInternal, casefile.CodeUnavailable:
		d.o.Log.LogAttrs(ctx, slog.LevelWarn, "flag of a stream not taken in", slog.String("code", string(code)), slog.String("error", casefile.PlainError(err)))
	}
}

func lineError(err error) *LineError {
	var e *casefile.Error
	if !errors.As(err, &e) || e.Code == casefile.CodeInternal {
		return &LineError{Code: casefile.CodeInternal, Message: "internal error"}
	}
	return &LineError{Code: e.Code, Field: e.Field, Message: e.Message}
}

// lineReader splits NDJSON into lines of bounded length.
type lineReader struct {
	r      *bufio.Reader
	number int // of the line last returned, from 1
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line that is not blank, without its end, as a slice of its own. A line over
// the limit of a flag is skipped whole and gives a CodeTooLarge error. errEnd ends it.
func (l *lineReader) next() ([]byte, error) {
	for {
		var line []byte
		long := false
		for {
			part, err := l.r.ReadSlice('\n')
			if len(line)+len(part) > casefile.MaxFlagBytes+2 { // the line's end is not part of the flag
				long, line = true, line[:0]
			}
			if !long {
				line = append(line, part...)
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if errors.Is(err, io.EOF) {
				if len(line) == 0 && !long {
					return nil, errEnd
				}
				break
			}
			if err != nil {
				return nil, err
			}
			break
		}
		l.number++
		if long {
			return nil, &casefile.Error{Code: casefile.CodeTooLarge, Message: fmt.Sprintf("a line over the limit of %d bytes", casefile.MaxFlagBytes)}
		}
		line = bytes.TrimSpace(line)
		if len(line) > 0 {
			return line, nil
		}
	}
}
