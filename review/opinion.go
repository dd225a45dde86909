package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// OpinionCall is an opinion handed in.
type OpinionCall struct {
	VerbCall
	// Claim and EvidenceRevision fence the opinion: those that the person had before their eyes.
	Claim            int
	EvidenceRevision int
	Form             casefile.OpinionForm
	// Preview is the token of the preview that the person confirmed; "" when they saw none.
	Preview string
	// Emergency orders L5 at once: a senior's or a lead's, reviewed by somebody else within a day.
	Emergency bool
}

// PreviewCall is an opinion that is not given yet.
type PreviewCall struct {
	Case      casefile.CaseRef
	Form      casefile.OpinionForm
	Emergency bool
}

// Preview says what an opinion would do if it stood, and shows the exact notice. Faults of the form
// stand in the answer; errors are for the case and the caller. Nothing in it depends on what other
// people have said of the case.
func (d *Desk) Preview(ctx context.Context, who access.Who, call PreviewCall) (Preview, error) {
	_, err := who.ActorFor(opinionNeeds(call.Emergency))
	if err != nil {
		return Preview{}, err
	}
	row, err := d.row(ctx, who, call.Case)
	if err != nil {
		return Preview{}, err
	}
	// A preview quotes the handle and the posts relied on: it is a look at the case.
	err = d.look(ctx, who, row, "")
	if err != nil {
		return Preview{}, err
	}
	checked, faults, err := d.checkForm(ctx, row, call.Form, call.Emergency)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Faults: FaultsOf(faults.Err()), Consequences: []string{}}
	record := d.accountRecord(ctx, row)
	if call.Form.Judgement.Validate().Err() == nil {
		out.Consequences = policy.Consequences(d.outlook(who, row, checked, record))
	}
	if len(call.Form.Policies) > 0 {
		out.Recommendation = recommend(call.Form.Policies, call.Form.EntityTier, record)
	}
	if len(faults) > 0 {
		return out, nil
	}
	token := previewToken{Case: row.Ref, Person: who.Person, Number: casefile.NewID(), At: d.now().Truncate(time.Second)}
	n, err := d.render(ctx, row, checked, token.Number, token.At)
	if err != nil {
		return Preview{}, err
	}
	out.Notice, token.Text = n.Text, d.o.Identity.Digest([]byte(n.Text))
	out.Token, err = d.mint(token)
	if err != nil {
		return Preview{}, err
	}
	return out, nil
}

func opinionNeeds(emergency bool) access.Permission {
	if emergency {
		return access.CaseEmergency
	}
	return access.CaseOpinion
}

// Opinion gives an opinion: the whole form is checked (casefile.Faults: all faults at once, each
// with its field), its words are sealed with the exact notice, and the verb carries codes and
// addresses alone. With a preview token, the notice sealed is byte for byte the one previewed.
// Further errors: CodeStaleClaim, CodeNewEvidence, CodeState, CodeNeedsSecond (an adjudicator's L6
// that neither opinion before spoke for); *Unknown.
func (d *Desk) Opinion(ctx context.Context, who access.Who, call OpinionCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateOpinion, need: opinionNeeds(call.Emergency), ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	checked, faults, err := d.checkForm(ctx, s.row, call.Form, call.Emergency)
	if err != nil {
		return VerbAnswer{}, err
	}
	if len(faults) > 0 {
		return VerbAnswer{}, faults
	}
	sealed, err := d.sealNotice(ctx, who, s, checked, call.Preview)
	if err != nil {
		return VerbAnswer{}, err
	}
	form, err := json.Marshal(call.Form)
	if err != nil {
		return VerbAnswer{}, fmt.Errorf("encode opinion form: %w", err)
	}
	address, digest, err := d.o.Sealer.Seal(ctx, s.row.Account, evidence.KindOpinion, form)
	if err != nil {
		return VerbAnswer{}, fmt.Errorf("seal opinion form: %w", err)
	}
	crashpoint.Reach("16")
	answer, err := d.update(ctx, s, workflows.UpdateOpinion, func(v workflows.Verb) any {
		return workflows.OpinionArgs{
			Verb: v, Claim: call.Claim, EvidenceRevision: call.EvidenceRevision, Judgement: call.Form.Judgement,
			Relied: len(checked.posts), Form: address, Digest: digest, Notice: sealed, Emergency: call.Emergency,
		}
	})
	if call.Emergency {
		answer.GraceUntil = nil // an order has no grace time: the moment of the order is no end of one
	}
	return answer, err
}

