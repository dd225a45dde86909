package docket_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/docket-triage/docket"

// adapterParents are the packages whose sub-packages stand for one engine or platform each.
var adapterParents = []string{"records", "indexing", "classify", "enforce"}

// sharedByAdapters are sub-packages of adapterParents that are no adapters: suites that several
// adapters answer, and what reads or writes through the parent's interface alone.
var sharedByAdapters = []string{"records/recordstest", "records/relational", "indexing/indextest", "indexing/projector"}

// importsByPackage reads the imports of every package of the module, its tests left out. Keys are
// folders below the module's root, "." for the root itself.
func importsByPackage(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(file))
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(imports[folder], imported) {
				imports[folder] = append(imports[folder], imported)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, imports, "casefile", "the walk found nothing")
	return imports
}

func isStandardLibrary(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within says whether a package or folder is the named one or below it.
func within(name, parent string) bool {
	return name == parent || strings.HasPrefix(name, parent+"/")
}

// adapter names the adapter that a folder belongs to, such as enforce/ozone, or "".
func adapter(folder string) string {
	for _, parent := range adapterParents {
		if rest, ok := strings.CutPrefix(folder, parent+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			name := path.Join(parent, first)
			if slices.Contains(sharedByAdapters, name) {
				return ""
			}
			return name
		}
	}
	return ""
}

// TestLayout holds the imports to the design: they point down, and the pieces that must stay
// apart do.
func TestLayout(t *testing.T) {
	t.Parallel()
	imports := importsByPackage(t)
	for name, allowed := range map[string]func(folder, imported string) bool{
		"casefile imports the standard library alone": func(folder, imported string) bool {
			return !within(folder, "casefile") || isStandardLibrary(imported)
		},
		"workflows import casefile and the Temporal SDK alone": func(folder, imported string) bool {
			return !within(folder, "workflows") || isStandardLibrary(imported) ||
				within(imported, module+"/casefile") || within(imported, module+"/workflows") ||
				within(imported, "go.temporal.io/sdk") || within(imported, "go.temporal.io/api/enums")
		},
		"adapters do not import each other": func(folder, imported string) bool {
			other := ""
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				other = adapter(ours)
			}
			own := adapter(folder)
			return own == "" || other == "" || own == other
		},
		"ledger/verify imports nothing of the writer": func(folder, imported string) bool {
			return !within(folder, "ledger/verify") ||
				(!within(imported, "github.com/transparency-dev") &&
					(!within(imported, module+"/ledger") || within(imported, module+"/ledger/verify")))
		},
		"the Temporal server is standalone's alone": func(folder, imported string) bool {
			return within(folder, "cmd/standalone") || !within(imported, "go.temporal.io/server")
		},
		// They show what another system has to know of Docket.
		"examples import the domain, the verifier, the API's client and the Temporal SDK alone": func(folder, imported string) bool {
			ours := within(imported, module+"/casefile") || within(imported, module+"/ledger/verify") || within(imported, module+"/review/client")
			return !within(folder, "examples") || isStandardLibrary(imported) || ours ||
				within(imported, "go.temporal.io/sdk") || within(imported, "golang.org/x/mod/sumdb/note")
		},
		"nothing imports cmd": func(folder, imported string) bool {
			return within(folder, "cmd") || !within(imported, module+"/cmd")
		},
		// Anything that makes an effect may mark it.
		"crashpoint imports the standard library alone": func(folder, imported string) bool {
			return within(folder, "crashpoint/testdata") || !within(folder, "crashpoint") || isStandardLibrary(imported)
		},
		// Everything else is handed what it needs: docs/adr/015-configuration.md.
		"only cmd imports the configuration": func(folder, imported string) bool {
			return within(folder, "cmd") || within(folder, "config") || !within(imported, module+"/config")
		},
		"only cmd imports the worker": func(folder, imported string) bool {
			return within(folder, "cmd") || within(folder, "worker") || !within(imported, module+"/worker")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for folder, list := range imports {
				for _, imported := range list {
					require.True(t, allowed(folder, imported), "%s imports %s", folder, imported)
				}
			}
		})
	}
}
