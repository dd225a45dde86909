package console_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// stop tells of what has the focus: its name, and why somebody could not see that it has it; "" if they
// can.
const stop = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return ["", ""];
	const name = e.id || e.getAttribute("href") || [e.name, e.value].filter(Boolean).join("=") || e.textContent.trim();
	const style = getComputedStyle(e);
	const box = e.getClientRects()[0];
	let hidden = "";
	if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) hidden = "no ring";
	else if (!box || box.width < 4 || box.height < 4) hidden = "no room";
	else {
		const over = document.elementFromPoint(box.x + box.width / 2, Math.min(box.y + box.height / 2, innerHeight - 1));
		if (!over || !(e.contains(over) || over.contains(e) && !over.matches("dialog, header.top"))) hidden = "covered by " + (over ? over.outerHTML.slice(0, 80) : "the window's edge");
	}
	return [name, hidden];
})()`

// tab presses Tab once and gives the name of what has the focus then, which everybody must be able to see.
func (b *screen) tab() string {
	b.s.t.Helper()
	b.press(kb.Tab)
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](stop))
	require.NoError(b.s.t, err)
	require.Empty(b.s.t, at[1], "who is at %q does not see it", at[0])
	return at[0]
}

// tabTo presses Tab until what has that name (its id, else its address, else its field's value) has the
// focus, and gives the stops on the way.
func (b *screen) tabTo(name string) []string {
	b.s.t.Helper()
	var stops []string
	for range 200 {
		at := b.tab()
		stops = append(stops, at)
		if at == name {
			return stops
		}
	}
	require.Fail(b.s.t, "no way there by Tab", "%s: %q", name, stops)
	return nil
}

// enter presses what has the focus and waits for a page that shows an element.
func (b *screen) enter(selector string) {
	b.s.t.Helper()
	b.leave(kb.Enter, selector)
}

// leave presses a key that leads to another page and waits until that shows an element.
func (b *screen) leave(key, selector string) {
	b.s.t.Helper()
	b.run(`window.left = true`)
	b.press(key)
	js := fmt.Sprintf(`new Promise(ok => setTimeout(() => ok(!window.left && document.readyState === "complete" && document.querySelector(%q) !== null), 10))`, selector)
	for b.ctx.Err() == nil { // a question that is cut off by the navigation is asked again
		ctx, cancel := context.WithTimeout(b.ctx, patience/12)
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
		cancel()
		if err == nil && there {
			return
		}
	}
	require.Fail(b.s.t, "the page never came", selector)
}

// skip goes past the top of a page by its first stop.
func (b *screen) skip() {
	b.s.t.Helper()
	require.Equal(b.s.t, "#main", b.tab(), "a page's first stop leads past its top")
	b.press(kb.Enter)
	b.await(`location.hash === "#main"`)
}

// choose takes an option of the list that has the focus by the arrow keys.
func (b *screen) choose(value string) {
	b.s.t.Helper()
	for range 20 {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.activeElement.value`))
		require.NoError(b.s.t, err)
		if is == value {
			return
		}
		b.press(kb.ArrowDown)
	}
	require.Fail(b.s.t, "the list has no such option", value)
}

