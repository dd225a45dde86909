package review

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// PersonView is a staff member. Where the caller does not see their name, the pseudonym stands in its
// place and no login.
type PersonView struct {
	Person casefile.Person `json:"person"`
	Login  string          `json:"login,omitempty"`
	Name   string          `json:"name"`
	Roles  []casefile.Role `json:"roles"`
	Team   string          `json:"team,omitempty"`
	Active bool            `json:"active"`
}

func personView(p records.PersonRow) PersonView {
	return PersonView{Person: p.Person, Login: p.Login, Name: p.Name, Roles: p.Roles, Team: p.Team, Active: p.Active}
}

// NewPersonCall is somebody to be added.
type NewPersonCall struct {
	Login string          `json:"login"`
	Name  string          `json:"name"`
	Roles []casefile.Role `json:"roles"`
	Team  string          `json:"team,omitempty"`
}

// Introduced is somebody who can come in now. LoginLink is the path of a one-time login link, Token the
// API token of a service; either is shown this once.
type Introduced struct {
	PersonView
	LoginLink string `json:"login_link,omitempty"`
	Token     string `json:"token,omitempty"`
}

// Disabled is somebody who can do nothing any more, and what they held.
type Disabled struct {
	PersonView
	// Released are the cases that they held, and those that waited for them after they were handed over:
	// they go back to their queues. NotReleased are those where that could not be done now: doing it
	// again does it, and so does for a claim the end of the lease.
	Released    []casefile.CaseRef `json:"released"`
	NotReleased []casefile.CaseRef `json:"not_released,omitempty"`
	// Appeals and NotReleasedAppeals are the same of the appeals that they held.
	Appeals            []string `json:"appeals"`
	NotReleasedAppeals []string `json:"not_released_appeals,omitempty"`
}

// names gives the names of those staff members whose name the caller sees.
func (d *Desk) names(ctx context.Context, who access.Who, people ...casefile.Person) (map[casefile.Person]string, error) {
	out := map[casefile.Person]string{}
	for _, p := range people {
		_, known := out[p]
		if p == "" || known || p != who.Person && !who.May(access.PeopleRead) {
			continue
		}
		row, err := d.o.Records.Person(ctx, p)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look up a name: %w", err)
		}
		if who.SeesName(row) {
			out[p] = who.ShowName(row)
		}
	}
	return out, nil
}

// Names gives the names of those of the staff members whose name the caller sees: for pages that show
// people beside what another method answered.
func (d *Desk) Names(ctx context.Context, who access.Who, people ...casefile.Person) (map[casefile.Person]string, error) {
	err := who.Require(access.SessionManage)
	if err != nil {
		return nil, err
	}
	return d.names(ctx, who, people...)
}

// People lists the staff.
func (d *Desk) People(ctx context.Context, who access.Who) ([]PersonView, error) {
	rows, err := d.o.People.ListPeople(ctx, who)
	if err != nil {
		return nil, err
	}
	out := make([]PersonView, 0, len(rows))
	for _, p := range rows {
		out = append(out, personView(p))
	}
	return out, nil
}

// Limits of what is written about a person, in characters.
const (
	maxPersonName = 200
	maxPersonTeam = 64
)

// AddPerson adds somebody. CodeInvalid naming the field, CodeConflict on field login for one that is taken.
func (d *Desk) AddPerson(ctx context.Context, who access.Who, call NewPersonCall) (Introduced, error) {
	err := who.Require(access.PeopleManage)
	if err != nil {
		return Introduced{}, err
	}
	if n := utf8.RuneCountInString(call.Name); n > maxPersonName {
		return Introduced{}, casefile.Invalid("name", "%d characters; the limit is %d", n, maxPersonName)
	}
	if n := utf8.RuneCountInString(call.Team); n > maxPersonTeam {
		return Introduced{}, casefile.Invalid("team", "%d characters; the limit is %d", n, maxPersonTeam)
	}
	row, code, err := d.o.People.AddPerson(ctx, who, access.NewPerson{Login: call.Login, Name: call.Name, Roles: call.Roles, Team: call.Team})
	if err != nil {
		return Introduced{}, err
	}
	return d.introduce(ctx, row, code)
}

// introduce hands out what somebody comes in with: a login link, or for a service an API token.
func (d *Desk) introduce(ctx context.Context, row records.PersonRow, code string) (Introduced, error) {
	out := Introduced{PersonView: personView(row)}
	if code != "" {
		out.LoginLink = "/login?code=" + code
		return out, nil
	}
	var err error
	out.Token, err = d.o.People.NewAPIToken(ctx, row.Person)
	return out, err
}

