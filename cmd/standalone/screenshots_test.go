package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// TestScreenshots makes pictures of every page, at 1280 and 390 pixels, light and dark, in the
// folder that DOCKET_SCREENSHOTS names: the README's come from here.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("DOCKET_SCREENSHOTS")
	if dir == "" {
		t.Skip("name a folder in DOCKET_SCREENSHOTS to have the console's pages photographed")
	}
	ctx := browser(t)
	data := t.TempDir()
	_, _ = once(t, data)
	b := start(t, testConfig(data))
	h := hands{t: t, ctx: ctx}

	cases, _, err := b.records.QueueCases(t.Context(), "speech", "", 60)
	require.NoError(t, err)
	decided := cases[0].Ref
	given := b.decide("rev2", decided, form(casefile.L5, casefile.VE08, "profile"))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitCase(decided, func(c records.Case) bool { return c.State == casefile.StateClosed })
	mine := cases[1].Ref
	require.Equal(t, 200, b.call("rev1", "POST", "/v1/cases/"+string(mine)+"/claim", nil, nil))

	for _, login := range []string{"rev1", "auditor"} {
		for _, p := range b.creds.People {
			if p.Login == login {
				h.do(chromedp.Navigate(p.LoginLink))
				h.tabToID("login")
				h.press("\r")
				h.see("main")
			}
		}
		pages := map[string]string{"queues": "/queues", "queue": "/queues/speech", "case": "/cases/" + string(mine), "decided": "/cases/" + string(decided), "find": "/find", "help": "/help"}
		if login == "auditor" {
			pages = map[string]string{"audit": "/audit", "views": "/cases/" + string(decided) + "/views"}
		}
		for name, path := range pages {
			for _, width := range []int64{1280, 390} {
				for _, scheme := range []string{"light", "dark"} {
					h.do(chromedp.EmulateViewport(width, 900), colours(scheme), chromedp.Navigate(b.baseURL+path))
					png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644))
				}
			}
		}
	}
}

// colours has pages shown in a colour scheme.
func colours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
