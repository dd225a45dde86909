package review

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
)

// Case opens a case with everything in it that the caller may see. The look goes on record, with
// its purpose ("" for the caller's usual one), before anything is shown. What cannot be read stands
// in Missing, in words: the view has gaps rather than being an error. Errors: CodeForbidden,
// CodeInvalid (the number), CodeNotFound, CodeUnavailable (the records do not answer).
func (d *Desk) Case(ctx context.Context, who access.Who, ref casefile.CaseRef, purpose string) (CaseView, error) {
	err := who.Require(access.CaseRead)
	if err != nil {
		return CaseView{}, err
	}
	why, err := who.Purpose(purpose)
	if err != nil {
		return CaseView{}, err
	}
	row, err := d.row(ctx, ref)
	if err != nil {
		return CaseView{}, err
	}
	seen, err := d.lastLook(ctx, who.Person, row.Ref)
	if err != nil {
		return CaseView{}, err
	}
	err = d.o.Records.PutView(ctx, records.View{Person: who.Person, Case: row.Ref, Purpose: string(why), At: d.now()})
	if err != nil {
		return CaseView{}, fmt.Errorf("put the look on record: %w", err)
	}
	b := &builder{desk: d, who: who, row: row, seen: seen}
	b.build(ctx)
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

func (b *builder) build(ctx context.Context) {
	row := b.row
	b.view = CaseView{
		CaseRow:  rowView(row),
		Revision: row.Revision, EvidenceRevision: row.EvidenceRevision, Ordinal: row.Ordinal, Route: row.Route,
		FlagViews: []FlagView{}, Evidence: []EvidencePost{}, Findings: []casefile.Finding{},
	}
	if row.State == casefile.StateClaimed && row.Claim.Live(b.desk.now()) {
		claim := *row.Claim
		b.view.Claim = &claim
		b.view.Mine = claim.Person == b.who.Person
	}
	b.profile(ctx)
	b.flags(ctx)
	b.findings(ctx)
	b.earlier(ctx)
	b.comments(ctx)
	b.opinions(ctx)
	b.decision(ctx)
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
	if dropped > 0 {
		b.missing(ctx, nil, "%d places of a score lie outside the post they name and are not marked.", dropped)
	}
	b.linked(ctx, findings)
}

// linked reads the accounts that findings name by keyed hash, each from its own sealed profile.
func (b *builder) linked(ctx context.Context, findings []casefile.Finding) {
	seen := map[casefile.AccountKey]bool{b.row.Account: true}
	unread := 0
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
			b.view.Linked = append(b.view.Linked, LinkedAccount{Account: profile.Account, Why: item.Label, Case: last})
		}
	}
	if unread > 0 {
		b.missing(ctx, nil, "%d linked accounts could not be read, or were erased.", unread)
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

// decided reports whether opinions may be seen by people other than their authors.
func decided(s casefile.State) bool {
	return s == casefile.StateDecided || s == casefile.StateProven || s == casefile.StateClosed
}

func (b *builder) opinions(ctx context.Context) {
	opinions, err := b.desk.o.Records.Opinions(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Opinions could not be read.")
		return
	}
	for _, o := range opinions {
		if !decided(b.row.State) && o.Person != b.who.Person {
			continue
		}
		v := OpinionView{Opinion: o, Relied: []string{}}
		var form casefile.OpinionForm
		err = b.desk.open(ctx, b.row.Account, evidence.KindOpinion, o.Form, &form)
		if err != nil {
			b.missing(ctx, err, "The words of an opinion could not be opened.")
		} else {
			v.Rationale, v.Relied = form.Rationale, append(v.Relied, form.Relied...)
		}
		b.view.Opinions = append(b.view.Opinions, v)
	}
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
		Judgement: row.Decision.Judgement, Why: row.Why,
	}
	if row.State == casefile.DecisionGrace && b.desk.o.Grace > 0 {
		until := row.Decision.DecidedAt.Add(b.desk.o.Grace)
		v.GraceUntil = &until
	}
	acts, err := b.desk.o.Records.Acts(ctx, row.Decision.ID)
	if err != nil {
		b.missing(ctx, err, "The acts could not be read.")
	}
	for _, a := range acts {
		v.Acts = append(v.Acts, ActView{
			Act: a.Act, Direction: a.Direction, State: a.State, PlannedAt: a.PlannedAt, StartedAt: a.StartedAt, EndedAt: a.EndedAt,
			Reference: a.Reference, Why: a.Why,
		})
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
	case len(row.Decision.Opinions) > 0 && row.Decision.Opinions[0].Notice != nil:
		ref = row.Decision.Opinions[0].Notice
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
