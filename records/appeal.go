package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// AppealRow is an appeal: what the API wrote when it was opened, and the projection of its workflow.
type AppealRow struct {
	ID       string // random
	Kind     casefile.AppealKind
	Decision string
	Case     casefile.CaseRef
	Platform string
	Account  casefile.AccountKey
	Notice   string // number on the notice that it was opened with, "" for a review
	// Complaint is the address of the sealed words, Digest their keyed digest.
	Complaint casefile.Address
	Digest    string
	OpenedBy  casefile.Actor
	OpenedAt  time.Time
	DueAt     time.Time

	State    casefile.AppealState
	Revision int
	Late     bool // its deadline was missed
	Claim    *casefile.Claim
	Ruling   *casefile.AppealRuling
	Event    casefile.EventID // of the ruling's entry, "" before
	Hash     string
	Bundle   *casefile.Bundle
	Why      string // a code, for incomplete
	EndedAt  *time.Time
}

// AppealProjection is what an appeal's workflow writes of itself; an older or equal revision changes
// nothing and is no error.
type AppealProjection struct {
	ID       string
	State    casefile.AppealState
	Revision int
	Late     bool
	Claim    *casefile.Claim
	Ruling   *casefile.AppealRuling
	Event    casefile.EventID
	Hash     string
	Bundle   *casefile.Bundle // kept once set
	Tellings []TellingRow
	Now      time.Time
}

// Appeals keeps appeals.
type Appeals interface {
	// PutAppeal writes an appeal's row, as open. Where one of the same kind against the same decision
	// stands, in whatever state, created is false and that row is returned: a decision is appealed once.
	// The same row again is answered as the first time. CodeNotFound when the decision has no row;
	// CodeConflict when another appeal has the id.
	PutAppeal(ctx context.Context, a AppealRow) (row AppealRow, created bool, err error)
	// Appeal returns a row; CodeNotFound if there is none.
	Appeal(ctx context.Context, id string) (AppealRow, error)
	// DecisionAppeals lists a decision's appeals, oldest first.
	DecisionAppeals(ctx context.Context, decision string) ([]AppealRow, error)
	// ListAppeals lists appeals by state ("" for all), the one that is due first before the others,
	// after a cursor.
	ListAppeals(ctx context.Context, state casefile.AppealState, after string, limit int) (rows []AppealRow, next string, err error)
	// ProjectAppeal applies a projection. CodeNotFound when there is no such appeal; CodeState when one
	// that was proven to be ruled on would wait for its ruling again.
	ProjectAppeal(ctx context.Context, p AppealProjection) error
	// EndAppeal moves an upheld appeal on to reinstated or incomplete. An incomplete one becomes
	// reinstated once the rest was taken back; a reinstated one stays so, and is left as it is.
	// CodeNotFound when there is none; CodeState when it was not upheld.
	EndAppeal(ctx context.Context, id string, state casefile.AppealState, why string, now time.Time) error
	// NoticeByNumber finds a notice by the number printed on it; CodeNotFound if there is none.
	NoticeByNumber(ctx context.Context, number string) (NoticeRow, error)
	// TakeBackStrike ends the strike of a decision, for good; no error if it gave none.
	TakeBackStrike(ctx context.Context, decision string, now time.Time) error
	// ForgetTakenDownHandle takes back what PutTakenDownHandle stored for the account, unless an act
	// still suspends or ends it: one that was done, or may have been, and was not taken back since.
	ForgetTakenDownHandle(ctx context.Context, account casefile.AccountKey) error
}
