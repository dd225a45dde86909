package activities

import (
	"context"
	"fmt"
	"sort"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
)

// gathered is a case's evidence as its flags brought it.
type gathered struct {
	account casefile.Account // newest profile
	flags   []casefile.Flag
	posts   []casefile.Event // each post once, oldest first
	lost    int              // flags whose sealed content could not be opened
}

// gather opens the case's sealed flags. A reopened case brings the flags of the case before with it.
func (w *Work) gather(ctx context.Context, account casefile.AccountKey, ref casefile.CaseRef) (gathered, error) {
	rows, err := w.Records.CaseFlags(ctx, ref)
	if err != nil {
		return gathered{}, fmt.Errorf("list the case's flags: %w", err)
	}
	var g gathered
	posts := map[string]int{}
	for _, row := range rows {
		flags, err := w.openReceipt(ctx, account, row)
		if err != nil {
			if casefile.ErrorCode(err) != casefile.CodeNotFound {
				return gathered{}, fmt.Errorf("open a sealed flag: %w", err)
			}
			g.lost++
			continue
		}
		for _, f := range flags {
			g.flags = append(g.flags, f)
			g.account = g.account.Merge(f.Account)
			for _, e := range f.Evidence {
				key := string(e.Kind) + "\x00" + e.ID
				at, seen := posts[key]
				switch {
				case !seen:
					posts[key] = len(g.posts)
					g.posts = append(g.posts, e)
				case e.At.After(g.posts[at].At):
					g.posts[at] = e
				}
			}
		}
	}
	sort.SliceStable(g.posts, func(i, j int) bool { return g.posts[i].At.Before(g.posts[j].At) })
	return g, nil
}

func (w *Work) openReceipt(ctx context.Context, account casefile.AccountKey, row records.FlagReceipt) ([]casefile.Flag, error) {
	if row.Reopens == "" {
		f, err := open[casefile.Flag](ctx, w.Sealer, account, evidence.KindFlag, row.Sealed)
		if err != nil {
			return nil, err
		}
		return []casefile.Flag{f}, nil
	}
	file, err := w.caseFile(ctx, account, row.Reopens)
	if err != nil {
		return nil, err
	}
	var flags []casefile.Flag
	for _, sealed := range file.Flags {
		f, err := open[casefile.Flag](ctx, w.Sealer, account, evidence.KindFlag, sealed)
		if err != nil {
			return nil, err
		}
		flags = append(flags, f)
	}
	return flags, nil
}

// summary is what routing rules see of the flags.
func (g gathered) summary() policy.FlagSummary {
	s := policy.FlagSummary{Count: len(g.flags), Posts: len(g.posts)}
	seenPolicy, seenRule := map[casefile.PolicyCode]bool{}, map[string]bool{}
	for _, f := range g.flags {
		weight := 0.0
		for _, r := range f.Reasons {
			weight += r.Weight
			if !seenPolicy[r.Policy] {
				seenPolicy[r.Policy] = true
				s.Policies = append(s.Policies, r.Policy)
			}
			if !seenRule[r.Rule] {
				seenRule[r.Rule] = true
				s.Rules = append(s.Rules, r.Rule)
			}
		}
		s.Weight = max(s.Weight, weight)
	}
	sort.Slice(s.Policies, func(i, j int) bool { return s.Policies[i] < s.Policies[j] })
	sort.Strings(s.Rules)
	return s
}
