// Command docket is the five roles of production, each a process of its own, and the command line of
// a running Docket: cases, flags, and the ledger, which it verifies with code of its own.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := process{args: os.Args[1:], env: os.Getenv, environ: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr}.run(ctx)
	stop()
	os.Exit(code)
}

// process is what a run of the program gets from outside.
type process struct {
	args     []string
	env      func(string) string
	environ  []string // all of it, for the configuration of a role
	in       io.Reader
	out, err io.Writer
}

// run carries one command out and gives the exit status: 0, or 1 after an error was told.
func (p process) run(ctx context.Context) int {
	g := &global{env: p.env, environ: p.environ}
	cmd := root(g)
	cmd.SetArgs(p.args)
	cmd.SetIn(p.in)
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	tell(p.err, err, g.json)
	return 1
}

func root(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "docket",
		Short: "Run a role of Docket, or work with a running one: cases, flags and the ledger",
		Long: `Run a role of Docket, or work with a running one: cases, flags and the ledger.

The roles detect, serve, work, enforce and ledger read a configuration (docket config example). For
all else, the address and the token come from the credentials of a standalone data folder (--data DIR
--as LOGIN), or else from the environment: DOCKET_URL and DOCKET_TOKEN.

The exit status is 0, or 1 after an error. With --json, an error is one line of JSON on standard
error: {"error":{"code","message"}}, with field, faults, verb_id and retry_after_seconds where there
are any. Times are UTC.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&g.data, "data", "", "standalone data folder to take address and token from")
	f.StringVar(&g.as, "as", "", "whose token to take from the data folder: a login such as rev1")
	f.BoolVar(&g.json, "json", false, "print JSON")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%v (see %s --help)", err, cmd.CommandPath())
	})
	for _, part := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Roles, each a process of its own:", roleCommands(g)},
		{"Setting a deployment up:", []*cobra.Command{configCommand(g), keysCommand(g), bootstrapCommand(g)}},
		{"Keeping a deployment:", []*cobra.Command{backupCommand(g), restoreCommand(g)}},
		{"Working with a running Docket:", []*cobra.Command{
			caseCommand(g), flagCommand(g), auditCommand(g), appealCommand(g), actsCommand(g), automationCommand(g),
			breakerCommand(g), peopleCommand(g), glassCommand(g),
			holdCommand(g), eraseCommand(g), erasureCommand(g),
		}},
	} {
		cmd.AddGroup(&cobra.Group{ID: part.title, Title: part.title})
		for _, c := range part.commands {
			c.GroupID = part.title
		}
		cmd.AddCommand(part.commands...)
	}
	return cmd
}
