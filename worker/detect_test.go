package worker

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/policy/examples"
	"github.com/docket-triage/docket/stream"
	synthetic "github.com/docket-triage/docket/testdata/stream"
)

// field is what a detect role stands on that outlives it: files, a history, a door.
type field struct {
	t        *testing.T
	file     string
	snapshot string
	rules    *detector.Rules
	index    *embedded.Index
	identity evidence.Identity
	door     *door
	said     bytes.Buffer
}

// door takes flags as the real one does: an id stands for one content for ever.
type door struct {
	mu       sync.Mutex
	flags    map[string]string // id to content
	conflict []string
	calls    int
	fails    int   // calls that fail before one is taken
	half     bool  // a failing call takes the first of its flags
	refuse   error // of every flag
	called   chan struct{}
}

func (d *door) SubmitFlags(_ context.Context, flags []casefile.Flag) ([]error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	select {
	case d.called <- struct{}{}:
	default:
	}
	failing := d.fails != 0
	if failing {
		d.fails--
		if !d.half {
			return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the door"}
		}
		flags = flags[:1]
	}
	var refused []error
	for _, f := range flags {
		if d.refuse != nil {
			refused = append(refused, d.refuse)
			continue
		}
		content, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		before, known := d.flags[f.ID]
		if known && before != string(content) {
			d.conflict = append(d.conflict, f.ID)
		}
		d.flags[f.ID] = string(content)
	}
	if failing {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the door"}
	}
	return refused, nil
}

// someEvents are those of every eighth account of the synthetic stream.
func someEvents(t *testing.T) []byte {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(synthetic.Events()))
	require.NoError(t, err)
	var out bytes.Buffer
	lines := bufio.NewScanner(zr)
	lines.Buffer(nil, casefile.MaxEventBytes)
	for lines.Scan() {
		e, err := casefile.ParseEvent(lines.Bytes())
		require.NoError(t, err)
		if crc32.ChecksumIEEE([]byte(e.Account.ID))%8 == 0 {
			out.Write(lines.Bytes())
			out.WriteByte('\n')
		}
	}
	require.NoError(t, lines.Err())
	return out.Bytes()
}

func newField(t *testing.T) *field {
	t.Helper()
	dir := t.TempDir()
	f := &field{t: t, file: filepath.Join(dir, "events.ndjson"), snapshot: filepath.Join(dir, "snapshot"),
		door: &door{flags: map[string]string{}, called: make(chan struct{}, 1)}}
	require.NoError(t, os.WriteFile(f.file, someEvents(t), 0o600))
	var err error
	f.rules, err = detector.LoadRules(bytes.NewReader(examples.Detector()))
	require.NoError(t, err)
	f.index, err = embedded.Open(t.Context(), filepath.Join(dir, "index.sqlite"), embedded.Options{Fast: true})
	require.NoError(t, err)
	ring, err := evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String})
	require.NoError(t, err)
	f.identity = ring.Identity()
	t.Cleanup(func() {
		require.NoError(t, f.index.Close())
		require.NoError(t, ring.Close())
	})
	return f
}

// detect makes the role as a new process would: from the snapshot, if there is one.
func (f *field) detect(change func(*DetectOptions)) *Detect {
	f.t.Helper()
	det := detector.New(f.rules)
	kept, _, err := det.LoadFile(f.snapshot, nil)
	require.NoError(f.t, err)
	source, err := stream.Open(f.t.Context(), stream.Options{Files: []string{f.file}, BatchSize: 50, Resume: stream.Token(kept.Token)})
	require.NoError(f.t, err)
	o := DetectOptions{
		Source: source, Detector: det, Door: f.door, History: f.index, Identity: f.identity, WatchAll: true,
		KeepEvery: time.Nanosecond, Log: slog.New(slog.NewTextHandler(&f.said, nil)),
		Keep: func(token string) error { return det.SaveFile(f.snapshot, token, nil) },
	}
	if change != nil {
		change(&o)
	}
	return NewDetect(o)
}

// run runs a role to the end of its source, or to its fault.
func (f *field) run(d *Detect) {
	f.t.Helper()
	require.NoError(f.t, d.Start(f.t.Context()))
	f.await(d.Done())
	require.NoError(f.t, d.Stop(f.t.Context()))
}

func (f *field) await(c <-chan struct{}) {
	f.t.Helper()
	select {
	case <-c:
	case <-time.After(60 * time.Second):
		require.Fail(f.t, "nothing happened")
	}
}

// posts is how many posts history holds.
func (f *field) posts() int {
	f.t.Helper()
	cover, err := f.index.Coverage(f.t.Context(), "synthetic")
	require.NoError(f.t, err)
	return cover.Posts
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := newField(t)
	d := f.detect(nil)
	f.run(d)
	require.NoError(t, d.Err())
	counts := d.Counts()
	require.Greater(t, counts.Events, int64(500))
	require.Equal(t, int64(len(f.door.flags)), counts.Flags)
	require.Greater(t, counts.Flags, int64(10))
	require.Zero(t, counts.Refused)
	require.Equal(t, 1.0, d.Progress().Fraction())
	require.Greater(t, f.posts(), 500)
	calls := f.door.calls

	again := f.detect(nil)
	f.run(again)
	require.NoError(t, again.Err())
	require.Zero(t, again.Counts().Events, "a second start goes on at the end")
	require.Equal(t, calls, f.door.calls)
}

