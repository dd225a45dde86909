package review

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// AppealRow is an appeal in a list: codes only.
type AppealRow struct {
	Appeal   string               `json:"appeal"`
	Kind     casefile.AppealKind  `json:"kind"`
	Decision string               `json:"decision"`
	Case     casefile.CaseRef     `json:"case"`
	Platform string               `json:"platform"`
	State    casefile.AppealState `json:"state"`
	OpenedAt time.Time            `json:"opened_at"`
	DueAt    time.Time            `json:"due_at"`
	Late     bool                 `json:"late,omitempty"` // its deadline was missed
	Holder   casefile.Person      `json:"holder,omitempty"`
	// Outcome, RuledBy and RuledAt are set once it is decided.
	Outcome casefile.AppealOutcome `json:"outcome,omitempty"`
	RuledBy casefile.Person        `json:"ruled_by,omitempty"`
	RuledAt *time.Time             `json:"ruled_at,omitempty"`
	EndedAt *time.Time             `json:"ended_at,omitempty"`
	Why     string                 `json:"why,omitempty"` // a code, for incomplete
	// Part says that the caller took part in the case: somebody else decides the appeal.
	Part bool `json:"part,omitempty"`
}

// AppealPage is one page of appeals.
type AppealPage struct {
	Appeals []AppealRow `json:"appeals"`
	Next    string      `json:"next,omitempty"`
}

// AppealView is an appeal with everything that whoever decides it sees.
type AppealView struct {
	AppealRow
	OpenedBy casefile.Person `json:"opened_by,omitempty"`
	Notice   string          `json:"notice,omitempty"`  // number on the notice that it was opened with
	Words    string          `json:"words,omitempty"`   // of the complaint
	Claim    *casefile.Claim `json:"claim,omitempty"`   // live
	Mine     bool            `json:"mine"`              // the caller holds the live claim
	View     CaseView        `json:"case_view"`         // with the decision that it is about
	Ruling   *RulingView     `json:"ruling,omitempty"`  //
	Missing  []string        `json:"missing,omitempty"` // what could not be read, in plain words
}

// RulingView is what was decided on an appeal, with its words.
type RulingView struct {
	ID        string                 `json:"id"`
	Outcome   casefile.AppealOutcome `json:"outcome"`
	Person    casefile.Person        `json:"person"`
	Role      casefile.Role          `json:"role"`
	At        time.Time              `json:"at"`
	Rationale string                 `json:"rationale,omitempty"`
	NoticeNo  string                 `json:"notice_number,omitempty"`
	Notice    string                 `json:"notice,omitempty"`
	Event     casefile.EventID       `json:"event,omitempty"` // of its ledger entry
	Hash      string                 `json:"hash,omitempty"`
}

// OpenAppealCall hands an appeal in for the person concerned.
type OpenAppealCall struct {
	// Number is printed on the notice of the decision.
	Number string
	Words  string // the complaint's; sealed
	Key    string
}

// AppealOpened is the answer to an appeal that was handed in.
type AppealOpened struct {
	Appeal string               `json:"appeal"`
	State  casefile.AppealState `json:"state"`
	DueAt  time.Time            `json:"due_at"`
	Key    string               `json:"verb_id"`
}

// AppealCall names an appeal and the caller's idempotency key; "" makes a key.
type AppealCall struct {
	Appeal string
	Key    string
}

// AppealAnswer is the answer to a verb on an appeal.
type AppealAnswer struct {
	workflows.AppealResult
	// Key is the idempotency key under which the verb counts once; made here if the caller gave none.
	Key string `json:"verb_id"`
}

// RuleAppealCall decides an appeal.
type RuleAppealCall struct {
	AppealCall
	Claim int
	Form  casefile.AppealForm
	// Preview is the token of the preview that the person confirmed; "" when they saw none.
	Preview string
}

// MaxComplaint is the longest complaint, in characters.
const MaxComplaint = 8000

// maxNumberBytes bounds what is looked up as a notice's number.
const maxNumberBytes = 64

