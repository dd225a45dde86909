package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// patience bounds everything that a browser is waited for.
const patience = 60 * time.Second

// screen is a browser at a site, with what was sent to it.
type screen struct {
	s   *site
	ctx context.Context
	url string

	mu   sync.Mutex
	sent []string // paths of forms, leases that run on by input left out
}

// chrome starts a browser that lives as long as the test, or skips the test where none is installed.
func chrome(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("DOCKET_CHROMIUM")
	if path == "" {
		found, err := exec.LookPath("chromium")
		if err != nil {
			t.Skip("no Chromium is installed: install one, or name it in DOCKET_CHROMIUM")
		}
		path = found
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 1600), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// browse opens a browser of their own with a visitor's session.
func (v *visitor) browse(t *testing.T) *screen {
	t.Helper()
	return v.browseIn(t, chrome(t))
}

// browseIn opens a window with a visitor's session, whose cookies no other window of the browser sees.
func (v *visitor) browseIn(t *testing.T, browser context.Context) *screen {
	t.Helper()
	b := &screen{s: v.s}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/heartbeat") {
			b.mu.Lock()
			b.sent = append(b.sent, r.URL.Path)
			b.mu.Unlock()
		}
		v.s.handler.ServeHTTP(w, r)
	}))
	b.url = server.URL
	ctx, cancel := context.WithTimeout(browser, patience)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(func() { // the window goes before the server, whose streams it holds open
		cancel()
		server.CloseClientConnections()
		server.Close()
	})
	_, err := chromedp.Run(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: "docket_session", Value: v.cookies["docket_session"], URL: server.URL})
		return err
	}))
	require.NoError(t, err)
	return b
}

func (b *screen) open(path string) {
	b.s.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Navigate(b.url+path))
	require.NoError(b.s.t, err)
	b.await(`document.readyState === "complete" && document.documentElement.classList.contains("js")`)
}

func (b *screen) run(js string) {
	b.s.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("(() => {"+js+"; return true})()"))
	require.NoError(b.s.t, err)
}

// await waits until an expression holds in the page, or in the one that takes its place: an expression is
// cut off when the page that it waits in is left.
func (b *screen) await(js string) {
	b.s.t.Helper()
	for {
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](
			fmt.Sprintf(`new Promise(ok => { const ask = () => (%s) ? ok(true) : setTimeout(ask, 20); ask(); })`, js), chromedp.EvalAwaitPromise))
		if err != nil && b.ctx.Err() == nil && strings.Contains(err.Error(), "Inspected target navigated or closed") {
			continue
		}
		require.NoError(b.s.t, err, js)
		return
	}
}

func (b *screen) press(keys string) {
	b.s.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.KeyEvent(keys))
	require.NoError(b.s.t, err)
}

func (b *screen) posted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.sent...)
}

// TestBrowserCountsChangeUnderTheFocus: a page of queues follows the change feed, and what has the
// focus keeps it.
func TestBrowserCountsChangeUnderTheFocus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.login("rev1").browse(t)
	b.open("/queues")
	b.run(`window.was = document.querySelector("#queue-general a"); was.focus()`)
	s.Open(1)
	waiting := `document.querySelector("#queue-general [data-label=Waiting]").textContent`
	b.await(waiting + ` === "1"`)
	s.Open(2)
	b.await(waiting + ` === "2" && document.activeElement === window.was && document.querySelector("#next-general").matches("[data-next]")`)

	// A row that comes before the one in hand takes no focus from it.
	b.open("/queues/general")
	b.run(`document.querySelector("tr[data-item]").focus(); window.row = document.activeElement.id`)
	s.Open(3)
	b.await(`document.querySelectorAll("tr[data-item]").length === 3 && document.activeElement.id === window.row`)
}

// TestBrowserBannerOnAnOpenCase: an open case says that acts are paused as soon as they are, and is not
// opened anew for that: no look goes on record that nobody took.
func TestBrowserBannerOnAnOpenCase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	b := v.browse(t)
	b.open("/cases/" + string(ref))
	looks := func() int {
		rows, _, err := s.Desk.Views(t.Context(), s.Who("auditor"), ref, 0, 100)
		require.NoError(t, err)
		return len(rows)
	}
	before := looks()
	_, err := s.Desk.PauseActs(t.Context(), s.Who("lead"), "", "for a test")
	require.NoError(t, err)
	b.await(`document.querySelector("#banner").textContent.includes("Acts are paused on every platform")`)
	require.Equal(t, before, looks())
}

