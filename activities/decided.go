package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// item is a piece of a case's evidence in one wording, by its keyed digest.
type item struct {
	key  string
	post string // id of the post; "" for what is no post
}

// items lists the evidence that the opened flags brought, each wording of a post and each state of the
// account's profile once, in their order.
func (w *Work) items(platform string, g gathered) []item {
	var out []item
	add := func(post, id, text string) {
		key := w.Identity.Item(platform, id, text)
		if !slices.ContainsFunc(out, func(i item) bool { return i.key == key }) {
			out = append(out, item{key: key, post: post})
		}
	}
	for _, f := range g.flags {
		add("", casefile.EvidenceProfile, profileText(f.Account))
		for _, e := range f.Evidence {
			switch e.Kind {
			case casefile.EventPost, casefile.EventEdit:
				add(e.ID, e.ID, postText(e))
			case casefile.EventAccount, casefile.EventAccountGone:
				add("", string(e.Kind), profileText(e.Account))
			default:
				add("", string(e.Kind)+"\x00"+e.ID, "")
			}
		}
	}
	return out
}

// postText is what makes one wording of a post: its text, and its media where the stream told their
// hashes. Addresses of media change by themselves and say nothing.
func postText(e casefile.Event) string {
	text := e.Text
	for _, m := range e.Media {
		if m.SHA256 != "" {
			text += "\x00" + m.SHA256
		}
	}
	return text
}

// profileText is what a person may have written on their profile; counters are none of it.
func profileText(a casefile.Account) string {
	return strings.Join([]string{a.Handle, a.DisplayName, a.Bio}, "\x00")
}

// seenBefore says which of a case's evidence an earlier decision had before it.
type seenBefore struct {
	items   []item
	decided map[string]string // newest decision that had an item before it, by the item's key
	err     error             // the records could not say
}

func (w *Work) seenBefore(ctx context.Context, ask workflows.AssessAsk, g gathered) seenBefore {
	s := seenBefore{items: w.items(ask.Platform, g), decided: map[string]string{}}
	if len(s.items) == 0 {
		return s
	}
	keys := make([]string, len(s.items))
	for i, x := range s.items {
		keys[i] = x.key
	}
	list, err := w.Records.DecidedItems(ctx, ask.Account, keys)
	if err != nil {
		s.err = err
		return s
	}
	for _, d := range list {
		s.decided[d.Item] = d.Decision
	}
	return s
}

// newItems lists the items that no earlier decision had before it.
func (s seenBefore) newItems() []item {
	return slices.DeleteFunc(slices.Clone(s.items), func(i item) bool { return s.decided[i.key] != "" })
}

// nothingNew says that every piece of the evidence was before an earlier decision, and that there is a
// post among it: a flag that names no post says nothing of what it saw.
func (s seenBefore) nothingNew() bool {
	return s.err == nil && len(s.newItems()) == 0 && slices.ContainsFunc(s.items, func(i item) bool { return i.post != "" })
}

// decision is the one that had all of the evidence before it; "" where it is spread over several.
func (s seenBefore) decision() string {
	found := ""
	for _, x := range s.items {
		d := s.decided[x.key]
		if found != "" && d != found {
			return ""
		}
		found = d
	}
	return found
}

// standing are the states of a decision that answers for evidence that comes again: it was carried
// out, or is being carried out. One that failed or is uncertain answers for nothing.
var standing = []casefile.DecisionState{
	casefile.DecisionRecorded, casefile.DecisionExecuting, casefile.DecisionDone, casefile.DecisionEnded,
}

// alreadyDecided gives the decision that a case without anything new is closed with; "" where people
// look at it.
func (w *Work) alreadyDecided(ctx context.Context, ask workflows.AssessAsk, g gathered, seen seenBefore) string {
	decision, why := w.answering(ctx, g, seen)
	if why == "" && w.draw() < w.Router.AlreadyDecidedSample() {
		why = whySampled
	}
	if why != "" {
		w.diverted(ctx, ask.Ref, "already_decided", why)
		return ""
	}
	w.Log.InfoContext(ctx, "nothing new: the earlier decision answers", "case", string(ask.Ref), "decision", decision)
	return decision
}

// Reasons for which people look at a case all the same.
const (
	whySampled   = "sampled"
	whyUnopened  = "flags_unopened"
	whySeveral   = "several_decisions"
	whyNotStands = "decision_not_standing"
)

func (w *Work) answering(ctx context.Context, g gathered, seen seenBefore) (decision, why string) {
	if g.count != len(g.flags) {
		return "", whyUnopened
	}
	decision = seen.decision()
	if decision == "" {
		return "", whySeveral
	}
	row, err := w.Records.Decision(ctx, decision)
	if err != nil {
		return "", "decision_" + string(casefile.ErrorCode(err))
	}
	if !slices.Contains(standing, row.State) {
		return "", whyNotStands
	}
	fell, err := fallen(ctx, w.Records, decision)
	if err != nil {
		return "", "appeals_" + string(casefile.ErrorCode(err))
	}
	if fell {
		return "", whyNotStands
	}
	return decision, ""
}

// putDecidedItems notes the evidence that a case's decision had before it.
func (w *Work) putDecidedItems(ctx context.Context, platform string, account casefile.AccountKey, d casefile.Decision) error {
	g, err := w.gather(ctx, account, d.Case)
	if err != nil {
		return err
	}
	var keys []string
	for _, x := range w.items(platform, g) {
		keys = append(keys, x.key)
	}
	if len(keys) == 0 {
		return nil
	}
	err = w.Records.PutDecidedItems(ctx, account, d.ID, keys, d.DecidedAt)
	if err != nil {
		return fmt.Errorf("note the evidence that the decision had before it: %w", err)
	}
	return nil
}
