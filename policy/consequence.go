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
	// At is when the decision would be made; zero leaves out on which day a timed action ends.
	At time.Time
	// Emergency says that L5 is ordered at once; it means nothing for any other action.
	Emergency bool
	// Adjudicates says that the opinion is that of the third person, who saw the two before it.
	Adjudicates bool
}

// settling says how the opinion comes to a decision. It knows nothing of what the rule set says of
// this case: who reads it must not learn whether a second person is asked, or that they are the second.
// Only L6 says that it takes two, as everybody may know.
var settling = []struct {
	when func(o Outlook) bool
	says []string
}{
	{func(o Outlook) bool { return o.Adjudicates && o.Judgement.Action == casefile.L6 }, []string{
		"Yours is the third opinion: it decides.",
		"L6 stands only if one of the two before yours spoke for it.",
	}},
	{func(o Outlook) bool { return o.Adjudicates }, []string{"Yours is the third opinion: it decides, whatever the two before it say."}},
	{func(o Outlook) bool { return o.Judgement.Action.PeopleDue() > 1 }, []string{
		"L6 takes two people who form their opinions apart: nothing is done unless they agree, or a third who sees both decides so.",
	}},
	{Outlook.emergency, []string{
		"This is an emergency order: it is carried out at once and cannot be withdrawn.",
		"Another person, who took no part in it, reviews it within a day; if they find otherwise, it is taken back.",
	}},
	{func(Outlook) bool { return true }, []string{
		"A second person may be asked before anything is done, by rule or by lot; nobody is told whether one is.",
	}},
}

// emergency reports whether the opinion is an emergency order.
func (o Outlook) emergency() bool { return o.Emergency && o.Judgement.Action == casefile.L5 }

// Consequences says in plain sentences everything that will happen if the opinion stands, for the
// person to read before confirming it. The judgement must be valid; an unknown number of strikes is
// said to be unknown. Of second persons it says nothing that would differ from case to case.
func Consequences(o Outlook) []string {
	j := o.Judgement
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	for _, s := range settling {
		if s.when(o) {
			out = append(out, s.says...)
			break
		}
	}
	for _, s := range effects(o) {
		say("%s", s)
	}
	switch {
	case j.Action.Timed() && o.At.IsZero():
		say("This ends by itself.")
	case j.Action.Timed():
		say("This ends by itself on %s (UTC).", o.At.UTC().AddDate(0, 0, j.Days).Format("2 January 2006"))
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
	if o.Grace > 0 && !o.emergency() {
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