// OpenAppeal hands in an appeal against the decision whose notice has this number: the row is written,
// then its workflow started by the row's key. A decision is appealed once; the same words again give the
// same answer. CodeNotFound for a number that is on no notice that anybody was told, CodeState for a
// decision whose time to appeal is over or that cannot be appealed now, CodeConflict where it was
// appealed with other words, CodeInvalid on fields number and words; *Unknown where the row stands and
// its workflow could not be reached: the same call again starts it.
func (d *Desk) OpenAppeal(ctx context.Context, who access.Who, call OpenAppealCall) (AppealOpened, error) {
	actor, err := who.ActorFor(access.AppealOpen)
	if err != nil {
		return AppealOpened{}, err
	}
	k, err := key(call.Key)
	if err != nil {
		return AppealOpened{}, err
	}
	words, err := checkComplaint(call.Words)
	if err != nil {
		return AppealOpened{}, err
	}
	told, err := d.toldNotice(ctx, call.Number)
	if err != nil {
		return AppealOpened{}, err
	}
	decision, err := d.o.Records.Decision(ctx, told.Decision)
	if err != nil {
		return AppealOpened{}, fmt.Errorf("read the decision of a notice: %w", err)
	}
	row, err := d.openedBefore(ctx, told.Decision)
	if err != nil {
		return AppealOpened{}, err
	}
	if row == nil {
		err = d.appealable(decision, told)
		if err != nil {
			return AppealOpened{}, err
		}
	}
	account := decision.Decision.Account
	address, digest, err := d.o.Sealer.Seal(ctx, account, evidence.KindComment, []byte(words))
	if err != nil {
		return AppealOpened{}, fmt.Errorf("seal a complaint: %w", err)
	}
	if row == nil {
		now := d.now()
		stands, _, err := d.o.Records.PutAppeal(ctx, records.AppealRow{
			ID: casefile.NewID(), Kind: casefile.AppealByAccount, Decision: told.Decision, Case: decision.Decision.Case,
			Platform: decision.Decision.Platform, Account: account, Notice: told.Number, Complaint: address, Digest: digest,
			OpenedBy: actor, OpenedAt: now, DueAt: now.Add(casefile.AppealTime), State: casefile.AppealOpen,
		})
		if err != nil {
			return AppealOpened{}, fmt.Errorf("write an appeal's row: %w", err)
		}
		crashpoint.Reach("32")
		row = &stands
	}
	if row.Digest != digest {
		return AppealOpened{}, casefile.Errorf(casefile.CodeConflict, "this decision has been appealed: a decision is appealed once")
	}
	if row.State.Open() {
		err = d.startAppeal(ctx, row.ID, k)
		if err != nil {
			return AppealOpened{}, err
		}
	}
	return AppealOpened{Appeal: row.ID, State: row.State, DueAt: row.DueAt, Key: k}, nil
}

func checkComplaint(words string) (string, error) {
	words = strings.TrimSpace(words)
	switch n := utf8.RuneCountInString(words); {
	case n == 0 || !utf8.ValidString(words):
		return "", casefile.Invalid("words", "the complaint's own words are required")
	case n > MaxComplaint:
		return "", casefile.Invalid("words", "%d characters; the limit is %d", n, MaxComplaint)
	}
	return words, nil
}

// toldNotice finds the notice of a decision by the number printed on it, as people write it. One that
// nobody was told is as unknown as one that is not there.
func (d *Desk) toldNotice(ctx context.Context, number string) (records.NoticeRow, error) {
	unknown := casefile.Errorf(casefile.CodeNotFound, "there is no notice of this number")
	number = noticeNumber(number)
	if number == "" || len(number) > maxNumberBytes {
		return records.NoticeRow{}, unknown
	}
	row, err := d.o.Records.NoticeByNumber(ctx, number)
	switch {
	case casefile.ErrorCode(err) == casefile.CodeNotFound:
		return records.NoticeRow{}, unknown
	case err != nil:
		return records.NoticeRow{}, fmt.Errorf("look up a notice: %w", err)
	case row.State == casefile.NoticePlanned:
		return records.NoticeRow{}, unknown
	}
	return row, nil
}

// noticeNumber reads a notice's number as people type it.
func noticeNumber(s string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(strings.TrimSpace(s)))
}

