package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review/client"
)

func auditCommand(g *global) *cobra.Command {
	return group("audit", "Verify the ledger, prove what is in it, read its end, compare it with the records",
		auditVerify(g), auditProve(g), auditTail(g), auditReconcile(g))
}

// logOptions name a log and the key it is checked against.
type logOptions struct {
	log string
	key string
}

func (o *logOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.log, "log", "", "the log: a folder, or a URL that serves one (default: the ledger of --data)")
	cmd.Flags().StringVar(&o.key, "key", "", "the log's verifier key, or a file that holds it (default: the one pinned in --data)")
}

func (o *logOptions) verifierKey(g *global) (string, error) {
	key := o.key
	if key == "" {
		if g.data == "" {
			return "", misuse("name the key that you pinned with --key KEY|FILE, or a data folder with --data")
		}
		key = filepath.Join(g.data, "keys", "log.pub")
	}
	data, err := os.ReadFile(key)
	switch {
	case err == nil:
		return strings.TrimSpace(string(data)), nil
	case strings.Count(key, "+") >= 2: // the form of a key: name+hash+bytes
		return strings.TrimSpace(key), nil
	}
	return "", fmt.Errorf("read the verifier key: %w", err)
}

func (o *logOptions) source(g *global) (verify.Source, error) {
	at := o.log
	if at == "" {
		if g.data == "" {
			return nil, misuse("name the log with --log DIR|URL, or a data folder with --data")
		}
		at = filepath.Join(g.data, "ledger")
	}
	return verify.Open(at)
}

// logReport is the report on a log, and the older checkpoint that it still begins with, if one was
// given.
type logReport struct {
	verify.Report
	Since *verify.Checkpoint `json:"since,omitempty"`
}

func auditVerify(g *global) *cobra.Command {
	var o logOptions
	var bundle, since string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the whole log, or one proof bundle, against the pinned key",
		Long: `Check the whole log against the pinned key: the checkpoint's signature, every tile and entry
bundle up to its root, every entry's form, every chain for gaps and forks, and that each takedown
names its decision. With --bundle FILE check one proof, offline. With --since FILE check as well
that the log still begins with everything that an earlier checkpoint covered: a checkpoint that you
kept is what shows a log that was rolled back or written anew. --since DIR does so with every
checkpoint in a folder, such as the one that the ledger role copies its checkpoint to
(ledger.checkpoint_copy). A checkpoint of a log that was lost, and whose place this one took after
a restore, is compared with the entries that were carried over.`,
		Example: "  docket audit verify --log https://docket.example/log/ --key log.pub\n" +
			"  docket audit verify --log https://docket.example/log/ --key log.pub --since kept-checkpoint\n" +
			"  docket audit verify --bundle 7K2QX-9MDT4.bundle.json --key log.pub",
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if bundle != "" && (since != "" || o.log != "") {
				return misuse("--bundle is checked by itself: it goes with neither --log nor --since")
			}
			key, err := o.verifierKey(g)
			if err != nil {
				return err
			}
			if bundle != "" {
				return verifyBundle(g, cmd.OutOrStdout(), bundle, key)
			}
			src, err := o.source(g)
			if err != nil {
				return err
			}
			var report logReport
			if since != "" {
				report.Since, err = verifySince(cmd, since, src, key)
				if err != nil {
					return err
				}
			}
			report.Report, err = verify.Log(cmd.Context(), src, key, verify.Options{})
			if err != nil {
				return err
			}
			err = g.print(cmd.OutOrStdout(), report, func(w io.Writer) { showReport(w, report) })
			if err != nil {
				return err
			}
			if !report.OK() {
				return errSaid
			}
			return nil
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&bundle, "bundle", "", "check this proof bundle, offline")
	cmd.Flags().StringVar(&since, "since", "", "a checkpoint kept from before, or a folder of them")
	return cmd
}

// verifySince compares a log with every checkpoint kept, and gives the newest of them.
func verifySince(cmd *cobra.Command, path string, src verify.Source, key string) (*verify.Checkpoint, error) {
	kept, err := verify.Kept(path, key)
	if casefile.ErrorCode(err) == casefile.CodeUnproven {
		former, known, differs := verify.KeptSuccessor(cmd.Context(), path, src, key)
		if known && differs == nil {
			return &former.Checkpoint, nil
		}
		if differs != nil {
			err = differs
		}
	}
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Backward(kept) {
		_, err = verify.Consistency(cmd.Context(), k.Text, src, key)
		if err != nil {
			return nil, fmt.Errorf("compare with the earlier checkpoint %s: %w", k.File, err)
		}
	}
	return &kept[len(kept)-1].Checkpoint, nil
}

