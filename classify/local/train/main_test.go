package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/classify/local/measure"
	"github.com/docket-triage/docket/testdata/gen/synth"
)

// TestShippedModelIsWhatTheCommandMakes fails when the generator, the folding or the training has
// changed and the model was not made again: go run ./classify/local/train -seed 7
func TestShippedModelIsWhatTheCommandMakes(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("the shipped model was made on amd64; other processors round differently")
	}
	out := filepath.Join(t.TempDir(), "model.bin")
	var printed bytes.Buffer
	require.NoError(t, run(&printed, 7, out, ""))
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	made, err := local.Decode(got)
	require.NoError(t, err)
	ships, err := local.Default()
	require.NoError(t, err)
	require.Equal(t, made.Model().Version, ships.Model().Version, "run: go run ./classify/local/train -seed 7")
	require.Contains(t, printed.String(), "held-out synthetic posts")
}

func TestPlaceholdersTeachNothing(t *testing.T) {
	t.Parallel()
	examples := synthetic(7)
	require.Greater(t, len(examples), 1000)
	for _, e := range examples {
		require.NotContains(t, e.Text, "[")
	}
}

// TestOutOfDomain measures the shipped model on public data where it lies beside the project, and
// holds it to what the model card claims, which is little.
func TestOutOfDomain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(moduleRoot(t), "..", "shared", "data")
	_, err := os.Stat(filepath.Join(data, "davidson"))
	if err != nil {
		t.Skip("the public data sets are not beside the project")
	}
	m, err := local.Default()
	require.NoError(t, err)
	hate, neither, err := davidson(data)
	require.NoError(t, err)
	require.Len(t, hate, 1430)
	require.Len(t, neither, 4163)
	pro, con, err := twitter(data)
	require.NoError(t, err)
	for name, set := range map[string][2][]string{"davidson": {hate, neither}, "twitter": {pro, con}} {
		auroc := measure.AUROC(scores(m, set[0], anyViolation), scores(m, set[1], anyViolation))
		require.InDelta(t, 0.5, auroc, 0.1, "%s: docs/model-card.md says that the model knows next to nothing here", name)
	}
}

func TestAccountsOfTheStreamAreToldApart(t *testing.T) {
	t.Parallel()
	m, err := local.Default()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, printAccounts(&b, m))
	c := synth.Generate(streamSeed)
	for _, a := range c.Truth.Accounts {
		if a.Posts > 0 {
			require.Contains(t, b.String(), "  "+a.Class+": mean score")
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		_, err = os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
}
