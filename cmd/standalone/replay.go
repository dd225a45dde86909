package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy/examples"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/stream"
	synthetic "github.com/docket-triage/docket/testdata/stream"
	"github.com/docket-triage/docket/worker"
)

// detectorLogin is the demo service account that hands the detector's flags in.
const detectorLogin = "detector"

// detecting is the detect role with what is asked of its parts after the replay.
type detecting struct {
	role     *worker.Detect
	detector *detector.Detector
	accounts *accountCounter
	lines    *stream.Files
	rejects  *os.File
}

// replay runs the stream through the detector and waits until every flag stands in a queue.
func (a *app) replay(ctx context.Context) (summary, error) {
	began := time.Now()
	d, err := a.openDetect()
	if err != nil {
		return summary{}, err
	}
	a.detect = d.role
	a.onStop(func(context.Context) error { return d.rejects.Close() })
	err = a.begin(ctx, d.role)
	if err != nil {
		return summary{}, err
	}
	before := d.detector.Stats()
	a.follow(ctx, d.role)
	if ctx.Err() != nil {
		return summary{}, nil
	}
	err = d.role.Err()
	if err != nil {
		return summary{}, fmt.Errorf("replay: %w", err)
	}
	took := time.Since(began)
	counts := d.role.Counts()
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
func (a *app) tellReplay(d *detecting, before detector.Stats, rate float64) {
	counts, rejected := d.role.Counts(), d.lines.Rejected()
	switch {
	case counts.Events > 0:
		a.say.say("replayed %d events by %d accounts, %d flags; %.0f events/s, all handed on",
			counts.Events, d.accounts.count.Load(), counts.Flags, rate)
		a.printRules(before, d.detector.Stats())
	case rejected > 0:
		a.say.say("no line could be read as an event: is --format right? Nothing counts as read")
	default:
		a.say.say("nothing new to replay: this data has seen the whole stream")
	}
	if rejected > 0 {
		a.say.say("%d lines are no events and were left out: see %s", rejected, d.rejects.Name())
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

func (a *app) openDetect() (*detecting, error) {
	rules, err := detector.LoadRules(bytes.NewReader(examples.Detector()))
	if err != nil {
		return nil, fmt.Errorf("load the example rules: %w", err)
	}
	d := &detecting{detector: detector.New(rules)}
	snapshot := a.folder.path("detector.snapshot")
	kept, _, err := d.detector.LoadFile(snapshot, systemSeal{a.sealer})
	if err != nil {
		return nil, err
	}
	files, err := a.replayFiles()
	if err != nil {
		return nil, err
	}
	format, err := stream.ParseFormat(a.cfg.Format)
	if err != nil {
		return nil, err
	}
	d.rejects, err = os.OpenFile(a.folder.path("rejects.ndjson"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the reject file: %w", err)
	}
	log := a.log.With("role", "detect")
	d.lines, err = stream.Open(context.Background(), stream.Options{
		Files: files, Format: format, Resume: stream.Token(kept.Token),
		Rejects: stream.RejectWriter(d.rejects, func(error) { log.Error("the reject file cannot be written") }),
	})
	if err != nil {
		return nil, errors.Join(err, d.rejects.Close())
	}
	d.accounts = countAccounts(d.lines)
	d.role = worker.NewDetect(worker.DetectOptions{
		Source: d.accounts, Detector: d.detector, History: a.index,
		Door:     worker.Door{Client: &client.Client{Base: a.baseURL, Token: a.creds.token(detectorLogin)}},
		Identity: a.keyring.Identity(), WatchAll: true, Log: log,
		Keep: func(token string) error {
			if d.accounts.count.Load() == 0 {
				return nil // nothing was an event: after a wrong --format, the right one reads it all
			}
			return d.detector.SaveFile(snapshot, token, systemSeal{a.sealer})
		},
	})
	a.say.say("role detect reads %d file(s) with %d rules, version %s", len(files), len(rules.Rules), rules.Version)
	return d, nil
}

// systemSeal seals the detector's snapshot, which holds posts, under the deployment key.
type systemSeal struct{ sealer evidence.Sealer }

func (s systemSeal) Seal(plain []byte) ([]byte, error) {
	return s.sealer.SealSystem(context.Background(), plain)
}

func (s systemSeal) Open(sealed []byte) ([]byte, error) {
	return s.sealer.OpenSystem(context.Background(), sealed)
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
func (a *app) follow(ctx context.Context, d *worker.Detect) {
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