func (d *Desk) openedBefore(ctx context.Context, decision string) (*records.AppealRow, error) {
	rows, err := d.o.Records.DecisionAppeals(ctx, decision)
	if err != nil {
		return nil, fmt.Errorf("read a decision's appeals: %w", err)
	}
	for _, r := range rows {
		if r.Kind == casefile.AppealByAccount {
			return &r, nil
		}
	}
	return nil, nil
}

// appealable refuses an appeal that comes too late, or against what does not stand or is not proven yet.
func (d *Desk) appealable(decision records.DecisionRow, told records.NoticeRow) error {
	switch {
	case d.now().Sub(told.StateAt) > casefile.AppealWindow:
		return casefile.Errorf(casefile.CodeState, "the time to appeal against this decision is over")
	case decision.State == casefile.DecisionUndone:
		return casefile.Errorf(casefile.CodeState, "this decision was taken back already")
	case decision.Bundle == nil:
		return casefile.Errorf(casefile.CodeState, "this decision cannot be appealed yet")
	}
	return nil
}

func (d *Desk) startAppeal(ctx context.Context, appeal, k string) error {
	ctx, cancel := context.WithTimeout(ctx, d.o.VerbTimeout)
	defer cancel()
	err := d.o.Workflows.StartAppeal(ctx, appeal)
	if err != nil {
		return &Unknown{Key: k, TimedOut: ctx.Err() != nil, err: err}
	}
	return nil
}

// OpenAppeals lists appeals by state ("" for all), the one that is due first before the others.
func (d *Desk) OpenAppeals(ctx context.Context, who access.Who, state casefile.AppealState, cursor string, limit int) (AppealPage, error) {
	err := who.Require(access.AppealList)
	if err != nil {
		return AppealPage{}, err
	}
	if state != "" && !slices.Contains(casefile.AppealStates, state) {
		return AppealPage{}, casefile.Invalid("state", "not a state of an appeal: one of %s", listed(casefile.AppealStates))
	}
	rows, next, err := d.o.Records.ListAppeals(ctx, state, cursor, pageLimit(limit))
	if err != nil {
		return AppealPage{}, fmt.Errorf("list appeals: %w", err)
	}
	page := AppealPage{Appeals: make([]AppealRow, 0, len(rows)), Next: next}
	for _, r := range rows {
		v := d.appealRow(r)
		v.Part, err = d.tookPart(ctx, who, r.Case)
		if err != nil {
			return AppealPage{}, err
		}
		page.Appeals = append(page.Appeals, v)
	}
	return page, nil
}

func (d *Desk) appealRow(r records.AppealRow) AppealRow {
	v := AppealRow{
		Appeal: r.ID, Kind: r.Kind, Decision: r.Decision, Case: r.Case, Platform: r.Platform, State: r.State,
		OpenedAt: r.OpenedAt, DueAt: r.DueAt, Late: r.Late, EndedAt: r.EndedAt, Why: r.Why,
	}
	if r.State == casefile.AppealClaimed && r.Claim.Live(d.now()) {
		v.Holder = r.Claim.Person
	}
	if r.Ruling != nil {
		at := r.Ruling.At
		v.Outcome, v.RuledBy, v.RuledAt = r.Ruling.Outcome, r.Ruling.Person, &at
	}
	return v
}

// tookPart says whether somebody took part in a case: handed a flag in, held it or gave an opinion. It
// is the rule by which an appeal's workflow refuses people.
func (d *Desk) tookPart(ctx context.Context, who access.Who, ref casefile.CaseRef) (bool, error) {
	parts, err := d.o.Records.Parts(ctx, ref)
	if err != nil {
		return false, fmt.Errorf("list who took part in a case: %w", err)
	}
	if slices.ContainsFunc(parts, func(p records.PartRow) bool { return p.Person == who.Person }) {
		return true, nil
	}
	flags, err := d.o.Records.CaseFlags(ctx, ref)
	if err != nil {
		return false, fmt.Errorf("list who handed flags in: %w", err)
	}
	return slices.ContainsFunc(flags, func(f records.FlagReceipt) bool { return f.Source == who.Person }), nil
}

// errTookPart refuses an appeal to whoever took part.
var errTookPart = casefile.Errorf(casefile.CodeForbidden, "you took part in this case: somebody else decides the appeal")

