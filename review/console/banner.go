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
	Down       []string // what does not answer, in words
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
	return b.Unknown || b.Automation || len(b.Paused) > 0 || len(b.Tripped) > 0 || len(b.Down) > 0
}

// banner asks what every page says. A page is shown without it rather than not at all, and says so.
func (v *visit) banner() banner {
	b, err := v.desk().Banner(v.ctx(), v.who)
	if err != nil {
		return banner{Unknown: true}
	}
	out := banner{Automation: b.Automation, Tripped: b.Tripped}
	for _, name := range b.Down {
		out.Down = append(out.Down, downWords(name))
	}
	for _, s := range b.Paused {
		v.know(s.By)
		out.Paused = append(out.Paused, pausedActs{Platform: s.Platform, By: s.By, Since: s.Since})
	}
	return out
}

// downWords says what it means for people that something does not answer.
func downWords(name string) string {
	switch name {
	case "index":
		return "History and case search do not answer: findings fail, no rule decides on them, and search finds by numbers, account ids and handles alone. No case is lost."
	case "temporal":
		return "The workflow engine does not answer: flags and verbs are refused until it does. What was answered stands."
	case "ledger":
		return "The ledger does not answer: decisions are taken, and nothing is carried out before it does."
	case "records":
		return "The records do not answer: flags and verbs are refused until they do. What was answered stands."
	}
	return "Something that Docket needs does not answer: " + name
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
