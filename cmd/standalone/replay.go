package main

import (
	"bytes"
	"context"
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

// replay runs the stream through the detector and waits until every flag stands in a queue.
func (a *app) replay(ctx context.Context) (summary, error) {
	began := time.Now()
	d, det, accounts, rejects, err := a.openDetect()
	if err != nil {
		return summary{}, err
	}
	a.detect = d
	a.onStop(func(context.Context) error { return rejects.Close() })
	err = a.begin(ctx, d)
	if err != nil {
		return summary{}, err
	}
	before := det.Stats()
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
	switch counts.Events {
	case 0:
		a.say.say("nothing new to replay: this data has seen the whole stream")
	default:
		a.say.say("replayed %d events by %d accounts (%.0f events/s with history and flags handed on), %d flags",
			counts.Events, accounts.count.Load(), rate, counts.Flags)
		a.printRules(before, det.Stats())
	}
	if counts.Outside > 0 {
		a.say.say("%d posts are older than the window of history: counted, not stored", counts.Outside)
	}
	if counts.Refused > 0 {
		a.say.say("%d flags were refused: see docket.log", counts.Refused)
	}
	stats, err := a.awaitQueued(ctx, began)
	if err != nil {
		return summary{}, err
	}
	if stats.Flags > 0 {
		a.say.say("every flag stands in a queue: %d cases, p99 from accepted to queued %s (the replay's backlog included)",
			stats.Cases, stats.ToQueueP99.Round(time.Millisecond))
	}
	return summary{
		Events: counts.Events, Accounts: int(accounts.count.Load()), Flags: stats.Flags, Cases: stats.Cases,
		EventsPerSecond: float64(int(rate*10)) / 10, FlagToQueueP99: float64(stats.ToQueueP99.Microseconds()) / 1000,
	}, nil
}

func (a *app) openDetect() (*worker.Detect, *detector.Detector, *accountCounter, *os.File, error) {
	rules, err := detector.LoadRules(bytes.NewReader(examples.Detector()))
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("load the example rules: %w", err)
	}
	det := detector.New(rules)
	snapshot := a.folder.path("detector.snapshot")
	kept, _, err := det.LoadFile(snapshot, systemSeal{a.sealer})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	files, err := a.replayFiles()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	format, err := stream.ParseFormat(a.cfg.Format)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	rejects, err := os.OpenFile(a.folder.path("rejects.ndjson"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("open the reject file: %w", err)
	}
	log := a.log.With("role", "detect")
	source, err := stream.Open(context.Background(), stream.Options{
		Files: files, Format: format, Resume: stream.Token(kept.Token),
		Rejects: stream.RejectWriter(rejects, func(error) { log.Error("the reject file cannot be written") }),
	})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	accounts := countAccounts(source)
	d := worker.NewDetect(worker.DetectOptions{
		Source: accounts, Detector: det, Door: worker.Door{Client: &client.Client{Base: a.baseURL, Token: a.creds.token(detectorLogin)}}, History: a.index,
		Identity: a.keyring.Identity(), WatchAll: true, Log: log,
		Keep: func(token string) error { return det.SaveFile(snapshot, token, systemSeal{a.sealer}) },
	})
	a.say.say("role detect reads %d file(s) with %d rules, version %s", len(files), len(rules.Rules), rules.Version)
	return d, det, accounts, rejects, nil
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
