package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// SwitchView is a switch as it stands.
type SwitchView struct {
	// Name is "acts", "acts/PLATFORM" or "automation".
	Name     string          `json:"name"`
	Platform string          `json:"platform,omitempty"` // of a switch of one platform's acts
	On       bool            `json:"on"`
	By       casefile.Person `json:"by,omitempty"`
	Since    *time.Time      `json:"since,omitempty"` // nil where it was never set
	Reason   string          `json:"reason,omitempty"`
}

// BreakerView is the breaker of one automatic rule.
type BreakerView struct {
	Rule    string          `json:"rule"`
	Hour    time.Time       `json:"hour"`  // that is counted
	Count   int             `json:"count"` // what the rule decided in it
	Cases   int             `json:"cases"` // how many cases were assessed in it
	Tripped *time.Time      `json:"tripped,omitempty"`
	Why     string          `json:"why,omitempty"` // count or share
	ArmedBy casefile.Person `json:"armed_by,omitempty"`
	ArmedAt *time.Time      `json:"armed_at,omitempty"`
}

// SwitchesView is what is switched on and off, and every breaker.
type SwitchesView struct {
	Switches []SwitchView               `json:"switches"`
	Breakers []BreakerView              `json:"breakers"`
	Names    map[casefile.Person]string `json:"names,omitempty"`
}

// Banner is what every page says: what is paused, whether rules decide, what tripped, what does not answer.
type Banner struct {
	Paused     []SwitchView `json:"paused"` // without their reasons
	Automation bool         `json:"automation"`
	Tripped    []string     `json:"tripped"` // rules whose breaker tripped
	// Down names what the process needs and gets no answer from: records, index, temporal, ledger.
	Down []string `json:"down"`
}

// Banner tells what every page says. Everybody sees it.
func (d *Desk) Banner(ctx context.Context, who access.Who) (Banner, error) {
	err := who.Require(access.SessionManage)
	if err != nil {
		return Banner{}, err
	}
	rows, err := d.o.Records.Switches(ctx)
	if err != nil {
		return Banner{}, fmt.Errorf("read switches: %w", err)
	}
	out := Banner{Paused: []SwitchView{}, Tripped: []string{}, Down: []string{}}
	if d.o.Down != nil {
		out.Down = append(out.Down, d.o.Down()...)
	}
	for _, r := range rows {
		switch {
		case r.Name == records.SwitchAutomation:
			out.Automation = r.On
		case !r.On:
			out.Paused = append(out.Paused, switchView(r))
		}
	}
	breakers, err := d.o.Records.Breakers(ctx)
	if err != nil {
		return Banner{}, fmt.Errorf("read breakers: %w", err)
	}
	for _, b := range breakers {
		if b.Tripped != nil {
			out.Tripped = append(out.Tripped, b.Rule)
		}
	}
	return out, nil
}

func switchView(r records.SwitchRow) SwitchView {
	at := r.At
	platform, _ := strings.CutPrefix(r.Name, records.SwitchActs+"/")
	if platform == r.Name {
		platform = ""
	}
	return SwitchView{Name: r.Name, Platform: platform, On: r.On, By: r.By.Person, Since: &at}
}

// Switches shows every switch, with the words of its last reason, and every breaker. A switch of all
// acts and the one of automation stand there also where they were never set.
func (d *Desk) Switches(ctx context.Context, who access.Who) (SwitchesView, error) {
	err := who.Require(access.SwitchRead)
	if err != nil {
		return SwitchesView{}, err
	}
	rows, err := d.o.Records.Switches(ctx)
	if err != nil {
		return SwitchesView{}, fmt.Errorf("read switches: %w", err)
	}
	out := SwitchesView{Switches: []SwitchView{{Name: records.SwitchActs, On: true}, {Name: records.SwitchAutomation}}}
	for _, r := range rows {
		v := switchView(r)
		v.Reason, err = d.openReason(ctx, r.Reason)
		if err != nil {
			return SwitchesView{}, err
		}
		switch r.Name {
		case records.SwitchActs:
			out.Switches[0] = v
		case records.SwitchAutomation:
			out.Switches[1] = v
		default:
			out.Switches = append(out.Switches, v)
		}
	}
	out.Breakers, err = d.breakers(ctx)
	if err != nil {
		return SwitchesView{}, err
	}
	var people []casefile.Person
	for _, s := range out.Switches {
		people = append(people, s.By)
	}
	for _, b := range out.Breakers {
		people = append(people, b.ArmedBy)
	}
	out.Names, err = d.names(ctx, who, people...)
	return out, err
}