// appeal reads an appeal's row.
func (d *Desk) appeal(ctx context.Context, id string) (records.AppealRow, error) {
	none := casefile.Errorf(casefile.CodeNotFound, "there is no appeal of this id")
	if id == "" || len(id) > maxNumberBytes {
		return records.AppealRow{}, none
	}
	row, err := d.o.Records.Appeal(ctx, id)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return records.AppealRow{}, none
	}
	if err != nil {
		return records.AppealRow{}, fmt.Errorf("read an appeal's row: %w", err)
	}
	return row, nil
}

// Appeal opens an appeal with the decision that it is about and everything that the decision had before
// it. The look at the case goes on record, with purpose appeal for those who judge. Whoever took part is
// refused. CodeForbidden, CodeNotFound.
func (d *Desk) Appeal(ctx context.Context, who access.Who, id string) (AppealView, error) {
	err := who.Require(access.AppealList)
	if err == nil {
		err = who.Require(access.CaseRead)
	}
	if err != nil {
		return AppealView{}, err
	}
	row, err := d.appeal(ctx, id)
	if err != nil {
		return AppealView{}, err
	}
	part, err := d.tookPart(ctx, who, row.Case)
	if err != nil {
		return AppealView{}, err
	}
	if part {
		return AppealView{}, errTookPart
	}
	purpose := ""
	if who.May(access.AppealRule) {
		purpose = string(access.PurposeAppeal)
	}
	view, err := d.Case(ctx, who, row.Case, purpose)
	if err != nil {
		return AppealView{}, err
	}
	v := AppealView{AppealRow: d.appealRow(row), OpenedBy: row.OpenedBy.Person, Notice: row.Notice, View: view}
	if row.State == casefile.AppealClaimed && row.Claim.Live(d.now()) {
		claim := *row.Claim
		v.Claim, v.Mine = &claim, claim.Person == who.Person
	}
	if view.Withheld {
		return v, nil
	}
	d.appealWords(ctx, row, &v)
	return v, nil
}

// appealWords opens what the complaint and the ruling say.
func (d *Desk) appealWords(ctx context.Context, row records.AppealRow, v *AppealView) {
	missing := func(text string) { v.Missing = append(v.Missing, text) }
	if row.Complaint != "" {
		words, err := d.o.Sealer.Open(ctx, row.Account, evidence.KindComment, row.Complaint)
		if err != nil {
			missing("The words of the complaint could not be opened.")
		}
		v.Words = string(words)
	}
	if row.Ruling == nil {
		return
	}
	r := row.Ruling
	v.Ruling = &RulingView{
		ID: r.ID, Outcome: r.Outcome, Person: r.Person, Role: r.Role, At: r.At, Event: row.Event, Hash: row.Hash,
	}
	var form casefile.AppealForm
	err := d.open(ctx, row.Account, evidence.KindOpinion, r.Form, &form)
	if err != nil {
		missing("The words of the ruling could not be opened.")
	}
	v.Ruling.Rationale = form.Rationale
	if r.Notice == nil {
		return
	}
	v.Ruling.NoticeNo = r.Notice.Number
	var n casefile.Notice
	err = d.open(ctx, row.Account, evidence.KindNotice, r.Notice.Text, &n)
	if err != nil {
		missing("The notice of the ruling could not be opened.")
	}
	v.Ruling.Notice = n.Text
}

// appealVerb is a checked verb on an appeal.
type appealVerb struct {
	who   access.Who
	row   records.AppealRow
	about records.Case
	verb  workflows.Verb
	key   string
}

// startAppealVerb checks permission, team, key, that the person took no part and may see the case.
func (d *Desk) startAppealVerb(ctx context.Context, who access.Who, name string, need access.Permission, call AppealCall) (appealVerb, error) {
	actor, err := d.appealActor(who, need)
	if err != nil {
		return appealVerb{}, err
	}
	k, err := key(call.Key)
	if err != nil {
		return appealVerb{}, err
	}
	row, err := d.appeal(ctx, call.Appeal)
	if err != nil {
		return appealVerb{}, err
	}
	part, err := d.tookPart(ctx, who, row.Case)
	if err != nil {
		return appealVerb{}, err
	}
	if part {
		return appealVerb{}, errTookPart
	}
	about, err := d.row(ctx, who, row.Case)
	if err != nil {
		return appealVerb{}, err
	}
	// Whoever may not read the case cannot decide an appeal against what was decided on it.
	if !access.MaySeeRestricted(who, about.Restricted, false) {
		return appealVerb{}, errRestricted
	}
	id, err := d.verbID(who.Person, name, row.ID, k)
	if err != nil {
		return appealVerb{}, err
	}
	return appealVerb{who: who, row: row, about: about, verb: workflows.Verb{ID: id, Case: row.Case, Actor: actor}, key: k}, nil
}

