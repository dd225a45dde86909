package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
)

// Sentences that several consequences share.
const (
	closes    = "The decision goes on the public ledger by codes and commitments, without names or words, and the case closes."
	told      = "The notice shown here is sent to the account, word for word."
	perhaps   = "A second person may be asked before anything is done, by rule or by lot; nobody is told whether one is."
	takesTwo  = "L6 takes two people who form their opinions apart: nothing is done unless they agree, or a third who sees both decides so."
	ends      = "This ends by itself."
	ended     = "The account is terminated, without an end date."
	blocked   = "Its identifiers are blocked from signing up again."
	suspended = "The account is suspended for 14 days."
)

func TestConsequences(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	at := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -3600))
	minor := judgement(casefile.L1, casefile.VE12)
	minor.Mitigations[casefile.M8] = casefile.AnswerYes
	context := judgement(casefile.L0, casefile.VE08)
	context.Mitigations[casefile.M3] = casefile.AnswerYes
	cases := map[string]struct {
		in   policy.Outlook
		want []string
	}{
		"nothing done": {
			policy.Outlook{Judgement: judgement(casefile.L0, casefile.VE00), Strikes: number(0), CanNotify: true},
			[]string{perhaps, "Nothing is done on the platform.", "No strike is given; the account has 0 strikes.", "No notice is sent.", closes},
		},
		"let be for a mitigation": {
			policy.Outlook{Judgement: context, Strikes: number(1), CanNotify: true},
			[]string{perhaps, "Nothing is done on the platform.", "No strike is given; the account has 1 strike.", "No notice is sent.", closes},
		},
		"limits": {
			policy.Outlook{Judgement: judgement(casefile.L3, casefile.VE08), Strikes: number(1), CanNotify: true, Grace: 5 * time.Minute},
			[]string{perhaps, "The account's features are limited for 14 days.", ends, "No strike is given; the account has 1 strike.", told, "The decision can be withdrawn for 5 minutes.", closes},
		},
		"removal, strikes unknown": {
			policy.Outlook{Judgement: judgement(casefile.L4, casefile.VE08), Relied: 1},
			[]string{perhaps, "1 post is removed.", "Earlier strikes are not known: they could not be read.", "The account gets a strike for 90 days.", "This platform cannot deliver a notice: it is kept on record as undelivered.", closes},
		},
		"removal of nothing": {
			policy.Outlook{Judgement: judgement(casefile.L4, casefile.VE08), Strikes: number(0), CanNotify: true},
			[]string{perhaps, "No post is removed: the opinion relies on none.", "The account gets a strike for 90 days, its number 1.", told, closes},
		},
		"termination": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03), Strikes: number(2), CanNotify: true},
			[]string{takesTwo, ended, blocked, "The account gets a strike for 180 days, its number 3.", told, closes},
		},
		"threat below its floor": {
			policy.Outlook{Judgement: judgement(casefile.L5, casefile.VE01), Strikes: number(0), CanNotify: true},
			[]string{perhaps, suspended, ends, "The account gets a strike for 180 days, its number 1.", "L5 departs from the floor of VE-01 (L6, and escalate to the person on call at once): the rationale must say why.", "VE-01 calls for escalation: tell the person on call now, whatever is decided here.", told, closes},
		},
		"emergency": {
			policy.Outlook{Judgement: judgement(casefile.L5, casefile.VE01), Strikes: number(0), CanNotify: true, Emergency: true, At: at, Grace: 5 * time.Minute},
			[]string{
				"This is an emergency order: it is carried out at once and cannot be withdrawn.",
				"Another person, who took no part in it, reviews it within a day; if they find otherwise, it is taken back.",
				suspended, "This ends by itself on 8 December 2026 (UTC).",
				"The account gets a strike for 180 days, its number 1.", "L5 departs from the floor of VE-01 (L6, and escalate to the person on call at once): the rationale must say why.", "VE-01 calls for escalation: tell the person on call now, whatever is decided here.", told, closes,
			},
		},
		"emergency is of L5 alone": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03), Strikes: number(0), CanNotify: true, Emergency: true, Grace: time.Hour},
			[]string{takesTwo, ended, blocked, "The account gets a strike for 180 days, its number 1.", told, "The decision can be withdrawn for 1 hour.", closes},
		},
		"third opinion": {
			policy.Outlook{Judgement: judgement(casefile.L2, casefile.VE12), Strikes: number(0), CanNotify: true, Adjudicates: true},
			[]string{"Yours is the third opinion: it decides, whatever the two before it say.", "The account's posts are labelled or shown to fewer people.", "No strike is given; the account has 0 strikes.", told, closes},
		},
		"third opinion, termination": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03), Strikes: number(0), CanNotify: true, Adjudicates: true},
			[]string{"Yours is the third opinion: it decides.", "L6 stands only if one of the two before yours spoke for it.", ended, blocked, "The account gets a strike for 180 days, its number 1.", told, closes},
		},
		"a milder code beside": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03, casefile.VE10), Strikes: number(0), CanNotify: true},
			[]string{takesTwo, ended, blocked, "The account gets a strike for 180 days, its number 1.", told, closes},
		},
		"a minor": {
			policy.Outlook{Judgement: minor, Strikes: number(0), CanNotify: true},
			[]string{perhaps, "The account is warned; nothing is restricted.", "No strike is given; the account has 0 strikes.", "A minor or a person at risk seems to be concerned: hand the support path on.", told, closes},
		},
		"label": {
			policy.Outlook{Judgement: judgement(casefile.L2, casefile.VE12), Strikes: number(0), CanNotify: true, Grace: 90 * time.Second},
			[]string{perhaps, "The account's posts are labelled or shown to fewer people.", "No strike is given; the account has 0 strikes.", told, "The decision can be withdrawn for 90 seconds.", closes},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, policy.Consequences(c.in))
		})
	}
	require.Equal(t, 24*time.Hour, casefile.EmergencyReviewTime, "the words say a day")
}

// TestConsequencesDoNotTellOfASecondPerson: what the preview says of people depends on the action
// alone, whatever a rule set asks of the case; it has no way to know.
func TestConsequencesDoNotTellOfASecondPerson(t *testing.T) {
	t.Parallel()
	for _, a := range casefile.Actions[:7] {
		for _, code := range casefile.PolicyCodes {
			got := policy.Consequences(policy.Outlook{Judgement: judgement(a, code)})
			of := slices.DeleteFunc(slices.Clone(got), func(s string) bool {
				return !strings.Contains(s, "second person") && !strings.Contains(s, "two people") && !strings.Contains(s, "third")
			})
			want := perhaps
			if a == casefile.L6 {
				want = takesTwo
			}
			require.Equal(t, []string{want}, of, "%s %s", a, code)
		}
	}
}

// TestEndIsThatOfTheAct: the day said is that on which the platform's act ends.
func TestEndIsThatOfTheAct(t *testing.T) {
	t.Parallel()
	for _, a := range []casefile.Action{casefile.L3, casefile.L5} {
		j := judgement(a, casefile.VE08)
		acts := casefile.PlanActs(casefile.Decision{Judgement: j, DecidedAt: openedAt}, 0)
		require.Contains(t, policy.Consequences(policy.Outlook{Judgement: j, At: openedAt}), "This ends by itself on "+acts[0].Until.Format("2 January 2006")+" (UTC).")
	}
}
