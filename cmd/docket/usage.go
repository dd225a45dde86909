package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
)

// misuse is an error of whoever typed the command.
func misuse(format string, args ...any) error {
	return casefile.Errorf(casefile.CodeInvalid, format, args...)
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			return misuse("unknown command %q for %q; there are %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// takes refuses any other number of arguments and says how the command is used.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if least <= len(args) && len(args) <= most {
			return nil
		}
		return misuse("got %d arguments; usage: %s", len(args), cmd.UseLine())
	}
}
