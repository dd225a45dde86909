package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/stream"
)

// FlagDoor takes flags in, many at once; it is the API of the serve role, over HTTP. A nil error
// means that every flag was accepted or refused for good; refused lists those.
type FlagDoor interface {
	SubmitFlags(ctx context.Context, flags []casefile.Flag) (refused []error, err error)
}

// DetectOptions are what the detect role is made of.
type DetectOptions struct {
	Source   stream.Source
	Detector *detector.Detector
	Door     FlagDoor
	History  indexing.History
	Identity evidence.Identity
	// Keep writes the detector's windows and the resume token in one step, durably.
	Keep func(token string) error
	// KeepEvery is the time between two of them; 0 means 5 s.
	KeepEvery time.Duration
	// Resume is the token that the windows stand for at the start.
	Resume stream.Token
	// Erased is asked which accounts to forget, every ForgetEvery (0 means 30 s); nil for none. Rewrite
	// writes the windows and a resume token anew where a snapshot stands.
	Erased      ErasedDoor
	Rewrite     func(token string) error
	ForgetEvery time.Duration
	// WatchAll hands the posts of every account to history, not only those of accounts with a hit.
	WatchAll bool
	Log      *slog.Logger
}

// Detect is the role that reads a stream: events in, flags to the door, posts to history. It goes on
// where its snapshot stands; what it does twice after a crash changes nothing, because flag ids come
// from the claim alone and history is idempotent.
type Detect struct {
	o      DetectOptions
	token  stream.Token
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	once   sync.Once
	beside sync.WaitGroup

	// mu is held while a batch is handed on, so that windows and token belong together to whoever holds it.
	mu sync.Mutex
	// ahead says that the windows have a batch in them that was not handed on whole: they are not kept.
	ahead bool

	events, flags, refused, outside, missed atomic.Int64
}

// DetectCounts tells what a run has done so far.
type DetectCounts struct {
	Events, Flags, Refused int64
	// Outside are posts older than the window of history: counted, not stored.
	Outside int64
	// Missed are posts that history could not take: findings of their accounts say less.
	Missed int64
}

// NewDetect makes the role.
func NewDetect(o DetectOptions) *Detect {
	if o.KeepEvery <= 0 {
		o.KeepEvery = 5 * time.Second
	}
	return &Detect{o: o, token: o.Resume, done: make(chan struct{})}
}

// Start starts reading.
func (d *Detect) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	go func() {
		defer close(d.done)
		d.err = d.run(ctx)
	}()
	if d.o.Erased != nil {
		d.beside.Go(func() { d.forgetting(ctx) })
	}
	return nil
}

// Done is closed when the source has ended, or reading failed, or the role was stopped.
func (d *Detect) Done() <-chan struct{} { return d.done }

// Err says after Done why reading ended; nil at the end of the source.
func (d *Detect) Err() error { return d.err }

// Progress says how much of the source has been read.
func (d *Detect) Progress() stream.Progress { return d.o.Source.Progress() }

// Counts may be asked at any time.
func (d *Detect) Counts() DetectCounts {
	return DetectCounts{Events: d.events.Load(), Flags: d.flags.Load(), Refused: d.refused.Load(), Outside: d.outside.Load(), Missed: d.missed.Load()}
}

// Stop stops reading, keeps a last snapshot and closes the source.
func (d *Detect) Stop(context.Context) error {
	var err error
	d.once.Do(func() {
		if d.cancel != nil {
			d.cancel()
			<-d.done
			d.beside.Wait()
		}
		err = d.o.Source.Close()
	})
	return err
}

