package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/client"
)

// Feed gives decisions; *client.Client does.
type Feed interface {
	DecisionsAfter(ctx context.Context, after int64, limit int, wait time.Duration) (client.DecisionFeed, error)
}

// Activities ask Docket, check proofs, and act.
type Activities struct {
	Feed Feed
	// Key is the public key of the log, pinned: it came another way than the decisions do.
	Key string
	// Out is the file that acts are written to.
	Out string
	// Wait is how long the feed waits for a decision where there is none.
	Wait time.Duration
	Log  *slog.Logger
}

// partSize is how many decisions are asked for at once.
const partSize = 50

// Look asks for the part of the feed behind an index and checks every decision in it. When the worker stops
// it waits no longer, and has seen nothing: so the next worker goes on at once.
func (a *Activities) Look(ctx context.Context, after int64) (part, error) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	stopping := activity.GetWorkerStopChannel(ctx)
	go func() {
		select {
		case <-stopping:
			stop()
		case <-waiting.Done():
		}
	}()
	feed, err := a.Feed.DecisionsAfter(waiting, after, partSize, a.Wait)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return part{Next: after, Verdict: []verdict{}}, nil
	}
	if err != nil {
		return part{}, fmt.Errorf("ask for decisions: %w", err)
	}
	p := part{Next: max(feed.Next, after), Verdict: []verdict{}}
	for _, item := range feed.Decisions {
		p.Verdict = append(p.Verdict, a.judge(item))
	}
	return p, nil
}

// judge checks one decision.
func (a *Activities) judge(item client.ProvenDecision) verdict {
	v := verdict{Index: item.Index, Decision: item.ID}
	switch {
	case item.Withheld != "":
		v.Passed = string(item.Withheld)
	case item.State == casefile.DecisionUndone:
		v.Passed = "taken back since"
	default:
		err := check(item, a.Key)
		if err != nil {
			v.Refused = err.Error()
			a.Log.Error("refused", "index", item.Index, "decision", item.ID, "why", v.Refused)
		}
	}
	return v
}

// act is the line that stands for what a takedown system would do.
type act struct {
	Decision string                `json:"decision"`
	Index    uint64                `json:"index"`
	Case     casefile.CaseRef      `json:"case"`
	Platform string                `json:"platform"`
	Account  string                `json:"account"`
	Action   casefile.Action       `json:"action"`
	Days     int                   `json:"days,omitempty"`
	Policies []casefile.PolicyCode `json:"policies"`
}

// Act carries the decision at an index out: it writes a line to the file, once for a decision however
// often it runs. It asks for the decision and checks the proof itself, so that nothing is done on the word
// of whoever scheduled it, and no account stands in a workflow's history.
func (a *Activities) Act(ctx context.Context, index uint64) (verdict, error) {
	feed, err := a.Feed.DecisionsAfter(ctx, int64(index)-1, 1, 0)
	if err != nil {
		return verdict{}, fmt.Errorf("ask for the decision: %w", err)
	}
	if len(feed.Decisions) != 1 || feed.Decisions[0].Index != index {
		return verdict{}, fmt.Errorf("the feed has no decision at index %d", index)
	}
	item := feed.Decisions[0]
	v := a.judge(item)
	if v.Refused != "" || v.Passed != "" {
		return v, nil
	}
	done, err := a.done(item.ID)
	if err != nil || done {
		return v, err
	}
	d := item.Decision
	return v, a.write(act{
		Decision: d.ID, Index: index, Case: d.Case, Platform: item.Account.Platform, Account: item.Account.ID,
		Action: d.Action, Days: d.Days, Policies: d.Policies,
	})
}

// done reports whether the file has a decision's line.
func (a *Activities) done(decision string) (bool, error) {
	f, err := os.Open(a.Out)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what was done: %w", err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var done act
		err = json.Unmarshal(lines.Bytes(), &done)
		if err == nil && done.Decision == decision { // half a line is what a crash left: nothing was done
			return true, nil
		}
	}
	err = lines.Err()
	if err != nil {
		return false, fmt.Errorf("read what was done: %w", err)
	}
	return false, nil
}

// write adds a line to the file and makes it last.
func (a *Activities) write(line act) error {
	data, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("encode an act: %w", err)
	}
	f, err := os.OpenFile(a.Out, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the file of acts: %w", err)
	}
	whole, err := endsLine(f)
	if !whole {
		data = append([]byte{'\n'}, data...)
	}
	if err == nil {
		_, err = f.Write(append(data, '\n'))
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return fmt.Errorf("write an act: %w", err)
	}
	return nil
}

// endsLine reports whether a file ends with a whole line, or is empty.
func endsLine(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true, err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return last[0] == '\n', err
}
