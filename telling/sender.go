package telling

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/casefile"
)

// Times of the sender.
const (
	// GiveUp is how old a notice may be before a failure is its last. Pages are never given up.
	GiveUp = 24 * time.Hour
	// MaxBackOff is the longest pause between two attempts with one message.
	MaxBackOff = 5 * time.Minute
	// MaxRetryAfter is the longest that a receiver's Retry-After is kept to: as long as a threat to life
	// may wait for its first look.
	MaxRetryAfter = casefile.ThreatTime

	tellTime  = 20 * time.Second // for one attempt
	holdTime  = time.Minute      // for which a taken message is reserved; must be longer than tellTime
	noteTime  = 5 * time.Second  // for writing down what became of an attempt
	lookAgain = 2 * time.Second  // after which the outbox is looked at without a notice
	pause     = time.Second      // after a failure of the outbox
	maxRest   = 30 * time.Second // for which a broken channel is left alone
	batch     = 100              // messages routed at once
)

// Options is what a sender works with.
type Options struct {
	Outbox Outbox
	Config Config
	// Channels are those of the configuration; Open makes them.
	Channels map[string]Channel
	// Wake is told when the outbox has got something; nil where nobody tells. It is looked at every two
	// seconds all the same.
	Wake <-chan struct{}
	Log  *slog.Logger
	// Now is the time; time.Now where nil.
	Now func() time.Time
	// Metrics registers the counters and gauges; nil for none.
	Metrics prometheus.Registerer
}

// Sender drains the outbox: it routes each message by the configuration and hands it to every channel
// that is due, each at its own pace, so that one that is down holds up no other.
type Sender struct {
	outbox  Outbox
	config  Config
	wake    <-chan struct{}
	log     *slog.Logger
	now     func() time.Time
	metrics metrics
	lanes   map[string]*lane
}

// lane is one channel on its way.
type lane struct {
	name    string
	channel Channel
	poke    chan struct{}
	// failures counts attempts in a row that failed for the channel's sake; it is left alone until rest.
	failures int
	rest     time.Time
	// unnoted is what was told and could not be written down: it must not be told again.
	unnoted map[string]time.Time
}

// New checks the options and registers the metrics. The error is a casefile.Faults for a configuration
// that Validate refuses.
func New(o Options) (*Sender, error) {
	err := o.Config.Validate()
	if err != nil {
		return nil, fmt.Errorf("set up telling: %w", err)
	}
	want := sortedKeys(o.Config.Webhooks)
	if o.Config.Mail != nil {
		want = append(want, MailChannel)
	}
	slices.Sort(want)
	if !slices.Equal(want, sortedKeys(o.Channels)) {
		return nil, casefile.Errorf(casefile.CodeInvalid, "set up telling: the channels are not those of the configuration")
	}
	s := &Sender{outbox: o.Outbox, config: o.Config, wake: o.Wake, log: o.Log, now: o.Now, lanes: map[string]*lane{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.metrics, err = newMetrics(o.Metrics, o.Outbox, s.now)
	if err != nil {
		return nil, err
	}
	for name, channel := range o.Channels {
		s.lanes[name] = &lane{name: name, channel: channel, poke: make(chan struct{}, 1), unnoted: map[string]time.Time{}}
	}
	return s, nil
}

// Run drains the outbox until ctx ends and every attempt under way has been written down. It routes
// what is open anew first: the configuration may have changed since.
func (s *Sender) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, l := range s.lanes {
		all.Go(func() { s.runLane(ctx, l) })
	}
	s.runRouting(ctx)
	all.Wait()
}

func (s *Sender) runRouting(ctx context.Context) {
	wake, rerouted := s.wake, false
	for ctx.Err() == nil {
		var err error
		more := false
		if !rerouted {
			err = s.outbox.RerouteTellings(ctx)
			rerouted = err == nil
		}
		if err == nil {
			more, err = s.Route(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.WarnContext(ctx, "tellings not routed", "code", string(casefile.ErrorCode(err)))
			wait(ctx, nil, pause)
		case !more:
			if !wait(ctx, wake, lookAgain) {
				wake = nil // closed
			}
		}
	}
}

func (s *Sender) runLane(ctx context.Context, l *lane) {
	for ctx.Err() == nil {
		if rest := l.rest.Sub(s.now()); rest > 0 {
			wait(ctx, nil, rest)
			continue
		}
		more, err := s.tell(ctx, l)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.WarnContext(ctx, "telling outbox not reached", "channel", l.name, "code", string(casefile.ErrorCode(err)))
			wait(ctx, nil, pause)
		case !more:
			wait(ctx, l.poke, lookAgain)
		}
	}
}

// wait returns when told, when the time is over or when ctx ends; false once told is closed.
func wait(ctx context.Context, told <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case _, open := <-told:
		return open
	}
	return true
}

// Route routes what waits for it, one batch; more says that there may be more.
func (s *Sender) Route(ctx context.Context) (more bool, err error) {
	list, err := s.outbox.UnroutedTellings(ctx, batch)
	if err != nil {
		return false, fmt.Errorf("list the tellings to route: %w", err)
	}
	for _, m := range list {
		channels := s.routeOf(ctx, m)
		err = s.outbox.RouteTelling(ctx, m.ID, channels, s.now())
		if err != nil {
			return false, fmt.Errorf("route a telling: %w", err)
		}
		if len(channels) == 0 {
			s.metrics.nowhere.WithLabelValues(urgencyLabel(m.Urgency)).Inc()
		}
		for _, name := range channels {
			select {
			case s.lanes[name].poke <- struct{}{}:
			default: // it has been told and not looked yet
			}
		}
	}
	return len(list) == batch, nil
}

