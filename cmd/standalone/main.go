// Command standalone runs all of Docket in one process on the embedded defaults: the real Temporal
// server, SQLite, a local ledger, an index and a dry-run platform. It replays a stream of posts
// through the detector and leaves the cases that come of it waiting in a console. Its command
// temporal runs the Temporal server alone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/workflows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command().ExecuteContext(ctx)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "standalone:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	cfg := options{Settings: workflows.Settings{}}
	cmd := &cobra.Command{
		Use:   "standalone",
		Short: "Run all of Docket in one process and open its console",
		Long: `Run all of Docket in one process on the embedded defaults: a real Temporal server, SQLite,
a local ledger and a platform that only writes down what it would do. The synthetic stream that
ships with Docket is replayed through the detector unless --replay names other files; the cases
that come of it wait in queues. A second start on the same data goes on where the first stopped.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("takes flags only, not %q (see --help)", args[0])
			}
			return nil
		},
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Out = cmd.OutOrStdout()
			return run(cmd.Context(), cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Data, "data", "docket-data", "folder for everything that is kept between runs")
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "address of API and console; port 0 takes a free one")
	f.StringArrayVar(&cfg.Replay, "replay", nil, "replay this file, plain or gzip, instead of the synthetic stream; repeatable, files are merged by event time")
	f.StringVar(&cfg.Format, "format", "auto", "how replayed files are written: auto, event or twitter1")
	f.BoolVar(&cfg.NoReplay, "no-replay", false, "replay nothing")
	f.BoolVar(&cfg.Once, "once", false, "replay, wait until every flag stands in a queue, print a summary in JSON as the last line, and end")
	f.BoolVar(&cfg.Fast, "fast", false, "do not wait for the disk at each commit: a killed process still loses nothing, a power cut may lose the last accepted flags and decisions")
	f.DurationVar(&cfg.Settings.Lease, "lease", 10*time.Minute, "how long a reviewer's claim holds without input")
	f.DurationVar(&cfg.Settings.Grace, "grace", 15*time.Second, "how long a decision can be withdrawn before it goes on the ledger")
	f.StringVar(&cfg.Routing, "routing", "", "file of routing rules (docs/formats/routing-rules.md); those that Docket ships if left out")
	f.StringVar(&cfg.CheckpointCopy, "checkpoint-copy", "", "folder, best on another disk, that each checkpoint of the ledger is copied to")
	f.Func("webhook", "`[PLATFORM=]FILE`: act over signed webhooks by this configuration (docs/formats/webhook.md) instead of the dry run, on one platform or on all that are not named; repeatable", func(arg string) error {
		p, err := webhookPlatform(arg)
		if err == nil {
			cfg.Platforms = append(cfg.Platforms, p)
		}
		return err
	})
	f.StringVar(&cfg.Telling, "telling", "", "file of who is told when something needs people (docs/telling.md); nobody if left out")
	cmd.AddCommand(temporalCommand(), benchCommand())
	return cmd
}
