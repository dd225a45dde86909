package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Guarded is what access needs of the records to end what people may do; records.Guarded has it.
type Guarded interface {
	SetActive(ctx context.Context, person casefile.Person, active bool, by casefile.Actor, now time.Time) error
	RevokeTokens(ctx context.Context, person casefile.Person, kinds ...records.TokenKind) error
}

func (a *Access) guarded() (Guarded, error) {
	if a.opts.Guarded == nil {
		return nil, casefile.Errorf(casefile.CodeUnavailable, "this process does not manage people")
	}
	return a.opts.Guarded, nil
}

// AddPerson adds somebody new and gives the code of their first login link, shown this once; "" for a
// service, which has no console and gets an API token instead. CodeForbidden without people.manage,
// CodeInvalid naming the field, CodeConflict for a login that is taken.
func (a *Access) AddPerson(ctx context.Context, by Who, p NewPerson) (person records.PersonRow, code string, err error) {
	err = by.Require(PeopleManage)
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return records.PersonRow{}, "", err
	}
	person, added, err := a.addPerson(ctx, p)
	if err != nil {
		return records.PersonRow{}, "", fmt.Errorf("add person: %w", err)
	}
	if !added {
		return records.PersonRow{}, "", &casefile.Error{Code: casefile.CodeConflict, Field: "login", Message: "somebody else has it"}
	}
	code, err = a.firstLogin(ctx, person)
	return person, code, err
}

// DisablePerson ends what somebody may do: from the answer on none of their tokens, sessions and login
// links works in any process, for each request looks its token up in the records. Ending their leases
// is for the caller. Doing it again changes nothing. CodeForbidden without people.manage, CodeNotFound,
// CodeState for oneself and for the last active person who may manage people.
func (a *Access) DisablePerson(ctx context.Context, by Who, person casefile.Person) error {
	guard, actor, row, err := a.managed(ctx, by, person)
	if err != nil {
		return err
	}
	if by.Person == person {
		return casefile.Errorf(casefile.CodeState, "nobody disables themselves: ask another admin")
	}
	if !row.Active {
		return a.revokeAll(ctx, guard, person)
	}
	a.managing.Lock()
	defer a.managing.Unlock()
	err = a.keepManager(ctx, person)
	if err != nil {
		return err
	}
	err = guard.SetActive(ctx, person, false, actor, a.opts.Clock().UTC())
	if err != nil {
		return fmt.Errorf("disable person: %w", err)
	}
	if !managesPeople(row) {
		return nil
	}
	// Another process may have disabled the other admin in the same moment: then both take it back.
	err = a.keepManager(ctx, person)
	if casefile.ErrorCode(err) != casefile.CodeState {
		return err
	}
	back := guard.SetActive(ctx, person, true, actor, a.opts.Clock().UTC())
	if back != nil {
		return fmt.Errorf("enable the last admin again: %w", back)
	}
	return err
}

// keepManager is CodeState when nobody active but the person may manage people.
func (a *Access) keepManager(ctx context.Context, person casefile.Person) error {
	all, err := a.people.ListPeople(ctx)
	if err != nil {
		return fmt.Errorf("look for another admin: %w", err)
	}
	if slices.ContainsFunc(all, func(p records.PersonRow) bool { return p.Person != person && p.Active && managesPeople(p) }) {
		return nil
	}
	return casefile.Errorf(casefile.CodeState, "the last active admin stays: add another one first")
}

func managesPeople(p records.PersonRow) bool { return Allowed(p.Roles, PeopleManage) }

// EnablePerson lets somebody who was disabled come back. They need a new login link: no token of before
// works again. Doing it again changes nothing. CodeForbidden without people.manage, CodeNotFound.
func (a *Access) EnablePerson(ctx context.Context, by Who, person casefile.Person) error {
	guard, actor, row, err := a.managed(ctx, by, person)
	if err != nil || row.Active {
		return err
	}
	// A login that was under way while they were disabled may have left a token behind.
	err = a.revokeAll(ctx, guard, person)
	if err != nil {
		return err
	}
	err = guard.SetActive(ctx, person, true, actor, a.opts.Clock().UTC())
	if err != nil {
		return fmt.Errorf("enable person: %w", err)
	}
	return nil
}

// ResetPerson revokes every token, session and login link of somebody and gives the code of a new login
// link, shown this once; "" for a service. CodeForbidden without people.manage, CodeNotFound, CodeState
// for somebody who is disabled.
func (a *Access) ResetPerson(ctx context.Context, by Who, person casefile.Person) (code string, err error) {
	guard, _, row, err := a.managed(ctx, by, person)
	if err != nil {
		return "", err
	}
	if !row.Active {
		return "", casefile.Errorf(casefile.CodeState, "the person is disabled: enable them first")
	}
	err = a.revokeAll(ctx, guard, person)
	if err != nil {
		return "", err
	}
	return a.firstLogin(ctx, row)
}

// ListPeople lists everybody; CodeForbidden without people.read. Where by does not see somebody's name,
// the pseudonym stands in its place and no login.
func (a *Access) ListPeople(ctx context.Context, by Who) ([]records.PersonRow, error) {
	err := by.Require(PeopleRead)
	if err != nil {
		return nil, err
	}
	all, err := a.people.ListPeople(ctx)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	for i, p := range all {
		if by.SeesName(p) {
			continue
		}
		all[i].Name, all[i].Login = by.ShowName(p), ""
	}
	return all, nil
}

// managed gives what a change of a person needs.
func (a *Access) managed(ctx context.Context, by Who, person casefile.Person) (Guarded, casefile.Actor, records.PersonRow, error) {
	actor, err := by.ActorFor(PeopleManage)
	if err != nil {
		return nil, casefile.Actor{}, records.PersonRow{}, err
	}
	guard, err := a.guarded()
	if err != nil {
		return nil, casefile.Actor{}, records.PersonRow{}, err
	}
	row, err := a.people.Person(ctx, person)
	if err != nil {
		return nil, casefile.Actor{}, records.PersonRow{}, fmt.Errorf("look up person: %w", err)
	}
	return guard, actor, row, nil
}

func (a *Access) revokeAll(ctx context.Context, guard Guarded, person casefile.Person) error {
	err := guard.RevokeTokens(ctx, person)
	if err != nil {
		return fmt.Errorf("revoke all tokens of a person: %w", err)
	}
	return nil
}

// firstLogin makes a login code for whoever has a console.
func (a *Access) firstLogin(ctx context.Context, p records.PersonRow) (string, error) {
	if !hasConsole(p.Roles) {
		return "", nil
	}
	return a.newToken(ctx, records.TokenLogin, p.Person, a.opts.LoginFor)
}
