package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
)

// Case opens a case with everything in it that the caller may see. The look goes on record, with
// its purpose ("" for the caller's usual one), before anything is shown. What cannot be read stands
// in Missing, in words: the view has gaps rather than being an error. Of a restricted case, whoever may
// not see it gets the row without its words, which goes on record as a refusal. Errors: CodeForbidden,
// CodeInvalid (the number), CodeNotFound, CodeUnavailable (the records do not answer).
func (d *Desk) Case(ctx context.Context, who access.Who, ref casefile.CaseRef, purpose string) (CaseView, error) {
	if !who.May(access.CaseRead) && !who.May(access.GlassBreak) {
		return CaseView{}, who.Require(access.CaseRead)
	}
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return CaseView{}, err
	}
	why, err := d.mayOpen(ctx, who, row, purpose)
	if err != nil && who.May(access.CaseRead) && errors.Is(err, errRestricted) {
		return d.withheld(ctx, who, row)
	}
	if err != nil {
		return CaseView{}, err
	}
	seen, err := d.lastLook(ctx, who.Person, row.Ref)
	if err != nil {
		return CaseView{}, err
	}
	err = d.putView(ctx, who, row, why)
	if err != nil {
		return CaseView{}, err
	}
	b := &builder{desk: d, who: who, row: row, seen: seen}
	b.build(ctx)
	b.view.Purpose = string(why)
	return b.view, nil
}

// mayOpen gives the purpose under which somebody opens a case, in their own right or because they broke
// its glass. errRestricted where the case's referral alone keeps it from them.
func (d *Desk) mayOpen(ctx context.Context, who access.Who, row records.Case, purpose string) (access.Purpose, error) {
	why, err := d.o.Glass.Purpose(ctx, who, row.Ref, row.Restricted, d.holds(who, row), purpose)
	if casefile.ErrorCode(err) == casefile.CodeForbidden && who.May(access.CaseRead) && !d.sees(who, row) {
		return "", errRestricted
	}
	return why, err
}

// putView puts a look on record.
func (d *Desk) putView(ctx context.Context, who access.Who, row records.Case, why access.Purpose) error {
	err := d.o.Records.PutView(ctx, records.View{Person: who.Person, Case: row.Ref, Purpose: string(why), At: d.now()})
	if err != nil {
		return fmt.Errorf("put the look on record: %w", err)
	}
	crashpoint.Reach("15")
	return nil
}

// look checks that somebody may open a case and puts the look on record.
func (d *Desk) look(ctx context.Context, who access.Who, row records.Case, purpose string) error {
	why, err := d.mayOpen(ctx, who, row, purpose)
	if err != nil {
		return err
	}
	return d.putView(ctx, who, row, why)
}

// wordsVerb is under what a look at a restricted case goes on record as a refusal.
const wordsVerb = "case.words"

// withheld is a restricted case as those see it who may not open it.
func (d *Desk) withheld(ctx context.Context, who access.Who, row records.Case) (CaseView, error) {
	err := d.Refuse(ctx, Refusal{Person: who.Person, Case: row.Ref, Verb: wordsVerb, Err: errRestricted})
	if err != nil {
		return CaseView{}, err
	}
	b := &builder{desk: d, who: who, row: row}
	b.frame(ctx)
	b.view.Withheld = true
	b.view.Why = "This case was referred to " + strings.ReplaceAll(string(row.Restricted), "_", " ") + ": its words are shown to its holder, to leads and to that team alone."
	return b.view, nil
}

// watchPage bounds one read of the tables of views and refusals.
const watchPage = 500

// lastLook is when the person last opened the case; nil for never.
func (d *Desk) lastLook(ctx context.Context, person casefile.Person, ref casefile.CaseRef) (*time.Time, error) {
	var last *time.Time
	var after int64
	for {
		views, err := d.o.Records.Views(ctx, ref, after, watchPage)
		if err != nil {
			return nil, fmt.Errorf("read earlier looks: %w", err)
		}
		for _, v := range views {
			if v.Person == person {
				at := v.At
				last = &at
			}
			after = v.Seq
		}
		if len(views) < watchPage {
			return last, nil
		}
	}
}

// builder puts one CaseView together.
type builder struct {
	desk *Desk
	who  access.Who
	row  records.Case
	seen *time.Time // when the caller last looked
	view CaseView
}

