package crash

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// journal is a list of answers, one a line, on disk before anything is made of it.
type journal struct {
	mu sync.Mutex
	f  *os.File
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a list of answers: %w", err)
	}
	return &journal{f: f}, nil
}

// add writes a line durably.
func (j *journal) add(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.f.Write(append(data, '\n'))
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("write an answer down: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.f.Close() }
