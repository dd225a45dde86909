package crashpoint_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/crashpoint"
)

// TestReach: with the tag a process ends at the pass that it was started for, and not a line later;
// without it, whatever the environment says, it comes to its end.
func TestReach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		out, err := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, args...), "-o", path, "./testdata/pass")...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return path
	}
	tagged, plain := build("tagged", "-tags", "crashpoints"), build("plain")
	file := filepath.Join(dir, "file")
	for name, c := range map[string]struct {
		path, at, when string
		last           string
		lines          int
		killed         bool
	}{
		"the second pass":             {tagged, "2:2", "", "2/2", 5, true},
		"the first":                   {tagged, "1:1", "", "1/1", 1, true},
		"a step that is not passed":   {tagged, "41:1", "", "3/3", 9, false},
		"passed less often":           {tagged, "2:4", "", "3/3", 9, false},
		"no step":                     {tagged, "", "", "3/3", 9, false},
		"once a file is there":        {tagged, "3:1", file, "3/3", 9, true},
		"while a file is not there":   {tagged, "3:1", filepath.Join(dir, "none"), "3/3", 9, false},
		"without the tag":             {plain, "2:2", "", "3/3", 9, false},
		"the file decides, not count": {tagged, "1:1", file, "3/1", 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), c.path)
			if c.when == file {
				require.NoError(t, os.RemoveAll(file))
				cmd.Args = append(cmd.Args, file)
			}
			cmd.Env = []string{crashpoint.EnvAt + "=" + c.at, crashpoint.EnvWhen + "=" + c.when}
			var out bytes.Buffer
			cmd.Stdout = &out
			err := cmd.Run()
			lines := strings.Fields(out.String())
			require.Len(t, lines, c.lines)
			require.Equal(t, c.last, lines[len(lines)-1])
			if !c.killed {
				require.NoError(t, err)
				return
			}
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			status, ok := exit.Sys().(syscall.WaitStatus)
			require.True(t, ok)
			require.True(t, status.Signaled())
			require.Equal(t, syscall.SIGKILL, status.Signal())
		})
	}
	err := exec.CommandContext(t.Context(), "env", crashpoint.EnvAt+"=nineteen", tagged).Run()
	require.Error(t, err, "what is no step and count is refused")
	require.False(t, crashpoint.Armed, "tests are built without the tag")
}