// missing notes a gap, and logs why: the error names no content.
func (b *builder) missing(ctx context.Context, err error, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.view.Missing = append(b.view.Missing, text)
	if err != nil {
		b.desk.o.Log.LogAttrs(ctx, slog.LevelWarn, "part of a case could not be read",
			slog.String("case", string(b.row.Ref)), slog.String("code", string(casefile.ErrorCode(err))))
	}
}

// frame lays out what needs no words.
func (b *builder) frame(ctx context.Context) {
	row, now := b.row, b.desk.now()
	b.view = CaseView{
		CaseRow:  b.desk.rowView(b.who, row),
		Revision: row.Revision, EvidenceRevision: row.EvidenceRevision, Ordinal: row.Ordinal, Route: row.Route,
		FlagViews: []FlagView{}, Evidence: []EvidencePost{}, Findings: []casefile.Finding{},
	}
	if row.State == casefile.StateClaimed && row.Claim.Live(now) {
		claim := *row.Claim
		b.view.Claim = &claim
		b.view.Mine = claim.Person == b.who.Person
		// Input moves a lease on to no later than this: only a hold lasts longer.
		b.view.Held = b.desk.o.Lease > 0 && claim.ExpiresAt.After(now.Add(b.desk.o.Lease))
	}
	parts, err := b.desk.o.Records.Parts(ctx, row.Ref)
	if err != nil {
		b.missing(ctx, err, "Whether somebody has held the case could not be read.")
	}
	b.view.Data, err = b.desk.dataView(ctx, row)
	if err != nil {
		b.missing(ctx, err, "Whether the account is held or being erased could not be read.")
	}
	b.view.Touched = slices.ContainsFunc(parts, func(p records.PartRow) bool { return p.Part == records.PartClaim })
	b.deadlines(now)
}

func (b *builder) deadlines(now time.Time) {
	b.view.Deadlines = []DeadlineView{}
	settled := b.row.State != casefile.StateQueued && b.row.State != casefile.StateClaimed && b.row.State != casefile.StateNew
	for _, one := range []struct {
		kind casefile.DeadlineKind
		due  time.Time
		met  bool
	}{
		{casefile.DeadlineTouch, b.row.Route.DueAt, b.view.Touched || settled},
		{casefile.DeadlineDecision, b.row.Route.DecideBy, settled},
	} {
		if one.due.IsZero() {
			continue
		}
		half := b.row.OpenedAt.Add(one.due.Sub(b.row.OpenedAt) / 2)
		b.view.Deadlines = append(b.view.Deadlines, DeadlineView{
			Deadline: one.kind, DueAt: one.due, Met: one.met, Half: !one.met && !now.Before(half), Missed: slices.Contains(b.row.Missed, one.kind),
		})
	}
}

func (b *builder) build(ctx context.Context) {
	b.frame(ctx)
	if b.row.ErasedAt != nil {
		b.missing(ctx, nil, "The account was erased: nothing is left of what was said by it or about it. Codes and proofs stand.")
		b.decision(ctx)
		b.attached(ctx)
		b.names(ctx)
		return
	}
	b.profile(ctx)
	b.flags(ctx)
	b.findings(ctx)
	b.earlier(ctx)
	b.recommend(ctx)
	b.referrals(ctx)
	b.comments(ctx)
	b.handled(ctx)
	b.opinions(ctx)
	b.decision(ctx)
	b.attached(ctx)
	b.hideMedia(ctx)
	b.names(ctx)
}

func (b *builder) profile(ctx context.Context) {
	profile, _, err := b.desk.profile(ctx, b.row.Account)
	switch {
	case err != nil:
		b.missing(ctx, err, "The account's profile could not be read.")
	case profile == nil:
		b.missing(ctx, nil, "The account's profile is not there: it was never told, or it was erased.")
	default:
		b.view.Account = profile.Account
		b.view.AccountID, b.view.Handle = profile.Account.ID, profile.Account.Handle
	}
}

// profile opens an account's own sealed profile; nil when there is none.
func (d *Desk) profile(ctx context.Context, account casefile.AccountKey) (*evidence.Profile, records.Account, error) {
	row, err := d.o.Records.Account(ctx, account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound || err == nil && row.Profile == "" {
		return nil, row, nil
	}
	if err != nil {
		return nil, row, fmt.Errorf("read account row: %w", err)
	}
	var p evidence.Profile
	err = d.open(ctx, account, evidence.KindProfile, row.Profile, &p)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return nil, row, nil
	}
	if err != nil {
		return nil, row, err
	}
	return &p, row, nil
}

