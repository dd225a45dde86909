package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// browser starts headless Chromium, or skips the test where none is installed.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("DOCKET_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path != "" {
			break
		}
		found, err := exec.LookPath(name)
		if err == nil {
			path = found
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed: install one, or name it in DOCKET_CHROMIUM")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 1600), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// hands is a person with a keyboard and no mouse.
type hands struct {
	t   *testing.T
	ctx context.Context
}

func (h hands) do(steps ...chromedp.Action[chromedp.Void]) {
	h.t.Helper()
	require.NoError(h.t, chromedp.Do(h.ctx, steps...))
}

func (h hands) press(keys string) { h.t.Helper(); h.do(chromedp.KeyEvent(keys)) }

// eval gives the value of an expression in the page.
func eval[T any](h hands, js string) T {
	h.t.Helper()
	v, err := chromedp.Run(h.ctx, chromedp.Evaluate[T](js))
	require.NoError(h.t, err)
	return v
}

func (h hands) text(id string) string {
	h.t.Helper()
	return eval[string](h, fmt.Sprintf(`document.getElementById(%q).textContent`, id))
}

// tabTo presses Tab until the element for which js holds has the focus.
func (h hands) tabTo(js string) {
	h.t.Helper()
	for range 400 {
		if eval[bool](h, fmt.Sprintf(`(e => Boolean(e && (%s)))(document.activeElement)`, js)) {
			return
		}
		h.press(kb.Tab)
	}
	require.Fail(h.t, "no way there by keyboard", js)
}

func (h hands) tabToID(id string) { h.t.Helper(); h.tabTo(fmt.Sprintf(`e.id === %q`, id)) }

// see waits until a loaded page shows an element: keys work once the page's script has run. A
// question that is cut off by a navigation is asked again.
func (h hands) see(selector string) {
	h.t.Helper()
	js := fmt.Sprintf(`new Promise(ok => setTimeout(() => ok(document.readyState === "complete" && document.querySelector(%q) !== null), 20))`, selector)
	for h.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(h.ctx, patience/12)
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
		cancel()
		if err == nil && there {
			return
		}
	}
	require.Fail(h.t, "the page never showed it", selector)
}

// TestBrowserKeyboardOnly: log in, next case, refused for one missing mitigation with the draft
// kept, preview, opinion, receipt, all without a mouse; the preview is the notice that is sent.
func TestBrowserKeyboardOnly(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	b := start(t, testConfig(t.TempDir()))
	first := b.flag(testFlag("f-first", 1))
	second := b.flag(testFlag("f-second", 2))
	h := hands{t: t, ctx: ctx}
	var link string
	for _, p := range b.creds.People {
		if p.Login == "rev1" {
			link = p.LoginLink
		}
	}
	h.do(chromedp.Navigate(link))
	h.tabToID("login")
	h.press(kb.Enter)
	h.see("[data-next]:not(:disabled)")
	h.press("n")
	h.see("#opinion-form")
	ref := eval[string](h, `document.getElementById("case").dataset.case`)
	require.Contains(t, []string{string(first), string(second)}, ref)

	h.press("j")
	h.press("x")
	h.press("d")
	h.choose("action", "L5")
	h.tabToID("days")
	h.press("30")
	h.tabToID("policy-VE-08")
	h.press(" ")
	h.choose("entity_tier", "E2")
	for _, m := range casefile.Mitigations {
		if m != casefile.M3 {
			h.answerNo(m)
		}
	}
	h.tabToID("rationale")
	const rationale = "[rationale of a test opinion]"
	h.press(rationale)
	h.tabToID("preview")
	h.press(kb.Enter)

	h.see("#errors")
	require.Contains(t, h.text("errors"), "M3")
	kept := eval[[]string](h, `[document.getElementById("action").value, document.getElementById("days").value, document.getElementById("rationale").value.trim(),
		String(document.getElementById("policy-VE-08").checked), String(document.getElementById("M4-no").checked), String(document.getElementById("relied-1").checked)]`)
	require.Equal(t, []string{"L5", "30", rationale, "true", "true", "true"}, kept, "the draft is kept")

	h.answerNo(casefile.M3)
	h.tabToID("preview")
	h.press(kb.Enter)
	h.see("#confirm")
	preview := h.text("notice")
	require.Contains(t, preview, ref)
	h.tabToID("confirm")
	h.press(kb.Enter)

	// The next case opens by itself, with word of the one before.
	h.see("#opinion-form")
	next := eval[string](h, `document.getElementById("case").dataset.case`)
	require.NotEqual(t, ref, next)
	require.Contains(t, []string{string(first), string(second)}, next)

	row := b.awaitCase(casefile.CaseRef(ref), func(c records.Case) bool { return c.State == casefile.StateClosed })
	d := b.awaitDecision(row.Decision, casefile.DecisionDone)
	h.tabTo(fmt.Sprintf(`e.tagName === "A" && e.pathname.endsWith("/cases/" + %q)`, ref))
	h.press(kb.Enter)
	h.see("#receipt-hash")
	require.Equal(t, d.Hash, h.text("receipt-hash"))
	b.awaitNotice(row.Decision)
	_, notices := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{preview}, notices, "the notice that was previewed is the one sent, byte for byte")
}

// choose takes an option of a list by the arrow keys.
func (h hands) choose(id, value string) {
	h.t.Helper()
	h.tabToID(id)
	for range 20 {
		if eval[string](h, fmt.Sprintf(`document.getElementById(%q).value`, id)) == value {
			return
		}
		h.press(kb.ArrowDown)
	}
	require.Fail(h.t, "the list has no such option", value)
}

// answerNo chooses "no" of a mitigation: Tab reaches its first radio, the arrow the second.
func (h hands) answerNo(m casefile.Mitigation) {
	h.t.Helper()
	h.tabToID(string(m) + "-yes")
	h.press(kb.ArrowRight)
	require.True(h.t, eval[bool](h, fmt.Sprintf(`document.getElementById("%s-no").checked`, m)))
}