// routeOf names the channels of a message. What a newer version wrote and this one cannot read is told
// nowhere rather than with words that nobody has looked at.
func (s *Sender) routeOf(ctx context.Context, m Message) []string {
	if s.config.Off() {
		return nil
	}
	err := m.Validate()
	if err != nil {
		s.log.ErrorContext(ctx, "a telling that is not sound is told nobody", "code", string(casefile.ErrorCode(err)))
		return nil
	}
	return s.config.channels(m.Team, m.Urgency)
}

// urgencyLabel keeps what is not sound out of the labels.
func urgencyLabel(u Urgency) string {
	if !u.Valid() {
		return "unknown"
	}
	return string(u)
}

// Tell makes one attempt on the named channel with the message that is due there; more says that
// another may be due. A channel that failed is not left alone here: Run sees to that, and Tell is not
// for use beside it. The error is the outbox's, or CodeNotFound for a channel that is not configured.
func (s *Sender) Tell(ctx context.Context, channel string) (more bool, err error) {
	l, ok := s.lanes[channel]
	if !ok {
		return false, casefile.Errorf(casefile.CodeNotFound, "there is no channel %q", channel)
	}
	return s.tell(ctx, l)
}

func (s *Sender) tell(ctx context.Context, l *lane) (more bool, err error) {
	now := s.now()
	row, ok, err := s.outbox.TakeTelling(ctx, l.name, now, now.Add(holdTime))
	if err != nil {
		return false, fmt.Errorf("take a telling: %w", err)
	}
	if !ok {
		return false, nil
	}
	if at, told := l.unnoted[row.ID]; told {
		return true, s.noteSent(ctx, l, row, at)
	}
	m := row.Message
	m.Team = s.config.team(m.Team)
	attempt, cancel := context.WithTimeout(ctx, tellTime)
	missed, err := l.channel.Tell(attempt, m)
	cancel()
	stopped := ctx.Err() != nil
	// What became of it is written down even if the sender is being stopped.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	switch {
	case err != nil && stopped:
		// The fault is ours: whoever comes next may try at once.
		err = s.outbox.TellingFailed(ctx, row.ID, l.name, CodeStopped, s.now())
		if err != nil {
			return true, fmt.Errorf("note a telling that was broken off: %w", err)
		}
		return true, nil
	case err != nil:
		return true, s.noteFailed(ctx, l, row, asFailure(err))
	}
	l.failures, l.rest = 0, time.Time{}
	s.metrics.told.WithLabelValues(l.name, urgencyLabel(m.Urgency)).Inc()
	if missed > 0 {
		s.metrics.missed.WithLabelValues(l.name).Add(float64(missed))
		s.log.WarnContext(ctx, "some addresses did not take a telling", "channel", l.name, "telling", row.ID, "addresses", missed)
	}
	return true, s.noteSent(ctx, l, row, s.now())
}

func (s *Sender) noteSent(ctx context.Context, l *lane, row Row, at time.Time) error {
	l.unnoted[row.ID] = at
	err := s.outbox.TellingSent(ctx, row.ID, l.name, at)
	if err != nil {
		return fmt.Errorf("note a telling that was told: %w", err)
	}
	delete(l.unnoted, row.ID)
	return nil
}

func (s *Sender) noteFailed(ctx context.Context, l *lane, row Row, f *Failure) error {
	now := s.now()
	s.metrics.failed.WithLabelValues(l.name, string(f.Code)).Inc()
	s.log.WarnContext(ctx, "telling failed", "channel", l.name, "telling", row.ID, "code", string(f.Code), "attempt", row.Attempts+1)
	left := min(f.RetryAfter, MaxRetryAfter)
	if f.Code.wholeChannel() {
		l.failures++
		l.rest = now.Add(max(left, min(backOff(l.failures, rand.Float64()), maxRest)))
	}
	if row.Urgency != Page && now.Sub(row.At) >= GiveUp {
		s.metrics.undelivered.WithLabelValues(l.name, urgencyLabel(row.Urgency)).Inc()
		err := s.outbox.TellingUndelivered(ctx, row.ID, l.name, f.Code, now)
		if err != nil {
			return fmt.Errorf("note a telling that was given up: %w", err)
		}
		return nil
	}
	next := now.Add(max(left, backOff(row.Attempts+1, rand.Float64())))
	err := s.outbox.TellingFailed(ctx, row.ID, l.name, f.Code, next)
	if err != nil {
		return fmt.Errorf("note a telling that failed: %w", err)
	}
	return nil
}

// backOff is the pause after so many failures in a row, from 1: one second, doubled with each, at most
// MaxBackOff; of that between half and all, by chance (0 to 1), so that many do not come back at once.
func backOff(failures int, chance float64) time.Duration {
	d := MaxBackOff
	if failures < 10 {
		d = min(d, time.Second<<(max(failures, 1)-1))
	}
	return d/2 + time.Duration(chance*float64(d/2))
}
