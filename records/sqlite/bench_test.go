package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/recordstest"
	"github.com/docket-triage/docket/records/sqlite"
)

// BenchmarkPutFlag shows what sharing transactions is worth: with one caller every flag pays for an
// fsync of its own.
func BenchmarkPutFlag(b *testing.B) {
	for _, fast := range []bool{false, true} {
		for _, callers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("fast=%t/callers=%d", fast, callers), func(b *testing.B) {
				recordstest.BenchmarkPutFlag(b, open(b, sqlite.Options{Fast: fast}), callers)
			})
		}
	}
}

func BenchmarkCase(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			recordstest.BenchmarkCase(b, open(b, sqlite.Options{}), callers)
		})
	}
}

func BenchmarkProject(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			recordstest.BenchmarkProject(b, open(b, sqlite.Options{}), callers)
		})
	}
}

func BenchmarkQueue(b *testing.B) {
	const cases = 100_000
	path := filepath.Join(b.TempDir(), "records.db")
	s := open(b, sqlite.Options{Path: path})
	db := beside(b, path)
	require.NoError(b, recordstest.FillQueue(cases, func(text string, args ...any) error {
		_, err := db.ExecContext(b.Context(), text, args...)
		return err
	}))
	recordstest.BenchmarkQueue(b, s, cases)
}
