package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
)

func keysCommand(g *global) *cobra.Command {
	return group("keys", "Make the keys of a deployment", keysMake(g))
}

func keysMake(g *global) *cobra.Command {
	var logName string
	cmd := &cobra.Command{
		Use:   "make DIR",
		Short: "Make all keys of a new deployment in a folder, once",
		Long: `Make all keys of a new deployment in a folder, once. Keep the folder off line afterwards, apart from
the data: each role is given a copy of the files that it needs (docs/keys.md) and no others. A folder
that holds anything is left alone.`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			entries, err := os.ReadDir(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("look at the folder: %w", err)
			}
			if len(entries) > 0 {
				return casefile.Errorf(casefile.CodeState, "%s is not empty: keys are made once, and never over others", dir)
			}
			keyring, err := evidence.OpenKeyring(cmd.Context(), evidence.KeyringOptions{Dir: dir, Skeleton: fold.String, LogName: logName})
			if err != nil {
				return fmt.Errorf("make keys: %w", err)
			}
			defer func() { _ = keyring.Close() }()
			vkey, err := keyring.LogVerifierKey()
			if err != nil {
				return fmt.Errorf("read the log's public key: %w", err)
			}
			made := struct {
				Dir         string `json:"dir"`
				Fingerprint string `json:"identity_key_fingerprint"`
				VerifierKey string `json:"verifier_key"`
			}{filepath.Clean(dir), keyring.Identity().Fingerprint(), vkey}
			return g.print(cmd.OutOrStdout(), made, func(w io.Writer) {
				_, _ = fmt.Fprintf(w, "keys\t%s\nidentity key\t%s (fingerprint)\nlog's public key\t%s\n", plain(made.Dir), made.Fingerprint, plain(vkey))
			})
		},
	}
	cmd.Flags().StringVar(&logName, "log-name", "", "name of the log in its keys, by custom its address without https:// (default: one made up)")
	return cmd
}
