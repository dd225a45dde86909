package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/stream"
)

// run is the whole life of the process.
func run(ctx context.Context, cfg options) error {
	err := cfg.check()
	if err != nil {
		return err
	}
	err = os.MkdirAll(cfg.Data, 0o700)
	if err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	err = checkOurs(cfg.Data)
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(cfg.Data, "docket.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log file: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	cfg.LogWriter = logFile
	a, err := startApp(ctx, cfg)
	if err != nil {
		return err
	}
	err = a.live(ctx)
	if ctx.Err() != nil {
		a.say.line("")
		a.say.say("stopping: what is under way is finished or kept")
	}
	err = errors.Join(err, a.stop(context.WithoutCancel(ctx)))
	if err == nil && !cfg.Once {
		a.say.say("stopped; start again with the same --data to go on")
	}
	return err
}

// check finds everything wrong with the flags before anything is started.
func (c options) check() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.NoReplay && (c.Once || len(c.Replay) > 0) {
		bad("--no-replay goes with neither --once nor --replay")
	}
	_, err := stream.ParseFormat(c.Format)
	if err != nil {
		bad("--format must be one of auto, event, twitter1")
	}
	for _, path := range c.Replay {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			bad("--replay: %w", err)
		case info.IsDir():
			bad("--replay: %s is a folder", path)
		}
	}
	if c.Settings.Lease < 0 || c.Settings.Grace < 0 {
		bad("--lease and --grace must not be negative")
	}
	return errors.Join(all...)
}

// live replays and then serves until ctx ends, or, with --once, until every flag stands in a queue.
func (a *app) live(ctx context.Context) error {
	if !a.cfg.NoReplay {
		s, err := a.replay(ctx)
		if err == nil && ctx.Err() != nil && a.cfg.Once {
			err = errors.New("interrupted before every flag stood in a queue")
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
		if a.cfg.Once {
			return a.printSummary(s)
		}
	}
	a.welcome(ctx)
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.process.Failed():
		return err
	}
}

// welcome prints where to go and who may go there.
func (a *app) welcome(ctx context.Context) {
	queues, err := a.records.Queues(ctx)
	if err == nil {
		waiting := 0
		for _, q := range queues {
			waiting += q.Waiting
		}
		a.say.say("%d cases wait in %d queues", waiting, len(queues))
	}
	a.say.line("\nOne-time login links, good for 15 minutes from the start (all people are invented):")
	for _, p := range a.creds.People {
		if p.LoginLink != "" {
			a.say.line("  %s (%s)\n    %s", p.Login, roleList(p.Roles), p.LoginLink)
		}
	}
	a.say.line("\nConsole: %s\nThe same, with API tokens: %s\nLedger, for anybody to verify: %s/log/\n  with the key in %s\nStop with Ctrl-C.",
		a.baseURL, a.folder.path("credentials.json"), a.baseURL, a.folder.path("keys", "log.pub"))
}

func roleList(roles []casefile.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// summary is what --once prints as its last line. The p99 holds the replay's backlog.
type summary struct {
	Events          int64   `json:"events"`
	Accounts        int     `json:"accounts"`
	Flags           int     `json:"flags"`
	Cases           int     `json:"cases"`
	EventsPerSecond float64 `json:"events_per_second"`
	FlagToQueueP99  float64 `json:"flag_to_queue_p99_ms"`
}

func (a *app) printSummary(s summary) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the summary: %w", err)
	}
	a.say.line("%s", data)
	return nil
}

// awaitQueued follows the change feed until every flag accepted since t stands in a queue; with
// --once, until those of earlier runs do too. The figures are of those since t.
func (a *app) awaitQueued(ctx context.Context, t time.Time) (records.FlagStats, error) {
	changes := a.records.Changes(ctx)
	for {
		stats, err := a.records.FlagStats(ctx, t)
		all := stats
		if err == nil && a.cfg.Once && queued(stats) {
			all, err = a.records.FlagStats(ctx, time.Unix(0, 0))
		}
		if err != nil {
			return stats, fmt.Errorf("count the flags: %w", err)
		}
		if queued(all) {
			return stats, nil
		}
		if !records.WaitChange(ctx, changes, time.Second, records.ChangeCase, records.ChangeFlag) {
			return stats, ctx.Err()
		}
	}
}

func queued(s records.FlagStats) bool { return s.Pending == 0 && s.Unqueued == 0 }
