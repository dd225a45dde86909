package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/records/recordstest"
	"github.com/docket-triage/docket/records/relational"
)

// durable makes a store on a server that keeps its commits on the disk.
func durable(b *testing.B, callers int) (*postgres.Store, string) {
	b.Helper()
	at := postgrestest.Start(b, true).Database(b)
	return open(b, postgres.Options{URL: at, MaxConns: min(callers, 64)}), at
}

func BenchmarkPutFlag(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, _ := durable(b, callers)
			recordstest.BenchmarkPutFlag(b, s, callers)
		})
	}
}

func BenchmarkCase(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, _ := durable(b, callers)
			recordstest.BenchmarkCase(b, s, callers)
		})
	}
}

func BenchmarkProject(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, _ := durable(b, callers)
			recordstest.BenchmarkProject(b, s, callers)
		})
	}
}

func BenchmarkQueue(b *testing.B) {
	const cases = 100_000
	s, at := durable(b, 1)
	db := beside(b, at)
	require.NoError(b, recordstest.FillQueue(cases, func(text string, args ...any) error {
		_, err := db.Exec(b.Context(), relational.PostgreSQL.Statement(text), args...)
		return err
	}))
	_, err := db.Exec(b.Context(), "VACUUM ANALYZE") // as the server does by itself, sooner or later
	require.NoError(b, err)
	recordstest.BenchmarkQueue(b, s, cases)
}