// openReason opens a reason's words; one whose key is gone is said to be unreadable.
func (d *Desk) openReason(ctx context.Context, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	words, err := d.o.Reasons.OpenReason(ctx, sealed)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return "", fmt.Errorf("open a reason: %w", err)
	}
	if err != nil {
		return "(the words of the reason cannot be opened any more)", nil
	}
	return string(words), nil
}

func (d *Desk) breakers(ctx context.Context) ([]BreakerView, error) {
	rows, err := d.o.Records.Breakers(ctx)
	if err != nil {
		return nil, fmt.Errorf("read breakers: %w", err)
	}
	out := make([]BreakerView, 0, len(rows))
	for _, b := range rows {
		out = append(out, BreakerView{
			Rule: b.Rule, Hour: b.Hour, Count: b.Count, Cases: b.Cases, Tripped: b.Tripped, Why: b.Why, ArmedBy: b.ArmedBy, ArmedAt: b.ArmedAt,
		})
	}
	return out, nil
}

// SwitchAnswer is a switch after it was set.
type SwitchAnswer struct {
	Switch SwitchView `json:"switch"`
	// Waiting is how many acts of those that the switch covers have not begun or not come to their end.
	Waiting int `json:"waiting"`
	// Paused are the switches that still stop some or all of these acts.
	Paused []string `json:"paused,omitempty"`
}

// PauseActs stops every act of a platform ("" for all): once it has answered, none starts. What is
// paused already stays as it is. CodeInvalid on fields platform and reason.
func (d *Desk) PauseActs(ctx context.Context, who access.Who, platform, reason string) (SwitchAnswer, error) {
	return d.setActs(ctx, who, access.ActPause, platform, reason, false)
}

// ResumeActs lets the acts of a platform go on, or with "" those of every platform that was not paused
// by itself. What is not paused stays as it is. CodeInvalid on fields platform and reason.
func (d *Desk) ResumeActs(ctx context.Context, who access.Who, platform, reason string) (SwitchAnswer, error) {
	return d.setActs(ctx, who, access.ActResume, platform, reason, true)
}

func (d *Desk) setActs(ctx context.Context, who access.Who, need access.Permission, platform, reason string, on bool) (SwitchAnswer, error) {
	actor, err := who.ActorFor(need)
	if err != nil {
		return SwitchAnswer{}, err
	}
	name := records.SwitchActs
	if platform != "" {
		if !casefile.ValidPlatform(platform) {
			return SwitchAnswer{}, casefile.Invalid("platform", "not the name of a platform")
		}
		name = records.ActsOf(platform)
		err = d.checkPlatform(ctx, platform, name, on)
		if err != nil {
			return SwitchAnswer{}, err
		}
	}
	view, err := d.setSwitch(ctx, actor, name, on, true, reason)
	if err != nil {
		return SwitchAnswer{}, err
	}
	out := SwitchAnswer{Switch: view}
	out.Paused, err = d.pausing(ctx, platform)
	if err != nil {
		return SwitchAnswer{}, err
	}
	out.Waiting, err = d.waitingActs(ctx, platform)
	return out, err
}

// checkPlatform refuses a platform that nothing here knows: a pause of a misspelled one would stop
// nothing and look as if it did. What is paused already can be resumed by whatever name.
func (d *Desk) checkPlatform(ctx context.Context, platform, name string, on bool) error {
	known, err := d.knownPlatforms(ctx, platform)
	if err != nil || slices.Contains(known, platform) {
		return err
	}
	rows, err := d.o.Records.Switches(ctx)
	if err != nil {
		return fmt.Errorf("read switches: %w", err)
	}
	if on && slices.ContainsFunc(rows, func(r records.SwitchRow) bool { return r.Name == name && !r.On }) {
		return nil
	}
	if len(known) == 0 {
		return casefile.Invalid("platform", "not a platform known here: there are no cases of any yet")
	}
	return casefile.Invalid("platform", "not a platform known here: one of %s", strings.Join(known, ", "))
}

