package access

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Limits of broken glass.
const (
	MaxGlass       = time.Hour // a case stays open to the person for at most this long
	MinGlassReason = 20        // characters of the reason, spaces at either end not counted
	MaxGlassReason = 1000      // characters of the reason
)

// GlassRows is what broken glass needs of the records; records.Guarded has it.
type GlassRows interface {
	PutBreakGlass(ctx context.Context, b records.BreakGlass) error
	BreakGlasses(ctx context.Context, open bool, limit int) ([]records.BreakGlass, error)
	LiveBreakGlass(ctx context.Context, person casefile.Person, ref casefile.CaseRef, now time.Time) (bool, error)
	ReviewBreakGlass(ctx context.Context, id string, by casefile.Actor, justified bool, now time.Time) error
}

// Reasons seals the words of reasons; evidence.Keyring does.
type Reasons interface {
	SealReason(ctx context.Context, reason []byte) ([]byte, error)
	OpenReason(ctx context.Context, sealed []byte) ([]byte, error)
}

// Glass opens a case to somebody who has no right to it, for a reason and a short time, and has
// somebody else look at that afterwards. It lets a person read and do nothing else. Safe for concurrent
// use.
type Glass struct {
	rows    GlassRows
	reasons Reasons
	clock   func() time.Time
}

// NewGlass makes a Glass; a nil clock is time.Now.
func NewGlass(rows GlassRows, reasons Reasons, clock func() time.Time) *Glass {
	if clock == nil {
		clock = time.Now
	}
	return &Glass{rows: rows, reasons: reasons, clock: clock}
}

// Break opens a case to who for a while, at most MaxGlass, and puts it on the ledger with no words; the
// reason is sealed. That the case exists is for the caller to ask first. CodeForbidden without
// glass.break, CodeInvalid naming the field.
func (g *Glass) Break(ctx context.Context, who Who, ref casefile.CaseRef, reason string, lasts time.Duration) (records.BreakGlass, error) {
	err := who.Require(GlassBreak)
	if err != nil {
		return records.BreakGlass{}, err
	}
	ref, err = casefile.ParseCaseRef(string(ref))
	if err != nil {
		return records.BreakGlass{}, err
	}
	if lasts <= 0 || lasts > MaxGlass {
		return records.BreakGlass{}, casefile.Invalid("for", "more than nothing and at most %s", MaxGlass)
	}
	reason = strings.TrimSpace(reason)
	length := utf8.RuneCountInString(reason)
	if !utf8.ValidString(reason) || length < MinGlassReason || length > MaxGlassReason {
		return records.BreakGlass{}, casefile.Invalid("reason", "%d to %d characters", MinGlassReason, MaxGlassReason)
	}
	sealed, err := g.reasons.SealReason(ctx, []byte(reason))
	if err != nil {
		return records.BreakGlass{}, fmt.Errorf("seal the reason: %w", err)
	}
	now := g.clock().UTC()
	b := records.BreakGlass{ID: casefile.NewID(), Person: who.Person, Case: ref, At: now, Until: now.Add(lasts), Reason: sealed}
	err = g.rows.PutBreakGlass(ctx, b)
	if err != nil {
		return records.BreakGlass{}, fmt.Errorf("put broken glass on record: %w", err)
	}
	return b, nil
}

// Opens says whether who may read the case now because they broke its glass; the view's purpose is
// PurposeBreakGlass then. Somebody who lost glass.break since may not.
func (g *Glass) Opens(ctx context.Context, who Who, ref casefile.CaseRef) (bool, error) {
	if !who.May(GlassBreak) {
		return false, nil
	}
	live, err := g.rows.LiveBreakGlass(ctx, who.Person, ref, g.clock().UTC())
	if err != nil {
		return false, fmt.Errorf("look for broken glass: %w", err)
	}
	return live, nil
}

// Purpose gives the purpose under which who may open the case and that goes on record with the view: one
// that they asked for ("" for their usual one) where they may open it by their own right, and else
// PurposeBreakGlass where they broke its glass. restricted is the kind of the case's restricting
// referral, "" for none; holder says that who holds the case. CodeForbidden where they may not.
func (g *Glass) Purpose(ctx context.Context, who Who, ref casefile.CaseRef, restricted casefile.ReferralKind, holder bool, asked string) (Purpose, error) {
	if MaySeeRestricted(who, restricted, holder) {
		return who.Purpose(asked)
	}
	broken, err := g.Opens(ctx, who, ref)
	if err != nil {
		return "", err
	}
	if broken {
		return PurposeBreakGlass, nil
	}
	if who.May(CaseRead) {
		return "", casefile.Errorf(casefile.CodeForbidden, "the case opens only for its holder, leads and the team it was referred to")
	}
	return "", who.Require(CaseRead)
}

// List gives what was broken, newest first, at most limit rows; open means only what nobody has
// reviewed. CodeForbidden without glass.review.
func (g *Glass) List(ctx context.Context, who Who, open bool, limit int) ([]records.BreakGlass, error) {
	err := who.Require(GlassReview)
	if err != nil {
		return nil, err
	}
	rows, err := g.rows.BreakGlasses(ctx, open, limit)
	if err != nil {
		return nil, fmt.Errorf("list broken glass: %w", err)
	}
	return rows, nil
}

// Reason opens the words of a row. CodeForbidden without glass.review; CodeNotFound when the deployment
// key that sealed them is gone.
func (g *Glass) Reason(ctx context.Context, who Who, b records.BreakGlass) (string, error) {
	err := who.Require(GlassReview)
	if err != nil {
		return "", err
	}
	reason, err := g.reasons.OpenReason(ctx, b.Reason)
	if err != nil {
		return "", fmt.Errorf("open the reason: %w", err)
	}
	return string(reason), nil
}

// Review says, once, whether the glass was broken with good reason. CodeForbidden without glass.review
// and for what one broke oneself, CodeState when it was reviewed before, CodeNotFound.
func (g *Glass) Review(ctx context.Context, who Who, id string, justified bool) error {
	actor, err := who.ActorFor(GlassReview)
	if err != nil {
		return err
	}
	err = g.rows.ReviewBreakGlass(ctx, id, actor, justified, g.clock().UTC())
	if err != nil {
		return fmt.Errorf("review broken glass: %w", err)
	}
	return nil
}