// showReport prints a report. What a log holds may be anybody's: it is made plain.
func showReport(w io.Writer, r logReport) {
	if r.Checkpoint.Origin != "" {
		_, _ = fmt.Fprintf(w, "origin\t%s\nsize\t%d\nentries read\t%d\nchains\t%d\ndecisions\t%d\n",
			plain(r.Checkpoint.Origin), r.Checkpoint.Size, r.Entries, r.Chains, r.Decisions)
	}
	if r.Repeats > 0 {
		_, _ = fmt.Fprintf(w, "repeats\t%d entries stand twice with equal bytes (a crash; no fault)\n", r.Repeats)
	}
	if o := r.Restarted; o != nil {
		_, _ = fmt.Fprintf(w, "took the place of\t%s, whose end was lost: %d of the %d entries that are known of were carried over\n", plain(o.Origin), o.Carried, o.Size)
	}
	switch {
	case r.Since == nil:
	case r.Since.Origin != r.Checkpoint.Origin && r.Checkpoint.Origin != "":
		_, _ = fmt.Fprintf(w, "since\tthe log carries the %d entries of the earlier checkpoint of %s\n", r.Since.Size, plain(r.Since.Origin))
	default:
		_, _ = fmt.Fprintf(w, "since\tthe log begins with the %d entries of the earlier checkpoint\n", r.Since.Size)
	}
	for _, f := range r.Faults {
		_, _ = fmt.Fprintf(w, "FAULT\t%s\n", plain(f.String()))
	}
	switch {
	case r.OK():
		_, _ = fmt.Fprintln(w, "result\tthe log is whole: nothing altered, no gap, no fork")
	case r.Stopped:
		_, _ = fmt.Fprintf(w, "result\tNOT WHOLE: %d faults and more, the rest was not checked\n", len(r.Faults))
	default:
		_, _ = fmt.Fprintf(w, "result\tNOT WHOLE: faults found: %d\n", len(r.Faults))
	}
}

func verifyBundle(g *global, out io.Writer, file, key string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the bundle: %w", err)
	}
	b, err := verify.ParseBundle(data)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	entry, err := verify.Bundle(b, key)
	if err != nil {
		return fmt.Errorf("%s proves nothing: %w", file, err)
	}
	proven := verify.TailEntry{Index: b.Index, Hash: casefile.EntryHash(b.Entry), Entry: entry}
	return g.print(out, proven, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "entry\t%s (%s)\nat\t%s\nindex\t%d\nhash\t%s\nresult\tin the log under the pinned key\n",
			plain(string(entry.Event)), plain(string(entry.Type)), plain(entry.At), proven.Index, proven.Hash)
	})
}

func auditProve(g *global) *cobra.Command {
	var out string
	cmd := onCase(g, "prove", "Write the proof bundle of a case's decision, for anybody to check offline", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		bundle, err := c.Proof(cmd.Context(), ref)
		if err != nil {
			return err
		}
		if out == "-" {
			return printJSON(cmd.OutOrStdout(), bundle, "  ")
		}
		file := out
		if file == "" {
			file = string(ref) + ".bundle.json"
		}
		err = writeBundle(file, bundle)
		if err != nil {
			return err
		}
		written := struct {
			Case  casefile.CaseRef `json:"case"`
			File  string           `json:"file"`
			Index uint64           `json:"index"`
		}{ref, file, bundle.Index}
		return g.print(cmd.OutOrStdout(), written, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "wrote %s; check it with: docket audit verify --bundle %s --key KEY\n", plain(file), plain(file))
		})
	})
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default CASE.bundle.json, - for standard output)")
	return cmd
}

func writeBundle(file string, bundle casefile.Bundle) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	err = errors.Join(printJSON(f, bundle, "  "), f.Close())
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}

func auditTail(g *global) *cobra.Command {
	var o logOptions
	var n int
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the last entries of the log, checked against the pinned key",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := o.verifierKey(g)
			if err != nil {
				return err
			}
			src, err := o.source(g)
			if err != nil {
				return err
			}
			entries, err := verify.Tail(cmd.Context(), src, key, n)
			if err != nil {
				return err
			}
			if entries == nil {
				entries = []verify.TailEntry{}
			}
			return g.print(cmd.OutOrStdout(), entries, func(w io.Writer) {
				_, _ = fmt.Fprintln(w, "INDEX\tAT\tTYPE\tEVENT\tROLE\tPERSON")
				for _, e := range entries {
					_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Index, plain(e.Entry.At), plain(string(e.Entry.Type)),
						plain(string(e.Entry.Event)), plain(string(e.Entry.Actor.Role)), plain(string(e.Entry.Actor.Person)))
				}
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVarP(&n, "number", "n", 20, "how many entries")
	return cmd
}
