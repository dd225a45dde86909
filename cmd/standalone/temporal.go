package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
)

// temporalOptions is everything that the Temporal server alone may be told.
type temporalOptions struct {
	Data   string
	Listen string
	Fast   bool
}

// temporalCommand runs the Temporal server in a process of its own, for the five roles of docket as
// processes of theirs on one machine.
func temporalCommand() *cobra.Command {
	var o temporalOptions
	cmd := &cobra.Command{
		Use:   "temporal",
		Short: "Run the Temporal server alone, for roles that run as processes of their own",
		Long: `Run the embedded Temporal server alone, for roles of docket that run as processes of their own on
this machine. It prints its address once it answers, and what it logs on standard error. It asks
nobody who they are, so it listens on 127.0.0.1 only; production has a Temporal cluster.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runTemporal(cmd.Context(), o, cmd.OutOrStdout(), slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Data, "data", "docket-temporal", "folder for everything that is kept between runs")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:7233", "address that roles dial; port 0 takes a free one")
	f.BoolVar(&o.Fast, "fast", false, "do not wait for the disk at each commit: a killed process still loses nothing, a power cut may")
	return cmd
}

// port gives the port of --listen.
func (o temporalOptions) port() (int, error) {
	host, text, err := net.SplitHostPort(o.Listen)
	port, perr := strconv.ParseUint(text, 10, 16)
	if err != nil || perr != nil || host != "127.0.0.1" {
		return 0, fmt.Errorf("--listen must be 127.0.0.1 and a port, such as 127.0.0.1:7233: the server asks nobody who they are")
	}
	return int(port), nil
}

func runTemporal(ctx context.Context, o temporalOptions, out io.Writer, log *slog.Logger) (err error) {
	port, err := o.port()
	if err != nil {
		return err
	}
	err = os.MkdirAll(o.Data, 0o700)
	if err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	err = checkOurs(o.Data)
	if err != nil {
		return err
	}
	dir, err := openFolder(o.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	server, err := temporalserver.Start(ctx, temporalserver.Options{
		Dir: dir.path("temporal"), Fast: o.Fast, FrontendPort: port, Logger: log,
	})
	if err != nil && ctx.Err() != nil {
		return nil // told to stop before it stood
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Temporal answers on %s, namespace %s\n", server.HostPort(), temporalserver.DefaultNamespace)
	<-ctx.Done()
	return server.Stop()
}