// managed finds the person to be changed, once the caller is known to change people at all.
func (d *Desk) managed(ctx context.Context, who access.Who, name string) (records.PersonRow, error) {
	err := who.Require(access.PeopleManage)
	if err != nil {
		return records.PersonRow{}, err
	}
	return d.person(ctx, name)
}

// DisablePerson ends what somebody may do, by login or pseudonym: from the answer on none of their
// tokens and sessions works, the cases that they held or that waited for them go back to their queues,
// and the appeals that they held are open to others. Doing it again changes nothing but what could not be done before. CodeNotFound, CodeState for
// oneself and for the last active admin.
func (d *Desk) DisablePerson(ctx context.Context, who access.Who, name string) (Disabled, error) {
	row, err := d.managed(ctx, who, name)
	if err != nil {
		return Disabled{}, err
	}
	err = d.o.People.DisablePerson(ctx, who, row.Person)
	if err != nil {
		return Disabled{}, err
	}
	row.Active = false
	out := Disabled{PersonView: personView(row), Released: []casefile.CaseRef{}, Appeals: []string{}}
	held, err := d.o.Records.ClaimedBy(ctx, row.Person)
	if err != nil {
		return Disabled{}, fmt.Errorf("list the cases that somebody holds: %w", err)
	}
	handed, err := d.o.Records.HandedTo(ctx, row.Person)
	if err != nil {
		return Disabled{}, fmt.Errorf("list the cases that were handed over to somebody: %w", err)
	}
	for _, c := range slices.Concat(held, handed) {
		err = d.releaseDisabled(ctx, who, c, row.Person)
		if err == nil || casefile.ErrorCode(err) == casefile.CodeState {
			out.Released = append(out.Released, c.Ref)
		} else {
			out.NotReleased = append(out.NotReleased, c.Ref)
		}
	}
	err = d.releaseAppeals(ctx, who, row.Person, &out)
	return out, err
}

