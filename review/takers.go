package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Taker is somebody to whom a case may be handed over. Name and login stand there where the caller sees
// them, else the pseudonym in place of the name; the team where the caller sees the name or is of it.
type Taker struct {
	Person casefile.Person `json:"person"`
	Login  string          `json:"login,omitempty"`
	Name   string          `json:"name"`
	Roles  []casefile.Role `json:"roles"` // those in which they judge
	Team   string          `json:"team,omitempty"`
}

// Takers lists to whom somebody who holds a case may hand it over: everybody enabled who takes cases from
// its queue and has not held it before. Whoever gave an opinion on it held it; leaving out those alone
// would tell who they are. CodeForbidden, CodeNotFound, CodeStaleClaim for a case that the caller does not hold.
func (d *Desk) Takers(ctx context.Context, who access.Who, ref casefile.CaseRef) ([]Taker, error) {
	err := who.Require(access.CaseHandOver)
	if err != nil {
		return nil, err
	}
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return nil, err
	}
	if !d.holds(who, row) {
		return nil, casefile.Errorf(casefile.CodeStaleClaim, "only whoever holds a case hands it over")
	}
	people, err := d.o.Records.ListPeople(ctx)
	if err != nil {
		return nil, fmt.Errorf("list whom a case may be handed over to: %w", err)
	}
	had, err := d.had(ctx, row)
	if err != nil {
		return nil, err
	}
	out := []Taker{}
	for _, p := range people {
		if p.Person == who.Person || !d.mayBeGiven(p, row) || slices.Contains(had, p.Person) {
			continue
		}
		judges := func(r casefile.Role) bool { return access.Allowed([]casefile.Role{r}, access.CaseOpinion) }
		t := Taker{Person: p.Person, Name: who.ShowName(p), Roles: slices.DeleteFunc(slices.Clone(p.Roles), func(r casefile.Role) bool { return !judges(r) })}
		if who.SeesName(p) {
			t.Login = p.Login
		}
		if t.Login != "" || p.Team == who.Team {
			t.Team = p.Team
		}
		out = append(out, t)
	}
	slices.SortFunc(out, compareTakers)
	return out, nil
}

// compareTakers orders by what the caller sees: those with a name by it, then the others by team and
// roles. The order of logins would say something of those that they do not see.
func compareTakers(a, b Taker) int {
	if (a.Login == "") != (b.Login == "") {
		return cmp.Compare(b.Login, a.Login)
	}
	if a.Login != "" {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Login, b.Login))
	}
	return cmp.Or(cmp.Compare(b.Team, a.Team), slices.Compare(a.Roles, b.Roles), cmp.Compare(a.Person, b.Person))
}

// mayBeGiven reports whether somebody enabled takes cases from a case's queue at its stage.
func (d *Desk) mayBeGiven(p records.PersonRow, row records.Case) bool {
	taker := access.Who{Person: p.Person, Roles: p.Roles, Team: p.Team}
	return p.Active && taker.May(access.CaseClaim) && d.mayTakeFrom(taker, row.Route.Queue) == nil &&
		(row.Stage != casefile.StageAdjudication || taker.May(access.CaseAdjudicate))
}
