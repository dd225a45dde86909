package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The statements on the way of flags and reviewers use an index and sort nothing, however many
// rows there are.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "records.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	cases := "SELECT " + caseColumns + " FROM cases "
	for _, c := range []struct {
		name, text, index string
	}{
		{"next case", reserveNext(0), "cases_queue (queue=?)"},
		{"next case with some skipped", reserveNext(3), "cases_queue (queue=?)"},
		{"queue", selectQueue, "cases_queue (queue=?)"},
		{"queue after a cursor", selectQueueAfter, "cases_queue (queue=? AND severity<?)"},
		{"queue counts", countWaiting, "COVERING INDEX cases_queue"},
		{"open case", selectOpenCase, "cases_one_open (account=?)"},
		{"cases", cases + "WHERE 1 = 1 AND (opened_at, ref) < (?, ?) ORDER BY opened_at DESC, ref DESC LIMIT ?", "cases_opened ((opened_at,ref)<(?,?))"},
		{"cases by state", cases + "WHERE 1 = 1 AND state = ? AND (opened_at, ref) < (?, ?) ORDER BY opened_at DESC, ref DESC LIMIT ?", "cases_state (state=? AND (opened_at,ref)<(?,?))"},
		{"claimed", cases + "WHERE claim_person = ? AND claim_person <> '' AND state <> 'closed'", "cases_held (claim_person=?)"},
		{"account's cases", cases + "WHERE account = ? ORDER BY ordinal DESC", "(account=?)"},
		{"pending flags", "SELECT " + flagColumns + " FROM flags WHERE status = 'pending' AND at < ? ORDER BY at, flag LIMIT ?", "flags_pending (at<?)"},
		{"case's flags", "SELECT " + flagColumns + " FROM flags WHERE case_ref = ? ORDER BY at, flag", "flags_case (case_ref=?)"},
		{"flags to be marked as queued", "UPDATE flags SET queued_at = ? WHERE case_ref = ? AND queued_at IS NULL", "flags_unqueued (case_ref=?)"},
		{"unappended", "SELECT id FROM ledger_outbox WHERE log_index IS NULL ORDER BY id LIMIT ?", "ledger_outbox_unappended"},
		{"outbox head", "SELECT seq, fixed FROM ledger_outbox WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1", "ledger_outbox_1 (seq>?)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var plan []string
			// More arguments than any statement takes: the plan depends on none of them.
			args := make([]any, strings.Count(c.text, "?"))
			rows, err := s.reader.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.text, args...)
			require.NoError(t, err)
			for rows.Next() {
				var id, parent, unused int
				var detail string
				require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
				plan = append(plan, detail)
			}
			require.NoError(t, rows.Close())
			whole := strings.Join(plan, "\n")
			require.Contains(t, whole, c.index)
			require.NotContains(t, whole, "TEMP B-TREE")
			require.NotRegexp(t, `(?m)^SCAN \w+$`, whole, "no table is read whole")
		})
	}
}
