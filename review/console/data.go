package console

import (
	"errors"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// dataVerbs are what is done with an account's data, from the page of one of its cases.
func dataVerbs() []verb {
	day := 24 * time.Hour
	return []verb{
		{
			name: "keep", may: access.HoldManage, title: "Put a legal hold on the account", button: "Put the hold on", keeps: true, done: flashKept,
			text: []string{
				"Nothing of the account is erased before the hold is ended or its time is over. That a hold was put on goes on the ledger; your words are sealed.",
			},
			wants: wants{when: "until", exact: true, presets: []time.Duration{30 * day, 90 * day, 180 * day}, words: "The order or law that asks for it"},
			do: func(v *visit, f verbForm) (outcome, error) {
				until, err := f.moment("until", v.now)
				if err != nil {
					return outcome{}, err
				}
				h, err := v.desk().AddHold(v.ctx(), v.who, review.HoldCall{AccountNamed: v.account(), Basis: f.Reason, Until: until, Key: f.Key})
				return outcome{ref: h.Case, until: &until, purpose: v.looks(f)}, inReason(err)
			},
		},
		{
			name: "unkeep", may: access.HoldManage, title: "End the legal hold on the account", button: "End the hold", keeps: true, done: flashUnkept,
			text:  []string{"The account can be erased again, as far as this hold goes. Where several holds stand, each is ended by the command line."},
			wants: wants{words: "Why it ends"},
			do: func(v *visit, f verbForm) (outcome, error) {
				h, err := v.desk().EndHold(v.ctx(), v.who, review.EndHoldCall{AccountNamed: v.account(), Reason: f.Reason})
				return outcome{ref: h.Case, purpose: v.looks(f)}, inReason(err)
			},
		},
		{
			name: "erase", may: access.AccountErase, title: "Erase the account", button: "Erase it for good", danger: true, keeps: true, done: flashErasing,
			text: []string{
				"Every word by this account and about it goes for good: an open case is closed, and the account's key is destroyed. Nobody can bring it back.",
				"Decisions, acts and their proofs stay as codes, and so does the ledger. Your reason is kept: name nobody in it.",
				"It is refused while something is outstanding: an act, an appeal or the time for one, a legal hold.",
			},
			wants: wants{words: "Why the account is erased", sure: "I know that this cannot be undone"},
			do: func(v *visit, f verbForm) (outcome, error) {
				e, err := v.desk().Erase(v.ctx(), v.who, review.EraseCall{AccountNamed: v.account(), Reason: f.Reason, Key: f.Key})
				return outcome{ref: e.Case, purpose: v.looks(f)}, err
			},
		},
	}
}

// account names the account of the page's case.
func (v *visit) account() review.AccountNamed { return review.AccountNamed{Case: v.ref()} }

// looks is for what the case was open, or else is by the person's usual purpose.
func (v *visit) looks(f verbForm) access.Purpose {
	usual := access.Purposes(v.who.Roles)
	if f.Purpose != "" || len(usual) == 0 {
		return access.Purpose(f.Purpose)
	}
	return usual[0]
}

// inReason lays a fault of the words under the field that they stand in.
func inReason(err error) error {
	var e *casefile.Error
	if errors.As(err, &e) && e.Code == casefile.CodeInvalid && e.Field == "basis" {
		return casefile.Invalid("reason", "%s", e.Message)
	}
	return err
}

// barsOf are the reasons why an account cannot be erased, in words; none for any other error.
func barsOf(err error) []string {
	var barred *review.BarredError
	if !errors.As(err, &barred) {
		return nil
	}
	out := make([]string, 0, len(barred.Reasons))
	for _, r := range barred.Reasons {
		out = append(out, sentence(review.BarWords(r)))
	}
	return out
}
