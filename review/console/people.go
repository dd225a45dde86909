package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// peoplePage lists the staff.
type peoplePage struct {
	People []review.PersonView
	Form   personForm
	Roles  []choice
	Faults []faultLink
	Errors map[string][]string
}

// personForm is somebody to be added, as the form was sent.
type personForm struct {
	Login, Name, Team string
	Roles             []string
}

func readPersonForm(v url.Values) personForm {
	return personForm{Login: word(v, "login"), Name: word(v, "name"), Team: word(v, "team"), Roles: words(v, "roles")}
}

func (f personForm) call() review.NewPersonCall {
	c := review.NewPersonCall{Login: f.Login, Name: f.Name, Team: f.Team}
	for _, r := range f.Roles {
		c.Roles = append(c.Roles, casefile.Role(r))
	}
	return c
}

// Has reports whether a role is ticked.
func (f personForm) Has(role string) bool { return slices.Contains(f.Roles, role) }

// roleTexts say in short what each role is for.
var roleTexts = map[casefile.Role]string{
	casefile.RoleReviewer: "judges cases",
	casefile.RoleSenior:   "judges cases, orders in an emergency, settles acts",
	casefile.RoleLead:     "settles opinions that differ, moves deadlines, pauses acts",
	casefile.RolePolicy:   "reads cases for the rules, decides none",
	casefile.RoleAuditor:  "reads and proves everything, decides nothing",
	casefile.RoleAdmin:    "manages people and switches, sees no case",
	casefile.RoleService:  "a program: hands flags and appeals in",
}

func roleChoices() []choice {
	var out []choice
	for _, r := range casefile.Roles {
		out = append(out, choice{string(r), roleTexts[r]})
	}
	return out
}

func (v *visit) people() error { return v.showPeople(http.StatusOK, peoplePage{}) }

func (v *visit) showPeople(status int, p peoplePage) error {
	people, err := v.desk().People(v.ctx(), v.who)
	if err != nil {
		return err
	}
	p.People, p.Roles = people, roleChoices()
	return v.render(status, "people", "People", p)
}

// introducedPage shows, this once, what somebody comes in with.
type introducedPage struct {
	Person review.Introduced
	Added  bool
	// Address is that of this console, as the person who reads it reached it.
	Address string
}

// addPerson adds somebody. The link is on the page that answers, and nowhere after it.
func (v *visit) addPerson() error {
	f := readPersonForm(v.r.PostForm)
	added, err := v.desk().AddPerson(v.ctx(), v.who, f.call())
	if err == nil {
		return v.introduce(added, true)
	}
	faults := review.FaultsOf(err)
	if len(faults) == 0 {
		return err
	}
	refusal := v.refuse(err)
	if casefile.ErrorCode(refusal) == casefile.CodeUnavailable {
		return refusal
	}
	p := peoplePage{Form: f}
	p.Faults, p.Errors = faultLinks(faults)
	return v.showPeople(review.HTTPStatus(err), p)
}

func (v *visit) introduce(p review.Introduced, added bool) error {
	scheme := "http://"
	if v.r.TLS != nil || v.console.o.HTTPS {
		scheme = "https://"
	}
	return v.render(http.StatusOK, "introduced", "How somebody comes in", introducedPage{Person: p, Added: added, Address: scheme + v.r.Host})
}

// personVerb is a change of somebody, on a page of its own that asks first.
type personVerb struct {
	Verb, Title, Text, Button string
}

var personVerbs = []personVerb{
	{"disable", "Disable somebody", "From the answer on none of their tokens, sessions and login links works, anywhere. The cases that they hold go back to their queues. That they are disabled goes on the ledger.", "Disable them"},
	{"enable", "Enable somebody", "They may come back. Nothing that they came in with before works: reset them for a new login link.", "Enable them"},
	{"reset", "Give somebody a new login link", "Every token, session and login link of theirs ends now. The new link is shown once, works once and runs out after a while. A service gets a new API token instead.", "Reset them"},
}

type personPage struct {
	personVerb
	Person review.PersonView
}

// askPerson asks before somebody is changed.
func (v *visit) askPerson() error {
	i := slices.IndexFunc(personVerbs, func(x personVerb) bool { return x.Verb == v.r.PathValue("verb") })
	if i < 0 {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
	}
	people, err := v.desk().People(v.ctx(), v.who)
	if err != nil {
		return err
	}
	for _, p := range people {
		if string(p.Person) == v.r.PathValue("person") {
			return v.render(http.StatusOK, "person", personVerbs[i].Title, personPage{personVerbs[i], p})
		}
	}
	return casefile.Errorf(casefile.CodeNotFound, "there is nobody of this pseudonym")
}

// disabledPage says what somebody held who can do nothing any more.
type disabledPage struct{ review.Disabled }

func (v *visit) disablePerson() error {
	d, err := v.desk().DisablePerson(v.ctx(), v.who, v.r.PathValue("person"))
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "disabled", "Disabled", disabledPage{d})
}

func (v *visit) enablePerson() error {
	p, err := v.desk().EnablePerson(v.ctx(), v.who, v.r.PathValue("person"))
	if err != nil {
		return err
	}
	v.putFlash(Flash{Kind: flashEnabled, Name: string(p.Person)})
	return v.redirect("/people")
}

func (v *visit) resetPerson() error {
	p, err := v.desk().ResetPerson(v.ctx(), v.who, v.r.PathValue("person"))
	if err != nil {
		return err
	}
	return v.introduce(p, false)
}
