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

// TakedownTeam is the team of services that are given decisions to act on.
const TakedownTeam = "takedown"

// MayReceive says whether somebody is given proven decisions at all: a service of the takedown team, or of
// a team to which cases are referred and then restricted. A detector's token opens none. CodeForbidden
// otherwise.
func MayReceive(who Who) error {
	err := who.Require(DecisionFeed)
	if err != nil {
		return err
	}
	ofTheirs := func(k casefile.ReferralKind) bool { return k.Restricts() && who.Team == k.Team() }
	if who.Team != TakedownTeam && !slices.ContainsFunc(casefile.ReferralKinds, ofTheirs) {
		return casefile.Errorf(casefile.CodeForbidden, "decisions are given to services of a team that acts on them")
	}
	return nil
}

// MayActOn says whether somebody who is given decisions is given the account of one whose case was
// referred so: the takedown team that of every case but restricted ones, the team that a case is
// restricted to that of its own. One of an unknown kind is given to nobody.
func MayActOn(who Who, kind casefile.ReferralKind) bool {
	if MayReceive(who) != nil {
		return false
	}
	if kind == "" || kind.Valid() && !kind.Restricts() {
		return who.Team == TakedownTeam
	}
	return kind.Valid() && who.Team == kind.Team()
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
