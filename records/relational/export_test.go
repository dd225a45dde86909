package relational

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Statement is one that a test looks at.
type Statement struct {
	Name, Text string
	// Index is how SQLite's plan names the index that it has to use.
	Index string
}

// Statements are those on the way of flags and reviewers.
var Statements = []Statement{
	{"next case", reserveNext(0, passOver), "cases_queue (queue=?)"},
	{"next case with some skipped", reserveNext(3, waitFor), "cases_queue (queue=?)"},
	{"next threat to life", reserveNext(0, passOver), "cases USING INDEX cases_threat"},
	{"no opinion of one's own", reserveNext(0, passOver), "sqlite_autoindex_parts_1 (case_ref=? AND person=? AND part=? AND round=?)"},
	{"queue", selectQueue, "cases_queue (queue=?)"},
	{"queue after a cursor", selectQueueAfter, "cases_queue (queue=? AND rank<?)"},
	{"queue counts", countWaiting, "COVERING INDEX cases_queue"},
	{"snoozed counts", countSnoozed, "COVERING INDEX cases_snoozed"},
	{"open cases", selectOpenCases, "cases_open (ref>?)"},
	{"open case", selectOpenCase, "cases_one_open (account=?)"},
	{"cases", cases + "WHERE 1 = 1 AND (opened_at, ref) < (?, ?) ORDER BY opened_at DESC, ref DESC LIMIT ?", "cases_opened ((opened_at,ref)<(?,?))"},
	{"cases by state", cases + "WHERE 1 = 1 AND state = ? AND (opened_at, ref) < (?, ?) ORDER BY opened_at DESC, ref DESC LIMIT ?", "cases_state (state=? AND (opened_at,ref)<(?,?))"},
	{"claimed", cases + "WHERE claim_person = ? AND claim_person <> '' AND state <> 'closed'", "cases_held (claim_person=?)"},
	{"account's cases", cases + "WHERE account = ? ORDER BY ordinal DESC", "(account=?)"},
	{"pending flags", selectPending, "flags_pending (sweep_at<?)"},
	{"case's flags", "SELECT " + flagColumns + " FROM flags WHERE case_ref = ? ORDER BY at, flag", "flags_case (case_ref=?)"},
	{"flags to be marked as queued", "UPDATE flags SET queued_at = ? WHERE case_ref = ? AND queued_at IS NULL", "flags_unqueued (case_ref=?)"},
	{"pending acts", pendingActs("", "", true), "acts_pending ((planned_at,decision,number,direction)>(?,?,?,?))"},
	{"pending acts of a platform and stage", pendingActs("p", records.ActRetrying, false), "acts_pending"},
	{"appeals", listAppeals("", true), "appeals_due ((due_at,id)>(?,?))"},
	{"appeals by state", listAppeals(casefile.AppealOpen, true), "appeals_state (state=? AND (due_at,id)>(?,?))"},
	{"account's holds", selectAccountHolds, "legal_holds_account (account=?)"},
	{"holds that stand", selectStandingHolds, "legal_holds_standing (until>?)"},
	{"erasures under way", selectErasuresUnderWay, "erasures_open"},
	{"account's erasures", selectAccountErasures, "erasures_account (account=?)"},
	{"tellings to be routed", selectUnrouted, "tellings_unrouted"},
	{"next telling", takeTelling, "telling_channels_waiting (channel=?)"},
	{"tellings that wait", countOnWay, "telling_channels_waiting"},
	{"broken glass", "SELECT COUNT(*) FROM break_glass WHERE person = ? AND case_ref = ? AND until > ?", "break_glass_person (person=? AND case_ref=? AND until>?)"},
	{"unappended", "SELECT id FROM ledger_outbox WHERE log_index IS NULL ORDER BY id LIMIT ?", "ledger_outbox_unappended"},
	{"outbox head", "SELECT seq, fixed FROM ledger_outbox WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1", "ledger_outbox_1 (seq>?)"},
}

const cases = "SELECT " + caseColumns + " FROM cases "

// MigrateTo brings a schema up to a version, as an earlier program would have left it, and returns the
// version that stands.
func MigrateTo(ctx context.Context, db *sql.DB, d Dialect, version int64) (int64, error) {
	provider, err := newProvider(db, d, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	_, err = provider.UpTo(ctx, version)
	if err != nil {
		return 0, err
	}
	return provider.GetDBVersion(ctx)
}

// Versions lists the schema's versions in order.
func Versions() ([]int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var list []int64
	for _, name := range files {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		list = append(list, version)
	}
	return list, nil
}
