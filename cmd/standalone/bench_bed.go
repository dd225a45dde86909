package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/workflows"
)

// benchOptions are what the benches of the running line have in common.
type benchOptions struct {
	data string // folder for the run; a scratch folder that is deleted behind it if ""
	fast bool
	json bool
}

// benchBed is a standalone process inside the bench, without a stream.
type benchBed struct {
	*app
	detector *client.Client
	watch    *caseWatch
	close    func() error
}

// startBench starts everything on the bench's folder. What the process logs goes to a file in it.
func startBench(ctx context.Context, o benchOptions, settings workflows.Settings) (*benchBed, error) {
	dir, remove := o.data, false
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "docket-bench-")
		if err != nil {
			return nil, fmt.Errorf("make a scratch folder: %w", err)
		}
		remove = true
	}
	dir = filepath.Join(dir, "data")
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	logFile, err := os.OpenFile(filepath.Join(dir, "docket.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log file: %w", err)
	}
	end := func() error {
		err := logFile.Close()
		if remove {
			err = errors.Join(err, os.RemoveAll(filepath.Dir(dir)))
		}
		return err
	}
	a, err := startApp(ctx, options{
		Data: dir, Listen: "127.0.0.1:0", Format: "auto", NoReplay: true, Fast: o.fast, Settings: settings, Out: io.Discard, LogWriter: logFile,
	})
	if err != nil {
		return nil, errors.Join(err, end())
	}
	watching, cancel := context.WithCancel(ctx)
	b := &benchBed{app: a, watch: newCaseWatch(watching, a.records)}
	b.detector = b.as("detector")
	b.close = func() error {
		err := a.stop(context.WithoutCancel(ctx))
		cancel()
		return errors.Join(err, end())
	}
	return b, nil
}

func (b *benchBed) as(login string) *client.Client {
	return &client.Client{Base: b.baseURL, Token: b.creds.token(login)}
}

// benchFlag is a mild, invented flag about an account of its own.
func benchFlag(series string, n int) casefile.Flag {
	id := fmt.Sprintf("%s-%d", series, n)
	return inventedFlag("flag-"+id, "account-"+id, "invented_handle_"+id, n)
}

// inventedFlag is a mild, invented flag of one post about an account; n makes its second.
func inventedFlag(id, account, handle string, n int) casefile.Flag {
	at := time.Date(2026, 3, 1, 10, 0, n%60, 0, time.UTC)
	return casefile.Flag{
		ID: id, Platform: "synthetic", Account: casefile.Account{ID: account, Handle: handle},
		Detector: casefile.Detector{Name: "invented", Version: "1"},
		Reasons:  []casefile.Reason{{Rule: "praise", Policy: casefile.VE08, Weight: 7, Detail: "score 7 of 6"}},
		Evidence: []casefile.Event{{
			Kind: casefile.EventPost, Platform: "synthetic", ID: "post-" + id, Account: casefile.Account{ID: account},
			Text: "[praise of a designated group] " + id, Lang: "en", At: at,
		}},
		At: at,
	}
}

// submit hands a flag in and waits for its case to stand in a queue.
func (b *benchBed) submit(ctx context.Context, f casefile.Flag) (records.Case, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return records.Case{}, fmt.Errorf("encode a flag: %w", err)
	}
	res, err := b.detector.SubmitFlag(ctx, data)
	if err != nil {
		return records.Case{}, fmt.Errorf("hand a flag in: %w", err)
	}
	for res.Case == "" {
		// The line did not open the case within the door's patience: the row has it when it does.
		if ctx.Err() != nil {
			return records.Case{}, ctx.Err()
		}
		row, err := b.records.Flag(ctx, b.keyring.Identity().Flag(f.Platform, f.ID))
		if err != nil {
			return records.Case{}, fmt.Errorf("look a flag's case up: %w", err)
		}
		if res.Case = row.Case; res.Case == "" && !b.watch.next(ctx) {
			return records.Case{}, ctx.Err()
		}
	}
	return b.watch.until(ctx, res.Case, func(c records.Case) (bool, error) { return c.State != casefile.StateNew, nil })
}

// caseWatch wakes those who wait for a case when its rows change, so that many waits cost one reader.
type caseWatch struct {
	records records.Store
	mu      sync.Mutex
	waiting map[casefile.CaseRef]chan struct{}
	any     chan struct{} // closed and made anew at each change
}

func newCaseWatch(ctx context.Context, store records.Store) *caseWatch {
	w := &caseWatch{records: store, waiting: map[casefile.CaseRef]chan struct{}{}, any: make(chan struct{})}
	changes := store.Changes(ctx)
	go func() {
		for c := range changes {
			w.wake(c)
		}
	}()
	return w
}

func (w *caseWatch) wake(c records.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.any)
	w.any = make(chan struct{})
	for ref, ch := range w.waiting {
		if c.Kind != "" && c.Case != ref {
			continue
		}
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// watchPause covers what the feed does not tell: it is a hint.
const watchPause = time.Second

// next waits for any change; false when ctx has ended.
func (w *caseWatch) next(ctx context.Context) bool {
	w.mu.Lock()
	changed := w.any
	w.mu.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-time.After(watchPause):
	}
	return true
}

// until waits until ok says so of the case.
func (w *caseWatch) until(ctx context.Context, ref casefile.CaseRef, ok func(records.Case) (bool, error)) (records.Case, error) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	w.waiting[ref] = ch
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, ref)
		w.mu.Unlock()
	}()
	for {
		c, err := w.records.Case(ctx, ref)
		if err != nil {
			return c, fmt.Errorf("read a case: %w", err)
		}
		done, err := ok(c)
		if done || err != nil {
			return c, err
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-ch:
		case <-time.After(watchPause):
		}
	}
}

// cpuTime is what this process has used of its processors.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	if err != nil {
		return 0, fmt.Errorf("read the process's CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
