package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/cmd/internal/assembly"
)

func backupCommand(g *global) *cobra.Command {
	var c configured
	var to string
	var withKeys bool
	cmd := &cobra.Command{
		Use:   "backup --to DIR",
		Short: "Copy a running Docket's stores into a folder, or check such a copy",
		Long: `Copy the stores of a Docket, which may be running, into an empty folder: the detector's snapshot, the
records, the sealed store and the log, in this order, so that nothing in the copied records lacks its
sealed object or its ledger entry. The stores are those of a standalone data folder (--data DIR) or of
a configuration (--config FILE). None of them is written to or locked.

The keys stay where they are: a backup with the deployment key in it opens for whoever has it, and
erases nobody. Keep a copy of the keys folder apart (docs/keys.md); --with-keys puts it in all the
same. Not in a backup: the index, which holds words in clear and is built anew; Temporal's database,
whose runs are started again from the records; credentials and logs.`,
		Example: "  docket backup --data docket-data --to /backups/monday\n  docket backup verify /backups/monday",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return misuse("name an empty folder with --to DIR")
			}
			cfg := assembly.DataFolder(g.data)
			if g.data == "" || c.file != "" {
				var err error
				cfg, err = c.load(g, cmd)
				if err != nil {
					return err
				}
			}
			m, err := assembly.Backup(cmd.Context(), cfg, to, withKeys)
			if err != nil {
				return err
			}
			report, err := assembly.CheckBackup(cmd.Context(), to, "")
			if err != nil {
				return fmt.Errorf("check what was written: %w", err)
			}
			return printBackup(g, cmd.OutOrStdout(), m, report, to)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&to, "to", "", "folder to write, empty or not there yet")
	cmd.Flags().BoolVar(&withKeys, "with-keys", false, "copy the keys folder as well: whoever has the backup can then open everything in it")
	cmd.AddCommand(backupVerify(g))
	return cmd
}

func backupVerify(g *global) *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check that a backup is whole",
		Long: `Check that a backup is whole: every file is as it was written and no other is there, its log verifies,
and nothing that its records name is missing from its sealed store or its log. No key of the deployment
is needed. The log's own public key is taken from the backup unless --key names one that you pinned.`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := ""
			if o.key != "" {
				var err error
				key, err = o.verifierKey(g)
				if err != nil {
					return err
				}
			}
			report, err := assembly.CheckBackup(cmd.Context(), args[0], key)
			if err != nil {
				return err
			}
			return printBackup(g, cmd.OutOrStdout(), report.Manifest, report, args[0])
		},
	}
	cmd.Flags().StringVar(&o.key, "key", "", "the log's verifier key, or a file that holds it (default: the one in the backup)")
	return cmd
}

// printBackup prints what a backup holds and what is wrong with it. What its log holds may be anybody's: it
// is made plain.
func printBackup(g *global, out io.Writer, m backup.Manifest, r backup.Report, dir string) error {
	err := g.print(out, r, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "backup\t%s\nrecords of\t%s\nlog\t%s, %d entries\nfiles\t%d, %d bytes\n",
			plain(dir), m.At.Format("2006-01-02 15:04:05"), plain(m.Checkpoint.Origin), m.Checkpoint.Size, m.Files, m.Bytes)
		keys := "not in it: a restore needs the keys folder"
		if m.Keys {
			keys = "IN IT: whoever has this backup can open all of it"
		}
		_, _ = fmt.Fprintf(w, "keys\t%s\n", keys)
		if !m.Evidence {
			_, _ = fmt.Fprintln(w, "sealed store\tnot in it: it is a bucket, and kept apart")
		}
		for _, f := range r.Faults {
			_, _ = fmt.Fprintf(w, "FAULT\t%s\n", plain(f))
		}
		for _, f := range r.Log.Faults {
			_, _ = fmt.Fprintf(w, "FAULT\tledger/%s\n", plain(f.String()))
		}
		if r.OK() {
			_, _ = fmt.Fprintln(w, "result\tthe backup is whole")
		} else {
			_, _ = fmt.Fprintln(w, "result\tNOT WHOLE: do not rely on it")
		}
	})
	if err == nil && !r.OK() {
		err = errSaid
	}
	return err
}
