package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/cmd/standalone/internal/crash"
)

// crashOptions is everything that a crash run may be told.
type crashOptions struct {
	Rounds int
	Seed   uint64
	Dir    string
	JSON   bool
}

// errUnclean ends a crash run that counted anything but zeros.
var errUnclean = errors.New("the crash run counted what must not be: see above")

func benchCrash() *cobra.Command {
	var o crashOptions
	cmd := &cobra.Command{
		Use:   "crash",
		Short: "Kill the process under load again and again, and count what was lost and what happened twice",
		Long: `Build Docket with crash points, run it as a process of its own, and kill it by SIGKILL under load: right
behind each numbered step of docs/life-of-a-case.md, and at any time, in half of the rounds once more
during recovery. At every kill at least 20 flags, 5 claims and 5 takedowns are in flight. Afterwards a
program that reads the ledger, the platforms' own files and the answers that were given counts. The
run needs the sources and the go tool. It ends with an error where anything but zeros was counted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 {
				return errors.New("--rounds must be 1 or more")
			}
			if !cmd.Flags().Changed("seed") {
				o.Seed = rand.Uint64N(1_000_000)
			}
			return runCrash(cmd, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Rounds, "rounds", 20, "rounds; each kills once, half of them again during recovery")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of what is drawn; runs of successive seeds begin at other steps (random if left out)")
	f.StringVar(&o.Dir, "dir", "", "empty folder that everything is kept in; a temporary one, removed where all is well, if left out")
	f.BoolVar(&o.JSON, "json", false, "end with one JSON object in the last line")
	return cmd
}

func runCrash(cmd *cobra.Command, o crashOptions) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	dir, temporary, err := crashFolder(o.Dir)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, "crash.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the crash log: %w", err)
	}
	defer func() { _ = file.Close() }()
	both := io.MultiWriter(out, file)
	programs, err := crash.Build(ctx, dir)
	if err != nil {
		return err
	}
	report, err := crash.Run(ctx, crash.Options{
		Rounds: o.Rounds, Seed: o.Seed, Dir: dir, Programs: programs, Log: both, Patience: 5 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("the crash run with seed %d (everything is in %s): %w", o.Seed, dir, err)
	}
	report.Table(both)
	if !report.Clean() {
		_, _ = fmt.Fprintf(out, "\neverything is in %s\n", dir)
	} else if temporary {
		err = os.RemoveAll(dir)
		if err != nil {
			return fmt.Errorf("remove the run's folder: %w", err)
		}
	}
	if o.JSON {
		report.Findings = nil
		data, err := json.Marshal(report)
		if err != nil {
			return fmt.Errorf("encode the report: %w", err)
		}
		_, _ = fmt.Fprintln(out, string(data))
	}
	if !report.Clean() {
		return errUnclean
	}
	return nil
}

// crashFolder makes the folder of a run, or takes the empty one that was named.
func crashFolder(dir string) (path string, temporary bool, err error) {
	if dir == "" {
		path, err = os.MkdirTemp("", "docket-crash")
		if err != nil {
			return "", false, fmt.Errorf("make a folder for the crash run: %w", err)
		}
		return path, true, nil
	}
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return "", false, fmt.Errorf("make the folder of the crash run: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false, fmt.Errorf("read the folder of the crash run: %w", err)
	}
	if len(entries) > 0 {
		return "", false, fmt.Errorf("%s is not empty", dir)
	}
	path, err = filepath.Abs(dir)
	return path, false, err
}
