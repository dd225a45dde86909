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
}

// Preview says what an opinion would do if it stood, and shows the exact notice. Faults of the form
// stand in the answer; errors are for the case and the caller.
func (d *Desk) Preview(ctx context.Context, who access.Who, ref casefile.CaseRef, form casefile.OpinionForm) (Preview, error) {
	_, err := who.ActorFor(access.CaseOpinion)
	if err != nil {
		return Preview{}, err
	}
	row, err := d.row(ctx, ref)
	if err != nil {
		return Preview{}, err
	}
	// A preview quotes the handle and the posts relied on: it is a look at the case.
	purpose, err := who.Purpose("")
	if err != nil {
		return Preview{}, err
	}
	err = d.o.Records.PutView(ctx, records.View{Person: who.Person, Case: row.Ref, Purpose: string(purpose), At: d.now()})
	if err != nil {
		return Preview{}, fmt.Errorf("put the look on record: %w", err)
	}
	checked, faults, err := d.checkForm(ctx, row, form)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Faults: FaultsOf(faults.Err()), Consequences: []string{}}
	if form.Judgement.Validate().Err() == nil {
		out.Consequences = policy.Consequences(d.outlook(ctx, row, checked))
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

// Opinion gives an opinion: the whole form is checked (casefile.Faults: all faults at once, each
// with its field), its words are sealed with the exact notice, and the verb carries codes and
// addresses alone. With a preview token, the notice sealed is byte for byte the one previewed.
// Further errors: CodeStaleClaim, CodeNewEvidence, CodeState; *Unknown.
func (d *Desk) Opinion(ctx context.Context, who access.Who, call OpinionCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateOpinion, need: access.CaseOpinion, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	checked, faults, err := d.checkForm(ctx, s.row, call.Form)
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
	return d.update(ctx, s, workflows.UpdateOpinion, workflows.OpinionArgs{
		Verb: s.verb, Claim: call.Claim, EvidenceRevision: call.EvidenceRevision, Judgement: call.Form.Judgement,
		Relied: len(checked.posts), Form: address, Digest: digest, Notice: sealed,
	})
}

// checkedForm is a form with the posts that it relies on.
type checkedForm struct {
	casefile.OpinionForm
	posts   []casefile.Event // in the form's order
	profile bool
	all     []casefile.Event // every post of the case, newest first
	account casefile.Account // as the flags told it
}

// checkForm finds every fault of the form. err is for engines that do not answer.
func (d *Desk) checkForm(ctx context.Context, row records.Case, form casefile.OpinionForm) (checkedForm, casefile.Faults, error) {
	out := checkedForm{OpinionForm: form}
	faults := form.Validate()
	if form.Action == casefile.L6 {
		faults = append(faults, &casefile.Error{Code: casefile.CodeNeedsSecond, Field: "action",
			Message: "L6 ends an account and needs the opinions of two people formed apart; the second opinion is not available in this release"})
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

func (d *Desk) outlook(ctx context.Context, row records.Case, form checkedForm) policy.Outlook {
	o := policy.Outlook{
		Judgement: form.Judgement, Relied: len(form.posts), Grace: d.o.Grace, CanNotify: d.o.CanNotify(row.Platform),
	}
	strikes, err := d.o.Records.Strikes(ctx, row.Account, d.now())
	if err == nil {
		n := len(strikes)
		o.Strikes = &n
	}
	return o
}

// render writes the exact notice; an empty one where the action sends none.
func (d *Desk) render(ctx context.Context, row records.Case, form checkedForm, number string, at time.Time) (casefile.Notice, error) {
	if !notice.Due(form.Action) {
		return casefile.Notice{}, nil
	}
	account := form.account
	profile, _, err := d.profile(ctx, row.Account)
	if err != nil {
		return casefile.Notice{}, fmt.Errorf("read the profile for the notice: %w", err)
	}
	if profile != nil {
		account = profile.Account
	}
	if account.ID == "" {
		return casefile.Notice{}, casefile.Errorf(casefile.CodeState, "neither the account's profile nor its flags can be opened: no notice can be written")
	}
	data := notice.Data{
		Number: number, Date: at, Case: row.Ref, Service: d.o.Service, Account: account, Judgement: form.Judgement,
		Profile: form.profile, Complaints: d.o.Complaints, Lang: notice.Language(form.all),
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
		if err != nil {
			return nil, err
		}
		switch {
		case t.Case != s.row.Ref || t.Person != who.Person:
			return nil, casefile.Invalid("preview", "the preview was of another case or another person's")
		case d.now().Sub(t.At) > d.o.PreviewFor:
			return nil, casefile.Invalid("preview", "the preview is too old: look at it again")
		}
	}
	n, err := d.render(ctx, s.row, form, t.Number, t.At)
	if err != nil {
		return nil, err
	}
	if token != "" && d.o.Identity.Digest([]byte(n.Text)) != t.Text {
		return nil, casefile.Invalid("preview", "the notice is not the one previewed any more: look at it again")
	}
	if n.Text == "" {
		return nil, nil
	}
	n.Decision = s.verb.ID // a decision has the id of the verb that settled it
	data, err := casefile.Canonical(n)
	if err != nil {
		return nil, fmt.Errorf("encode notice: %w", err)
	}
	address, digest, err := d.o.Sealer.Seal(ctx, s.row.Account, evidence.KindNotice, data)
	if err != nil {
		return nil, fmt.Errorf("seal notice: %w", err)
	}
	return &casefile.NoticeRef{Number: n.Number, Text: address, Digest: digest}, nil
}

// Withdraw takes the person's own decision back within its grace time. decision "" means the one
// that stands.
func (d *Desk) Withdraw(ctx context.Context, who access.Who, call VerbCall, decision string) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateWithdraw, need: access.CaseWithdraw, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if decision == "" {
		decision = s.row.Decision
	}
	return d.update(ctx, s, workflows.UpdateWithdraw, workflows.WithdrawArgs{Verb: s.verb, Decision: decision})
}

// FaultsOf lists the faults of an error by field: all of a casefile.Faults, the one of any other
// error that names a field, none else.
func FaultsOf(err error) []Fault {
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
