package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	// streamFor is how long one stream of hints lasts. The browser asks for the next one by itself, and
	// the session is looked up again: a stream gives nobody more than a minute after theirs has ended.
	streamFor = time.Minute
	// streamAlive is how often a silent stream sends a comment, so that both ends notice a dead one.
	streamAlive = 15 * time.Second
	// streamWrite bounds one write to a browser that does not read.
	streamWrite = 10 * time.Second
)

// hint tells an open page that something changed. It carries codes only, and not what changed: the page
// asks for itself anew.
type hint struct {
	Kind records.ChangeKind `json:"kind,omitempty"`
	Case casefile.CaseRef   `json:"case,omitempty"`
}

// events streams hints of changes until the browser goes away, and for at most a minute.
func (v *visit) events() error {
	ctx, cancel := context.WithTimeout(v.ctx(), streamFor)
	defer cancel()
	changes, err := v.desk().Watch(ctx, v.who)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no") // a proxy between must not keep hints back
	v.status = http.StatusOK
	v.w.WriteHeader(http.StatusOK)
	if v.r.Method == http.MethodHead {
		return nil
	}
	alive := time.NewTicker(streamAlive)
	defer alive.Stop()
	for text := "retry: 2000\n\n"; ; {
		err = v.stream(text)
		if err != nil {
			return nil // the browser went away: nobody is left to tell
		}
		select {
		case change, ok := <-changes:
			if !ok {
				return nil
			}
			data, err := json.Marshal(hint{Kind: change.Kind, Case: change.Case})
			if err != nil {
				v.err = fmt.Errorf("encode a hint: %w", err)
				return nil
			}
			text = "event: change\ndata: " + string(data) + "\n\n"
		case <-alive.C:
			text = ": alive\n\n"
		}
	}
}

func (v *visit) stream(text string) error {
	control := http.NewResponseController(v.w)
	_ = control.SetWriteDeadline(time.Now().Add(streamWrite)) // where there is none, a dead browser holds the stream for its minute
	_, err := v.w.Write([]byte(text))
	if err != nil {
		return fmt.Errorf("write a hint: %w", err)
	}
	err = control.Flush()
	if err != nil {
		return fmt.Errorf("flush a hint: %w", err)
	}
	return nil
}