// appealActor refuses whoever is not of the team that looks at appeals.
func (d *Desk) appealActor(who access.Who, need access.Permission) (casefile.Actor, error) {
	actor, err := who.ActorFor(need)
	if err != nil {
		return casefile.Actor{}, err
	}
	team := d.o.Rules.AppealTeam()
	if team != "" && who.Team != team {
		return casefile.Actor{}, casefile.Errorf(casefile.CodeForbidden, "appeals are another team's")
	}
	return actor, nil
}

func (d *Desk) updateAppeal(ctx context.Context, v appealVerb, name string, with func(workflows.Verb) any) (AppealAnswer, error) {
	args, err := signed(d, v.who, name, casefile.AppealChain(v.row.ID), v.verb, with)
	if err != nil {
		return AppealAnswer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.VerbTimeout)
	defer cancel()
	result, err := d.o.Workflows.UpdateAppeal(ctx, v.row.ID, name, v.verb.ID, args)
	if err != nil {
		return AppealAnswer{}, outcome(ctx, v.key, err)
	}
	return AppealAnswer{AppealResult: result, Key: v.key}, nil
}

// ClaimAppeal takes an appeal; a holder who asks again keeps it for longer. CodeForbidden for whoever
// took part in the case or is of another team, CodeState when somebody else holds it or it is decided.
func (d *Desk) ClaimAppeal(ctx context.Context, who access.Who, call AppealCall) (AppealAnswer, error) {
	v, err := d.startAppealVerb(ctx, who, workflows.UpdateAppealClaim, access.AppealClaim, call)
	if err != nil {
		return AppealAnswer{}, err
	}
	return d.claimAppeal(ctx, v)
}

func (d *Desk) claimAppeal(ctx context.Context, v appealVerb) (AppealAnswer, error) {
	return d.updateAppeal(ctx, v, workflows.UpdateAppealClaim, func(x workflows.Verb) any {
		return workflows.AppealClaimArgs{Verb: x, Appeal: v.row.ID}
	})
}

// NextAppeal gives the appeal that the person holds, and else claims the one that is due first among
// those in whose case they took no part. ok is false when there is none.
func (d *Desk) NextAppeal(ctx context.Context, who access.Who, idempotencyKey string) (answer AppealAnswer, ok bool, err error) {
	_, err = d.appealActor(who, access.AppealClaim)
	if err != nil {
		return AppealAnswer{}, false, err
	}
	k, err := key(idempotencyKey)
	if err != nil {
		return AppealAnswer{}, false, err
	}
	for _, state := range []casefile.AppealState{casefile.AppealClaimed, casefile.AppealOpen} {
		answer, ok, err = d.nextAppeal(ctx, who, state, k)
		if ok || err != nil {
			return answer, ok, err
		}
	}
	return AppealAnswer{}, false, nil
}

// nextAppeal claims the first appeal in a state that the person may have: of those claimed, their own
// and those whose lease ran out.
func (d *Desk) nextAppeal(ctx context.Context, who access.Who, state casefile.AppealState, k string) (AppealAnswer, bool, error) {
	for cursor := ""; ; {
		rows, next, err := d.o.Records.ListAppeals(ctx, state, cursor, maxPage)
		if err != nil {
			return AppealAnswer{}, false, fmt.Errorf("list appeals: %w", err)
		}
		for _, r := range rows {
			if r.Claim.Live(d.now()) && r.Claim.Person != who.Person {
				continue
			}
			answer, err := d.ClaimAppeal(ctx, who, AppealCall{Appeal: r.ID, Key: k})
			if err == nil {
				return answer, true, nil
			}
			switch casefile.ErrorCode(err) {
			case casefile.CodeUnavailable, casefile.CodeInternal:
				return AppealAnswer{}, false, err
			}
		}
		if next == "" {
			return AppealAnswer{}, false, nil
		}
		cursor = next
	}
}

