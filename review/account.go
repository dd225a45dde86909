package review

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
)

// accountRecord is what is known of an account's earlier decisions.
type accountRecord struct {
	strikes *int              // that have not lapsed; nil where that is not known
	actions []casefile.Action // that gave them, the newest first
}

// accountRecord reads what stood against an account when the case was decided, or stands now where it is
// not. The case's own decisions are no part of it: nobody who judged it had them before them. What cannot
// be read is unknown, never zero.
func (d *Desk) accountRecord(ctx context.Context, row records.Case) accountRecord {
	own, err := d.standing(ctx, row.Ref)
	if err != nil {
		return accountRecord{}
	}
	at := d.now()
	if own != nil && own.Decision.DecidedAt.Before(at) {
		at = own.Decision.DecidedAt
	}
	strikes, err := d.o.Records.Strikes(ctx, row.Account, at)
	if err != nil {
		return accountRecord{}
	}
	var out accountRecord
	n := 0
	for _, s := range strikes {
		if s.At.After(at) {
			continue
		}
		decision, err := d.o.Records.Decision(ctx, s.Decision)
		switch {
		case casefile.ErrorCode(err) == casefile.CodeNotFound: // it counts, as the lightest
		case err != nil:
			return accountRecord{}
		case decision.Decision.Case == row.Ref:
			continue
		default:
			out.actions = append(out.actions, decision.Decision.Action)
		}
		n++
	}
	out.strikes = &n
	return out
}

// recommend gives what policy recommends on codes.
func recommend(codes []casefile.PolicyCode, tier casefile.EntityTier, record accountRecord) *RecommendationView {
	r := policy.Recommend(policy.RecommendInput{Policies: codes, EntityTier: tier, Strikes: record.strikes, LastActions: record.actions})
	return &RecommendationView{Policies: codes, Action: r.Action, Days: r.Days, Sum: r.Sum, Reason: r.Reason, Unknown: r.Unknown}
}

// recommend lays what policy recommends on the codes of the flags beside the case.
func (b *builder) recommend(ctx context.Context) {
	var codes []casefile.PolicyCode
	for _, f := range b.view.FlagViews {
		for _, r := range f.Reasons {
			if r.Policy != "" && !slices.Contains(codes, r.Policy) {
				codes = append(codes, r.Policy)
			}
		}
	}
	if len(codes) > 0 {
		b.view.Recommendation = recommend(codes, "", b.desk.accountRecord(ctx, b.row))
	}
}

// accountState gathers what flags and evidence tell of the account's names and of its end.
func (b *builder) accountState(flags []takenFlag) {
	last := map[string]time.Time{}
	saw := func(a casefile.Account, at time.Time) {
		if a.Handle != "" && a.Handle != b.view.Handle && (a.ID == "" || b.view.AccountID == "" || a.ID == b.view.AccountID) && at.After(last[a.Handle]) {
			last[a.Handle] = at
		}
	}
	for _, f := range flags {
		saw(f.flag.Account, f.flag.At)
		for _, e := range f.flag.Evidence {
			saw(e.Account, e.At)
			if e.Kind == casefile.EventAccountGone && (b.view.AccountState.GoneAt == nil || e.At.After(*b.view.AccountState.GoneAt)) {
				at := e.At
				b.view.AccountState.GoneAt = &at
			}
		}
	}
	for handle := range last {
		b.view.AccountState.EarlierHandles = append(b.view.AccountState.EarlierHandles, handle)
	}
	sort.Slice(b.view.AccountState.EarlierHandles, func(i, j int) bool {
		x, y := b.view.AccountState.EarlierHandles[i], b.view.AccountState.EarlierHandles[j]
		if !last[x].Equal(last[y]) {
			return last[x].After(last[y])
		}
		return x < y
	})
}

// labelNew marks the items of the finding on earlier cases that no earlier decision had before it.
const labelNew = "new"