// knownPlatforms are those that this deployment is made for, or where it is made for any, those of its
// cases. It reads no further than to the one that is looked for: a pause is in a hurry.
func (d *Desk) knownPlatforms(ctx context.Context, sought string) ([]string, error) {
	if len(d.o.Platforms) > 0 {
		return d.o.Platforms, nil
	}
	var out []string
	for cursor := ""; ; {
		cases, next, err := d.o.Records.ListCases(ctx, "", cursor, watchPage)
		if err != nil {
			return nil, fmt.Errorf("list cases for their platforms: %w", err)
		}
		for _, c := range cases {
			if !slices.Contains(out, c.Platform) {
				out = append(out, c.Platform)
			}
		}
		if next == "" || slices.Contains(out, sought) {
			slices.Sort(out)
			return out, nil
		}
		cursor = next
	}
}

// pausing lists the switches that are off and cover acts of a platform, or of any with "".
func (d *Desk) pausing(ctx context.Context, platform string) ([]string, error) {
	rows, err := d.o.Records.Switches(ctx)
	if err != nil {
		return nil, fmt.Errorf("read switches: %w", err)
	}
	var out []string
	for _, r := range rows {
		if r.Name != records.SwitchAutomation && !r.On && (platform == "" || r.Name == records.SwitchActs || r.Name == records.ActsOf(platform)) {
			out = append(out, r.Name)
		}
	}
	return out, nil
}

// setSwitch sets a switch, unless it stands so already. std is how one stands that was never set.
func (d *Desk) setSwitch(ctx context.Context, by casefile.Actor, name string, on, std bool, reason string) (SwitchView, error) {
	words, err := checkWords("reason", reason)
	if err != nil {
		return SwitchView{}, err
	}
	rows, err := d.o.Records.Switches(ctx)
	if err != nil {
		return SwitchView{}, fmt.Errorf("read switches: %w", err)
	}
	stands := SwitchView{Name: name, On: std}
	for _, r := range rows {
		if r.Name == name {
			stands = switchView(r)
		}
	}
	if stands.On == on {
		return stands, nil
	}
	sealed, err := d.o.Reasons.SealReason(ctx, []byte(words))
	if err != nil {
		return SwitchView{}, fmt.Errorf("seal a reason: %w", err)
	}
	row := records.SwitchRow{Name: name, On: on, By: by, At: d.now(), Reason: sealed}
	err = d.o.Records.SetSwitch(ctx, row)
	if err != nil {
		return SwitchView{}, fmt.Errorf("set a switch: %w", err)
	}
	return switchView(row), nil
}

// waitingActs counts the acts of a platform ("" for all) that a pause keeps waiting.
func (d *Desk) waitingActs(ctx context.Context, platform string) (int, error) {
	n := 0
	for _, stage := range []records.ActStage{records.ActWaiting, records.ActRetrying} {
		for cursor := ""; ; {
			acts, next, err := d.o.Records.PendingActs(ctx, platform, stage, cursor, maxPage)
			if err != nil {
				return 0, fmt.Errorf("count waiting acts: %w", err)
			}
			n += len(acts)
			if next == "" {
				break
			}
			cursor = next
		}
	}
	return n, nil
}

// SetAutomation lets automatic rules decide, or stops them. CodeInvalid on field reason.
func (d *Desk) SetAutomation(ctx context.Context, who access.Who, on bool, reason string) (SwitchView, error) {
	actor, err := who.ActorFor(access.SwitchAutomation)
	if err != nil {
		return SwitchView{}, err
	}
	return d.setSwitch(ctx, actor, records.SwitchAutomation, on, false, reason)
}

// Breakers lists the breaker of every rule that ever counted.
func (d *Desk) Breakers(ctx context.Context, who access.Who) ([]BreakerView, error) {
	err := who.Require(access.SwitchRead)
	if err != nil {
		return nil, err
	}
	return d.breakers(ctx)
}

// ArmBreaker arms the breaker of a rule that tripped. CodeNotFound for a rule that never counted,
// CodeState for one that has not tripped.
func (d *Desk) ArmBreaker(ctx context.Context, who access.Who, rule string) (BreakerView, error) {
	actor, err := who.ActorFor(access.BreakerArm)
	if err != nil {
		return BreakerView{}, err
	}
	err = d.o.Records.ArmBreaker(ctx, rule, actor, d.now())
	switch casefile.ErrorCode(err) {
	case "":
	case casefile.CodeNotFound:
		return BreakerView{}, casefile.Errorf(casefile.CodeNotFound, "no rule of this name has a breaker")
	default:
		return BreakerView{}, fmt.Errorf("arm a breaker: %w", err)
	}
	all, err := d.breakers(ctx)
	if err != nil {
		return BreakerView{}, err
	}
	for _, b := range all {
		if b.Rule == rule {
			return b, nil
		}
	}
	return BreakerView{Rule: rule}, nil
}
