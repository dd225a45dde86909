package relational

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows are closed, never deleted: no statement deletes, but for index_outbox, and for what an erasure
// takes away: keyed hashes of the account's handles and posts. The one table that is dropped is SQLite's
// flags of version 1, with every row of it moved into the next.
func TestNothingIsDeleted(t *testing.T) {
	t.Parallel()
	taking := regexp.MustCompile(`(?i)\b(DELETE\s+FROM\s+\w+|TRUNCATE\s+\w{3,}|DROP\s+TABLE|REPLACE\s+INTO|OR\s+REPLACE)`)
	var files []string
	for _, pattern := range []string{"*.go", "migrations/*.sql", "../sqlite/*.go", "../postgres/*.go"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	var hits []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, hit := range taking.FindAllString(string(text), -1) {
			hits = append(hits, name+": "+hit)
		}
	}
	require.ElementsMatch(t, []string{
		"index.go: DELETE FROM index_outbox", "migrations/00002_deciding.sql: DROP TABLE",
		"erasures.go: DELETE FROM account_handles", "erasures.go: DELETE FROM decided_items", "erasures.go: DELETE FROM taken_down_handles",
	}, hits)
}