// checkedForm is a form with the posts that it relies on.
type checkedForm struct {
	casefile.OpinionForm
	posts     []casefile.Event // in the form's order
	profile   bool
	emergency bool
	all       []casefile.Event // every post of the case, newest first
	account   casefile.Account // as the flags told it
}

// checkForm finds every fault of the form. err is for engines that do not answer.
func (d *Desk) checkForm(ctx context.Context, row records.Case, form casefile.OpinionForm, emergency bool) (checkedForm, casefile.Faults, error) {
	out := checkedForm{OpinionForm: form, emergency: emergency}
	faults := form.Validate()
	if emergency && form.Action.Valid() && form.Action != casefile.L5 {
		faults = append(faults, casefile.Invalid("action", "an emergency order is L5: L6 always takes two people, and less can wait"))
	}
	flags, lost, err := d.openFlags(ctx, row)
	if err != nil {
		return out, nil, err
	}
	for _, f := range flags {
		out.account = out.account.Merge(f.flag.Account)
	}
	posts, _ := mergePosts(flags)
	byID := map[string]casefile.Event{}
	for _, p := range posts { // newest first: the newest form of an edited post stands
		out.all = append(out.all, p.Event)
		if _, ok := byID[p.Event.ID]; !ok && p.Event.ID != "" {
			byID[p.Event.ID] = p.Event
		}
	}
	if len(form.Relied) > casefile.MaxRelied {
		return out, faults, nil
	}
	seen := map[string]bool{}
	for i, id := range form.Relied {
		field := fmt.Sprintf("relied[%d]", i)
		event, known := byID[id]
		switch {
		case seen[id]:
			faults = append(faults, casefile.Invalid(field, "stands twice"))
		case id == casefile.EvidenceProfile:
			out.profile = true
		case known:
			out.posts = append(out.posts, event)
		case lost > 0:
			faults = append(faults, casefile.Invalid(field, "not a post of this case that can be read"))
		default:
			faults = append(faults, casefile.Invalid(field, "not a post of this case, nor %q", casefile.EvidenceProfile))
		}
		seen[id] = true
	}
	if form.Action == casefile.L4 && len(out.posts) == 0 {
		faults = append(faults, casefile.Invalid("relied", "L4 removes the posts relied on: name at least one"))
	}
	return out, faults, nil
}

func (d *Desk) outlook(who access.Who, row records.Case, form checkedForm, record accountRecord) policy.Outlook {
	return policy.Outlook{
		Judgement: form.Judgement, Relied: len(form.posts), Strikes: record.strikes, Grace: d.o.Grace, CanNotify: d.o.CanNotify(row.Platform),
		At: d.now(), Emergency: form.emergency, Adjudicates: adjudicates(who, row),
	}
}

// adjudicates reports whether the person's opinion would be the third, which decides.
func adjudicates(who access.Who, row records.Case) bool {
	return row.Stage == casefile.StageAdjudication && who.May(access.CaseAdjudicate)
}

// concerned gives the account that a notice is about, as its profile and else the case's flags tell it,
// and the case's posts, newest first. CodeState where neither can be opened.
func (d *Desk) concerned(ctx context.Context, row records.Case) (casefile.Account, []casefile.Event, error) {
	flags, _, err := d.openFlags(ctx, row)
	if err != nil {
		return casefile.Account{}, nil, err
	}
	var told casefile.Account
	for _, f := range flags {
		told = told.Merge(f.flag.Account)
	}
	merged, _ := mergePosts(flags)
	posts := make([]casefile.Event, len(merged))
	for i, p := range merged {
		posts[i] = p.Event
	}
	account, err := d.addressee(ctx, row, told)
	return account, posts, err
}

