package access

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// MayTakeFrom says whether somebody takes cases from a queue that the policy gives to these roles and
// this team: they need one of these roles, a judging one, and belong to the team; "" is every team.
// CodeForbidden otherwise, also for a queue with no roles.
func MayTakeFrom(who Who, roles []casefile.Role, team string) error {
	holds := func(r casefile.Role) bool { return slices.Contains(judging, r) && slices.Contains(who.Roles, r) }
	if !who.May(CaseNext) || !slices.ContainsFunc(roles, holds) {
		return casefile.Errorf(casefile.CodeForbidden, "your roles take no cases from this queue")
	}
	if team != "" && who.Team != team {
		return casefile.Errorf(casefile.CodeForbidden, "this queue is another team's")
	}
	return nil
}

// MaySeeRestricted says whether somebody may open a case that was referred so: whoever holds it, a
// lead, and the people of the team referred to, as far as they may open cases at all. A referral that
// restricts nothing, and "", leave everybody their right to open cases; one of an unknown kind
// restricts.
func MaySeeRestricted(who Who, kind casefile.ReferralKind, holder bool) bool {
	if !who.May(CaseRead) {
		return false
	}
	if kind == "" || kind.Valid() && !kind.Restricts() {
		return true
	}
	return holder || slices.Contains(who.Roles, lead) || kind.Valid() && who.Team == kind.Team()
}

// SeesName says whether somebody sees a staff member's name and login or only the pseudonym: admins
// and auditors see all names, leads those of their own team, everybody their own.
func (w Who) SeesName(of records.PersonRow) bool {
	switch {
	case w.Person == "":
		return false
	case w.Person == of.Person:
		return true
	case !w.May(PeopleRead):
		return false
	case slices.Contains(w.Roles, admin) || slices.Contains(w.Roles, auditor):
		return true
	}
	return w.Team != "" && w.Team == of.Team
}

// ShowName is the staff member's name where w sees it, and the pseudonym elsewhere. Whatever the
// account's side reads takes the pseudonym without asking.
func (w Who) ShowName(of records.PersonRow) string {
	if w.SeesName(of) {
		return of.Name
	}
	return string(of.Person)
}