// markUndecided marks the posts that no earlier decision had before it.
func markUndecided(posts []EvidencePost, findings []casefile.Finding) {
	for _, f := range findings {
		if f.Kind != casefile.FindingEarlierCases || f.Status != casefile.StatusKnown {
			continue
		}
		for _, item := range f.Items {
			for i := range posts {
				if item.Label == labelNew && item.Post != "" && item.Post == posts[i].Event.ID && (item.Text == "" || item.Text == posts[i].Event.Text) {
					posts[i].Undecided = true
				}
			}
		}
	}
}

// referrals shows to whom the case was referred, with the words that went along.
func (b *builder) referrals(ctx context.Context) {
	rows, err := b.desk.o.Records.Referrals(ctx, b.row.Ref)
	if err != nil {
		b.missing(ctx, err, "Referrals could not be read.")
		return
	}
	for _, r := range rows {
		v := ReferralView{ID: r.ID, Kind: r.Kind, Person: r.Person, At: r.At, Event: r.Event}
		if r.Note != "" {
			words, err := b.desk.o.Sealer.Open(ctx, b.row.Account, evidence.KindComment, r.Note)
			if err != nil {
				b.missing(ctx, err, "The words of a referral could not be opened.")
			}
			v.Words = string(words)
		}
		b.view.Referrals = append(b.view.Referrals, v)
	}
}

// attached shows the earlier decision that the case belongs to.
func (b *builder) attached(ctx context.Context) {
	if b.row.Attached == "" {
		return
	}
	row, err := b.desk.o.Records.Decision(ctx, b.row.Attached)
	if err != nil {
		b.missing(ctx, err, "The earlier decision that this case belongs to could not be read.")
		return
	}
	b.view.Attached = &AttachedView{
		Decision: row.Decision.ID, Case: row.Decision.Case, State: row.State, At: row.Decision.DecidedAt, Judgement: row.Decision.Judgement,
	}
}

// hideMedia takes every picture and film out of a case that was referred to child safety, or that a case
// so referred was opened again as, whoever looks; and out of every restricted case whose referrals cannot
// be read.
func (b *builder) hideMedia(ctx context.Context) {
	hides := b.row.Restricted.HidesMedia()
	if !hides && b.row.Restricted != "" {
		kinds, err := b.referredTo(ctx)
		hides = err != nil || slices.ContainsFunc(kinds, casefile.ReferralKind.HidesMedia)
	}
	if !hides {
		return
	}
	for i := range b.view.Evidence {
		b.view.Evidence[i].Event.Media = nil
	}
	b.view.Why = "This case was referred to child safety: its media are shown to nobody."
}

// referredTo lists to whom the case was referred, and those closed ones whose evidence it has.
func (b *builder) referredTo(ctx context.Context) ([]casefile.ReferralKind, error) {
	before, err := b.desk.reopened(ctx, b.row)
	if err != nil {
		return nil, err
	}
	var kinds []casefile.ReferralKind
	for _, c := range append(before, b.row) {
		referrals, err := b.desk.o.Records.Referrals(ctx, c.Ref)
		if err != nil {
			return nil, fmt.Errorf("read referrals: %w", err)
		}
		for _, r := range referrals {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds, nil
}

// names shows the names of the staff in the view whom the caller knows by name.
func (b *builder) names(ctx context.Context) {
	v := &b.view
	people := []casefile.Person{v.Holder, v.AssignedTo}
	for _, f := range v.FlagViews {
		people = append(people, f.Source)
	}
	for _, r := range v.Referrals {
		people = append(people, r.Person)
	}
	for _, c := range v.Comments {
		people = append(people, c.Person)
	}
	for _, h := range v.Handled {
		people = append(people, h.Person, h.To)
	}
	for _, o := range v.Opinions {
		people = append(people, o.Person)
	}
	if v.Decision != nil {
		for _, a := range v.Decision.Acts {
			people = append(people, a.SettledBy)
		}
		for _, a := range v.Decision.Appeals {
			people = append(people, a.Holder, a.RuledBy)
		}
	}
	names, err := b.desk.names(ctx, b.who, people...)
	if err != nil {
		b.missing(ctx, err, "Names of staff could not be read.")
		return
	}
	v.Names = names
}