func (b *builder) flags(ctx context.Context) {
	flags, lost, err := b.desk.openFlags(ctx, b.row)
	if err != nil {
		b.missing(ctx, err, "The flags and their evidence could not be read.")
		return
	}
	if lost > 0 {
		b.missing(ctx, nil, "%d of the case's flags could not be opened: their evidence is not shown.", lost)
	}
	fresh := map[postKey]bool{} // whether every flag that brought the post came in after the last look
	for _, f := range flags {
		v := FlagView{
			ID: f.flag.ID, At: f.flag.At, TakenAt: f.row.At, Detector: f.flag.Detector, Reasons: f.flag.Reasons,
			Posts: []string{}, Source: f.row.Source,
		}
		if f.row.AcceptedAt != nil {
			v.TakenAt = *f.row.AcceptedAt
		}
		isNew := b.seen != nil && v.TakenAt.After(*b.seen)
		for _, e := range f.flag.Evidence {
			v.Posts = append(v.Posts, e.ID)
			k := postKey{e.ID, e.Text}
			before, known := fresh[k]
			fresh[k] = isNew && (before || !known)
		}
		b.view.FlagViews = append(b.view.FlagViews, v)
	}
	b.accountState(flags)
	posts, dropped := mergePosts(flags)
	for i := range posts {
		posts[i].New = fresh[postKey{posts[i].Event.ID, posts[i].Event.Text}]
	}
	if dropped > 0 {
		b.missing(ctx, nil, "%d matched places lie outside the post they name and are not marked.", dropped)
	}
	b.view.Evidence = append(b.view.Evidence, posts...)
}

func (b *builder) findings(ctx context.Context) {
	if b.row.Findings == "" {
		b.missing(ctx, nil, "No findings have been gathered yet.")
		return
	}
	var findings []casefile.Finding
	err := b.desk.open(ctx, b.row.Account, evidence.KindFindings, b.row.Findings, &findings)
	if err != nil {
		b.missing(ctx, err, "The findings could not be read: treat every one as unknown.")
		return
	}
	b.view.Findings = append(b.view.Findings, findings...)
	dropped := scorePosts(b.view.Evidence, findings)
	markUndecided(b.view.Evidence, findings)
	if dropped > 0 {
		b.missing(ctx, nil, "%d places of a score lie outside the post they name and are not marked.", dropped)
	}
	b.linked(ctx, findings)
}

// linked reads the accounts that findings name by keyed hash, each from its own sealed profile. One whose
// last case is restricted is shown to those alone who see that case.
func (b *builder) linked(ctx context.Context, findings []casefile.Finding) {
	seen := map[casefile.AccountKey]bool{b.row.Account: true}
	unread, withheld := 0, 0
	for _, f := range findings {
		for _, item := range f.Items {
			if item.Account == "" || seen[item.Account] {
				continue
			}
			seen[item.Account] = true
			profile, account, err := b.desk.profile(ctx, item.Account)
			if err != nil || profile == nil {
				unread++
				continue
			}
			last := account.OpenCase
			if last == "" {
				last = account.LastCase
			}
			if last != "" {
				row, err := b.desk.row(ctx, b.who, last)
				if err != nil || !b.desk.sees(b.who, row) {
					withheld++
					continue
				}
			}
			b.view.Linked = append(b.view.Linked, LinkedAccount{Account: profile.Account, Why: item.Label, Case: last})
		}
	}
	if unread > 0 {
		b.missing(ctx, nil, "%d linked accounts could not be read, or were erased.", unread)
	}
	if withheld > 0 {
		b.missing(ctx, nil, "%d linked accounts are not shown: their cases are restricted.", withheld)
	}
}

func (b *builder) earlier(ctx context.Context) {
	cases, err := b.desk.o.Records.AccountCases(ctx, b.row.Account)
	if err != nil {
		b.missing(ctx, err, "Earlier cases of the account could not be read.")
		return
	}
	for _, c := range cases {
		if c.Ref == b.row.Ref || c.Ordinal > b.row.Ordinal {
			continue
		}
		e := EarlierCase{Case: c.Ref, OpenedAt: c.OpenedAt, ClosedAt: c.ClosedAt, Reason: c.CloseReason}
		decision, err := b.desk.standing(ctx, c.Ref)
		if err != nil {
			b.missing(ctx, err, "The decision of case %s could not be read.", c.Ref)
		}
		if decision != nil {
			e.Action, e.Policies = decision.Decision.Action, decision.Decision.Policies
		}
		b.view.Earlier = append(b.view.Earlier, e)
	}
}

