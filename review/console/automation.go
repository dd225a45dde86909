package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// automationPage says what rules decide by themselves, and what stops them.
type automationPage struct {
	Switch   review.SwitchView
	Breakers []review.BreakerView
	Form     automationForm
	// Report is what reconciling found and started, as JSON; "" where nobody asked.
	Report string
	Faults []faultLink
	Errors map[string][]string
}

// automationForm switches automatic rules on or off.
type automationForm struct {
	On     bool
	Reason string
	Sure   bool
}

func readAutomationForm(v url.Values) automationForm {
	return automationForm{On: v.Get("on") == "on", Reason: text(v, "reason"), Sure: v.Get("sure") != ""}
}

func (v *visit) automation() error { return v.showAutomation(http.StatusOK, automationPage{}) }

func (v *visit) showAutomation(status int, p automationPage) error {
	all, err := v.desk().Switches(v.ctx(), v.who)
	if err != nil {
		return err
	}
	v.learn(all.Names)
	for _, s := range all.Switches {
		if s.Name == records.SwitchAutomation {
			p.Switch = s
		}
	}
	p.Breakers = all.Breakers
	return v.render(status, "automation", "Automation", p)
}

// backToAutomation is where the address of an answered form leads when it is loaded anew.
func (v *visit) backToAutomation() error {
	if !slices.Contains([]string{"arm", "reconcile"}, v.r.PathValue("verb")) {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
	}
	return v.redirect("/automation")
}

// setAutomation lets automatic rules decide, once somebody has said that they mean it, or stops them.
func (v *visit) setAutomation() error {
	f := readAutomationForm(v.r.PostForm)
	var err error
	if f.On && !f.Sure {
		err = casefile.Invalid("sure", "tick that rules may decide")
	} else {
		_, err = v.desk().SetAutomation(v.ctx(), v.who, f.On, f.Reason)
	}
	if err == nil {
		kind := flashAutomationOff
		if f.On {
			kind = flashAutomationOn
		}
		v.putFlash(Flash{Kind: kind})
		return v.redirect("/automation")
	}
	faults := review.FaultsOf(err)
	if len(faults) == 0 {
		return err
	}
	err = v.refuse(err)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	p := automationPage{Form: f}
	p.Faults, p.Errors = faultLinks(faults)
	return v.showAutomation(review.HTTPStatus(err), p)
}

// arm arms the breaker of a rule again, so that the rule decides again.
func (v *visit) arm() error {
	_, err := v.desk().ArmBreaker(v.ctx(), v.who, word(v.r.PostForm, "rule"))
	if err != nil {
		return err
	}
	v.putFlash(Flash{Kind: flashArmed, Name: word(v.r.PostForm, "rule")})
	return v.redirect("/automation")
}

// reconcile finds workflows that are missing, starts them again and shows what it came to.
func (v *visit) reconcile() error {
	a, err := v.desk().Reconcile(v.ctx(), v.who)
	if err != nil {
		return err
	}
	report, err := json.MarshalIndent(a.Report, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report of reconciling: %w", err)
	}
	return v.showAutomation(http.StatusOK, automationPage{Report: string(report)})
}