func (b *screen) text(selector string) string {
	b.s.t.Helper()
	said, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q).innerText`, selector)))
	require.NoError(b.s.t, err)
	return said
}

// TestBrowserByTheKeyboard does what leads, seniors, reviewers and admins do by Tab, Enter, Space, arrows,
// single keys and writing alone. Whatever gets the focus on the way must be seen to have it.
func TestBrowserByTheKeyboard(t *testing.T) {
	t.Parallel()
	browser := chrome(t)
	for name, do := range map[string]func(*testing.T, context.Context){
		"adjudication": adjudicates, "appeal": rules, "settling": settles, "pause": pauses,
		"refer and snooze": refersAndSnoozes, "escalate": escalates, "disable": disables,
	} {
		t.Run(name, func(t *testing.T) { do(t, browser) })
	}
}

// adjudicates: a lead takes the case of two who differ from the leads' queue and settles it by a third
// view.
func adjudicates(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref, _ := s.Open(1)
	s.login("rev1").decide(ref, "action", "L6", "days", "", "rationale", "the first rationale of a test")
	s.login("rev2").decide(ref, "action", "L5", "days", "30", "M1", "yes", "rationale", "the second rationale of a test")
	lead := s.login("lead")
	b := lead.browseIn(t, browser)
	b.open("/queues")
	b.tabTo("next-lead")
	b.shoot(t, "adjudication-queues")
	b.enter("#compared")
	require.Contains(t, b.text("#differences"), "They differ in action; days; M1 News.")
	b.shoot(t, "adjudication")
	b.press("j")
	b.await(`document.activeElement.matches(".post")`)
	b.press("x")
	b.press("d")
	b.await(`document.activeElement.id === "action"`)
	b.choose("L3")
	require.Equal(t, "days", b.tab())
	b.press("7")
	b.tabTo("policy-VE-08")
	b.press(" ")
	b.tabTo("entity_tier")
	b.choose("E1")
	for _, m := range casefile.Mitigations {
		b.tabTo(string(m) + "-yes")
		b.press(kb.ArrowRight)
		b.await(fmt.Sprintf(`document.getElementById("%s-no").checked`, m))
	}
	b.tabTo("rationale")
	b.press("a third view of a test, by the keyboard")
	b.tabTo("preview")
	b.shoot(t, "adjudication-form")
	b.enter("#confirm-form")
	require.Contains(t, b.text("#consequences"), "Yours is the third opinion")
	b.skip()
	b.tabTo("confirm")
	b.shoot(t, "adjudication-confirm")
	b.enter("#flash")
	b.shoot(t, "adjudication-given")
	opinions, err := s.Records.Opinions(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, opinions, 3)
	require.Equal(t, lead.who.Person, opinions[2].Person)
	require.Equal(t, casefile.StateDecided, s.row(ref).State)
}

// rules: somebody takes an appeal, writes a ruling, is told that they did not say that it is theirs, says
// so and confirms it.
func rules(t *testing.T, browser context.Context) {
	s := newSite(t)
	_, appeal := s.appealed(1)
	judge := s.login("rev2")
	b := judge.browseIn(t, browser)
	b.open("/appeals")
	b.shoot(t, "appeals")
	b.leave("n", "#ruling-form")
	b.shoot(t, "appeal")
	b.press("d")
	b.await(`document.activeElement.id === "outcome-rejected"`)
	b.press(kb.ArrowDown)
	b.await(`document.activeElement.id === "outcome-upheld" && document.activeElement.checked`)
	require.Equal(t, "rationale", b.tab())
	b.press("the group was named to condemn it")
	require.Equal(t, "preview", b.tab())
	b.shoot(t, "appeal-form")
	b.enter("#confirm-form")
	b.skip()
	require.Equal(t, []string{"sure", "confirm"}, b.tabTo("confirm"))
	b.enter("#errors")
	b.await(`document.activeElement.id === "errors"`)
	b.shoot(t, "appeal-refused")
	require.Equal(t, "#sure", b.tab())
	b.press(kb.Enter)
	b.await(`document.activeElement.id === "sure"`)
	b.press(" ")
	require.Equal(t, "confirm", b.tab())
	b.shoot(t, "appeal-confirm")
	b.enter("#ruled")
	b.shoot(t, "appeal-ruled")
	row, err := s.Records.Appeal(t.Context(), appeal)
	require.NoError(t, err)
	require.Equal(t, casefile.AppealDecided, row.State)
	require.Equal(t, casefile.OutcomeUpheld, row.Ruling.Outcome)
	require.Equal(t, judge.who.Person, row.Ruling.Person)
}

// settles: a senior goes from the page of acts to an uncertain one, forgets to say how it ended, is led
// there, and settles it.
func settles(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref := s.carriedOut(1, casefile.ActUncertain)
	b := s.login("senior").browseIn(t, browser)
	b.open("/acts")
	b.tabTo("stage")
	stops := b.tabTo("/cases/" + string(ref))
	settle := b.tab()
	require.True(t, strings.HasPrefix(settle, "/acts/settle?"), "after %q: %s", stops, settle)
	b.shoot(t, "acts-uncertain")
	b.enter("#settle-form")
	b.skip()
	b.tabTo("looked")
	b.press("the account's page, logged out")
	require.Equal(t, "saw", b.tab())
	b.press("its features are limited")
	require.Equal(t, "outcome=done", b.tab(), "one stop for both")
	require.Equal(t, "confirm", b.tab())
	b.enter("#errors")
	b.await(`document.activeElement.id === "errors"`)
	b.shoot(t, "settle-refused")
	require.Equal(t, "#outcome", b.tab())
	b.press(kb.Enter)
	b.await(`document.activeElement.id === "outcome"`)
	require.Equal(t, "outcome=done", b.tab())
	b.press(" ")
	require.Equal(t, "confirm", b.tab())
	b.shoot(t, "settle")
	b.enter("#flash")
	b.shoot(t, "settled")
	require.Contains(t, b.text("#flash"), "How act 1 ended is on record")
	decisions, err := s.Records.CaseDecisions(t.Context(), ref)
	require.NoError(t, err)
	acts, err := s.Records.Acts(t.Context(), decisions[0].Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, acts[0].State)
}

// pauses: a lead pauses every act with a reason and lets them go on; a colleague's open page says so without
// their doing, and says nothing any more afterwards.
func pauses(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref := s.carriedOut(1, casefile.ActPlanned)
	theirs := s.login("rev2").browseIn(t, browser)
	theirs.open("/cases/" + string(ref))
	theirs.await(`document.querySelector("#banner").innerText.trim() === ""`)
	paused := func() bool {
		view, err := s.Desk.Switches(t.Context(), s.Who("lead"))
		require.NoError(t, err)
		return slices.ContainsFunc(view.Switches, func(a review.SwitchView) bool { return a.Name == records.SwitchActs && !a.On })
	}
	b := s.login("lead").browseIn(t, browser)
	b.open("/acts")
	b.skip()
	require.Equal(t, []string{"pause-platform", "pause-reason", "pause"}, b.tabTo("pause"))
	b.enter("#errors")
	b.await(`document.activeElement.id === "errors"`)
	b.shoot(t, "pause-refused")
	require.False(t, paused(), "not without a reason")
	require.Equal(t, "#pause-reason", b.tab())
	b.press(kb.Enter)
	b.await(`document.activeElement.id === "pause-reason"`)
	b.press("the platform answers slowly")
	b.await(`document.activeElement.value === "the platform answers slowly"`) // and not the Enter that led here
	require.Equal(t, "pause", b.tab())
	b.enter("#flash")
	b.shoot(t, "paused")
	require.Contains(t, b.text("#flash"), "Acts on every platform are paused: none starts. 1 act waits.")
	require.True(t, paused())
	theirs.await(`document.querySelector("#banner").innerText.includes("Acts are paused on every platform")`)
	theirs.shoot(t, "paused-elsewhere")

	b.tabTo("resume-reason")
	b.press("it answers again")
	require.Equal(t, "resume", b.tab())
	b.shoot(t, "resume")
	b.enter("#flash")
	b.shoot(t, "resumed")
	require.Contains(t, b.text("#flash"), "Acts on every platform go on. 1 act waits")
	require.False(t, paused())
	theirs.await(`document.querySelector("#banner").innerText.trim() === ""`)
}

// refersAndSnoozes: whoever holds a case refers it, goes on with what they had begun, and snoozes it.
func refersAndSnoozes(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref, _ := s.Open(1)
	b := s.login("rev1").browseIn(t, browser)
	b.open("/queues")
	b.leave("n", "#opinion-form")
	b.press("d")
	b.tabTo("rationale")
	b.press("begun and not given")
	b.press(kb.Escape)
	b.press("v")
	b.await(`document.activeElement.id === "verb-release"`)
	b.tabTo("verb-refer")
	b.shoot(t, "case-verbs")
	b.enter("#verb-form")
	b.skip()
	require.Equal(t, []string{"/cases/" + string(ref), "kind=child_safety"}, b.tabTo("kind=child_safety"))
	b.choose("legal")
	require.Equal(t, "reason", b.tab())
	b.press("see the second post")
	require.Equal(t, "confirm", b.tab())
	b.shoot(t, "refer")
	b.enter("#was-referred")
	b.shoot(t, "referred")
	b.await(`document.querySelector("#rationale").value.trim() === "begun and not given"`)
	require.Contains(t, b.text("#referrals"), "see the second post")

	b.press("v")
	b.await(`document.activeElement.id === "verb-release"`)
	b.tabTo("verb-snooze")
	b.enter("#verb-form")
	b.skip()
	b.tabTo("in=1h")
	b.press(kb.ArrowDown)
	b.tabTo("confirm")
	b.shoot(t, "snooze")
	b.enter("#flash")
	b.shoot(t, "snoozed")
	require.Contains(t, b.text("#flash"), "is snoozed")
	row := s.row(ref)
	require.Equal(t, casefile.StateQueued, row.State)
	require.Equal(t, s.Clock.Now().Add(4*time.Hour), row.NotBefore.UTC())
}

// escalates: whoever holds a case escalates it to a lead, once they have said why.
func escalates(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref, _ := s.Open(1)
	b := s.login("rev1").browseIn(t, browser)
	b.open("/queues")
	b.leave("n", "#opinion-form")
	b.press("v")
	b.await(`document.activeElement.id === "verb-release"`)
	b.tabTo("verb-escalate")
	b.enter("#verb-form")
	b.press("d")
	b.await(`document.activeElement.id === "confirm"`)
	b.enter("#errors")
	b.await(`document.activeElement.id === "errors"`)
	b.shoot(t, "escalate-refused")
	require.Equal(t, "#reason", b.tab())
	b.press(kb.Enter)
	b.await(`document.activeElement.id === "reason"`)
	b.press("I am not sure of the law here")
	require.Equal(t, "confirm", b.tab())
	b.shoot(t, "escalate")
	b.enter("#flash")
	b.shoot(t, "escalated")
	require.Contains(t, b.text("#flash"), "was escalated")
	row := s.row(ref)
	require.Equal(t, casefile.StateQueued, row.State)
	require.Equal(t, "lead", row.Route.Queue)
}

// disables: an admin disables somebody from the list of people; what they held goes back.
func disables(t *testing.T, browser context.Context) {
	s := newSite(t)
	ref, _ := s.Open(1)
	gone := s.login("rev1")
	gone.take(ref)
	b := s.login("admin").browseIn(t, browser)
	b.open("/people")
	address := "/people/" + string(gone.who.Person)
	b.tabTo(address + "/reset")
	require.Equal(t, address+"/disable", b.tab())
	b.shoot(t, "people")
	b.enter("#confirm")
	b.skip()
	b.tabTo("confirm")
	b.shoot(t, "disable")
	require.Equal(t, http.StatusOK, gone.get("/queues").status, "asking does nothing")
	b.enter("#released")
	b.shoot(t, "disabled")
	require.Contains(t, b.text("#released"), string(ref))
	require.Equal(t, casefile.StateQueued, s.row(ref).State)
	require.Equal(t, http.StatusUnauthorized, gone.get("/queues").status)
	b.skip()
	b.tabTo("/people")
	b.enter("#people")
}
