package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// automatic gives what a rule decides on a fresh case; nil where none does. Whatever is off, sampled,
// over a limit or cannot be found out goes to people. counted is what became of counting the case.
func (w *Work) automatic(ctx context.Context, ask workflows.AssessAsk, g gathered, in policy.Input, counted error) *workflows.Automatic {
	rule, ok := w.Router.Automatic(in)
	if !ok {
		if rule.Why != policy.WhyNoRules {
			w.diverted(ctx, ask.Ref, "automatic", string(rule.Why))
		}
		return nil
	}
	why := w.leave(ctx, ask, rule, counted)
	if why != "" {
		w.diverted(ctx, ask.Ref, rule.ID, why)
		return nil
	}
	a := workflows.Automatic{Rule: rule.ID, Judgement: rule.Judgement, Decision: casefile.NewID()}
	var err error
	a.Notice, err = w.automaticNotice(ctx, ask, g, a)
	if err != nil {
		// The rule's count stands: a rule whose notices cannot be written trips its breaker.
		w.diverted(ctx, ask.Ref, rule.ID, "notice_"+string(casefile.ErrorCode(err)))
		return nil
	}
	return &a
}

// leave asks everything that may keep a rule from deciding; "" where nothing does, else a code.
func (w *Work) leave(ctx context.Context, ask workflows.AssessAsk, rule policy.AutoRule, counted error) string {
	if counted != nil {
		return "count_" + string(casefile.ErrorCode(counted)) // the breaker would not know of this case
	}
	on, err := w.automationOn(ctx)
	if err != nil {
		return "switch_" + string(casefile.ErrorCode(err))
	}
	if !on {
		return "switched_off"
	}
	// Drawn before the breaker counts: what people decide is none of the rule's.
	if w.draw() < rule.SamplePermille {
		return whySampled
	}
	limits := records.BreakerLimits{PerHour: rule.Breaker.PerHour, SharePermille: rule.Breaker.SharePermille, MinCases: rule.Breaker.MinCases}
	leave, tripped, err := w.Records.CountAutomatic(ctx, rule.ID, ask.Ref, limits, w.Now())
	if err != nil {
		return "breaker_" + string(casefile.ErrorCode(err))
	}
	if tripped {
		w.Log.ErrorContext(ctx, "breaker tripped", "rule", rule.ID, "case", string(ask.Ref))
		err = w.Records.PutTelling(ctx, records.TellingRow{
			ID: telling.ID(telling.KindBreakerTripped, rule.ID, string(ask.Ref)), Kind: string(telling.KindBreakerTripped), Page: true,
			Platform: ask.Platform, At: w.Now(),
		})
		if err != nil {
			w.Log.ErrorContext(ctx, "nobody is told of a tripped breaker", "rule", rule.ID, "code", string(casefile.ErrorCode(err)))
		}
	}
	if !leave {
		return "breaker"
	}
	return ""
}

// automationOn says whether rules may decide at all: off unless somebody switched it on.
func (w *Work) automationOn(ctx context.Context) (bool, error) {
	list, err := w.Records.Switches(ctx)
	if err != nil {
		return false, fmt.Errorf("read the switches: %w", err)
	}
	for _, s := range list {
		if s.Name == records.SwitchAutomation {
			return s.On, nil
		}
	}
	return false, nil
}

// maxNoticePosts bounds the posts that an automatic notice quotes, the newest.
const maxNoticePosts = 20

// automaticNotice writes and seals the notice of a rule's decision; nil where the action sends none.
func (w *Work) automaticNotice(ctx context.Context, ask workflows.AssessAsk, g gathered, a workflows.Automatic) (*casefile.NoticeRef, error) {
	if !notice.Due(a.Judgement.Action) {
		return nil, nil
	}
	posts := mergePosts(g.posts, nil)
	data := notice.Data{
		Number: casefile.NewID(), Date: w.Now(), Case: ask.Ref, Decision: a.Decision, Service: w.Service, Account: g.account,
		Judgement: a.Judgement, DecidedBy: casefile.ByAutomation, Rule: a.Rule, Complaints: w.Complaints,
		Profile: len(posts) == 0, Lang: notice.Language(g.posts),
	}
	for _, e := range posts[max(0, len(posts)-maxNoticePosts):] {
		data.Posts = append(data.Posts, notice.Post{ID: e.ID, At: e.At, Text: e.Text})
	}
	n, err := notice.Render(data)
	if err != nil {
		return nil, fmt.Errorf("write the notice of a rule's decision: %w", err)
	}
	ref := &casefile.NoticeRef{Number: n.Number}
	ref.Text, ref.Digest, err = seal(ctx, w.Sealer, ask.Account, evidence.KindNotice, n)
	if err != nil {
		return nil, fmt.Errorf("seal the notice of a rule's decision: %w", err)
	}
	return ref, nil
}