// releaseAppeals ends the claims of somebody who was disabled on appeals.
func (d *Desk) releaseAppeals(ctx context.Context, who access.Who, person casefile.Person, out *Disabled) error {
	for cursor := ""; ; {
		rows, next, err := d.o.Records.ListAppeals(ctx, casefile.AppealClaimed, cursor, maxPage)
		if err != nil {
			return fmt.Errorf("list the appeals that somebody holds: %w", err)
		}
		for _, row := range rows {
			if row.Claim == nil || row.Claim.Person != person {
				continue
			}
			err = d.releaseAppeal(ctx, who, row)
			if err == nil || casefile.ErrorCode(err) == casefile.CodeState {
				out.Appeals = append(out.Appeals, row.ID)
			} else {
				out.NotReleasedAppeals = append(out.NotReleasedAppeals, row.ID)
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func (d *Desk) releaseAppeal(ctx context.Context, who access.Who, row records.AppealRow) error {
	actor, err := who.ActorFor(access.PeopleManage)
	if err != nil {
		return err
	}
	k := "disabled " + strconv.Itoa(row.Claim.Number)
	id, err := d.verbID(who.Person, workflows.UpdateAppealRelease, row.ID, k)
	if err != nil {
		return err
	}
	v := appealVerb{who: who, row: row, verb: workflows.Verb{ID: id, Case: row.Case, Actor: actor}, key: k}
	_, err = d.updateAppeal(ctx, v, workflows.UpdateAppealRelease, func(x workflows.Verb) any {
		return workflows.AppealReleaseArgs{Verb: x, Appeal: row.ID, Claim: row.Claim.Number, Disabled: true}
	})
	return err
}

// releaseDisabled takes a case away from somebody who was disabled. The verb's id is that of the claim, or
// of the revision that the case waits in, so that it counts once.
func (d *Desk) releaseDisabled(ctx context.Context, who access.Who, c records.Case, person casefile.Person) error {
	actor, err := who.ActorFor(access.PeopleManage)
	if err != nil {
		return err
	}
	k := "disabled at " + strconv.Itoa(c.Revision)
	if c.Claim != nil {
		k = "disabled " + strconv.Itoa(c.Claim.Number)
	}
	id, err := d.verbID(who.Person, workflows.UpdateForceRelease, string(c.Ref), k)
	if err != nil {
		return err
	}
	s := started{who: who, row: c, verb: workflows.Verb{ID: id, Case: c.Ref, Actor: actor}, key: k}
	_, err = d.update(ctx, s, workflows.UpdateForceRelease, func(v workflows.Verb) any {
		return workflows.ForceReleaseArgs{Verb: v, Disabled: true, Person: person}
	})
	return err
}

// EnablePerson lets somebody come back who was disabled. They need a new login link (ResetPerson).
// CodeNotFound.
func (d *Desk) EnablePerson(ctx context.Context, who access.Who, name string) (PersonView, error) {
	row, err := d.managed(ctx, who, name)
	if err != nil {
		return PersonView{}, err
	}
	err = d.o.People.EnablePerson(ctx, who, row.Person)
	if err != nil {
		return PersonView{}, err
	}
	row.Active = true
	return personView(row), nil
}

// ResetPerson ends every token, session and login link of somebody and gives them a new login link, or a
// service a new API token. CodeNotFound, CodeState for somebody who is disabled.
func (d *Desk) ResetPerson(ctx context.Context, who access.Who, name string) (Introduced, error) {
	row, err := d.managed(ctx, who, name)
	if err != nil {
		return Introduced{}, err
	}
	code, err := d.o.People.ResetPerson(ctx, who, row.Person)
	if err != nil {
		return Introduced{}, err
	}
	return d.introduce(ctx, row, code)
}

// GlassView is one opening of a case by somebody without the right to it.
type GlassView struct {
	ID     string           `json:"id"`
	Person casefile.Person  `json:"person"`
	Case   casefile.CaseRef `json:"case"`
	At     time.Time        `json:"at"`
	Until  time.Time        `json:"until"`
	Reason string           `json:"reason,omitempty"` // shown to those who review it
	// ReviewedBy is "" while nobody else has looked at it; Justified is what they said.
	ReviewedBy casefile.Person `json:"reviewed_by,omitempty"`
	ReviewedAt *time.Time      `json:"reviewed_at,omitempty"`
	Justified  bool            `json:"justified,omitempty"`
}

func glassView(b records.BreakGlass) GlassView {
	return GlassView{
		ID: b.ID, Person: b.Person, Case: b.Case, At: b.At, Until: b.Until, ReviewedBy: b.ReviewedBy, ReviewedAt: b.ReviewedAt, Justified: b.Justified,
	}
}

// BreakGlass opens a case to the caller for a while, at most access.MaxGlass, for a reason that is
// sealed; somebody else looks at it afterwards. CodeInvalid on fields for and reason; CodeNotFound.
func (d *Desk) BreakGlass(ctx context.Context, who access.Who, ref casefile.CaseRef, reason string, lasts time.Duration) (GlassView, error) {
	err := who.Require(access.GlassBreak)
	if err != nil {
		return GlassView{}, err
	}
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return GlassView{}, err
	}
	b, err := d.o.Glass.Break(ctx, who, row.Ref, reason, lasts)
	if err != nil {
		return GlassView{}, err
	}
	return glassView(b), nil
}

// GlassPage is what was broken.
type GlassPage struct {
	Glass []GlassView                `json:"glass"`
	Names map[casefile.Person]string `json:"names,omitempty"`
}

// BrokenGlass lists what was broken, newest first, with the reasons; open means only what nobody has
// reviewed yet. limit 0 means 50; the highest is 200.
func (d *Desk) BrokenGlass(ctx context.Context, who access.Who, open bool, limit int) (GlassPage, error) {
	rows, err := d.o.Glass.List(ctx, who, open, pageLimit(limit))
	if err != nil {
		return GlassPage{}, err
	}
	out := GlassPage{Glass: make([]GlassView, 0, len(rows))}
	var people []casefile.Person
	for _, b := range rows {
		v := glassView(b)
		v.Reason, err = d.openReason(ctx, b.Reason)
		if err != nil {
			return GlassPage{}, err
		}
		out.Glass = append(out.Glass, v)
		people = append(people, b.Person, b.ReviewedBy)
	}
	out.Names, err = d.names(ctx, who, people...)
	return out, err
}

// ReviewGlass says, once, whether the glass was broken with good reason; nobody reviews their own.
// CodeForbidden, CodeState when it was reviewed before, CodeNotFound.
func (d *Desk) ReviewGlass(ctx context.Context, who access.Who, id string, justified bool) error {
	return d.o.Glass.Review(ctx, who, id, justified)
}

// ReconcileAnswer is the report of a reconciliation.
type ReconcileAnswer struct {
	Report any `json:"report"`
}

// Reconcile finds workflows that are missing and starts them again. CodeUnavailable where this process
// does not reconcile.
func (d *Desk) Reconcile(ctx context.Context, who access.Who) (ReconcileAnswer, error) {
	err := who.Require(access.ReconcileRun)
	if err != nil {
		return ReconcileAnswer{}, err
	}
	if d.o.Reconciler == nil {
		return ReconcileAnswer{}, casefile.Errorf(casefile.CodeUnavailable, "this process does not reconcile")
	}
	report, err := d.o.Reconciler.Once(ctx)
	if err != nil {
		return ReconcileAnswer{}, fmt.Errorf("reconcile: %w", err)
	}
	return ReconcileAnswer{Report: report}, nil
}
