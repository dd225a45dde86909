package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// parts says how the people who have to do with a case took part in it: whoever holds it or gave an
// opinion, as the state says; everybody else by whether a flag is theirs.
func (w *Work) parts(ctx context.Context, s workflows.CaseState) ([]records.PartRow, error) {
	now := w.Now()
	var rows []records.PartRow
	if s.Claim != nil {
		rows = append(rows, records.PartRow{Case: s.Ref, Person: s.Claim.Person, Part: records.PartClaim, At: s.Claim.GrantedAt})
	}
	for _, o := range s.Opinions {
		rows = append(rows, records.PartRow{Case: s.Ref, Person: o.Person, Part: records.PartOpinion, Round: s.Round, At: o.At})
	}
	rest, err := w.unplaced(ctx, s, rows)
	if err != nil || len(rest) == 0 {
		return rows, err
	}
	flags, err := w.Records.CaseFlags(ctx, s.Ref)
	if err != nil {
		return nil, fmt.Errorf("list the case's flags: %w", err)
	}
	for _, person := range rest {
		row := records.PartRow{Case: s.Ref, Person: person, Part: records.PartClaim, At: now}
		i := slices.IndexFunc(flags, func(f records.FlagReceipt) bool { return f.Source == person })
		if i >= 0 {
			row.Part, row.At = records.PartFlag, flags[i].At
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// unplaced lists the people of the state whom neither rows nor the records place anywhere yet. The
// flags of a case may be many, so that they are read for nobody else.
func (w *Work) unplaced(ctx context.Context, s workflows.CaseState, rows []records.PartRow) ([]casefile.Person, error) {
	placed := func(list []records.PartRow) func(casefile.Person) bool {
		return func(p casefile.Person) bool {
			return slices.ContainsFunc(list, func(r records.PartRow) bool { return r.Person == p })
		}
	}
	rest := slices.DeleteFunc(slices.Clone(s.Parts), placed(rows))
	if len(rest) == 0 {
		return nil, nil
	}
	known, err := w.Records.Parts(ctx, s.Ref)
	if err != nil {
		return nil, fmt.Errorf("list who took part in the case: %w", err)
	}
	return slices.DeleteFunc(rest, placed(known)), nil
}

// tookPart lists everybody who had to do with the case of a decision: authors of flags, holders of a
// claim, authors of opinions. None of them decides an appeal against it.
func tookPart(ctx context.Context, rows records.Store, d casefile.Decision) ([]casefile.Person, error) {
	var people []casefile.Person
	add := func(p casefile.Person) {
		if p != "" && !slices.Contains(people, p) {
			people = append(people, p)
		}
	}
	parts, err := rows.Parts(ctx, d.Case)
	if err != nil {
		return nil, fmt.Errorf("list who took part in the case: %w", err)
	}
	for _, p := range parts {
		add(p.Person)
	}
	flags, err := rows.CaseFlags(ctx, d.Case)
	if err != nil {
		return nil, fmt.Errorf("list the case's flags: %w", err)
	}
	for _, f := range flags {
		add(f.Source)
	}
	for _, o := range d.Opinions {
		add(o.Person)
	}
	return people, nil
}
