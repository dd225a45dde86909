package relational_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/relational"
	"github.com/docket-triage/docket/records/sqlite"
)

// The statements on the way of flags and reviewers use an index and sort nothing, however many
// rows there are.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, c := range relational.Statements {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var plan []string
			// More arguments than any statement takes: the plan depends on none of them.
			args := make([]any, strings.Count(c.Text, "?"))
			rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.Text, args...)
			require.NoError(t, err)
			for rows.Next() {
				var id, parent, unused int
				var detail string
				require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
				plan = append(plan, detail)
			}
			require.NoError(t, rows.Close())
			whole := strings.Join(plan, "\n")
			require.Contains(t, whole, c.Index)
			require.NotContains(t, whole, "TEMP B-TREE")
			require.NotRegexp(t, `(?m)^SCAN \w+$`, whole, "no table is read whole")
		})
	}
}
