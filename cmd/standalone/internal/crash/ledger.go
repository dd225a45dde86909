package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// logKey is the ledger's public key.
func (r *run) logKey() (string, error) {
	data, err := os.ReadFile(filepath.Join(r.path("data"), "keys", "log.pub"))
	if err != nil {
		return "", fmt.Errorf("read the ledger's public key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// followLedger reads the ledger's public files as they grow, until ctx ends: which takedowns have come to
// their end.
func (r *run) followLedger(ctx context.Context) error {
	key, err := r.logKey()
	if err != nil {
		return err
	}
	log := verify.Dir(filepath.Join(r.path("data"), "ledger"))
	next, failed := uint64(0), 0
	for pause(ctx, 300*time.Millisecond) {
		tail, err := verify.Tail(ctx, log, key, 1000)
		if err != nil {
			// The writer may have moved a file on while it was read; what lasts is a fault.
			failed++
			if failed > 20 {
				return fmt.Errorf("follow the ledger: %w", err)
			}
			continue
		}
		failed = 0
		for _, e := range tail {
			if e.Index < next {
				continue
			}
			next = e.Index + 1
			decision, over := takedownOver(e.Entry)
			if over {
				r.flight.ended(decision)
			}
		}
	}
	return nil
}

// takedownOver says of which decision an entry ends the takedown: somebody was told, or could not be, or an
// act was not done.
func takedownOver(e casefile.Entry) (decision string, over bool) {
	chain, _, err := e.Event.Split()
	decision, is := strings.CutPrefix(chain, casefile.TakedownChain(""))
	if err != nil || !is {
		return "", false
	}
	var body struct {
		Direction casefile.Direction `json:"direction"`
		State     casefile.ActState  `json:"state"`
		Outcomes  []struct {
			State casefile.ActState `json:"state"`
		} `json:"outcomes"`
	}
	err = json.Unmarshal(e.Body, &body)
	if err != nil {
		return "", false
	}
	switch e.Type {
	case casefile.EntryNotice:
		return decision, true
	case casefile.EntryActSettled:
		return decision, body.State == casefile.ActFailed
	case casefile.EntryActsOutcome:
		for _, o := range body.Outcomes {
			over = over || o.State != casefile.ActDone && o.State != casefile.ActUncertain
		}
		return decision, body.Direction == casefile.Do && (over || len(body.Outcomes) == 0)
	}
	return "", false
}
