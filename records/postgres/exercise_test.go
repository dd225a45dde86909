package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/records/recordstest"
)

func store(t *testing.T) records.Store {
	return open(t, postgres.Options{URL: postgrestest.Database(t)})
}

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

func open(t testing.TB, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
