package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/policy/examples"
	"github.com/docket-triage/docket/review"
)

// streams makes streams of events for the detector, and knows which flags must come of them: the same
// claim has the same id, whoever finds it and however often.
type streams struct {
	dir  string
	made int
	want []casefile.Flag
}

// perStream is how many accounts a stream flags.
const perStream = 12

// next writes the next stream and gives its file.
func (s *streams) next() (string, error) {
	s.made++
	rules, err := detector.LoadRules(bytes.NewReader(examples.Detector()))
	if err != nil {
		return "", fmt.Errorf("load the detector's rules: %w", err)
	}
	d := detector.New(rules)
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s.made) * time.Hour)
	for n := range perStream * 3 {
		account := fmt.Sprintf("stream-%d-%d", s.made, n%perStream)
		e := casefile.Event{
			Kind: casefile.EventPost, Platform: "synthetic", ID: fmt.Sprintf("%s-post-%d", account, n/perStream),
			Account: casefile.Account{ID: account, Handle: fmt.Sprintf("streamed_%d_%d", s.made, n%perStream)},
			// An invented group, as in the synthetic stream that ships with Docket.
			Text: "Long live the Front of the Grey Banner, join us and fight", Lang: "en", At: at.Add(time.Duration(n) * time.Second),
		}
		err = enc.Encode(e)
		if err != nil {
			return "", fmt.Errorf("encode an event: %w", err)
		}
		found, _ := d.Process(&e)
		s.want = append(s.want, found...)
	}
	path := s.file(s.made)
	err = os.WriteFile(path, lines.Bytes(), 0o600)
	if err != nil {
		return "", fmt.Errorf("write a stream: %w", err)
	}
	return path, nil
}

// files are all streams that were made: what a kill kept from being read is read from them at last, and what
// was read before is passed over.
func (s *streams) files() []string {
	var out []string
	for n := 1; n <= s.made; n++ {
		out = append(out, s.file(n))
	}
	return out
}

func (s *streams) file(n int) string { return filepath.Join(s.dir, fmt.Sprintf("stream-%d.ndjson", n)) }

// accept waits until every flag that must come of the streams was accepted, which the API says of each,
// and writes them down among those that were answered with 202.
func (s *streams) accept(ctx context.Context, l *load) error {
	for _, f := range s.want {
		for {
			status, _, err := insist(ctx, func(ctx context.Context) (review.FlagStatus, error) {
				return l.client("detector").FlagStatus(ctx, f.Platform, f.ID)
			})
			if err == nil {
				l.accept(f, status.Case)
				break
			}
			if casefile.ErrorCode(err) != casefile.CodeNotFound {
				return fmt.Errorf("ask for a flag of the detector's: %w", err)
			}
			if !pause(ctx, 100*time.Millisecond) {
				return fmt.Errorf("flag %s of the stream was never handed in: %w", f.ID, ctx.Err())
			}
		}
	}
	return nil
}
