package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/indexing"
)

// mood is how something that Docket asks behaves. Its zero value is well.
type mood struct{ now atomic.Pointer[moodOf] }

type moodOf struct {
	kind  moodKind
	ended chan struct{} // closed when the mood ends
}

type moodKind string

const (
	down    moodKind = "down"    // every call fails at once
	slow    moodKind = "slow"    // no call ends before its time is up, or the mood
	garbage moodKind = "garbage" // every call is answered with what cannot be
)

// set puts on a mood, and ends the one before; "" for well.
func (m *mood) set(kind moodKind) {
	var next *moodOf
	if kind != "" {
		next = &moodOf{kind, make(chan struct{})}
	}
	before := m.now.Swap(next)
	if before != nil {
		close(before.ended)
	}
}

// meet gives the error of a call in the present mood, nil for well; lies says that the answer is to be
// garbage.
func (m *mood) meet(ctx context.Context) (lies bool, err error) {
	of := m.now.Load()
	switch {
	case of == nil:
		return false, nil
	case of.kind == down:
		return false, casefile.Errorf(casefile.CodeUnavailable, "the test has it down")
	case of.kind == slow:
		select {
		case <-of.ended:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return true, nil
}

var errGarbage = errors.New("decode the answer: invalid character '<' looking for beginning of value")

// moodyIndex is an index with a mood.
type moodyIndex struct {
	indexing.Index
	mood *mood
}

func (x moodyIndex) PutPosts(ctx context.Context, posts []indexing.Post) (indexing.PostResult, error) {
	lies, err := x.mood.meet(ctx)
	if err == nil && lies {
		err = errGarbage
	}
	if err != nil {
		return indexing.PostResult{}, err
	}
	return x.Index.PutPosts(ctx, posts)
}

// AccountHistory lies that the account has fewer posts than none, of another account's.
func (x moodyIndex) AccountHistory(ctx context.Context, platform string, account casefile.AccountKey, limit int) (indexing.AccountHistory, error) {
	lies, err := x.mood.meet(ctx)
	if err != nil {
		return indexing.AccountHistory{}, err
	}
	if lies {
		first, last := time.Unix(2000, 0), time.Unix(1000, 0)
		return indexing.AccountHistory{Posts: -3, Reposts: 9, First: &first, Last: &last}, nil
	}
	return x.Index.AccountHistory(ctx, platform, account, limit)
}

func (x moodyIndex) Coverage(ctx context.Context, platform string) (indexing.Coverage, error) {
	lies, err := x.mood.meet(ctx)
	if err != nil {
		return indexing.Coverage{}, err
	}
	if lies {
		return indexing.Coverage{From: time.Unix(2000, 0), To: time.Unix(1000, 0), Posts: 1}, nil
	}
	return x.Index.Coverage(ctx, platform)
}

func (x moodyIndex) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	lies, err := x.mood.meet(ctx)
	if err == nil && lies {
		err = errGarbage
	}
	if err != nil {
		return err
	}
	return x.Index.PutCase(ctx, doc)
}

func (x moodyIndex) Search(ctx context.Context, q indexing.CaseQuery) (indexing.CasePage, error) {
	lies, err := x.mood.meet(ctx)
	if err != nil {
		return indexing.CasePage{}, err
	}
	if lies {
		return indexing.CasePage{Cases: []indexing.CaseDoc{{Ref: "no case"}}, Total: -1, Next: "\x00"}, nil
	}
	return x.Index.Search(ctx, q)
}

func (x moodyIndex) Ping(ctx context.Context) error {
	lies, err := x.mood.meet(ctx)
	if err == nil && lies {
		err = errGarbage
	}
	if err != nil {
		return err
	}
	return x.Index.Ping(ctx)
}

// moodyScorer is a scorer with a mood; its lies are those of lie.
type moodyScorer struct {
	classify.Scorer
	mood *mood
	lie  *atomic.Int64
}

// lies are answers that no score can be.
var lies = []func(*classify.Score){
	func(s *classify.Score) { s.Score = math.NaN() },
	func(s *classify.Score) { s.Score = 41 },
	func(s *classify.Score) { s.Policies = map[casefile.PolicyCode]float64{"VE-99": 0.5} },
	func(s *classify.Score) { s.Policies = map[casefile.PolicyCode]float64{casefile.VE01: math.Inf(1)} },
	func(s *classify.Score) { s.Top = []classify.PostScore{{Post: "of nobody", Score: 0.1}} },
	func(s *classify.Score) { s.Posts = -1 },
	func(s *classify.Score) { s.Account = "another" },
	func(s *classify.Score) { s.Model.Name = "another" },
}

func (s moodyScorer) ScoreAccount(ctx context.Context, platform string, account casefile.Account, posts []casefile.Event) (classify.Score, error) {
	lying, err := s.mood.meet(ctx)
	if err != nil {
		return classify.Score{}, err
	}
	score, err := s.Scorer.ScoreAccount(ctx, platform, account, posts)
	if err == nil && lying {
		lies[int(s.lie.Add(1)-1)%len(lies)](&score)
	}
	return score, err
}

// clock is the clock of our own code.
type clock struct {
	mu sync.Mutex
	by time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.by)
}

// jump sets the clock so far off the true time.
func (c *clock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by = by
}

// smallDisk is a file system of its own that can be filled.
type smallDisk struct {
	t   *testing.T
	dir string
}

// newSmallDisk mounts one in memory over a folder. Only root may.
func newSmallDisk(t *testing.T, dir, bytes string) *smallDisk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a small file system is mounted, which only root may: run as root to see this fault")
	}
	require.NoError(t, os.MkdirAll(dir, 0o700))
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+bytes)
	if err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return &smallDisk{t: t, dir: dir}
}

func (d *smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves no byte free.
func (d *smallDisk) fill() {
	d.t.Helper()
	f, err := os.Create(d.ballast())
	require.NoError(d.t, err)
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(d.t, err, syscall.ENOSPC)
	require.NoError(d.t, f.Close())
}

// free takes away what filled it.
func (d *smallDisk) free() {
	d.t.Helper()
	require.NoError(d.t, os.Remove(d.ballast()))
}

// tail keeps the end of a log.
type tail struct {
	mu  sync.Mutex
	end []byte
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = append(l.end, p...)
	if len(l.end) > 1<<16 {
		l.end = append([]byte(nil), l.end[len(l.end)-1<<15:]...)
	}
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.end)
}
