package relational_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/recordstest"
	"github.com/docket-triage/docket/records/relational"
)

// The statements on the way of flags and reviewers use an index and sort nothing, however many
// rows there are.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	d := onSQLite(t)
	d.store()
	for _, c := range relational.Statements {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var plan []string
			// More arguments than any statement takes: the plan depends on none of them.
			args := make([]any, strings.Count(c.Text, "?"))
			rows, err := d.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.Text, args...)
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

// PostgreSQL's planner goes by costs. So there are rows, statistics of them, and no way around: were
// there an index missing, it would have to sort or to read a table whole all the same.
func TestQueryPlansOfPostgreSQL(t *testing.T) {
	t.Parallel()
	d := onPostgreSQL(t)
	d.store()
	require.NoError(t, recordstest.FillQueue(20_000, d.exec))
	require.NoError(t, d.exec("VACUUM ANALYZE"))
	conn, err := d.db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	do := func(text string) {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	do("SET plan_cache_mode = force_generic_plan")
	do("SET enable_seqscan = off")
	for i, c := range relational.Statements {
		text := d.dialect.Statement(c.Text)
		do(fmt.Sprintf("PREPARE p%d AS %s", i, text))
		var types int
		err := conn.QueryRowContext(t.Context(), "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = $1", fmt.Sprintf("p%d", i)).Scan(&types)
		require.NoError(t, err)
		args := strings.TrimSuffix(strings.Repeat("NULL, ", types), ", ")
		if args != "" {
			args = "(" + args + ")"
		}
		rows, err := conn.QueryContext(context.Background(), fmt.Sprintf("EXPLAIN EXECUTE p%d%s", i, args))
		require.NoError(t, err, c.Name)
		var plan []string
		for rows.Next() {
			var line string
			require.NoError(t, rows.Scan(&line))
			plan = append(plan, line)
		}
		require.NoError(t, rows.Close())
		whole := strings.Join(plan, "\n")
		if c.Name != "queue counts" { // which sorts the few queues that it has counted
			require.NotContains(t, whole, "Sort", "%s:\n%s", c.Name, whole)
		}
		require.NotContains(t, whole, "Seq Scan", "%s:\n%s", c.Name, whole)
		if strings.HasPrefix(c.Name, "next case") || c.Name == "queue" || c.Name == "queue after a cursor" {
			require.Contains(t, whole, "Index Scan using cases_queue on cases", "%s:\n%s", c.Name, whole)
		}
	}
}
