package review

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
)

// AccountNamed names an account: by one of its cases, or by its platform and its id there.
type AccountNamed struct {
	Case     casefile.CaseRef
	Platform string
	Account  string
}

// HoldView is a legal hold.
type HoldView struct {
	Hold     string           `json:"hold"`
	Platform string           `json:"platform"`
	Case     casefile.CaseRef `json:"case,omitempty"` // the account's last one
	By       casefile.Person  `json:"by"`
	At       time.Time        `json:"at"`
	Until    time.Time        `json:"until"`
	Stands   bool             `json:"stands"`
	// Basis and EndReason are the words, as long as the account was not erased.
	Basis     string          `json:"basis,omitempty"`
	EndedBy   casefile.Person `json:"ended_by,omitempty"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	EndReason string          `json:"end_reason,omitempty"`
}

// ErasureView is an erasure and how far it has come.
type ErasureView struct {
	Seq      int64                 `json:"seq"`
	Erasure  string                `json:"erasure"`
	Platform string                `json:"platform"`
	Case     casefile.CaseRef      `json:"case,omitempty"` // the account's last one
	State    casefile.ErasureState `json:"state"`
	By       casefile.Person       `json:"by,omitempty"`
	At       time.Time             `json:"at"`
	Reason   string                `json:"reason,omitempty"`
	// Again says that it was carried out again after a restore.
	Again       bool       `json:"again,omitempty"`
	DestroyedAt *time.Time `json:"destroyed_at,omitempty"` // when the content key was
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	// Cases, Flags and Objects are what the account had.
	Cases   int `json:"cases"`
	Flags   int `json:"flags"`
	Objects int `json:"objects"`
	// Bars are what stopped it before anything was destroyed.
	Bars []casefile.ErasureReason `json:"bars,omitempty"`
}

// DataView is what stands about the keeping and the erasing of an account's data, codes only.
type DataView struct {
	// ErasedAt is when the case's account was erased: nothing is left of the case's words.
	ErasedAt *time.Time            `json:"erased_at,omitempty"`
	Erasing  casefile.ErasureState `json:"erasing,omitempty"` // closing or destroyed, while one is under way
	Holds    []HoldMark            `json:"holds,omitempty"`   // that stand
}

// HoldMark is a hold that stands, without its words.
type HoldMark struct {
	Hold  string    `json:"hold"`
	Until time.Time `json:"until"`
}

// ErasedAccount tells a detector of an account whose data it must forget, by the account's keyed hash.
type ErasedAccount struct {
	Seq      int64               `json:"seq"`
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	At       time.Time           `json:"at"`
}

// HoldCall puts a hold on an account.
type HoldCall struct {
	AccountNamed
	Basis string // the order's, or why else; sealed
	Until time.Time
	Key   string
}

// EndHoldCall ends a hold; Hold is "" for the only one that stands on the account.
type EndHoldCall struct {
	AccountNamed
	Hold   string
	Reason string
}

// EraseCall asks for an account's erasure.
type EraseCall struct {
	AccountNamed
	Reason string
	Key    string
}

// Names of these among the verbs; none is an Update that a person sends.
const (
	holdVerb  = "account_hold"
	eraseVerb = "account_erase"
)

// BarredError says why an account cannot be erased now: every reason. Its code is CodeState.
type BarredError struct {
	Reasons []casefile.ErasureReason
}

// Error says all reasons in words.
func (e *BarredError) Error() string {
	text := "the account cannot be erased now:"
	for i, r := range e.Reasons {
		if i > 0 {
			text += ";"
		}
		text += " " + BarWords(r)
	}
	return text
}

// Unwrap gives a casefile.Error of the same words.
func (e *BarredError) Unwrap() error { return casefile.Errorf(casefile.CodeState, "%s", e.Error()) }

// faults are the reasons one by one, each under its code.
func (e *BarredError) faults() []Fault {
	out := make([]Fault, 0, len(e.Reasons))
	for _, r := range e.Reasons {
		out = append(out, Fault{Field: string(r.Bar), Message: BarWords(r)})
	}
	return out
}

// BarWords says one reason in words.
func BarWords(r casefile.ErasureReason) string {
	of := ""
	if r.Case != "" {
		of = " of case " + string(r.Case)
	}
	until := ""
	if r.Until != nil {
		until = " until " + r.Until.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	switch r.Bar {
	case casefile.BarDecision:
		return "the decision" + of + " can still be withdrawn, or is on its way to the ledger"
	case casefile.BarTakedown:
		return "the takedown" + of + " has acts or a notice to come"
	case casefile.BarUncertain:
		return fmt.Sprintf("act %d%s is uncertain: somebody has to establish how it ended", r.Act, of)
	case casefile.BarTimed:
		return fmt.Sprintf("act %d%s has still to end: it lasts%s", r.Act, of, until)
	case casefile.BarAppeal:
		return "an appeal" + of + " is open, or what it took back is not all done"
	case casefile.BarWindow:
		return "the person can appeal the decision" + of + until
	case casefile.BarHold:
		return "a legal hold stands" + until + " (" + r.Hold + ")"
	}
	return string(r.Bar)
}

// named finds an account. CodeNotFound for one that no flag ever named.
func (d *Desk) named(ctx context.Context, who access.Who, n AccountNamed) (records.Account, error) {
	key := casefile.AccountKey("")
	switch {
	case (n.Case == "") == (n.Account == ""):
		return records.Account{}, casefile.Invalid("case", "name the account either by one of its cases or by platform and account id")
	case n.Case != "":
		row, err := d.row(ctx, who, n.Case)
		if err != nil {
			return records.Account{}, err
		}
		key = row.Account
	case !casefile.ValidPlatform(n.Platform):
		return records.Account{}, casefile.Invalid("platform", "not the name of a platform")
	default:
		key = d.o.Identity.Account(casefile.AccountRef{Platform: n.Platform, ID: n.Account})
	}
	a, err := d.o.Records.Account(ctx, key)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return records.Account{}, casefile.Errorf(casefile.CodeNotFound, "there is no such account here")
	}
	if err != nil {
		return records.Account{}, fmt.Errorf("read an account: %w", err)
	}
	return a, nil
}

func lastCase(a records.Account) casefile.CaseRef {
	if a.OpenCase != "" {
		return a.OpenCase
	}
	return a.LastCase
}

// AddHold puts a legal hold on an account: nothing of it is erased before the hold is ended, or its time is
// over. The same call with the same key counts once. CodeNotFound for an account that is not known, CodeState
// while it is being erased, CodeInvalid on fields case, platform, basis and until.
func (d *Desk) AddHold(ctx context.Context, who access.Who, call HoldCall) (HoldView, error) {
	actor, err := who.ActorFor(access.HoldManage)
	if err != nil {
		return HoldView{}, err
	}
	k, err := key(call.Key)
	if err != nil {
		return HoldView{}, err
	}
	words, err := checkWords("basis", call.Basis)
	if err != nil {
		return HoldView{}, err
	}
	now := d.now()
	if !call.Until.After(now) {
		return HoldView{}, casefile.Invalid("until", "a time ahead")
	}
	a, err := d.named(ctx, who, call.AccountNamed)
	if err != nil {
		return HoldView{}, err
	}
	id, err := d.verbID(who.Person, holdVerb, string(a.Account), k)
	if err != nil {
		return HoldView{}, err
	}
	sealed, err := d.sealStaff(ctx, "basis", words)
	if err != nil {
		return HoldView{}, err
	}
	row, err := d.o.Records.AddHold(ctx, records.HoldRow{
		ID: id, Account: a.Account, Platform: a.Platform, Basis: sealed, By: actor, At: now, Until: call.Until.UTC().Truncate(time.Second),
	})
	if err != nil {
		return HoldView{}, said(err, "put a hold on an account")
	}
	return d.holdView(ctx, row, lastCase(a))
}

// sealStaff seals words of staff that are about no account's content.
func (d *Desk) sealStaff(ctx context.Context, field, words string) ([]byte, error) {
	sealed, err := d.o.Reasons.SealReason(ctx, []byte(words))
	if casefile.ErrorCode(err) == casefile.CodeTooLarge {
		return nil, casefile.Invalid(field, "at most %d bytes", evidence.MaxReason)
	}
	if err != nil {
		return nil, fmt.Errorf("seal staff's words: %w", err)
	}
	return sealed, nil
}

// said passes an error of the domain's own on, and says of any other what was attempted.
func said(err error, doing string) error {
	switch casefile.ErrorCode(err) {
	case casefile.CodeState, casefile.CodeNotFound, casefile.CodeInvalid:
		var e *casefile.Error
		if errors.As(err, &e) {
			return &casefile.Error{Code: e.Code, Field: e.Field, Message: e.Message}
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// EndHold ends a hold. With no hold named, it ends the only one that stands on the account: CodeState where
// none stands, CodeInvalid on field hold where several do.
func (d *Desk) EndHold(ctx context.Context, who access.Who, call EndHoldCall) (HoldView, error) {
	actor, err := who.ActorFor(access.HoldManage)
	if err != nil {
		return HoldView{}, err
	}
	words, err := checkWords("reason", call.Reason)
	if err != nil {
		return HoldView{}, err
	}
	a, err := d.named(ctx, who, call.AccountNamed)
	if err != nil {
		return HoldView{}, err
	}
	holds, err := d.o.Records.AccountHolds(ctx, a.Account)
	if err != nil {
		return HoldView{}, fmt.Errorf("list an account's holds: %w", err)
	}
	id, err := whichHold(holds, call.Hold, d.now())
	if err != nil {
		return HoldView{}, err
	}
	sealed, err := d.sealStaff(ctx, "reason", words)
	if err != nil {
		return HoldView{}, err
	}
	row, err := d.o.Records.EndHold(ctx, id, actor, sealed, d.now())
	if err != nil {
		return HoldView{}, said(err, "end a hold")
	}
	return d.holdView(ctx, row, lastCase(a))
}

func whichHold(holds []records.HoldRow, named string, now time.Time) (string, error) {
	var standing []string
	for _, h := range holds {
		if named == h.ID {
			return h.ID, nil
		}
		if h.Stands(now) {
			standing = append(standing, h.ID)
		}
	}
	switch {
	case named != "":
		return "", casefile.Errorf(casefile.CodeNotFound, "there is no such hold on this account")
	case len(standing) == 0:
		return "", casefile.Errorf(casefile.CodeState, "no hold stands on this account")
	case len(standing) > 1:
		return "", casefile.Invalid("hold", "%d holds stand on this account: name one of %s", len(standing), listed(standing))
	}
	return standing[0], nil
}

// Holds lists the holds that stand, the one that ends first before the others; with a case named, all of its
// account's, oldest first.
func (d *Desk) Holds(ctx context.Context, who access.Who, ref casefile.CaseRef) ([]HoldView, error) {
	err := who.Require(access.ErasureRead)
	if err != nil {
		return nil, err
	}
	var rows []records.HoldRow
	if ref == "" {
		rows, err = d.o.Records.StandingHolds(ctx, d.now(), maxPage)
	} else {
		var row records.Case
		row, err = d.row(ctx, who, ref)
		if err != nil {
			return nil, err
		}
		rows, err = d.o.Records.AccountHolds(ctx, row.Account)
	}
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	out := make([]HoldView, 0, len(rows))
	for _, r := range rows {
		a, err := d.o.Records.Account(ctx, r.Account)
		if err != nil {
			return nil, fmt.Errorf("read an account: %w", err)
		}
		v, err := d.holdView(ctx, r, lastCase(a))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (d *Desk) holdView(ctx context.Context, r records.HoldRow, ref casefile.CaseRef) (HoldView, error) {
	v := HoldView{
		Hold: r.ID, Platform: r.Platform, Case: ref, By: r.By.Person, At: r.At, Until: r.Until, Stands: r.Stands(d.now()),
		EndedBy: r.EndedBy.Person, EndedAt: r.EndedAt,
	}
	var err error
	v.Basis, err = d.openReason(ctx, r.Basis)
	if err == nil {
		v.EndReason, err = d.openReason(ctx, r.EndReason)
	}
	return v, err
}

// Erase asks for an account's erasure. From here on it goes on by itself: an open case is closed, the content
// key is destroyed, and everything that is left of the account follows. It is refused with a *BarredError,
// which gives every reason, while something is outstanding. An erasure that is under way, or has left nothing
// behind it since, is answered as it stands. CodeNotFound for an account that is not known, CodeInvalid on
// fields case, platform and reason.
func (d *Desk) Erase(ctx context.Context, who access.Who, call EraseCall) (ErasureView, error) {
	actor, err := who.ActorFor(access.AccountErase)
	if err != nil {
		return ErasureView{}, err
	}
	k, err := key(call.Key)
	if err != nil {
		return ErasureView{}, err
	}
	words, err := checkWords("reason", call.Reason)
	if err != nil {
		return ErasureView{}, err
	}
	a, err := d.named(ctx, who, call.AccountNamed)
	if err != nil {
		return ErasureView{}, err
	}
	before, err := d.erasedBefore(ctx, a)
	if err != nil || before.ID != "" {
		if err != nil {
			return ErasureView{}, err
		}
		return d.erasureView(ctx, before, lastCase(a))
	}
	id, err := d.verbID(who.Person, eraseVerb, string(a.Account), k)
	if err != nil {
		return ErasureView{}, err
	}
	sealed, err := d.sealStaff(ctx, "reason", words)
	if err != nil {
		return ErasureView{}, err
	}
	row, bars, err := d.o.Records.BeginErasure(ctx, records.ErasureRow{
		ID: id, Account: a.Account, Platform: a.Platform, Name: evidence.ErasedName(d.o.Identity, a.Account), Reason: sealed, By: actor, At: d.now(),
	})
	switch {
	case err != nil:
		return ErasureView{}, said(err, "begin an erasure")
	case len(bars) > 0:
		return ErasureView{}, &BarredError{Reasons: bars}
	}
	crashpoint.Reach("42")
	return d.erasureView(ctx, row, lastCase(a))
}

// erasedBefore gives the account's last erasure where it is under way, or nothing came since it ended.
func (d *Desk) erasedBefore(ctx context.Context, a records.Account) (records.ErasureRow, error) {
	rows, err := d.o.Records.AccountErasures(ctx, a.Account)
	if err != nil {
		return records.ErasureRow{}, fmt.Errorf("list an account's erasures: %w", err)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		switch r.State {
		case casefile.ErasureStopped:
			continue
		case casefile.ErasureDone:
			_, err = d.o.Records.AccountKey(ctx, a.Account)
			if casefile.ErrorCode(err) == casefile.CodeNotFound {
				return r, nil
			}
			if err != nil {
				return records.ErasureRow{}, fmt.Errorf("read an account's key: %w", err)
			}
			return records.ErasureRow{}, nil // flagged anew
		}
		return r, nil
	}
	return records.ErasureRow{}, nil
}

// Erasures lists erasures in the order in which they were asked for, after a sequence number.
func (d *Desk) Erasures(ctx context.Context, who access.Who, after int64, limit int) (list []ErasureView, next int64, err error) {
	err = who.Require(access.ErasureRead)
	if err != nil {
		return nil, 0, err
	}
	limit = pageLimit(limit)
	rows, err := d.o.Records.ErasuresAfter(ctx, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list erasures: %w", err)
	}
	list = make([]ErasureView, 0, len(rows))
	for _, r := range rows {
		v, err := d.erasureOf(ctx, r)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, v)
	}
	if len(rows) == limit {
		next = rows[len(rows)-1].Seq
	}
	return list, next, nil
}

// Erasure shows one erasure; CodeNotFound if there is none.
func (d *Desk) Erasure(ctx context.Context, who access.Who, id string) (ErasureView, error) {
	err := who.Require(access.ErasureRead)
	if err != nil {
		return ErasureView{}, err
	}
	r, err := d.o.Records.Erasure(ctx, id)
	if err != nil {
		return ErasureView{}, said(err, "read an erasure")
	}
	return d.erasureOf(ctx, r)
}

func (d *Desk) erasureOf(ctx context.Context, r records.ErasureRow) (ErasureView, error) {
	a, err := d.o.Records.Account(ctx, r.Account)
	if err != nil {
		return ErasureView{}, fmt.Errorf("read an account: %w", err)
	}
	return d.erasureView(ctx, r, lastCase(a))
}

func (d *Desk) erasureView(ctx context.Context, r records.ErasureRow, ref casefile.CaseRef) (ErasureView, error) {
	v := ErasureView{
		Seq: r.Seq, Erasure: r.ID, Platform: r.Platform, Case: ref, State: r.State, By: r.By.Person, At: r.At, Again: r.Again,
		DestroyedAt: r.DestroyedAt, EndedAt: r.EndedAt, Cases: r.Cases, Flags: r.Flags, Objects: r.Objects, Bars: r.Bars,
	}
	var err error
	v.Reason, err = d.openReason(ctx, r.Reason)
	return v, err
}

// ErasedAccounts tells a detector which accounts it must forget, in the order of their erasures, after a
// sequence number; next is where to go on, whether anything was listed or not.
func (d *Desk) ErasedAccounts(ctx context.Context, who access.Who, after int64, limit int) (list []ErasedAccount, next int64, err error) {
	err = who.Require(access.ErasureWatch)
	if err != nil {
		return nil, 0, err
	}
	rows, err := d.o.Records.ErasuresAfter(ctx, after, pageLimit(limit))
	if err != nil {
		return nil, 0, fmt.Errorf("list erasures: %w", err)
	}
	next = after
	list = []ErasedAccount{}
	for _, r := range rows {
		if r.State == casefile.ErasureClosing {
			break // it is listed once it has destroyed something
		}
		next = r.Seq
		if r.DestroyedAt != nil {
			list = append(list, ErasedAccount{Seq: r.Seq, Platform: r.Platform, Account: r.Account, At: *r.DestroyedAt})
		}
	}
	return list, next, nil
}

// dataView tells what stands about the data of a case's account.
func (d *Desk) dataView(ctx context.Context, row records.Case) (DataView, error) {
	out := DataView{ErasedAt: row.ErasedAt}
	holds, err := d.o.Records.AccountHolds(ctx, row.Account)
	if err != nil {
		return out, fmt.Errorf("list an account's holds: %w", err)
	}
	for _, h := range holds {
		if h.Stands(d.now()) {
			out.Holds = append(out.Holds, HoldMark{Hold: h.ID, Until: h.Until})
		}
	}
	erasures, err := d.o.Records.AccountErasures(ctx, row.Account)
	if err != nil {
		return out, fmt.Errorf("list an account's erasures: %w", err)
	}
	for _, e := range erasures {
		if e.State.UnderWay() {
			out.Erasing = e.State
		}
	}
	return out, nil
}
