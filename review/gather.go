package review

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
)

// takenFlag is an opened flag of a case with its receipt.
type takenFlag struct {
	flag casefile.Flag
	row  records.FlagReceipt
}

// openFlags opens the flags of a case, oldest first. lost counts those whose content is gone or
// does not decode; err is for engines that do not answer.
func (d *Desk) openFlags(ctx context.Context, row records.Case) (flags []takenFlag, lost int, err error) {
	receipts, err := d.o.Records.CaseFlags(ctx, row.Ref)
	if err != nil {
		return nil, 0, fmt.Errorf("list the case's flags: %w", err)
	}
	for _, r := range receipts {
		addresses, err := d.flagAddresses(ctx, row.Account, r)
		if err != nil {
			if !gone(err) {
				return nil, 0, err
			}
			lost++
			continue
		}
		for _, a := range addresses {
			var f casefile.Flag
			err = d.open(ctx, row.Account, evidence.KindFlag, a, &f)
			if err != nil {
				if !gone(err) {
					return nil, 0, err
				}
				lost++
				continue
			}
			flags = append(flags, takenFlag{flag: f, row: r})
		}
	}
	return flags, lost, nil
}

// flagAddresses lists the sealed flags behind a receipt: its own, or for a reopening those that the
// reopened case's archived file names.
func (d *Desk) flagAddresses(ctx context.Context, account casefile.AccountKey, r records.FlagReceipt) ([]casefile.Address, error) {
	if r.Reopens == "" {
		return []casefile.Address{r.Sealed}, nil
	}
	var file struct {
		Flags []casefile.Address `json:"flags"`
	}
	err := d.open(ctx, account, evidence.KindCaseFile, r.Sealed, &file)
	if err != nil {
		return nil, err
	}
	return file.Flags, nil
}

// errDecode marks sealed content that opens but does not decode.
var errDecode = casefile.Errorf(casefile.CodeInvalid, "sealed content does not decode")

// gone reports whether err says that content is not there any more or cannot be read for good.
func gone(err error) bool {
	switch casefile.ErrorCode(err) {
	case casefile.CodeNotFound, casefile.CodeInvalid:
		return true
	}
	return false
}

// open decodes sealed JSON into v.
func (d *Desk) open(ctx context.Context, account casefile.AccountKey, kind evidence.Kind, address casefile.Address, v any) error {
	data, err := d.o.Sealer.Open(ctx, account, kind, address)
	if err != nil {
		return fmt.Errorf("open sealed %s: %w", kind, err)
	}
	err = json.Unmarshal(data, v)
	if err != nil {
		return fmt.Errorf("decode sealed %s: %w", kind, errDecode)
	}
	return nil
}

// postKey tells versions of a post apart: an edited post is evidence in each of its forms.
type postKey struct{ id, text string }

// mergePosts lists every post of the flags once, newest first, with the places that the flags'
// rules matched. dropped counts places that do not lie in the post they name.
func mergePosts(flags []takenFlag) (posts []EvidencePost, dropped int) {
	at := map[postKey]int{}
	for _, f := range flags {
		for _, e := range f.flag.Evidence {
			k := postKey{e.ID, e.Text}
			i, seen := at[k]
			if !seen {
				i = len(posts)
				at[k] = i
				posts = append(posts, EvidencePost{Event: e, Spans: []casefile.Span{}})
			}
			for _, r := range f.flag.Reasons {
				dropped += addSpans(&posts[i], r)
			}
		}
	}
	sort.SliceStable(posts, func(i, j int) bool { return posts[i].Event.At.After(posts[j].Event.At) })
	for i := range posts {
		sortSpans(posts[i].Spans)
	}
	return posts, dropped
}

func addSpans(p *EvidencePost, r casefile.Reason) (dropped int) {
	for _, m := range r.Terms {
		if m.Post != p.Event.ID {
			continue
		}
		span := casefile.Span{Start: m.Start, End: m.End, Term: m.Term}
		if !fits(span, p.Event.Text) {
			dropped++
			continue
		}
		addSpan(p, span)
	}
	return dropped
}

// addSpan adds a span once: flags of one case repeat each other's matches.
func addSpan(p *EvidencePost, span casefile.Span) {
	for i, s := range p.Spans {
		if s.Start == span.Start && s.End == span.End && s.Term == span.Term {
			if p.Spans[i].Weight == 0 {
				p.Spans[i].Weight = span.Weight
			}
			return
		}
	}
	p.Spans = append(p.Spans, span)
}

// fits reports whether a span lies in the text and cuts no character.
func fits(s casefile.Span, text string) bool {
	return s.Start >= 0 && s.Start < s.End && s.End <= len(text) &&
		utf8.RuneStart(text[s.Start]) && (s.End == len(text) || utf8.RuneStart(text[s.End]))
}

func sortSpans(spans []casefile.Span) {
	sort.SliceStable(spans, func(i, j int) bool {
		if spans[i].Start != spans[j].Start {
			return spans[i].Start < spans[j].Start
		}
		return spans[i].End < spans[j].End
	})
}

// scorePosts lays the scores of findings over the posts they are about.
func scorePosts(posts []EvidencePost, findings []casefile.Finding) (dropped int) {
	for _, f := range findings {
		if f.Kind != casefile.FindingScore || f.Status != casefile.StatusKnown {
			continue
		}
		for _, item := range f.Items {
			for i := range posts {
				p := &posts[i]
				if item.Post == "" || p.Event.ID != item.Post || item.Text != "" && item.Text != p.Event.Text {
					continue
				}
				if item.Score != nil && (p.Score == nil || *item.Score > *p.Score) {
					score := *item.Score
					p.Score = &score
				}
				for _, s := range item.Spans {
					if !fits(s, p.Event.Text) {
						dropped++
						continue
					}
					addSpan(p, s)
				}
				sortSpans(p.Spans)
			}
		}
	}
	return dropped
}
