package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/cmd/internal/assembly"
)

func restoreCommand(g *global) *cobra.Command {
	var o assembly.RestoreOptions
	cmd := &cobra.Command{
		Use:   "restore --from DIR --data DIR (--log LOG | --log-lost)",
		Short: "Make a data folder of a backup and the log, which is never rolled back",
		Long: `Make a new standalone data folder (--data DIR, empty or not there yet) of a backup. The log is never
rolled back: --log names the live one or a copy of it, a folder or a URL, which goes on. What it holds
beyond the backup is read, and the records are moved on by it: decisions, acts, notices, appeals, closed
cases, switches, people switched off. No act that has its outcome in the log is done again; of one that
was begun, the platform is asked.

Where the end of the log is lost for good, --log-lost starts a log with a new origin and a new key. Its
first entry names the last checkpoint known of the old one (that of --checkpoint-copy, if it is newer);
what is left of the old one is carried over behind it. Every act that may have been done since is
uncertain: somebody looks at the platform and says what they saw, with docket acts settle.

Accounts that were erased after the backup are erased again before anything is served. What was sealed
or handed in after the backup is gone; docket restore lists what needs a person. The old data folder
is not touched; nothing may run on it.`,
		Example: "  docket restore --from /backups/monday --data restored --log docket-data/ledger --keys /safe/keys\n" +
			"  docket restore --from /backups/monday --data restored --log-lost --checkpoint-copy /mnt/second --keys /safe/keys",
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Data = g.data
			switch {
			case o.From == "" || o.Data == "":
				return misuse("name the backup with --from DIR and the data folder to make with --data DIR")
			case g.as != "":
				return misuse("--as is for commands that call a running Docket")
			}
			o.Logger = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			r, err := assembly.Restore(cmd.Context(), o)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), r, func(w io.Writer) { showRestored(w, r, o.Data) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "the backup")
	f.StringVar(&o.Keys, "keys", "", "the keys folder (default: the one in the backup, where it has one)")
	f.StringVar(&o.Log, "log", "", "the log that goes on, or what is left of it: a folder, or a URL that serves one")
	f.BoolVar(&o.Lost, "log-lost", false, "what the log held beyond --log, or beyond the backup, is lost for good: start one with a new origin")
	f.StringVar(&o.CheckpointCopy, "checkpoint-copy", "", "the second place that the log's checkpoints were copied to: shows whether an end is missing")
	return cmd
}

// showRestored prints what a restore came to. What a log holds may be anybody's: it is made plain.
func showRestored(w io.Writer, r assembly.Restored, dir string) {
	_, _ = fmt.Fprintf(w, "restored\t%s, records of %s\nlog\t%s, %d entries\n", plain(dir), r.Backup.At.Format("2006-01-02 15:04:05"), plain(r.Origin), r.Entries)
	if l := r.Lost; l != nil {
		_, _ = fmt.Fprintf(w, "took the place of\t%s: %d of the %d entries that are known of were carried over\nkey\tNEW: give keys/log.pub to whoever verifies\n",
			plain(l.Origin), l.Carried, l.Size)
	}
	m := r.Moved
	_, _ = fmt.Fprintf(w, "moved on by the log\t%d decisions, %d acts, %d appeals, %d cases\nerased again\t%d accounts\n", m.Decisions, m.Acts, m.Appeals, m.Cases, r.Erased)
	for _, list := range []struct {
		what string
		ids  []string
	}{
		{"UNCERTAIN act, somebody looks at the platform", m.Uncertain},
		{"decision about a case that is not in the backup", m.Unplaced},
		{"decision that stands, its words are gone: its end and its reverse are done by hand", m.Wordless},
		{"decision that nothing was done for yet, its words are gone: judged again", m.Again},
		{"appeal whose words are gone: it can be made again", m.LostAppeals},
	} {
		for _, id := range list.ids {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", list.what, plain(id))
		}
	}
	if m.Holds > 0 {
		_, _ = fmt.Fprintf(w, "legal holds\t%d entries since the backup: put what was ordered on again\n", m.Holds)
	}
	_, _ = fmt.Fprintln(w, "result\tstart on it with --data; look at docket audit reconcile then")
}
