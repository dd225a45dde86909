package docket_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stepRow is a row of a table of docs/life-of-a-case.md, by its number.
var stepRow = regexp.MustCompile(`(?m)^\| ([0-9]+) \|`)

// TestCrashPointsAreTheSteps: every numbered step of the life of a case has its crash point in the
// code, and every crash point is one of a step. The crash run hits each of them.
func TestCrashPointsAreTheSteps(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/life-of-a-case.md")
	require.NoError(t, err)
	var steps []string
	for _, m := range stepRow.FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, steps, m[1], "a number stands twice")
		steps = append(steps, m[1])
	}
	require.GreaterOrEqual(t, len(steps), 41, "the document's table was not found")
	for i, step := range steps {
		require.Equal(t, strconv.Itoa(i+1), step, "steps are numbered without a gap")
	}
	points := crashPoints(t)
	for _, step := range steps {
		require.Contains(t, points, step, "no crash point stands at step %s", step)
	}
	for _, step := range slices.Sorted(maps.Keys(points)) {
		require.Contains(t, steps, step, "the document has no step %s, of which %v has a crash point", step, points[step])
	}
}

// crashPoints gives the steps that the sources mark, each with the files that mark it.
func crashPoints(t *testing.T) map[string][]string {
	t.Helper()
	points := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || file == "crashpoint") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || called.Sel.Name != "Reach" {
				return true
			}
			in, ok := called.X.(*ast.Ident)
			if !ok || in.Name != "crashpoint" {
				return true
			}
			require.Len(t, call.Args, 1)
			literal, ok := call.Args[0].(*ast.BasicLit)
			require.True(t, ok, "%s: a crash point names its step in place", file)
			step, err := strconv.Unquote(literal.Value)
			require.NoError(t, err, file)
			if !slices.Contains(points[step], file) {
				points[step] = append(points[step], file)
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	return points
}