func (d *Detect) run(ctx context.Context) error {
	calls, cancel := outlive(ctx, lastCall)
	defer cancel()
	kept := time.Now()
	dirty := false
	for {
		batch, err := d.o.Source.Next(ctx)
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			if dirty {
				return d.keepNow()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		err = d.handOn(ctx, calls, batch)
		if err != nil {
			if ctx.Err() != nil {
				// Flags of this batch may be on their way: the snapshot before it stands.
				return nil
			}
			return err
		}
		dirty = true
		if time.Since(kept) >= d.o.KeepEvery {
			err = d.keepNow()
			if err != nil {
				return err
			}
			kept, dirty = time.Now(), false
		}
	}
}

// lastCall is how long a call that is under way when the role is stopped may still take: a batch
// that was handed on whole is kept, and not read again at the next start.
const lastCall = 10 * time.Second

// outlive gives a context that ends grace after ctx.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}

// handOn takes a batch and moves the token on behind it.
func (d *Detect) handOn(ctx, calls context.Context, batch stream.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.take(ctx, calls, batch)
	if err != nil {
		d.ahead = true
		return err
	}
	d.token = batch.Token
	return nil
}

func (d *Detect) keepNow() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keep()
}

// keep writes windows and resume token in one file, after everything before them was handed on.
func (d *Detect) keep() error {
	err := d.o.Keep(string(d.token))
	if err != nil {
		return fmt.Errorf("keep the detector's snapshot: %w", err)
	}
	crashpoint.Reach("8")
	return nil
}

// take hands a batch on: its posts to history first, so that the cases that its flags open find them.
// The end of ctx ends it between two attempts; a call under way ends with calls.
func (d *Detect) take(ctx, calls context.Context, batch stream.Batch) error {
	var posts []indexing.Post
	var flags []casefile.Flag
	for i := range batch.Events {
		e := &batch.Events[i]
		found, watched := d.o.Detector.Process(e)
		flags = append(flags, found...)
		if (watched || d.o.WatchAll) && (e.Kind == casefile.EventPost || e.Kind == casefile.EventEdit || e.Kind == casefile.EventDelete) {
			key := d.o.Identity.Account(casefile.AccountRef{Platform: e.Platform, ID: e.Account.ID})
			posts = append(posts, indexing.Post{Event: *e, Account: key})
		}
	}
	crashpoint.Reach("1")
	if len(posts) > 0 {
		err := d.keepHistory(ctx, calls, posts)
		if err != nil {
			return err
		}
		crashpoint.Reach("2")
	}
	if len(flags) > 0 {
		err := d.insist(ctx, "flags", func() error {
			refused, err := d.o.Door.SubmitFlags(calls, flags)
			for _, r := range refused {
				d.refused.Add(1)
				d.o.Log.ErrorContext(ctx, "flag refused", "code", string(casefile.ErrorCode(r)))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	d.events.Add(int64(len(batch.Events)))
	d.flags.Add(int64(len(flags)))
	return nil
}

// historyAttempts bounds how often a batch of posts is offered to history. History is a read model:
// an index that is down must not stop flagging, and what it misses makes findings say less.
const historyAttempts = 3

// keepHistory hands posts to history; those that it does not take are counted and passed over.
func (d *Detect) keepHistory(ctx, calls context.Context, posts []indexing.Post) error {
	pause := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		res, err := d.o.History.PutPosts(calls, posts)
		if err == nil {
			d.outside.Add(int64(res.Outside))
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("hand posts to history: %w", ctx.Err())
		}
		if attempt == historyAttempts || casefile.ErrorCode(err) == casefile.CodeInvalid {
			d.missed.Add(int64(len(posts)))
			d.o.Log.ErrorContext(ctx, "posts missing from history", "posts", len(posts), "code", string(casefile.ErrorCode(err)))
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		pause *= 4
	}
}

// insist repeats an idempotent hand-on until it succeeds: the stream waits rather than loses.
func (d *Detect) insist(ctx context.Context, what string, do func() error) error {
	pause := 100 * time.Millisecond
	for {
		err := do()
		if err == nil {
			return nil
		}
		d.o.Log.WarnContext(ctx, "hand-on failed, trying again", "what", what, "code", string(casefile.ErrorCode(err)))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("hand %s on: %w", what, ctx.Err())
		case <-timer.C:
		}
		pause = min(pause*2, 10*time.Second)
	}
}
