// Command tally counts what was lost and what happened twice in a crash run: from the ledger's public
// files, the platforms' own and the answers that the driver wrote down. It prints one JSON object and
// ends with 1 where anything but zeros was counted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	clean, err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	if !clean {
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (clean bool, err error) {
	var s tally.Sources
	flags := flag.NewFlagSet("tally", flag.ContinueOnError)
	flags.StringVar(&s.Ledger, "ledger", "", "folder of the ledger's files")
	flags.StringVar(&s.KeyFile, "key", "", "file of the ledger's public key")
	flags.StringVar(&s.Accepted, "accepted", "", "list of 202 answers")
	flags.StringVar(&s.Verbs, "verbs", "", "list of answers to verbs")
	flags.Func("platform", "file of what a platform really did; repeatable", func(path string) error {
		s.Platforms = append(s.Platforms, path)
		return nil
	})
	err = flags.Parse(args)
	switch {
	case err != nil:
		return false, err
	case flags.NArg() > 0 || s.Ledger == "" || s.KeyFile == "" || s.Accepted == "" || s.Verbs == "" || len(s.Platforms) == 0:
		return false, errors.New("--ledger, --key, --accepted, --verbs and --platform are required, and nothing else is taken")
	}
	facts, err := tally.Read(ctx, s)
	if err != nil {
		return false, err
	}
	report, err := tally.Count(facts)
	if err != nil {
		return false, err
	}
	data, err := json.Marshal(report)
	if err != nil {
		return false, fmt.Errorf("encode the report: %w", err)
	}
	_, err = fmt.Fprintln(out, string(data))
	return report.Clean(), err
}
