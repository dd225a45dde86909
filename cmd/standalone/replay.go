package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/stream"
	synthetic "github.com/docket-triage/docket/testdata/stream"
)

// detectorLogin is the demo service account that hands the detector's flags in.
const detectorLogin = "detector"

// detecting is the detect role with what is asked of its parts after the replay.
type detecting struct {
	*assembly.Detect
	accounts *accountCounter
}

// replay runs the stream through the detector and waits until every flag stands in a queue.
func (a *app) replay(ctx context.Context) (summary, error) {
	began := time.Now()
	d, before, err := a.startDetect(ctx)
	if err != nil {
		return summary{}, err
	}
	a.follow(ctx, d)
	if ctx.Err() != nil {
		return summary{}, nil
	}
	err = d.Err()
	if err != nil {
		return summary{}, fmt.Errorf("replay: %w", err)
	}
	took := time.Since(began)
	counts := d.Counts()
	rate := float64(counts.Events) / took.Seconds()
	a.tellReplay(d, before, rate)
	stats, err := a.awaitQueued(ctx, began)
	if err != nil || ctx.Err() != nil {
		return summary{}, err
	}
	if stats.Flags > 0 {
		a.say.say("every flag stands in a queue: %d cases, p99 %s from accepted to queued, with backlog",
			stats.Cases, stats.ToQueueP99.Round(time.Millisecond))
	}
	return summary{
		Events: counts.Events, Accounts: int(d.accounts.count.Load()), Flags: stats.Flags, Cases: stats.Cases,
		EventsPerSecond: float64(int(rate*10)) / 10, FlagToQueueP99: float64(stats.ToQueueP99.Microseconds()) / 1000,
	}, nil
}

// tellReplay prints what came of reading the stream.
func (a *app) tellReplay(d detecting, before detector.Stats, rate float64) {
	counts, rejected := d.Counts(), d.Lines.Rejected()
	switch {
	case counts.Events > 0:
		a.say.say("replayed %d events by %d accounts, %d flags; %.0f events/s, all handed on",
			counts.Events, d.accounts.count.Load(), counts.Flags, rate)
		a.printRules(before, d.Detector.Stats())
	case rejected > 0:
		a.say.say("no line could be read as an event: is --format right? Nothing counts as read")
	default:
		a.say.say("nothing new to replay: this data has seen the whole stream")
	}
	if rejected > 0 {
		a.say.say("%d lines are no events and were left out: see %s", rejected, a.process.Config.Detect.Rejects)
	}
	if counts.Outside > 0 {
		a.say.say("%d posts are older than the window of history: counted, not stored", counts.Outside)
	}
	if counts.Missed > 0 {
		a.say.say("%d posts are missing from history: the index did not take them; findings of their accounts say less", counts.Missed)
	}
	if counts.Refused > 0 {
		a.say.say("%d flags were refused: see %s", counts.Refused, a.folder.path("docket.log"))
	}
}

// startDetect starts reading, and gives what the detector had counted before.
func (a *app) startDetect(ctx context.Context) (detecting, detector.Stats, error) {
	var err error
	c := &a.process.Config.Detect
	c.Files, err = a.replayFiles()
	if err != nil {
		return detecting{}, detector.Stats{}, err
	}
	c.Door, c.Token = a.baseURL, config.Secret(a.creds.token(detectorLogin))
	var d detecting
	d.Detect, err = a.process.MakeDetect(ctx, func(s stream.Source) stream.Source {
		d.accounts = countAccounts(s)
		return d.accounts
	})
	if err != nil {
		return detecting{}, detector.Stats{}, err
	}
	a.say.say("role detect reads %d file(s) with %d rules, version %s", len(c.Files), len(d.Rules.Rules), d.Rules.Version)
	before := d.Detector.Stats()
	return d, before, a.process.Begin(ctx, d.Detect)
}

// replayFiles are those of --replay, or the synthetic stream that ships with the program, written
// into the data folder so that its resume token holds.
func (a *app) replayFiles() ([]string, error) {
	if len(a.cfg.Replay) > 0 {
		return a.cfg.Replay, nil
	}
	path := a.folder.path("synthetic.ndjson.gz")
	_, err := os.Stat(path)
	if err == nil {
		return []string{path}, nil
	}
	return []string{path}, writeFile(path, synthetic.Events())
}

// follow draws a progress bar until the replay ends.
func (a *app) follow(ctx context.Context, d detecting) {
	progress := mpb.NewWithContext(ctx, mpb.WithOutput(a.cfg.Out), mpb.WithWidth(48), mpb.WithRefreshRate(150*time.Millisecond))
	bar := progress.AddBar(barSteps, mpb.PrependDecorators(decor.Name("         replay ")),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string {
			c := d.Counts()
			return fmt.Sprintf("  %d events, %d flags", c.Events, c.Flags)
		})))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-d.Done():
			done = true
		case <-ctx.Done():
			bar.Abort(false)
			done = true
		case <-tick.C:
		}
		bar.SetCurrent(int64(d.Progress().Fraction() * (barSteps - 1)))
	}
	bar.SetCurrent(barSteps)
	progress.Wait()
}

// barSteps is the bar's resolution.
const barSteps = 1000

// printRules prints how many flags of this replay named each rule, the most frequent first.
func (a *app) printRules(before, after detector.Stats) {
	type count struct {
		rule string
		n    int64
	}
	var counts []count
	for rule, n := range after.FlagsByRule {
		if n -= before.FlagsByRule[rule]; n > 0 {
			counts = append(counts, count{rule, n})
		}
	}
	sort.Slice(counts, func(i, j int) bool {
		if counts[i].n != counts[j].n {
			return counts[i].n > counts[j].n
		}
		return counts[i].rule < counts[j].rule
	})
	for _, c := range counts {
		a.say.line("           %6d  %s", c.n, c.rule)
	}
}
