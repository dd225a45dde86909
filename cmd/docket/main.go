// Command docket is the command line of a running Docket: cases, flags, and the ledger, which it
// verifies with code of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	if err != nil {
		if !errors.Is(err, errSaid) {
			_, _ = fmt.Fprintln(os.Stderr, "docket:", err)
		}
		os.Exit(1)
	}
}

// errSaid ends the program with 1 when everything was already printed.
var errSaid = errors.New("said already")

func root() *cobra.Command {
	g := &global{}
	cmd := &cobra.Command{
		Use:   "docket",
		Short: "Work with a running Docket: cases, flags and the ledger",
		Long: `Work with a running Docket: cases, flags and the ledger.

The address and the token come from the credentials of a standalone data folder (--data DIR
--as LOGIN), or else from the environment: DOCKET_URL and DOCKET_TOKEN.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&g.data, "data", "", "standalone data folder to take address and token from")
	f.StringVar(&g.as, "as", "", "whose token to take from the data folder: a login such as rev1")
	f.BoolVar(&g.json, "json", false, "print JSON")
	cmd.AddCommand(caseCommand(g), flagCommand(g), auditCommand(g))
	return cmd
}