// addressee gives the account that a notice is about. told is what the case's flags say of it.
func (d *Desk) addressee(ctx context.Context, row records.Case, told casefile.Account) (casefile.Account, error) {
	profile, _, err := d.profile(ctx, row.Account)
	switch {
	case err != nil:
		return casefile.Account{}, fmt.Errorf("read the profile for the notice: %w", err)
	case profile != nil:
		return profile.Account, nil
	case told.ID == "":
		return casefile.Account{}, casefile.Errorf(casefile.CodeState, "neither the account's profile nor its flags can be opened: no notice can be written")
	}
	return told, nil
}

// render writes the exact notice; an empty one where the action sends none.
func (d *Desk) render(ctx context.Context, row records.Case, form checkedForm, number string, at time.Time) (casefile.Notice, error) {
	if !notice.Due(form.Action) {
		return casefile.Notice{}, nil
	}
	account, err := d.addressee(ctx, row, form.account)
	if err != nil {
		return casefile.Notice{}, err
	}
	data := notice.Data{
		Number: number, Date: at, Case: row.Ref, Service: d.o.Service, Account: account, Judgement: form.Judgement,
		Profile: form.profile, Complaints: d.o.Complaints, Lang: notice.Language(form.all),
	}
	if form.emergency {
		data.DecidedBy = casefile.ByEmergency
	}
	for _, p := range form.posts {
		data.Posts = append(data.Posts, notice.Post{ID: p.ID, At: p.At, Text: p.Text})
	}
	n, err := notice.Render(data)
	if err != nil {
		return casefile.Notice{}, fmt.Errorf("render notice: %w", err)
	}
	return n, nil
}

// sealNotice seals the exact notice of an opinion; nil where the action sends none.
func (d *Desk) sealNotice(ctx context.Context, who access.Who, s started, form checkedForm, token string) (*casefile.NoticeRef, error) {
	t := previewToken{Number: casefile.NewID(), At: d.now().Truncate(time.Second)}
	if token != "" {
		var err error
		t, err = d.readToken(token)
		if err == nil {
			err = d.tokenFits(t, previewToken{Case: s.row.Ref, Person: who.Person})
		}
		if err != nil {
			return nil, err
		}
	}
	n, err := d.render(ctx, s.row, form, t.Number, t.At)
	if err != nil {
		return nil, err
	}
	if token != "" && d.o.Identity.Digest([]byte(n.Text)) != t.Text {
		return nil, errOtherNotice
	}
	n.Decision = s.verb.ID // the opinion's id: it is the decision's too where this opinion settles it
	return d.sealText(ctx, s.row.Account, n)
}

// sealText seals a notice; nil for one without text.
func (d *Desk) sealText(ctx context.Context, account casefile.AccountKey, n casefile.Notice) (*casefile.NoticeRef, error) {
	if n.Text == "" {
		return nil, nil
	}
	data, err := casefile.Canonical(n)
	if err != nil {
		return nil, fmt.Errorf("encode notice: %w", err)
	}
	address, digest, err := d.o.Sealer.Seal(ctx, account, evidence.KindNotice, data)
	if err != nil {
		return nil, fmt.Errorf("seal notice: %w", err)
	}
	return &casefile.NoticeRef{Number: n.Number, Text: address, Digest: digest}, nil
}

// Withdraw takes a decision back within its grace time: anybody does whose opinion it rests on, and a
// lead where a rule decided. decision "" means the one that stands.
func (d *Desk) Withdraw(ctx context.Context, who access.Who, call VerbCall, decision string) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateWithdraw, need: access.CaseWithdraw, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if decision == "" {
		decision = s.row.Decision
	}
	return d.update(ctx, s, workflows.UpdateWithdraw, func(v workflows.Verb) any {
		return workflows.WithdrawArgs{Verb: v, Decision: decision}
	})
}

// FaultsOf lists the faults of an error by field: all of a casefile.Faults, every reason of a
// *BarredError under its code, the one of any other error that names a field, none else.
func FaultsOf(err error) []Fault {
	var barred *BarredError
	if errors.As(err, &barred) {
		return barred.faults()
	}
	var all casefile.Faults
	if errors.As(err, &all) {
		out := make([]Fault, 0, len(all))
		for _, e := range all {
			out = append(out, Fault{Field: e.Field, Message: e.Message})
		}
		return out
	}
	var e *casefile.Error
	if errors.As(err, &e) && strings.TrimSpace(e.Field) != "" {
		return []Fault{{Field: e.Field, Message: e.Message}}
	}
	return nil
}
