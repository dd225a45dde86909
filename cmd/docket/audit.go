package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

func auditCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Verify the ledger, prove what is in it, read its end"}
	cmd.AddCommand(auditVerify(g), auditProve(g), auditTail(g))
	return cmd
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
			return "", errors.New("name the key that you pinned with --key KEY|FILE, or a data folder with --data")
		}
		key = filepath.Join(g.data, "keys", "log.pub")
	}
	if strings.Contains(key, "+") && !strings.ContainsAny(key, " \n") {
		_, err := os.Stat(key)
		if err != nil {
			return key, nil
		}
	}
	data, err := os.ReadFile(key)
	if err != nil {
		return "", fmt.Errorf("read the verifier key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

func (o *logOptions) source(g *global) (verify.Source, error) {
	at := o.log
	if at == "" {
		if g.data == "" {
			return nil, errors.New("name the log with --log DIR|URL, or a data folder with --data")
		}
		at = filepath.Join(g.data, "ledger")
	}
	if strings.HasPrefix(at, "http://") || strings.HasPrefix(at, "https://") {
		return verify.HTTP(at, nil)
	}
	return verify.Dir(at), nil
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
that the log still begins with everything that an earlier checkpoint covered.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			if since != "" {
				err = verifySince(cmd, since, src, key)
				if err != nil {
					return err
				}
			}
			report, err := verify.Log(cmd.Context(), src, key, verify.Options{})
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
	cmd.Flags().StringVar(&since, "since", "", "a checkpoint kept from before")
	return cmd
}

func verifySince(cmd *cobra.Command, file string, src verify.Source, key string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the earlier checkpoint: %w", err)
	}
	_, err = verify.Consistency(cmd.Context(), string(old), src, key)
	if err != nil {
		return fmt.Errorf("compare with the earlier checkpoint: %w", err)
	}
	return nil
}

func showReport(w io.Writer, r verify.Report) {
	_, _ = fmt.Fprintf(w, "origin\t%s\nsize\t%d\nentries read\t%d\nchains\t%d\ndecisions\t%d\n",
		r.Checkpoint.Origin, r.Checkpoint.Size, r.Entries, r.Chains, r.Decisions)
	if r.Repeats > 0 {
		_, _ = fmt.Fprintf(w, "repeats\t%d entries stand twice with equal bytes (a crash; no fault)\n", r.Repeats)
	}
	for _, f := range r.Faults {
		_, _ = fmt.Fprintf(w, "FAULT\t%s\n", f)
	}
	if r.OK() {
		_, _ = fmt.Fprintln(w, "result\tthe log is whole: nothing altered, no gap, no fork")
		return
	}
	_, _ = fmt.Fprintf(w, "result\t%d faults\n", len(r.Faults))
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
	return g.print(out, entry, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "entry\t%s (%s)\nat\t%s\nindex\t%d\nhash\t%s\nresult\tin the log under the pinned key\n",
			entry.Event, entry.Type, entry.At, b.Index, casefile.EntryHash(b.Entry))
	})
}

func auditProve(g *global) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "prove CASE",
		Short: "Write the proof bundle of a case's decision, for anybody to check offline",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := casefile.ParseCaseRef(args[0])
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			bundle, err := c.Proof(cmd.Context(), ref)
			if err != nil {
				return err
			}
			data, err := json.MarshalIndent(bundle, "", "  ")
			if err != nil {
				return fmt.Errorf("encode the bundle: %w", err)
			}
			data = append(data, '\n')
			if out == "-" {
				_, err = cmd.OutOrStdout().Write(data)
				return err
			}
			if out == "" {
				out = string(ref) + ".bundle.json"
			}
			err = os.WriteFile(out, data, 0o600)
			if err != nil {
				return fmt.Errorf("write the bundle: %w", err)
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; check it with: docket audit verify --bundle %s --key KEY\n", out, out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default CASE.bundle.json, - for standard output)")
	return cmd
}

func auditTail(g *global) *cobra.Command {
	var o logOptions
	var n int
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the last entries of the log, checked against the pinned key",
		Args:  cobra.NoArgs,
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
			return g.print(cmd.OutOrStdout(), entries, func(w io.Writer) {
				for _, e := range entries {
					_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", e.Index, e.Entry.At, e.Entry.Type, e.Entry.Event, e.Entry.Actor.Person)
				}
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVarP(&n, "number", "n", 20, "how many entries")
	return cmd
}
