package receiver_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
)

// mayImport are the packages outside tests that may play a platform, as folders with the reason.
var mayImport = map[string]string{
	"enforce/webhook/receiver/cmd/receiver": "runs it as a process of its own",
	"cmd/standalone/internal/crash/tally":   "reads what it wrote down, in a program of its own",
}

// TestNoProductionImport: a program that acts links no platform that only plays one.
func TestNoProductionImport(t *testing.T) {
	t.Parallel()
	root := formatstest.Root(t)
	found := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if strings.HasSuffix(imported, "/enforce/webhook/receiver") {
				found++
				require.Contains(t, mayImport, filepath.ToSlash(folder))
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, found, "the walk found not even the command")
}