// TestDetectPromise02Crash: wherever the process dies between handing on and keeping, the next one
// loses no flag, doubles none, gives each the same content, and history is the same.
func TestDetectPromise02Crash(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	whole.run(whole.detect(nil))
	require.Greater(t, len(whole.door.flags), 10)
	dead := errors.New("the process died")
	for name, every := range map[string]int{"at every batch": 1, "at every second": 2, "at every fifth": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			crashes := 0
			for {
				n := 0
				d := f.detect(func(o *DetectOptions) {
					keep := o.Keep
					o.Keep = func(token string) error {
						n++
						if n == every {
							return dead // everything up to here was handed on, and nothing of it kept
						}
						return keep(token)
					}
					if every == 1 && crashes > 0 {
						// Nothing is ever kept: the last process is let through to the end.
						o.Keep = keep
					}
				})
				f.run(d)
				if d.Err() == nil {
					break
				}
				require.ErrorIs(t, d.Err(), dead)
				crashes++
			}
			require.Positive(t, crashes)
			require.Equal(t, whole.door.flags, f.door.flags)
			require.Empty(t, f.door.conflict, "the same id with other content would be refused for ever")
			require.Equal(t, whole.posts(), f.posts())
		})
	}
}

// TestDetectInsists: through an outage of door and history, with flags that went through in a call
// that failed, the stream waits and nothing is lost.
func TestDetectInsists(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	whole.run(whole.detect(nil))
	f := newField(t)
	f.door.fails, f.door.half = 2, true
	f.run(f.detect(func(o *DetectOptions) { o.History = &unsteady{History: o.History, fails: 2} }))
	require.Equal(t, whole.door.flags, f.door.flags)
	require.Empty(t, f.door.conflict)
	require.Equal(t, whole.posts(), f.posts())
	require.Contains(t, f.said.String(), "what=flags code=unavailable")
	require.NotContains(t, f.said.String(), "words of the")
}

// TestDetectGoesOnWithoutHistory: an index that stays down stops no flag; what it missed is counted.
func TestDetectGoesOnWithoutHistory(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	whole.run(whole.detect(nil))
	f := newField(t)
	d := f.detect(func(o *DetectOptions) { o.History = &unsteady{History: o.History, fails: 1 << 30} })
	f.run(d)
	require.NoError(t, d.Err())
	require.Equal(t, whole.door.flags, f.door.flags)
	require.Positive(t, d.Counts().Missed)
	require.Contains(t, f.said.String(), "posts missing from history")
	require.NotContains(t, f.said.String(), "words of the")
}

// unsteady is a history that fails its first calls.
type unsteady struct {
	indexing.History
	fails int
}

func (u *unsteady) PutPosts(ctx context.Context, posts []indexing.Post) (indexing.PostResult, error) {
	if u.fails > 0 {
		u.fails--
		return indexing.PostResult{}, &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the index"}
	}
	return u.History.PutPosts(ctx, posts)
}

// TestDetectStoppedInAnOutage ends at once; what could not be handed on comes after the next start.
func TestDetectStoppedInAnOutage(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	whole.run(whole.detect(nil))
	f := newField(t)
	f.door.fails = -1 // for ever
	d := f.detect(nil)
	require.NoError(t, d.Start(t.Context()))
	f.await(f.door.called)
	require.NoError(t, d.Stop(t.Context()))
	f.await(d.Done())
	require.NoError(t, d.Err(), "to be stopped is no fault")
	require.NoError(t, d.Stop(t.Context()), "a second stop does nothing")
	require.Empty(t, f.door.flags)
	f.door.fails = 0
	f.run(f.detect(nil))
	require.Equal(t, whole.door.flags, f.door.flags)
	require.Equal(t, whole.posts(), f.posts())
}

// order keeps in which order a batch was handed on.
type order struct {
	indexing.History
	FlagDoor
	seen  []string
	posts map[string]bool
	t     *testing.T
}

func (o *order) PutPosts(ctx context.Context, posts []indexing.Post) (indexing.PostResult, error) {
	o.seen = append(o.seen, "history")
	for _, p := range posts {
		o.posts[p.Event.ID] = true
	}
	return o.History.PutPosts(ctx, posts)
}

func (o *order) SubmitFlags(ctx context.Context, flags []casefile.Flag) ([]error, error) {
	o.seen = append(o.seen, "flags")
	for _, f := range flags {
		for _, e := range f.Evidence {
			if e.Kind == casefile.EventPost {
				require.True(o.t, o.posts[e.ID], "a flag came before its evidence was in history")
			}
		}
	}
	return o.FlagDoor.SubmitFlags(ctx, flags)
}

