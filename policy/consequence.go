package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Outlook is what must be known to say beforehand what an opinion would bring about.
type Outlook struct {
	Judgement casefile.Judgement
	// Relied is how many posts the opinion relies on, the profile not counted.
	Relied int
	// Strikes is how many strikes of the account have not lapsed; nil when that is not known.
	Strikes *int
	// Grace is how long the decision can be withdrawn; 0 says nothing about it.
	Grace time.Duration
	// CanNotify says whether the platform can deliver a notice.
	CanNotify bool
}

// Consequences says in plain sentences everything that will happen if the opinion stands, for the
// person to read before confirming it. The judgement must be valid; an unknown number of strikes is
// said to be unknown.
func Consequences(o Outlook) []string {
	j := o.Judgement
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	if n := j.Action.PeopleDue(); n > 1 {
		say("Nothing happens yet: %s needs %d people who agree.", j.Action, n)
	}
	for _, s := range effects(o) {
		say("%s", s)
	}
	sayStrikes(say, o)
	for _, s := range departures(j) {
		say("%s", s)
	}
	for _, p := range j.Policies {
		if c, ok := LookupCode(p); ok && c.Escalate {
			say("%s calls for escalation: tell the person on call now, whatever is decided here.", p)
		}
	}
	if j.Mitigations[casefile.M8] == casefile.AnswerYes {
		say("A minor or a person at risk seems to be concerned: hand the support path on.")
	}
	switch {
	case j.Action == casefile.L0:
		say("No notice is sent.")
	case o.CanNotify:
		say("The notice shown here is sent to the account, word for word.")
	default:
		say("This platform cannot deliver a notice: it is kept on record as undelivered.")
	}
	if o.Grace > 0 {
		say("The decision can be withdrawn for %s.", words(o.Grace))
	}
	say("The decision goes on the public ledger by codes and commitments, without names or words, and the case closes.")
	return out
}

func effects(o Outlook) []string {
	j := o.Judgement
	switch j.Action {
	case casefile.L0:
		return []string{"Nothing is done on the platform."}
	case casefile.L1:
		return []string{"The account is warned; nothing is restricted."}
	case casefile.L2:
		return []string{"The account's posts are labelled or shown to fewer people."}
	case casefile.L3:
		return []string{fmt.Sprintf("The account's features are limited for %s.", count(j.Days, "day"))}
	case casefile.L4:
		if o.Relied == 0 {
			return []string{"No post is removed: the opinion relies on none."}
		}
		return []string{fmt.Sprintf("%s removed.", plural(o.Relied, "post is", "posts are"))}
	case casefile.L5:
		return []string{fmt.Sprintf("The account is suspended for %s.", count(j.Days, "day"))}
	case casefile.L6:
		return []string{"The account is terminated, without an end date.", "Its identifiers are blocked from signing up again."}
	}
	return nil
}

func sayStrikes(say func(string, ...any), o Outlook) {
	if o.Strikes == nil {
		say("Earlier strikes are not known: they could not be read.")
	}
	lasts, strikes := StrikeFor(casefile.Decision{Judgement: o.Judgement})
	switch {
	case !strikes && o.Strikes != nil:
		say("No strike is given; the account has %s.", count(*o.Strikes, "strike"))
	case !strikes:
		say("No strike is given.")
	case o.Strikes != nil:
		say("The account gets a strike for %d days, its number %d.", int(lasts/day), *o.Strikes+1)
	default:
		say("The account gets a strike for %d days.", int(lasts/day))
	}
}

// departures names every policy code whose floor the action leaves.
func departures(j casefile.Judgement) []string {
	if j.Action == casefile.L0 {
		return nil // a violation is let be only for a mitigation, which says why
	}
	var out []string
	for i, p := range j.Policies {
		c, ok := LookupCode(p)
		if !ok || c.Fits(j.Action) {
			continue
		}
		// A further code may well be milder than the one that the action rests on.
		if i > 0 && j.Action.Severity() > c.Max.Severity() {
			continue
		}
		out = append(out, fmt.Sprintf("%s departs from the floor of %s (%s): the rationale must say why.", j.Action, p, strings.TrimSuffix(c.Floor, ".")))
	}
	return out
}

func count(n int, noun string) string { return plural(n, noun, noun+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func words(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d.Round(time.Second)/time.Second), "second")
}
