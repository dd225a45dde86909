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
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// NoticeFacts are what the exact text of a notice is made of: nothing else may go into it, so that
// the same facts always give the same bytes.
type NoticeFacts struct {
	Number    string
	Case      casefile.CaseRef
	Platform  string
	At        time.Time // UTC; the day that the notice bears
	Judgement casefile.Judgement
	// Posts are the posts relied on; Profile says that the account's profile is too.
	Posts   []casefile.Event
	Profile bool
}

// NoticeRenderer makes the text of a notice and names its language. Text is "" where the action
// sends none.
type NoticeRenderer func(f NoticeFacts) (text, lang string, err error)

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
	facts := d.facts(row, checked, casefile.NewID(), d.now())
	text, _, err := d.o.Notice(facts)
	if err != nil {
		return Preview{}, fmt.Errorf("render notice: %w", err)
	}
	out.Notice = text
	out.Token, err = d.mint(previewToken{
		Case: row.Ref, Person: who.Person, Number: facts.Number, At: facts.At, Text: d.o.Identity.Digest([]byte(text)),
	})
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
	notice, err := d.notice(ctx, who, s, checked, call.Preview)
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
		Relied: len(checked.posts), Form: address, Digest: digest, Notice: notice,
	})
}

// checkedForm is a form with the posts that it relies on.
type checkedForm struct {
	casefile.OpinionForm
	posts   []casefile.Event // in the form's order
	profile bool
}

// checkForm finds every fault of the form. err is for engines that do not answer.
func (d *Desk) checkForm(ctx context.Context, row records.Case, form casefile.OpinionForm) (checkedForm, casefile.Faults, error) {
	out := checkedForm{OpinionForm: form}
	faults := form.Validate()
	if form.Action == casefile.L6 {
		faults = append(faults, &casefile.Error{Code: casefile.CodeNeedsSecond, Field: "action",
			Message: "L6 ends an account and needs the opinions of two people formed apart; the second opinion is not available in this release"})
	}
	if len(form.Relied) == 0 || len(form.Relied) > casefile.MaxRelied {
		return out, faults, nil
	}
	flags, lost, err := d.openFlags(ctx, row)
	if err != nil {
		return out, nil, err
	}
	posts, _ := mergePosts(flags)
	byID := map[string]casefile.Event{}
	for _, p := range posts { // newest first: the newest form of an edited post stands
		if _, ok := byID[p.Event.ID]; !ok && p.Event.ID != "" {
			byID[p.Event.ID] = p.Event
		}
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

func (d *Desk) facts(row records.Case, form checkedForm, number string, at time.Time) NoticeFacts {
	return NoticeFacts{
		Number: number, Case: row.Ref, Platform: row.Platform, At: at.UTC().Truncate(time.Second),
		Judgement: form.Judgement, Posts: form.posts, Profile: form.profile,
	}
}

// notice seals the exact notice of an opinion; nil where the action sends none.
func (d *Desk) notice(ctx context.Context, who access.Who, s started, form checkedForm, token string) (*casefile.NoticeRef, error) {
	number, at, want := casefile.NewID(), d.now(), ""
	if token != "" {
		t, err := d.readToken(token)
		if err != nil {
			return nil, err
		}
		switch {
		case t.Case != s.row.Ref || t.Person != who.Person:
			return nil, casefile.Invalid("preview", "the preview was of another case or another person's")
		case d.now().Sub(t.At) > d.o.PreviewFor:
			return nil, casefile.Invalid("preview", "the preview is too old: look at it again")
		}
		number, at, want = t.Number, t.At, t.Text
	}
	text, lang, err := d.o.Notice(d.facts(s.row, form, number, at))
	if err != nil {
		return nil, fmt.Errorf("render notice: %w", err)
	}
	if want != "" && d.o.Identity.Digest([]byte(text)) != want {
		return nil, casefile.Invalid("preview", "the form was changed after the preview: look at it again")
	}
	if text == "" {
		return nil, nil
	}
	data, err := casefile.Canonical(casefile.Notice{Number: number, Decision: s.verb.ID, Case: s.row.Ref, Lang: lang, Text: text})
	if err != nil {
		return nil, fmt.Errorf("encode notice: %w", err)
	}
	address, digest, err := d.o.Sealer.Seal(ctx, s.row.Account, evidence.KindNotice, data)
	if err != nil {
		return nil, fmt.Errorf("seal notice: %w", err)
	}
	return &casefile.NoticeRef{Number: number, Text: address, Digest: digest}, nil
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