func TestDetectHandsPostsOnBeforeFlags(t *testing.T) {
	t.Parallel()
	f := newField(t)
	o := &order{History: f.index, FlagDoor: f.door, posts: map[string]bool{}, t: t}
	f.run(f.detect(func(opts *DetectOptions) { opts.History, opts.Door = o, o }))
	require.Contains(t, o.seen, "flags")
}

// TestDetectWatchesHitsOnly: without WatchAll only accounts with a hit have a history.
func TestDetectWatchesHitsOnly(t *testing.T) {
	t.Parallel()
	all, hits := newField(t), newField(t)
	all.run(all.detect(nil))
	o := &order{History: hits.index, FlagDoor: hits.door, posts: map[string]bool{}, t: t}
	hits.run(hits.detect(func(opts *DetectOptions) { opts.History, opts.Door, opts.WatchAll = o, o, false }))
	require.Equal(t, all.door.flags, hits.door.flags, "what is watched changes no flag")
	require.Positive(t, hits.posts())
	require.Less(t, hits.posts(), all.posts())
}

// TestDetectRefusedFlags are counted and passed over; the stream goes on.
func TestDetectRefusedFlags(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.door.refuse = &casefile.Error{Code: casefile.CodeConflict, Field: "id", Message: "words of the door"}
	d := f.detect(nil)
	f.run(d)
	require.NoError(t, d.Err())
	require.Equal(t, d.Counts().Flags, d.Counts().Refused)
	require.Positive(t, d.Counts().Refused)
	require.Contains(t, f.said.String(), "code=conflict")
	require.NotContains(t, f.said.String(), "words of the door")
}

// failing is a source that breaks after some batches.
type failing struct {
	stream.Source
	batches int
	closed  int
}

func (s *failing) Next(ctx context.Context) (stream.Batch, error) {
	if s.batches == 0 {
		return stream.Batch{}, errors.New("the disk is gone")
	}
	s.batches--
	return s.Source.Next(ctx)
}

func (s *failing) Close() error {
	s.closed++
	return s.Source.Close()
}

// TestDetectSourceFails says so, and the next start goes on from what was kept.
func TestDetectSourceFails(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	whole.run(whole.detect(nil))
	f := newField(t)
	s := &failing{batches: 4}
	d := f.detect(func(o *DetectOptions) { s.Source, o.Source = o.Source, s })
	f.run(d)
	require.ErrorContains(t, d.Err(), "read the stream: the disk is gone")
	require.Equal(t, 1, s.closed)
	rest := f.detect(nil)
	f.run(rest)
	require.Equal(t, whole.door.flags, f.door.flags)
	require.Positive(t, d.Counts().Events)
	require.Positive(t, rest.Counts().Events)
}

// TestDetectKeepsAtTheEnd: however long it is to the next keeping, the end of the source and a stop
// between batches keep what was dealt with.
func TestDetectKeepsAtTheEnd(t *testing.T) {
	t.Parallel()
	f := newField(t)
	var tokens []string
	f.run(f.detect(func(o *DetectOptions) {
		keep := o.Keep
		o.KeepEvery = time.Hour
		o.Keep = func(token string) error {
			tokens = append(tokens, token)
			return keep(token)
		}
	}))
	require.Len(t, slices.Compact(tokens), 1)
	again := f.detect(nil)
	f.run(again)
	require.Zero(t, again.Counts().Events)
}

func TestDetectStopWithoutStart(t *testing.T) {
	t.Parallel()
	f := newField(t)
	s := &failing{}
	d := f.detect(func(o *DetectOptions) { s.Source, o.Source = o.Source, s })
	require.NoError(t, d.Stop(t.Context()))
	require.Equal(t, 1, s.closed)
	_, err := s.Source.Next(t.Context())
	require.NotErrorIs(t, err, io.EOF)
}

// heldDoor takes flags only once it is let, or gives up with its context.
type heldDoor struct {
	FlagDoor
	called, let chan struct{}
}

func (h *heldDoor) SubmitFlags(ctx context.Context, flags []casefile.Flag) ([]error, error) {
	select {
	case h.called <- struct{}{}:
	default:
	}
	select {
	case <-h.let:
		return h.FlagDoor.SubmitFlags(ctx, flags)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestDetectStopKeepsWhatIsUnderWay: the batch that is being handed on when the role is stopped is
// handed on and kept, so that the next start reads none of it again.
func TestDetectStopKeepsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	whole := newField(t)
	all := whole.detect(nil)
	whole.run(all)
	f := newField(t)
	held := &heldDoor{FlagDoor: f.door, called: make(chan struct{}, 1), let: make(chan struct{})}
	d := f.detect(func(o *DetectOptions) { o.Door, o.KeepEvery = held, time.Hour })
	require.NoError(t, d.Start(t.Context()))
	f.await(held.called)
	cancel := d.cancel
	d.cancel = func() {
		cancel()
		close(held.let)
	}
	require.NoError(t, d.Stop(t.Context()))
	require.NoError(t, d.Err())
	require.Positive(t, d.Counts().Events)
	rest := f.detect(nil)
	f.run(rest)
	require.Equal(t, all.Counts().Events, d.Counts().Events+rest.Counts().Events, "nothing is read twice")
	require.Equal(t, whole.door.flags, f.door.flags)
}