// standing is a case's newest decision that was not withdrawn; nil when there is none.
func (d *Desk) standing(ctx context.Context, ref casefile.CaseRef) (*records.DecisionRow, error) {
	rows, err := d.o.Records.CaseDecisions(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	for _, r := range rows {
		if r.State != casefile.DecisionWithdrawn {
			return &r, nil
		}
	}
	return nil, nil
}

func (b *builder) comments(ctx context.Context) {
	rows, err := b.desk.o.Records.Comments(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Comments could not be read.")
		return
	}
	lost := 0
	for _, c := range rows {
		text, err := b.desk.o.Sealer.Open(ctx, b.row.Account, evidence.KindComment, c.Text)
		if err != nil {
			lost++
			continue
		}
		b.view.Comments = append(b.view.Comments, CommentView{ID: c.ID, Person: c.Person, At: c.At, Text: string(text)})
	}
	if lost > 0 {
		b.missing(ctx, nil, "%d comments could not be opened.", lost)
	}
}

// handled shows what people did with the case beside judging it: whoever takes it up reads why it came
// to them. None of it tells of an opinion.
func (b *builder) handled(ctx context.Context) {
	rows, err := b.desk.o.Records.Handlings(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Who handed the case over or escalated it, and why, could not be read.")
		return
	}
	lost := 0
	for _, h := range rows {
		v := HandledView{What: h.What, Person: h.Person, Role: h.Role, At: h.At, Queue: h.Queue, To: h.To, Deadline: h.Deadline, Until: h.Until}
		if h.Words != "" {
			words, err := b.desk.o.Sealer.Open(ctx, b.row.Account, evidence.KindComment, h.Words)
			if err != nil {
				lost++
			}
			v.Reason = string(words)
		}
		b.view.Handled = append(b.view.Handled, v)
	}
	if lost > 0 {
		b.missing(ctx, nil, "The reasons of %d hand-overs, escalations or changes by a lead could not be opened.", lost)
	}
}

// decided reports whether opinions may be seen by people other than their authors.
func decided(s casefile.State) bool {
	return s == casefile.StateDecided || s == casefile.StateProven || s == casefile.StateClosed
}

// opinions shows the opinions that count: all of a decided case; of any other the caller's own, and to a
// lead who gave none those that differ.
func (b *builder) opinions(ctx context.Context) {
	shown, err := b.desk.o.Records.Opinions(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Opinions could not be read.")
		return
	}
	blind, err := b.desk.o.Records.BlindOpinions(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Your own opinion, if you gave one, could not be read.")
		return
	}
	own := slices.ContainsFunc(shown, func(o casefile.Opinion) bool { return o.Person == b.who.Person }) ||
		slices.ContainsFunc(blind, func(o records.BlindOpinion) bool { return o.Person == b.who.Person })
	all := adjudicates(b.who, b.row) && !own
	for _, o := range shown {
		if all || decided(b.row.State) || o.Person == b.who.Person {
			b.opinion(ctx, o, OpinionView{Blind: !decided(b.row.State)})
		}
	}
	for _, o := range blind {
		if all || o.Person == b.who.Person {
			b.sealedOpinion(ctx, o, OpinionView{Blind: true})
		}
	}
	b.voidOpinions(ctx)
}

// voidOpinions shows those that count no more: the caller's own, and once the case is decided those
// that had been shown.
func (b *builder) voidOpinions(ctx context.Context) {
	shown, blind, err := b.desk.o.Records.VoidOpinions(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Opinions that count no more could not be read.")
		return
	}
	for _, o := range shown {
		if decided(b.row.State) || o.Person == b.who.Person {
			b.opinion(ctx, o, OpinionView{Void: true})
		}
	}
	for _, o := range blind {
		if o.Person == b.who.Person {
			b.sealedOpinion(ctx, o, OpinionView{Void: true, Blind: true})
		}
	}
}

// kindBlind is the kind under which the case's projection seals the codes of an opinion that is not
// shown: a casefile.Opinion, not the form of one.
const kindBlind evidence.Kind = "blind"

// sealedOpinion opens the codes of an opinion that is not shown.
func (b *builder) sealedOpinion(ctx context.Context, o records.BlindOpinion, v OpinionView) {
	var opinion casefile.Opinion
	err := b.desk.open(ctx, b.row.Account, kindBlind, o.Sealed, &opinion)
	if err != nil {
		b.missing(ctx, err, "An opinion that you may see could not be opened.")
		return
	}
	b.opinion(ctx, opinion, v)
}

func (b *builder) opinion(ctx context.Context, o casefile.Opinion, v OpinionView) {
	v.Opinion, v.Relied = o, []string{}
	var form casefile.OpinionForm
	err := b.desk.open(ctx, b.row.Account, evidence.KindOpinion, o.Form, &form)
	if err != nil {
		b.missing(ctx, err, "The words of an opinion could not be opened.")
	} else {
		v.Rationale = form.Rationale
		v.Relied = append(v.Relied, form.Relied...)
	}
	b.view.Opinions = append(b.view.Opinions, v)
}

func (b *builder) decision(ctx context.Context) {
	row, err := b.desk.standing(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "The decision could not be read.")
		return
	}
	if row == nil {
		return
	}
	v := DecisionView{
		ID: row.Decision.ID, State: row.State, DecidedAt: row.Decision.DecidedAt, DecidedBy: row.Decision.DecidedBy,
		Judgement: row.Decision.Judgement, Why: row.Why, Rule: row.Decision.Rule, Emergency: row.Decision.DecidedBy == casefile.ByEmergency,
	}
	if o := row.Decision.Stands(); o != nil {
		v.Standing = o.ID
	}
	if row.State == casefile.DecisionGrace && b.desk.o.Grace > 0 && !v.Emergency {
		until := row.Decision.DecidedAt.Add(b.desk.o.Grace)
		v.GraceUntil = &until
	}
	acts, err := b.desk.o.Records.Acts(ctx, row.Decision.ID)
	if err != nil {
		b.missing(ctx, err, "The acts could not be read.")
	}
	for _, a := range acts {
		v.Acts = append(v.Acts, actView(a))
	}
	appeals, err := b.desk.o.Records.DecisionAppeals(ctx, row.Decision.ID)
	if err != nil {
		b.missing(ctx, err, "Appeals against the decision could not be read.")
	}
	for _, a := range appeals {
		v.Appeals = append(v.Appeals, b.desk.appealRow(a))
	}
	b.notice(ctx, *row, &v)
	b.view.Decision = &v
	b.proof(ctx, *row)
}

