package dryrun

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/docket-triage/docket/casefile"
)

// maxLineBytes bounds one line: a notice about a hundred posts is far below it.
const maxLineBytes = 4 << 20

// file appends lines durably. A line counts from when its append returned; what a crash left
// without its newline never counted, and is cut off at the next opening.
type file struct {
	f    *os.File
	size int64
	// broken is set when it is not known what the disk holds; nothing more is written then.
	broken bool
}

// openFile opens or makes the file and hands every whole line to take.
func openFile(path string, take func(data []byte) error) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open dry-run file: %w", err)
	}
	out := &file{f: f}
	err = out.prepare(path, take)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return out, nil
}

func (o *file) prepare(path string, take func(data []byte) error) error {
	err := o.f.Chmod(0o600)
	if err != nil {
		return fmt.Errorf("restrict dry-run file: %w", err)
	}
	o.size, err = readLines(o.f, take)
	if err != nil {
		return err
	}
	err = o.cut()
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// readLines hands every whole line to take and returns how many bytes they fill.
func readLines(r io.Reader, take func(data []byte) error) (int64, error) {
	br := bufio.NewReader(r)
	var size int64
	for n := 1; ; n++ {
		data, err := readLine(br)
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read dry-run file, line %d: %w", n, err)
		}
		err = take(data)
		if err != nil {
			return 0, fmt.Errorf("dry-run file, line %d: %w", n, err)
		}
		size += int64(len(data)) + 1
	}
}

// readLine reads a line without its newline; io.EOF at the end and for a last line that has none.
func readLine(br *bufio.Reader) ([]byte, error) {
	var data []byte
	for {
		part, err := br.ReadSlice('\n')
		data = append(data, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(data, []byte("\n")), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(data) > maxLineBytes:
			return nil, casefile.Errorf(casefile.CodeTooLarge, "line over %d bytes", maxLineBytes)
		}
	}
}

// cut ends the file after its last whole line.
func (o *file) cut() error {
	err := o.f.Truncate(o.size)
	if err != nil {
		return fmt.Errorf("cut the dry-run file's torn end: %w", err)
	}
	_, err = o.f.Seek(o.size, io.SeekStart)
	if err != nil {
		return fmt.Errorf("seek to the dry-run file's end: %w", err)
	}
	err = o.f.Sync()
	if err != nil {
		return fmt.Errorf("sync dry-run file: %w", err)
	}
	return nil
}

// append writes one line and waits until it is on disk. After an error the line does not count; if
// that cannot be made sure, the file takes no more lines until it is opened again.
func (o *file) append(data []byte) error {
	if o.broken {
		return unavailable(nil, "the dry-run file failed before: what it holds is known again once it is reopened")
	}
	if len(data) > maxLineBytes {
		return casefile.Errorf(casefile.CodeTooLarge, "line of %d bytes; the limit is %d", len(data), maxLineBytes)
	}
	_, err := o.f.Write(append(data, '\n'))
	if err != nil {
		o.broken = o.cut() != nil
		return unavailable(err, "write to the dry-run file")
	}
	err = o.f.Sync()
	if err != nil {
		// What a failed sync left on disk cannot be told from here.
		o.broken = true
		return unavailable(err, "sync the dry-run file")
	}
	o.size += int64(len(data)) + 1
	return nil
}

func (o *file) close() error {
	err := o.f.Close()
	if err != nil {
		return fmt.Errorf("close dry-run file: %w", err)
	}
	return nil
}

// syncDir makes the file's name as durable as its content.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the dry-run file's folder: %w", err)
	}
	err = d.Sync()
	if err != nil {
		return errors.Join(fmt.Errorf("sync the dry-run file's folder: %w", err), d.Close())
	}
	err = d.Close()
	if err != nil {
		return fmt.Errorf("close the dry-run file's folder: %w", err)
	}
	return nil
}

func unavailable(err error, message string) error {
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: Name, Message: message, Err: err}
}
