package docket_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutants are the small breaks that .ci/mutants.sh tries, each of which a test of its promise must notice.
const mutants = "testdata/mutants"

// promises is how many the design makes, and leastMutants how many breaks of each are tried at least.
const (
	promises     = 12
	leastMutants = 2
)

var mutantName = regexp.MustCompile(`^(\d\d)-[a-z0-9]+(-[a-z0-9]+)*\.patch$`)

// TestMutantsFit: every promise has its breaks, and every break still fits the tree: its patch applies, and
// the tests that it names are there.
func TestMutantsFit(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(mutants)
	require.NoError(t, err)
	of := map[string]int{}
	for _, f := range files {
		name := mutantName.FindStringSubmatch(f.Name())
		require.NotNil(t, name, "%s: a mutant is called NN-what-it-breaks.patch", f.Name())
		of[name[1]]++
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			patch := filepath.Join(mutants, f.Name())
			text, err := os.ReadFile(patch)
			require.NoError(t, err)
			lines := strings.Split(string(text), "\n")
			require.Regexp(t, `^# [A-Z].*\.$`, lines[0], "the first line says what the patch breaks")
			folder, ok := strings.CutPrefix(lines[1], "# tests: ./")
			require.True(t, ok, "the second line names the package whose tests must notice")
			tests := "TestPromise" + name[1]
			run, ok := strings.CutPrefix(lines[2], "# run: ")
			if ok {
				require.True(t, strings.HasPrefix(run, tests), "it is for the promise's own tests to notice")
				tests = run
			}
			requireTest(t, folder, tests)
			requireApplies(t, patch)
		})
	}
	for n := 1; n <= promises; n++ {
		number := fmt.Sprintf("%02d", n)
		require.GreaterOrEqual(t, of[number], leastMutants, "mutants of promise %s", number)
		delete(of, number)
	}
	require.Empty(t, of, "mutants of no promise")
}

// requireTest holds a folder to have a test whose name begins so.
func requireTest(t *testing.T, folder, name string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+name) {
			return
		}
	}
	require.Fail(t, "no such test", "%s in ./%s", name, folder)
}

// requireApplies holds a patch to apply to the tree, and to touch nothing but Go files that are no tests:
// .ci/mutants.sh rests on that.
func requireApplies(t *testing.T, patch string) {
	t.Helper()
	touched, err := exec.Command("git", "apply", "--numstat", "--check", patch).CombinedOutput()
	require.NoError(t, err, "the patch does not apply any more: make the break again where the code is now\n%s", touched)
	require.NotEmpty(t, touched)
	for line := range strings.Lines(string(touched)) {
		columns := strings.Fields(line)
		require.Len(t, columns, 3)
		require.True(t, strings.HasSuffix(columns[2], ".go") && !strings.HasSuffix(columns[2], "_test.go"), "%s", columns[2])
		require.FileExists(t, columns[2])
	}
}

// TestMutantsThirds: three runs in a row of a third of the mutants run each of them once.
func TestMutantsThirds(t *testing.T) {
	t.Parallel()
	list := func(of ...string) []string {
		out, err := exec.Command(".ci/mutants.sh", append([]string{"list"}, of...)...).Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	all := list("all")
	require.NotEmpty(t, all)
	var thirds []string
	for _, seed := range []string{"20777", "20778", "20779"} {
		third := list("third", seed)
		require.InDelta(t, len(all)/3, len(third), 1)
		thirds = append(thirds, third...)
	}
	slices.Sort(thirds)
	require.Equal(t, all, thirds)
	require.Subset(t, all, list("third"))
	for _, patch := range list("07", "11") {
		require.Contains(t, []string{"07", "11"}, patch[:2])
	}
}
