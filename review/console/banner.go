package console

import (
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

// banner is what every page says of what is switched off or decides by itself.
type banner struct {
	Paused     []pausedActs
	Automation bool
	Tripped    []string // rules
	// Unknown says that it could not be read: then acts may be paused.
	Unknown bool
}

// pausedActs are acts that nobody carries out.
type pausedActs struct {
	Platform string // "" for every one
	By       casefile.Person
	Since    *time.Time
}

// Shown reports whether there is anything to say.
func (b banner) Shown() bool {
	return b.Unknown || b.Automation || len(b.Paused) > 0 || len(b.Tripped) > 0
}

// banner asks what every page says. A page is shown without it rather than not at all, and says so.
func (v *visit) banner() banner {
	b, err := v.desk().Banner(v.ctx(), v.who)
	if err != nil {
		return banner{Unknown: true}
	}
	out := banner{Automation: b.Automation, Tripped: b.Tripped}
	for _, s := range b.Paused {
		v.know(s.By)
		out.Paused = append(out.Paused, pausedActs{Platform: s.Platform, By: s.By, Since: s.Since})
	}
	return out
}

// know looks up the names of staff members that the page shows, for whoever sees names. One that
// cannot be read now stands by the pseudonym, like everybody's elsewhere.
func (v *visit) know(people ...casefile.Person) {
	if !v.who.May(access.PeopleRead) {
		return
	}
	names, err := v.desk().Names(v.ctx(), v.who, people...)
	if err == nil {
		v.learn(names)
	}
}

// learn adds names that a view of the desk brought along.
func (v *visit) learn(names map[casefile.Person]string) {
	if v.names == nil {
		v.names = map[casefile.Person]string{}
	}
	for person, name := range names {
		v.names[person] = name
	}
}
