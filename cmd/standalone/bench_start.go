package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

type startOptions struct {
	benchOptions
	rounds int
}

func benchStart() *cobra.Command {
	var o startOptions
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Measure from the start of a process to its first page",
		Long: `Measure from the start of a process to its first page: of a new data folder, of one that exists, and,
to compare with, how long the same program takes to print its help. Rounds of the three take turns.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rounds < 1 {
				return errors.New("--rounds must be at least 1")
			}
			report, err := measureStart(cmd.Context(), o)
			if err != nil {
				return err
			}
			return report.print(cmd.OutOrStdout(), o.json)
		},
	}
	cmd.Flags().IntVar(&o.rounds, "rounds", 10, "rounds of each of the three")
	o.benchOptions.flags(cmd)
	return cmd
}

// startReport is what the bench prints.
type startReport struct {
	Fresh    times `json:"fresh_data"`
	Existing times `json:"existing_data"`
	Help     times `json:"help"`
	Fast     bool  `json:"fast"`
}

func measureStart(ctx context.Context, o startOptions) (r startReport, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp(o.data, "docket-bench-")
	if err != nil {
		return r, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var fresh, existing, help []float64
	for round := range o.rounds {
		x, err := firstPage(ctx, self, filepath.Join(dir, fmt.Sprint("fresh-", round)), o.fast)
		if err != nil {
			return r, err
		}
		y, err := firstPage(ctx, self, filepath.Join(dir, "fresh-0"), o.fast)
		if err != nil {
			return r, err
		}
		began := time.Now()
		err = exec.CommandContext(ctx, self, "--help").Run()
		if err != nil {
			return r, fmt.Errorf("print the program's help: %w", err)
		}
		fresh, existing, help = append(fresh, millis(x)), append(existing, millis(y)), append(help, millis(time.Since(began)))
	}
	return startReport{Fresh: timesOf(fresh), Existing: timesOf(existing), Help: timesOf(help), Fast: o.fast}, nil
}

// firstPage starts the program on a data folder and gives the time until its first page is there.
func firstPage(ctx context.Context, self, data string, fast bool) (took time.Duration, err error) {
	args := []string{"--data", data, "--listen", "127.0.0.1:0", "--no-replay"}
	if fast {
		args = append(args, "--fast")
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("read what a start prints: %w", err)
	}
	began := time.Now()
	err = cmd.Start()
	if err != nil {
		return 0, fmt.Errorf("start the program: %w", err)
	}
	lines := bufio.NewScanner(out)
	took, err = untilPage(ctx, lines, began)
	for err == nil && lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		continue // what is interrupted while it starts ends with an error
	}
	err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM))
	_, _ = io.Copy(io.Discard, out)
	return took, errors.Join(err, cmd.Wait())
}

func untilPage(ctx context.Context, lines *bufio.Scanner, began time.Time) (time.Duration, error) {
	for lines.Scan() {
		_, base, ok := strings.Cut(lines.Text(), "role serve answers on ")
		if !ok {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/login", nil)
		if err != nil {
			return 0, fmt.Errorf("ask for the first page: %w", err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, fmt.Errorf("ask for the first page: %w", err)
		}
		defer func() { _ = res.Body.Close() }()
		_, err = io.Copy(io.Discard, res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			return 0, errors.Join(err, fmt.Errorf("the first page answered %s", res.Status))
		}
		return time.Since(began), nil
	}
	return 0, errors.Join(lines.Err(), errors.New("the program ended before it served a page"))
}

func (r startReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, x times, budget string) {
		_, _ = fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%d\t%.1f\t%s\n", name, x.P50, x.Max, x.N, x.P50/r.Help.P50, budget)
	}
	_, _ = fmt.Fprintln(t, "milliseconds\tp50\tmax\tof\tof help\tbudget")
	row("first page, new data folder", r.Fresh, "under 3000")
	row("first page, data folder that exists", r.Existing, "under 3000")
	row("printing help", r.Help, "")
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	return printJSON(out, r)
}