// TestBrowserSingleKeysEndNothing: no single letter, digit or sign decides, confirms or gives anything
// up, on the page of a case that one holds or on one that asks.
func TestBrowserSingleKeysEndNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("senior")
	v.take(ref)
	before := s.row(ref)
	b := v.browse(t)
	for _, path := range []string{"", "/release?claim=1", "/threat?claim=1", "/close?claim=1&evidence=1", "/snooze?claim=1"} {
		b.open("/cases/" + string(ref) + path)
		for _, key := range "abcdefghijklmopqrstuvwxyz0123456789.,;-" { // "n" takes the next case: it ends nothing
			b.press(string(key))
			b.press(kb.Escape) // out of a field that the key led to
			b.await(`location.pathname.startsWith("/cases/")`)
		}
	}
	b.open("/cases/" + string(ref))
	require.Empty(t, b.posted())
	require.Equal(t, before.State, s.row(ref).State)

	b.press("v")
	b.await(`document.activeElement.id === "verb-release"`)
	b.press("/")
	b.await(`location.pathname === "/find"`)
	b.open("/cases/" + string(ref))
	b.press("c")
	b.await(`document.activeElement.id === "comment"`)
	b.press("snv")
	b.await(`document.activeElement.value === "snv"`)
	require.Empty(t, b.posted(), "in a field they are letters")
}

// TestBrowserHandsOver: a reviewer finds somebody on the list of the form by the keyboard alone and hands
// the case over; it stands on that person's open page of queues without their doing.
func TestBrowserHandsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	from, to := s.login("rev1"), s.login("rev2")
	from.take(ref)
	theirs := to.browse(t)
	theirs.open("/queues")
	theirs.await(`document.querySelector("#handed") !== null && document.querySelector("#handed table") === null`)
	b := from.browse(t)
	b.open("/cases/" + string(ref) + "/handover?claim=1")
	b.run(`document.querySelector("#takers summary").focus()`)
	b.press(kb.Enter)
	b.await(`document.querySelector("#takers").open && document.querySelector("#takers").textContent.includes("` + string(to.who.Person) + `")`)
	b.shoot(t, "handover")
	b.run(`document.querySelector("#to").focus()`)
	b.press(string(to.who.Person))
	b.run(`document.querySelector("#reason").focus()`)
	b.press("you know this group")
	b.run(`document.querySelector("#confirm").focus()`)
	b.press(kb.Enter)
	require.Eventually(t, func() bool { return s.row(ref).AssignedTo == to.who.Person }, patience, 10*time.Millisecond)
	theirs.await(`document.querySelector("#handed").textContent.includes("` + string(ref) + `")`)
	theirs.shoot(t, "handed")
}

// shoot writes a picture of the page into the folder that DOCKET_SHOTS names, for people to look at.
func (b *screen) shoot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("DOCKET_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// TestPromise11BrowserRunsNothing: a real browser shows every attack and runs none: no script of theirs, no form or
// address of theirs, and its policy had nothing to stop.
func TestPromise11BrowserRunsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.cases[fixtureCase] = caseOf(mild, v.who.Person)
	b := v.browse(t)
	for _, attack := range attacks {
		s.desk.cases[fixtureCase] = caseOf(hostile(attack), v.who.Person)
		b.open("/cases/" + string(fixtureCase))
		b.await(`window.owned === undefined && location.origin === "` + b.url + `" && document.title !== "owned"`)
		b.await(`document.querySelectorAll("script:not([src]), iframe, object, embed, base, svg script, meta[http-equiv]").length === 0`)
		b.await(`[...document.querySelectorAll("*")].every(e => e.getAttributeNames().every(n => !n.startsWith("on")))`)
		b.await(`[...document.querySelectorAll("a[href], form[action], img[src], link[href], script[src]")].every(e =>
			new URL(e.getAttribute("href") || e.getAttribute("action") || e.getAttribute("src"), location).origin === location.origin)`)
	}
}
