package activities

import (
	"context"
	"fmt"
	"sort"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/classify/mitigation"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// historyPosts is how many of an account's newest posts the score and the page look at.
const historyPosts = 50

// findings asks every source once. Each answers with a finding of its own kind and status.
func (w *Work) findings(ctx context.Context, ask workflows.AssessAsk, g gathered, seen seenBefore) []casefile.Finding {
	history, past := w.history(ctx, ask, g)
	posts := mergePosts(g.posts, past)
	return []casefile.Finding{
		history,
		w.earlierCases(ctx, ask, seen),
		w.strikes(ctx, ask),
		w.score(ctx, ask, g, posts),
		w.lookAlike(ctx, ask, g),
		w.mitigations(g, posts),
	}
}

func (w *Work) finding(kind casefile.FindingKind, source, version string) casefile.Finding {
	return casefile.Finding{Kind: kind, Source: source, Version: version, At: w.Now().UTC(), Status: casefile.StatusKnown}
}

// failed notes that a source erred; the error's text stays out, it may quote content.
func (w *Work) failed(ctx context.Context, f casefile.Finding, err error) casefile.Finding {
	f.Status, f.Values, f.Items = casefile.StatusFailed, nil, nil
	f.Why = "the source failed: " + string(casefile.ErrorCode(err))
	w.Log.WarnContext(ctx, "finding failed", "kind", string(f.Kind), "source", f.Source, "code", string(casefile.ErrorCode(err)))
	return f
}

func unknown(f casefile.Finding, why string) casefile.Finding {
	f.Status, f.Values, f.Items, f.Why = casefile.StatusUnknown, nil, nil, why
	return f
}

func (w *Work) history(ctx context.Context, ask workflows.AssessAsk, g gathered) (casefile.Finding, []casefile.Event) {
	f := w.finding(casefile.FindingHistory, "history index", "1")
	ctx, cancel := w.within(ctx)
	defer cancel()
	h, err := w.History.AccountHistory(ctx, ask.Platform, ask.Account, historyPosts)
	if err == nil {
		err = h.Check(ask.Platform, historyPosts)
	}
	if err != nil {
		return w.failed(ctx, f, err), nil
	}
	cover, err := w.History.Coverage(ctx, ask.Platform)
	if err == nil {
		err = cover.Check()
	}
	if err != nil {
		return w.failed(ctx, f, err), nil
	}
	if cover.Posts == 0 {
		return unknown(f, "history holds nothing of this platform yet"), nil
	}
	if h.Posts == 0 && g.postedBetween(cover.From, cover.To) {
		return unknown(f, "history does not follow this account: it lacks the posts that were flagged"), nil
	}
	f.Values = map[string]float64{"posts": float64(h.Posts), "reposts": float64(h.Reposts), "replies": float64(h.Replies)}
	if h.First != nil && h.Last != nil {
		f.Values["days"] = h.Last.Sub(*h.First).Hours() / 24
	}
	f.Why = fmt.Sprintf("history covers %s to %s", cover.From.UTC().Format("2006-01-02 15:04"), cover.To.UTC().Format("2006-01-02 15:04"))
	for _, e := range h.Newest {
		at := e.At
		f.Items = append(f.Items, casefile.FindingItem{Label: string(e.Kind), Post: e.ID, Text: e.Text, At: &at})
	}
	return f, h.Newest
}

// labelNew marks the posts of a case that no earlier decision on the account had before it.
const labelNew = "new"

// earlierCases counts the account's closed cases, and what of this one's evidence is new against them.
func (w *Work) earlierCases(ctx context.Context, ask workflows.AssessAsk, seen seenBefore) casefile.Finding {
	f := w.finding(casefile.FindingEarlierCases, "records", "2")
	if seen.err != nil {
		return w.failed(ctx, f, seen.err)
	}
	cases, err := w.Records.AccountCases(ctx, ask.Account)
	if err != nil {
		return w.failed(ctx, f, err)
	}
	added := seen.newItems()
	f.Values = map[string]float64{"closed": 0, "violations": 0, "items": float64(len(seen.items)), "items_new": float64(len(added))}
	for _, c := range cases {
		if c.Ref == ask.Ref || c.State != casefile.StateClosed {
			continue
		}
		f.Values["closed"]++
		item := casefile.FindingItem{Label: "closed: " + string(c.CloseReason), Case: c.Ref, At: c.ClosedAt}
		if c.Decision != "" {
			d, err := w.Records.Decision(ctx, c.Decision)
			if err != nil {
				return w.failed(ctx, f, err)
			}
			violation, err := w.violation(ctx, d)
			if err != nil {
				return w.failed(ctx, f, err)
			}
			if violation {
				f.Values["violations"]++
				f.Values["highest_action"] = max(f.Values["highest_action"], float64(d.Decision.Action.Severity()))
			}
			item.Label = string(d.Decision.Action) + " " + string(d.Decision.Policies[0])
		}
		f.Items = append(f.Items, item)
	}
	if f.Values["closed"] == 0 {
		return f // the first case of an account: all of it is new
	}
	for _, x := range added {
		if x.post != "" {
			f.Items = append(f.Items, casefile.FindingItem{Label: labelNew, Post: x.post})
		}
	}
	return f
}

// violation says whether a decision counts against the account: not one that was for nothing, and
// none that fell, also where not all of it could be taken back.
func (w *Work) violation(ctx context.Context, d records.DecisionRow) (bool, error) {
	if d.Decision.Action == casefile.L0 || d.State == casefile.DecisionUndone {
		return false, nil
	}
	fell, err := fallen(ctx, w.Records, d.Decision.ID)
	return !fell, err
}

func (w *Work) strikes(ctx context.Context, ask workflows.AssessAsk) casefile.Finding {
	f := w.finding(casefile.FindingStrikes, "records", "1")
	strikes, err := w.Records.Strikes(ctx, ask.Account, w.Now())
	if err != nil {
		return w.failed(ctx, f, err)
	}
	f.Values = map[string]float64{"live": float64(len(strikes))}
	for _, s := range strikes {
		at := s.At
		f.Items = append(f.Items, casefile.FindingItem{Label: "strike until " + s.ExpiresAt.UTC().Format("2006-01-02"), At: &at})
	}
	return f
}

func (w *Work) score(ctx context.Context, ask workflows.AssessAsk, g gathered, posts []casefile.Event) casefile.Finding {
	m := w.Scorer.Model()
	f := w.finding(casefile.FindingScore, m.Name, m.Version)
	if len(posts) == 0 {
		return unknown(f, "the account has no posts to score")
	}
	ctx, cancel := w.within(ctx)
	defer cancel()
	s, err := w.Scorer.ScoreAccount(ctx, ask.Platform, g.account, posts)
	if casefile.ErrorCode(err) == casefile.CodeInvalid {
		return unknown(f, "none of the account's posts can be scored")
	}
	if err == nil {
		err = s.Check(ask.Platform, g.account.ID, m, posts)
	}
	if err != nil {
		return w.failed(ctx, f, err)
	}
	f.Values = s.Values()
	f.Items = scoreItems(s, posts)
	return f
}

func scoreItems(s classify.Score, posts []casefile.Event) []casefile.FindingItem {
	byID := map[string]casefile.Event{}
	for _, e := range posts {
		byID[e.ID] = e
	}
	items := make([]casefile.FindingItem, 0, len(s.Top))
	for _, p := range s.Top {
		score, e := p.Score, byID[p.Post]
		at := e.At
		items = append(items, casefile.FindingItem{Label: "post", Post: p.Post, Text: e.Text, At: &at, Score: &score, Spans: p.Terms})
	}
	sort.SliceStable(items, func(i, j int) bool { return *items[i].Score > *items[j].Score })
	return items
}

func (w *Work) lookAlike(ctx context.Context, ask workflows.AssessAsk, g gathered) casefile.Finding {
	f := w.finding(casefile.FindingLookAlike, "records", "1")
	if g.account.Handle == "" {
		return unknown(f, "the stream did not tell the account's handle")
	}
	found, err := w.Records.LookAlikes(ctx, ask.Account, ask.Platform, w.Identity.HandleHashes(ask.Platform, g.account.Handle))
	if err != nil {
		return w.failed(ctx, f, err)
	}
	f.Values = map[string]float64{"accounts": float64(len(found))}
	for _, other := range found {
		f.Items = append(f.Items, casefile.FindingItem{Label: "taken down under a like handle", Account: other})
	}
	return f
}

func (w *Work) mitigations(g gathered, posts []casefile.Event) casefile.Finding {
	f := w.finding(casefile.FindingMitigations, "word lists", mitigation.Version)
	if len(posts) == 0 && g.account.Bio == "" && g.account.DisplayName == "" {
		return unknown(f, "neither posts nor a profile to look at")
	}
	signs := mitigation.Find(g.account, posts)
	f.Values = map[string]float64{}
	for _, m := range casefile.Mitigations {
		if n, ok := signs.Counts[m]; ok {
			f.Values[string(m)] = float64(n)
		}
	}
	f.Items = signs.Items
	return f
}

// mergePosts joins the flags' evidence with history, posts and edits only, each post once in its
// latest form.
func mergePosts(evidencePosts, history []casefile.Event) []casefile.Event {
	at := map[string]int{}
	var out []casefile.Event
	for _, list := range [][]casefile.Event{evidencePosts, history} {
		for _, e := range list {
			if e.Kind != casefile.EventPost && e.Kind != casefile.EventEdit || e.Text == "" {
				continue
			}
			i, seen := at[e.ID]
			switch {
			case !seen:
				at[e.ID] = len(out)
				out = append(out, e)
			case e.At.After(out[i].At):
				out[i] = e
			}
		}
	}
	return out
}
