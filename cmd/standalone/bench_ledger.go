package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/ledgertest"
	"github.com/docket-triage/docket/ledger/verify"
)

type ledgerOptions struct {
	scratch string
	entries int
	rounds  int
	json    bool
}

func benchLedger() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Measure appending to the log, and checking a long one",
		Long: `Measure how many entries a second the log takes durably, as the role ledger appends them: by 1, 16
and 256 callers at once, each with one entry of a case of its own in a call. To compare with, the same
bytes are written to a plain file, synced after as many entries as there are callers. Then measure a
full check of a log of --entries entries, which is written straight into its files, against reading the
same files and hashing them. Rounds of everything take turns; the first is not counted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.entries < 1 || o.rounds < 1 {
				return errors.New("--entries and --rounds must be at least 1")
			}
			report, err := measureLedger(cmd.Context(), o, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return report.print(cmd.OutOrStdout(), o.json)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.entries, "entries", 1_000_000, "entries of the log that is checked")
	f.IntVar(&o.rounds, "rounds", 5, "rounds of each measurement")
	f.StringVar(&o.scratch, "scratch", "", "make the logs in this folder; a temporary one if left out. They are deleted afterwards")
	f.BoolVar(&o.json, "json", false, "print one JSON object as the last line")
	return cmd
}

// ledgerReport is what the bench prints. Rates and times are medians over the rounds, ratios medians of
// each round's, with the smallest and the greatest.
type ledgerReport struct {
	Appends []appendReport `json:"appends"`
	Verify  verifyReport   `json:"verify"`
}

// appendReport is one number of callers.
type appendReport struct {
	Callers     int        `json:"callers"`
	PerSecond   float64    `json:"entries_per_s"`
	Spread      [2]float64 `json:"entries_per_s_spread"`
	PlainPerS   float64    `json:"plain_per_s"` // the same bytes on a plain file
	Ratio       float64    `json:"rate_ratio"`  // of the log's rate to the file's
	RatioSpread [2]float64 `json:"rate_ratio_spread"`
	Entries     int        `json:"entries"` // a round
}

// verifyReport is the check of a long log.
type verifyReport struct {
	Entries     int        `json:"entries"`
	Bytes       int64      `json:"bytes"` // of the entries
	WriteS      float64    `json:"write_s"`
	Seconds     float64    `json:"verify_s"`
	Spread      [2]float64 `json:"verify_s_spread"`
	PerSecond   float64    `json:"entries_per_s"`
	PlainS      float64    `json:"plain_s"` // to read and hash the same files
	Ratio       float64    `json:"time_ratio"`
	RatioSpread [2]float64 `json:"time_ratio_spread"`
}

func measureLedger(ctx context.Context, o ledgerOptions, out io.Writer) (r ledgerReport, err error) {
	dir, err := os.MkdirTemp(o.scratch, "docket-bench-ledger-")
	if err != nil {
		return r, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	skey, vkey, err := ledger.GenerateKey("ledger.bench.example/log")
	if err != nil {
		return r, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return r, fmt.Errorf("read the key: %w", err)
	}
	r.Appends, err = measureAppends(ctx, filepath.Join(dir, "appended"), signer, o.rounds)
	if err != nil {
		return r, err
	}
	long := filepath.Join(dir, "long")
	began := time.Now()
	bytes, err := ledgertest.Write(ctx, long, signer, o.entries)
	if err != nil {
		return r, err
	}
	r.Verify = verifyReport{Entries: o.entries, Bytes: bytes, WriteS: time.Since(began).Seconds()}
	_, _ = fmt.Fprintf(out, "a log of %d entries, %d MB, was written in %.1f s\n", o.entries, bytes>>20, r.Verify.WriteS)
	return r, measureVerify(ctx, long, vkey, o.rounds, &r.Verify)
}

// appendCallers are the numbers of callers, and how many cases each takes through in a round.
var appendCallers = []struct{ callers, lives int }{{1, 8}, {16, 4}, {256, 2}}

func measureAppends(ctx context.Context, dir string, signer note.Signer, rounds int) (out []appendReport, err error) {
	log, err := ledger.Open(ctx, ledger.Options{Dir: dir, Signer: signer, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close(context.WithoutCancel(ctx))) }()
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		return nil, fmt.Errorf("make the plain file: %w", err)
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	type rates struct{ log, plain, ratio []float64 }
	measured := make([]rates, len(appendCallers))
	next := 0 // life
	for round := range rounds + 1 {
		for i, c := range appendCallers {
			lives := make([][]casefile.FixedEntry, c.callers)
			n := 0
			for j := range lives {
				for range c.lives {
					life, err := ledgertest.Life(next)
					if err != nil {
						return nil, err
					}
					next++
					lives[j] = append(lives[j], life...)
				}
				n += len(lives[j])
			}
			logged, err := timeOf(func() error { return appendLives(ctx, log, lives) })
			if err != nil {
				return nil, err
			}
			written, err := timeOf(func() error { return writeLives(plain, lives) })
			if err != nil {
				return nil, err
			}
			if round == 0 {
				continue
			}
			m := &measured[i]
			m.log, m.plain = append(m.log, float64(n)/logged), append(m.plain, float64(n)/written)
			m.ratio = append(m.ratio, written/logged)
		}
	}
	for i, c := range appendCallers {
		m := measured[i]
		out = append(out, appendReport{
			Callers: c.callers, PerSecond: median(m.log), Spread: spread(m.log), PlainPerS: median(m.plain),
			Ratio: median(m.ratio), RatioSpread: spread(m.ratio), Entries: c.callers * c.lives * ledgertest.LifeEntries,
		})
	}
	return out, nil
}

func timeOf(do func() error) (seconds float64, err error) {
	began := time.Now()
	err = do()
	return time.Since(began).Seconds(), err
}

// appendLives has one caller for each list of entries append it, an entry a call.
func appendLives(ctx context.Context, log *ledger.Log, lives [][]casefile.FixedEntry) error {
	errs := make([]error, len(lives))
	var all sync.WaitGroup
	for i, entries := range lives {
		all.Go(func() {
			for j := range entries {
				_, errs[i] = log.Append(ctx, entries[j:j+1])
				if errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// writeLives writes the same bytes to a file: an entry of each list, then a sync, then the next of each.
func writeLives(f *os.File, lives [][]casefile.FixedEntry) error {
	for j := range lives[0] {
		var data []byte
		for i := range lives {
			data = append(data, lives[i][j].Data...)
		}
		_, err := f.Write(data)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			return fmt.Errorf("write the plain file: %w", err)
		}
	}
	return nil
}

func measureVerify(ctx context.Context, dir, vkey string, rounds int, r *verifyReport) error {
	var check, plain, ratio []float64
	for round := range rounds + 1 {
		var report verify.Report
		checked, err := timeOf(func() (err error) {
			report, err = verify.Log(ctx, verify.Dir(dir), vkey, verify.Options{})
			return err
		})
		if err == nil {
			err = report.Err()
		}
		if err == nil && report.Entries != uint64(r.Entries) {
			err = fmt.Errorf("%d entries were checked instead of %d", report.Entries, r.Entries)
		}
		if err != nil {
			return fmt.Errorf("check the log: %w", err)
		}
		hashed, err := timeOf(func() error { return hashFiles(ctx, dir) })
		if err != nil {
			return fmt.Errorf("hash the log's files: %w", err)
		}
		if round > 0 {
			check, plain, ratio = append(check, checked), append(plain, hashed), append(ratio, checked/hashed)
		}
	}
	r.Seconds, r.Spread, r.PlainS = median(check), spread(check), median(plain)
	r.PerSecond = float64(r.Entries) / r.Seconds
	r.Ratio, r.RatioSpread = median(ratio), spread(ratio)
	return nil
}

// hashFiles reads every file below dir and hashes it, with as many hands as the check has.
func hashFiles(ctx context.Context, dir string) error {
	files := make(chan string)
	var all sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		all.Go(func() {
			for path := range files {
				data, err := os.ReadFile(path)
				sha256.Sum256(data)
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files <- path
		}
		return errors.Join(err, ctx.Err())
	})
	close(files)
	all.Wait()
	return errors.Join(append(errs, err)...)
}

func (r ledgerReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "append, callers at once\tentries/s\tfrom - to\tplain file, synced\tratio\tfrom - to")
	for _, a := range r.Appends {
		_, _ = fmt.Fprintf(t, "%d\t%.0f\t%.0f - %.0f\t%.0f\t%.2f\t%.2f - %.2f\n", a.Callers, a.PerSecond, a.Spread[0], a.Spread[1], a.PlainPerS,
			a.Ratio, a.RatioSpread[0], a.RatioSpread[1])
	}
	v := r.Verify
	_, _ = fmt.Fprintln(t, "full check, entries\tseconds\tfrom - to\tplain read and hash\tratio\tfrom - to")
	_, _ = fmt.Fprintf(t, "%d\t%.2f\t%.2f - %.2f\t%.2f\t%.2f\t%.2f - %.2f\n", v.Entries, v.Seconds, v.Spread[0], v.Spread[1], v.PlainS,
		v.Ratio, v.RatioSpread[0], v.RatioSpread[1])
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", data)
	return err
}
