package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/worker"
)

func auditReconcile(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "reconcile",
		Short: "Start lost workflows again, and compare the records with the whole log",
		Long: `Find workflows that are missing and start them again. Then compare the records with the log, which
is verified on the way: every decision, ruling and act in the records must have its entry, and every
such entry its row. What is under way is counted, not reported. The work is the serve role's; it
takes as long as a check of the whole log. Status 1 where something differs, where the log has a
fault, or where it could not be compared.`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			raw, err := c.Reconcile(cmd.Context())
			if err != nil {
				return err
			}
			var report worker.Report
			err = json.Unmarshal(raw, &report)
			if err != nil {
				return fmt.Errorf("read the report: %w", err)
			}
			err = g.print(cmd.OutOrStdout(), raw, func(w io.Writer) { showReconciled(w, report) })
			if err != nil {
				return err
			}
			if report.Ledger == nil || !report.Ledger.OK() {
				return errSaid
			}
			return nil
		},
	}
}

// showReconciled prints a report. What a log holds may be anybody's: it is made plain.
func showReconciled(w io.Writer, r worker.Report) {
	_, _ = fmt.Fprintf(w, "workflows looked at\t%d cases, %d takedowns, %d appeals\n", r.Cases, r.Takedowns, r.Appeals)
	for _, f := range r.Found {
		became := "started again"
		if !f.Started {
			became = "NOT STARTED"
			if f.Code != "" {
				became += ": " + string(f.Code)
			}
		}
		_, _ = fmt.Fprintf(w, "%s\t%s %s, %s\n", plain(string(f.Kind)), plain(string(f.Thing)), plain(f.ID), plain(became))
	}
	l := r.Ledger
	switch {
	case l == nil:
		_, _ = fmt.Fprintln(w, "result\tNOT COMPARED with the log")
		return
	case !l.Compared && l.Code == casefile.CodeNotFound:
		_, _ = fmt.Fprintln(w, "result\tNOT COMPARED with the log: the serve role needs ledger.url and ledger.verifier_key")
		return
	}
	for _, f := range l.Faults {
		_, _ = fmt.Fprintf(w, "FAULT\t%s\n", plain(f.String()))
	}
	if !l.Compared {
		_, _ = fmt.Fprintf(w, "result\tNOT COMPARED with the log: %s\n", plain(string(l.Code)))
		return
	}
	_, _ = fmt.Fprintf(w, "compared\t%d decisions, %d acts, %d appeals with %d entries\nunder way\t%d\n", l.Decisions, l.Acts, l.Appeals, l.Entries, l.InFlight)
	for _, d := range l.Differences {
		_, _ = fmt.Fprintf(w, "DIFFERENCE\t%s\n", plain(differenceLine(d)))
	}
	switch {
	case l.OK():
		_, _ = fmt.Fprintln(w, "result\trecords and log agree")
	case l.Stopped:
		_, _ = fmt.Fprintf(w, "result\tTHEY DIFFER: %d differences and more\n", len(l.Differences))
	default:
		_, _ = fmt.Fprintf(w, "result\tTHEY DIFFER: %d differences, %d faults of the log\n", len(l.Differences), len(l.Faults))
	}
}

func differenceLine(d worker.Difference) string {
	line := string(d.Type)
	if d.Event != "" {
		line += " " + string(d.Event)
	}
	if d.Decision != "" {
		line += ", decision " + d.Decision
	}
	if d.Appeal != "" {
		line += ", appeal " + d.Appeal
	}
	if d.Act > 0 {
		line += fmt.Sprintf(", act %d", d.Act)
	}
	if d.Direction != "" {
		line += fmt.Sprintf(" (%s)", d.Direction)
	}
	return line + ": " + d.What
}
