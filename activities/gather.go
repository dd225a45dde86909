package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

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
	count   int              // flags of the case, those not opened included
	reopens bool             // somebody asked for a closed case to be looked at again
}

// maxGathered bounds the flags that one assessment opens, the newest: a flood of flags of one
// account must not make each assessment longer than the last. Reviewers see all of them.
const maxGathered = 100

// gather opens the case's sealed flags. A reopened case brings the flags of the case before with it.
func (w *Work) gather(ctx context.Context, account casefile.AccountKey, ref casefile.CaseRef) (gathered, error) {
	rows, err := w.Records.CaseFlags(ctx, ref)
	if err != nil {
		return gathered{}, fmt.Errorf("list the case's flags: %w", err)
	}
	g := gathered{count: max(0, len(rows)-maxGathered)}
	posts := map[string]int{}
	g.reopens = slices.ContainsFunc(rows, func(r records.FlagReceipt) bool { return r.Reopens != "" })
	for _, row := range rows[max(0, len(rows)-maxGathered):] {
		flags, lost, err := w.openReceipt(ctx, account, row)
		if err != nil {
			return gathered{}, fmt.Errorf("open a sealed flag: %w", err)
		}
		g.lost += lost
		g.count += len(flags) + lost
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

// openReceipt opens the flags that a row stands for. What is gone for good is counted as lost: a
// person must still see the rest.
func (w *Work) openReceipt(ctx context.Context, account casefile.AccountKey, row records.FlagReceipt) (flags []casefile.Flag, lost int, err error) {
	sealed := []casefile.Address{row.Sealed}
	if row.Reopens != "" {
		file, err := w.caseFile(ctx, account, row.Reopens)
		if gone(err) {
			w.Log.ErrorContext(ctx, "archived case file is gone", "case", string(row.Reopens), "code", string(casefile.ErrorCode(err)))
			return nil, 1, nil
		}
		if err != nil {
			return nil, 0, err
		}
		sealed = file.Flags
	}
	for _, address := range sealed {
		f, err := open[casefile.Flag](ctx, w.Sealer, account, evidence.KindFlag, address)
		if gone(err) {
			w.Log.ErrorContext(ctx, "sealed flag is gone", "case", string(row.Case), "code", string(casefile.ErrorCode(err)))
			lost++
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		flags = append(flags, f)
	}
	return flags, lost, nil
}

// gone says that trying again brings nothing back: the thing is absent, erased or damaged.
func gone(err error) bool {
	return casefile.ErrorCode(err) == casefile.CodeNotFound || errors.Is(err, evidence.ErrDamaged)
}

// postedBetween says whether the flags know of a post of that time.
func (g gathered) postedBetween(from, to time.Time) bool {
	return slices.ContainsFunc(g.posts, func(e casefile.Event) bool {
		return (e.Kind == casefile.EventPost || e.Kind == casefile.EventEdit) && !e.At.Before(from) && !e.At.After(to)
	})
}

// summary is what routing rules see of the flags.
func (g gathered) summary() policy.FlagSummary {
	s := policy.FlagSummary{Count: g.count - g.lost, Posts: len(g.posts), Lost: g.count - len(g.flags)}
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