// ReleaseAppeal gives an appeal back. CodeStaleClaim when the claim is not the person's any more.
func (d *Desk) ReleaseAppeal(ctx context.Context, who access.Who, call AppealCall, claim int) (AppealAnswer, error) {
	v, err := d.startAppealVerb(ctx, who, workflows.UpdateAppealRelease, access.AppealClaim, call)
	if err != nil {
		return AppealAnswer{}, err
	}
	return d.updateAppeal(ctx, v, workflows.UpdateAppealRelease, func(x workflows.Verb) any {
		return workflows.AppealReleaseArgs{Verb: x, Appeal: v.row.ID, Claim: claim}
	})
}

// PreviewRuling says what a ruling would do, and shows the exact notice. Faults of the form stand in
// the answer.
func (d *Desk) PreviewRuling(ctx context.Context, who access.Who, appeal string, form casefile.AppealForm) (Preview, error) {
	v, err := d.startAppealVerb(ctx, who, workflows.UpdateAppealRule, access.AppealRule, AppealCall{Appeal: appeal})
	if err != nil {
		return Preview{}, err
	}
	err = d.look(ctx, who, v.about, string(access.PurposeAppeal))
	if err != nil {
		return Preview{}, err
	}
	faults := checkRuling(form)
	out := Preview{Faults: FaultsOf(faults.Err()), Consequences: []string{}}
	if form.Outcome.Valid() {
		out.Consequences = d.rulingConsequences(v.row, form.Outcome)
	}
	if len(faults) > 0 {
		return out, nil
	}
	token := previewToken{Case: v.row.Case, Appeal: v.row.ID, Person: who.Person, Number: casefile.NewID(), At: d.now().Truncate(time.Second)}
	n, err := d.renderRuling(ctx, v, form.Outcome, token.Number, token.At)
	if err != nil {
		return Preview{}, err
	}
	out.Notice, token.Text = n.Text, d.o.Identity.Digest([]byte(n.Text))
	out.Token, err = d.mint(token)
	return out, err
}

func checkRuling(form casefile.AppealForm) casefile.Faults {
	var f casefile.Faults
	if !form.Outcome.Valid() {
		f = append(f, casefile.Invalid("outcome", "required: upheld or rejected"))
	}
	switch n := utf8.RuneCountInString(strings.TrimSpace(form.Rationale)); {
	case n < casefile.MinRationale:
		f = append(f, casefile.Invalid("rationale", "required: at least %d characters", casefile.MinRationale))
	case n > casefile.MaxRationale:
		f = append(f, casefile.Invalid("rationale", "%d characters; the limit is %d", n, casefile.MaxRationale))
	}
	return f
}

func (d *Desk) rulingConsequences(row records.AppealRow, outcome casefile.AppealOutcome) []string {
	out := []string{"The decision stands and nothing is taken back."}
	if outcome == casefile.OutcomeUpheld {
		out = []string{
			"The decision falls: everything that it did is taken back, the last act first.",
			"Its strike is taken back.",
		}
	}
	out = append(out, "The ruling goes on the public ledger by codes and commitments. It cannot be withdrawn.")
	if d.o.CanNotify(row.Platform) {
		return append(out, "The notice shown here is sent to the account, word for word.")
	}
	return append(out, "This platform cannot deliver a notice: it is kept on record as undelivered.")
}

