package access

import (
	"context"
	"fmt"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// NewPerson is somebody to be added, before they have a pseudonym.
type NewPerson struct {
	Login string // 2 to 32 of a-z, 0-9, '-', '_' and '.', beginning with a letter; unique
	Name  string
	Roles []casefile.Role
	Team  string
}

// Check finds what is wrong with a new person; the error is CodeInvalid and names the field.
func (p NewPerson) Check() error {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	if len(p.Login) < 2 || len(p.Login) > 32 || !strings.Contains(letters, p.Login[:1]) || strings.Trim(p.Login, letters+"0123456789-_.") != "" {
		return casefile.Invalid("login", "2 to 32 of a-z, 0-9, '-', '_' and '.', beginning with a letter")
	}
	if strings.TrimSpace(p.Name) == "" {
		return casefile.Invalid("name", "required")
	}
	return CheckRoles(p.Roles)
}

// EnsurePeople adds those whose login is not taken yet and returns everybody's row, in order. Rows
// that exist stay as they are: somebody may have changed them since. Two processes doing this at
// once add each person once.
func (a *Access) EnsurePeople(ctx context.Context, people []NewPerson) ([]records.PersonRow, error) {
	for _, p := range people {
		err := p.Check()
		if err != nil {
			return nil, fmt.Errorf("check %q: %w", p.Login, err)
		}
	}
	rows := make([]records.PersonRow, len(people))
	for i, p := range people {
		row, err := a.ensurePerson(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("add %q: %w", p.Login, err)
		}
		rows[i] = row
	}
	return rows, nil
}

// pseudonymTries is how often a pseudonym is drawn anew; one in 10^12 is taken.
const pseudonymTries = 3

func (a *Access) ensurePerson(ctx context.Context, p NewPerson) (records.PersonRow, error) {
	row, _, err := a.addPerson(ctx, p)
	return row, err
}

// addPerson adds somebody unless the login is taken, and gives the row that stands.
func (a *Access) addPerson(ctx context.Context, p NewPerson) (row records.PersonRow, added bool, err error) {
	for range pseudonymTries {
		row, err = a.people.PersonByLogin(ctx, p.Login)
		if casefile.ErrorCode(err) != casefile.CodeNotFound {
			return row, false, err
		}
		row = records.PersonRow{Person: newPseudonym(), Login: p.Login, Name: p.Name, Roles: p.Roles, Team: p.Team, Active: true}
		err = a.people.PutPerson(ctx, row, a.opts.Clock().UTC())
		if casefile.ErrorCode(err) != casefile.CodeConflict {
			return row, err == nil, err
		}
		// Another process took the login, or the pseudonym was taken: look again.
	}
	row, err = a.people.PersonByLogin(ctx, p.Login)
	return row, false, err
}

func newPseudonym() casefile.Person {
	return casefile.Person("p-" + strings.ToLower(casefile.NewID()[:8]))
}

// DemoPeople are the people of a standalone start: invented, enough of each role to try everything,
// also what takes somebody who took no part, and of the teams that see restricted cases.
func DemoPeople() []NewPerson {
	return []NewPerson{
		{Login: "rev1", Name: "Reviewer One", Roles: []casefile.Role{reviewer}, Team: "review"},
		{Login: "rev2", Name: "Reviewer Two", Roles: []casefile.Role{reviewer}, Team: "review"},
		{Login: "rev3", Name: "Reviewer Three", Roles: []casefile.Role{reviewer}, Team: "review"},
		{Login: "senior", Name: "Senior Reviewer", Roles: []casefile.Role{reviewer, senior}, Team: "review"},
		{Login: "senior2", Name: "Second Senior Reviewer", Roles: []casefile.Role{reviewer, senior}, Team: "review"},
		{Login: "lead", Name: "Team Lead", Roles: []casefile.Role{lead}, Team: "review"},
		{Login: "lead2", Name: "Second Team Lead", Roles: []casefile.Role{lead}, Team: "review"},
		{Login: "safety", Name: "Child Safety Reviewer", Roles: []casefile.Role{reviewer, senior}, Team: casefile.ReferChildSafety.Team()},
		{Login: "welfare", Name: "Self-Harm Reviewer", Roles: []casefile.Role{reviewer, senior}, Team: casefile.ReferSelfHarm.Team()},
		{Login: "policy", Name: "Policy Analyst", Roles: []casefile.Role{policy}, Team: "policy"},
		{Login: "auditor", Name: "Auditor", Roles: []casefile.Role{auditor}, Team: "audit"},
		{Login: "admin", Name: "Administrator", Roles: []casefile.Role{admin}, Team: "operations"},
		{Login: "detector", Name: "Detector", Roles: []casefile.Role{service}, Team: "operations"},
	}
}
