package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/recordstest"
	"github.com/docket-triage/docket/records/sqlite"
)

func store(t *testing.T) records.Store { return open(t, sqlite.Options{}) }

func TestExercise(t *testing.T) {
	t.Parallel()
	recordstest.Exercise(t, store)
}

// The parts of the suite that keep promises of the design, to be run by their names.

func TestPromise02(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 2, store)
}

func TestPromise03(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 3, store)
}

func TestPromise06(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 6, store)
}

func TestPromise07(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 7, store)
}

func TestPromise09(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 9, store)
}

func TestPromise12(t *testing.T) {
	t.Parallel()
	recordstest.Promise(t, 12, store)
}

// open makes a store in a folder of its own; o.Path is set unless given.
func open(t testing.TB, o sqlite.Options) *sqlite.Store {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "records.db")
	}
	s, err := sqlite.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
