package main

import "github.com/spf13/cobra"

// benchCommand holds what measures and tortures the whole line on this machine. Each subcommand
// prints a table and, with --json, one object in its last line.
func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the whole line on this machine, or kill it and count what was lost",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(benchCrash(), benchFlood(), benchLedger(), benchLifecycle(), benchQueue(), benchSoak(), benchStart())
	return cmd
}