// RuleAppeal decides an appeal: the form is checked, its words are sealed with the exact notice, and the
// verb carries codes and addresses alone. Casefile.Faults; CodeStaleClaim, CodeForbidden, CodeState;
// *Unknown.
func (d *Desk) RuleAppeal(ctx context.Context, who access.Who, call RuleAppealCall) (AppealAnswer, error) {
	v, err := d.startAppealVerb(ctx, who, workflows.UpdateAppealRule, access.AppealRule, call.AppealCall)
	if err != nil {
		return AppealAnswer{}, err
	}
	faults := checkRuling(call.Form)
	if len(faults) > 0 {
		return AppealAnswer{}, faults
	}
	sealed, err := d.sealRuling(ctx, v, call)
	if err != nil {
		return AppealAnswer{}, err
	}
	form, err := json.Marshal(call.Form)
	if err != nil {
		return AppealAnswer{}, fmt.Errorf("encode a ruling's form: %w", err)
	}
	address, digest, err := d.o.Sealer.Seal(ctx, v.row.Account, evidence.KindOpinion, form)
	if err != nil {
		return AppealAnswer{}, fmt.Errorf("seal a ruling's form: %w", err)
	}
	crashpoint.Reach("35")
	return d.updateAppeal(ctx, v, workflows.UpdateAppealRule, func(x workflows.Verb) any {
		return workflows.AppealRuleArgs{
			Verb: x, Appeal: v.row.ID, Claim: call.Claim, Outcome: call.Form.Outcome, Form: address, Digest: digest, Notice: sealed,
		}
	})
}

// sealRuling seals the exact notice of a ruling; nil where the decision sent none.
func (d *Desk) sealRuling(ctx context.Context, v appealVerb, call RuleAppealCall) (*casefile.NoticeRef, error) {
	t := previewToken{Number: casefile.NewID(), At: d.now().Truncate(time.Second)}
	if call.Preview != "" {
		var err error
		t, err = d.readToken(call.Preview)
		if err == nil {
			err = d.tokenFits(t, previewToken{Case: v.row.Case, Appeal: v.row.ID, Person: v.who.Person})
		}
		if err != nil {
			return nil, err
		}
	}
	n, err := d.renderRuling(ctx, v, call.Form.Outcome, t.Number, t.At)
	if err != nil {
		return nil, err
	}
	if call.Preview != "" && d.o.Identity.Digest([]byte(n.Text)) != t.Text {
		return nil, errOtherNotice
	}
	return d.sealText(ctx, v.row.Account, n)
}

// renderRuling writes the exact notice of a ruling; an empty one where the decision sent none.
func (d *Desk) renderRuling(ctx context.Context, v appealVerb, outcome casefile.AppealOutcome, number string, at time.Time) (casefile.Notice, error) {
	row := v.row
	decision, err := d.o.Records.Decision(ctx, row.Decision)
	if err != nil {
		return casefile.Notice{}, fmt.Errorf("read the decision for the notice: %w", err)
	}
	about, err := d.noticeOf(ctx, decision)
	if err != nil {
		return casefile.Notice{}, err
	}
	if about == nil || !notice.Due(decision.Decision.Action) {
		return casefile.Notice{}, nil
	}
	account, posts, err := d.concerned(ctx, v.about)
	if err != nil {
		return casefile.Notice{}, err
	}
	data := notice.RulingData{
		Number: number, Date: at, Case: row.Case, Decision: row.Decision, Kind: row.Kind, State: casefile.AppealRejected, About: about.Number,
		DecidedAt: decision.Decision.DecidedAt, Service: d.o.Service, Account: account, Judgement: decision.Decision.Judgement,
		Complaints: d.o.Complaints, Lang: notice.Language(posts),
	}
	if outcome == casefile.OutcomeUpheld {
		data.State = casefile.AppealUpheld
	}
	if row.Kind == casefile.AppealByAccount {
		data.ComplainedAt = row.OpenedAt
	}
	n, err := notice.RenderRuling(data)
	if err != nil {
		return casefile.Notice{}, fmt.Errorf("render the notice of a ruling: %w", err)
	}
	return n, nil
}

// noticeOf is the notice that a decision sent or will send; nil for none.
func (d *Desk) noticeOf(ctx context.Context, decision records.DecisionRow) (*casefile.NoticeRef, error) {
	sent, err := d.o.Records.Notice(ctx, decision.Decision.ID)
	if err == nil {
		return &casefile.NoticeRef{Number: sent.Number, Text: sent.Text, Digest: sent.Digest}, nil
	}
	if casefile.ErrorCode(err) != casefile.CodeNotFound {
		return nil, fmt.Errorf("read the decision's notice: %w", err)
	}
	return decision.Decision.Notice(), nil
}
