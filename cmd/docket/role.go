package main

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
)

// roleCommands are the five parts of production, each a process of its own.
func roleCommands(g *global) []*cobra.Command {
	serve := roleCommand(g, config.RoleServe, "Run the role serve: the door for flags, the API and the console", map[string]string{"listen": "serve.listen"})
	serve.Flags().String("listen", "", "address of API and console (serve.listen)")
	ledger := roleCommand(g, config.RoleLedger, "Run the role ledger, the one writer of the log",
		map[string]string{"listen": "ledger.listen", "checkpoint-copy": "ledger.checkpoint_copy"})
	ledger.Flags().String("listen", "", "address where the log is served (ledger.listen)")
	ledger.Flags().String("checkpoint-copy", "", "folder that each checkpoint is copied to, away from the log (ledger.checkpoint_copy)")
	detect := roleCommand(g, config.RoleDetect, "Run the role detect: read a stream and flag accounts", map[string]string{"file": "detect.files"})
	detect.Flags().StringArray("file", nil, "file of events to read, plain or gzip; repeatable, merged by event time (detect.files)")
	return []*cobra.Command{
		detect, serve,
		roleCommand(g, config.RoleWork, "Run the role work: the cases' workflows, and the index", nil),
		roleCommand(g, config.RoleEnforce, "Run the role enforce, the only one that acts on platforms", nil),
		ledger,
	}
}

// configured are the flags of every command that reads a configuration: flags by the key they set.
type configured struct {
	file  string
	flags map[string]string
}

func (c *configured) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.file, "config", "", "configuration file (default: DOCKET_CONFIG; see docket config example)")
}

// load reads the configuration that a command's flags and the environment say.
func (c *configured) load(g *global, cmd *cobra.Command) (config.Config, error) {
	if g.data != "" || g.as != "" {
		return config.Config{}, misuse("--data and --as are for commands that call a running Docket: %s reads a configuration", cmd.CommandPath())
	}
	s := config.Sources{File: c.file, Environ: g.environ}
	if s.File == "" {
		s.File = g.env("DOCKET_CONFIG")
	}
	for name, key := range c.flags {
		f := cmd.Flags().Lookup(name)
		if !f.Changed {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(interface{ GetSlice() []string }); ok {
			values = list.GetSlice()
		}
		s.Flags = append(s.Flags, config.Flag{Name: "--" + name, Key: key, Values: values})
	}
	return config.Load(s)
}

func roleCommand(g *global, role config.Role, short string, flags map[string]string) *cobra.Command {
	c := configured{flags: map[string]string{"health": "health.listen"}}
	for name, key := range flags {
		c.flags[name] = key
	}
	cmd := &cobra.Command{
		Use:   string(role),
		Short: short,
		Long: short + `.

It reads its configuration from a file, the environment and these flags, in this order, and refuses
to start with one that cannot be right. What it needs and does not answer is waited for, and said in
the log: JSON lines on standard error. It stops cleanly within 20 seconds of SIGTERM or Ctrl-C; what
is under way is finished or kept.`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(g, cmd)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level(cfg)}))
			err = assembly.Run(cmd.Context(), cfg, role, log)
			var faults casefile.Faults
			switch {
			case err == nil:
				return nil
			case errors.As(err, &faults):
				return err
			}
			log.Error("stopped by an error", "role", string(role), "error", err.Error())
			return errSaid
		},
	}
	c.register(cmd)
	cmd.Flags().String("health", "", "address of /healthz, /readyz and /metrics (health.listen)")
	return cmd
}

// level is that of the log; one that is none is refused when the role looks at its configuration.
func level(cfg config.Config) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(cfg.Logging.Level))
	return l
}
