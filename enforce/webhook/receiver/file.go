package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/docket-triage/docket/casefile"
)

// file appends lines durably.
type file struct {
	f    *os.File
	size int64
	// broken is set when it is not known what the disk holds; nothing more is done then.
	broken bool
}

// openFile opens or makes the file, hands every whole line to take and cuts a torn end off.
func openFile(path string, take func(Line)) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the test platform's file: %w", err)
	}
	out := &file{f: f}
	err = out.prepare(path, take)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return out, nil
}

func (o *file) prepare(path string, take func(Line)) error {
	err := o.f.Chmod(0o600)
	if err != nil {
		return fmt.Errorf("restrict the test platform's file: %w", err)
	}
	o.size, err = readLines(o.f, take)
	if err != nil {
		return err
	}
	err = o.cut()
	if err != nil {
		return err
	}
	// The file's name must outlive a crash as its content does.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("open the folder of the test platform's file: %w", err)
	}
	err = errors.Join(dir.Sync(), dir.Close())
	if err != nil {
		return fmt.Errorf("sync the folder of the test platform's file: %w", err)
	}
	return nil
}

// cut ends the file after its last whole line.
func (o *file) cut() error {
	err := o.f.Truncate(o.size)
	if err != nil {
		return fmt.Errorf("cut the file's torn end: %w", err)
	}
	_, err = o.f.Seek(o.size, io.SeekStart)
	if err != nil {
		return fmt.Errorf("seek to the file's end: %w", err)
	}
	err = o.f.Sync()
	if err != nil {
		return fmt.Errorf("sync the file: %w", err)
	}
	return nil
}

// append writes one line and waits until it is on disk. After an error the line does not count.
func (o *file) append(l Line) error {
	if o.broken {
		return casefile.Errorf(casefile.CodeUnavailable, "the file failed before")
	}
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode line: %w", err)
	}
	_, err = o.f.Write(append(data, '\n'))
	if err != nil {
		o.broken = o.cut() != nil
		return fmt.Errorf("write line: %w", err)
	}
	err = o.f.Sync()
	if err != nil {
		o.broken = true // what a failed sync left on disk cannot be told
		return fmt.Errorf("sync the file: %w", err)
	}
	o.size += int64(len(data)) + 1
	return nil
}

func (o *file) close() error {
	err := o.f.Close()
	if err != nil {
		return fmt.Errorf("close the test platform's file: %w", err)
	}
	return nil
}