// notice shows the notice that was sent, or the one that will be.
func (b *builder) notice(ctx context.Context, row records.DecisionRow, v *DecisionView) {
	var ref *casefile.NoticeRef
	sent, err := b.desk.o.Records.Notice(ctx, row.Decision.ID)
	switch {
	case err == nil:
		ref = &casefile.NoticeRef{Number: sent.Number, Text: sent.Text, Digest: sent.Digest}
		v.NoticeSent = sent.State
	case casefile.ErrorCode(err) != casefile.CodeNotFound:
		b.missing(ctx, err, "Whether the notice was sent could not be read.")
		return
	case row.Decision.Notice() != nil:
		ref = row.Decision.Notice()
		v.NoticeSent = casefile.NoticePlanned
	default:
		return
	}
	v.NoticeNo = ref.Number
	var n casefile.Notice
	err = b.desk.open(ctx, b.row.Account, evidence.KindNotice, ref.Text, &n)
	if err != nil {
		b.missing(ctx, err, "The text of the notice could not be opened.")
		return
	}
	v.Notice = n.Text
}

func (b *builder) proof(ctx context.Context, row records.DecisionRow) {
	if row.Bundle == nil {
		return
	}
	origin, size, ok := checkpointHead(row.Bundle.Checkpoint)
	if !ok {
		b.missing(ctx, nil, "The checkpoint of the proof does not read as one.")
		return
	}
	b.view.Proof = &ProofView{Event: row.Event, Hash: row.Hash, Index: row.Bundle.Index, Origin: origin, Size: size}
}

// checkpointHead reads origin and size of a C2SP tlog-checkpoint. It verifies nothing.
func checkpointHead(checkpoint string) (origin string, size uint64, ok bool) {
	lines := strings.SplitN(checkpoint, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return "", 0, false
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return "", 0, false
	}
	return lines[0], size, true
}
