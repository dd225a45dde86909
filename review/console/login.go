package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
)

// loginPage is the page for whoever has no session.
type loginPage struct {
	Code    string // of the link followed
	Refused bool   // the code sent is not live
	Again   string // the address to open again
}

// loginForm shows one button and uses nothing up: programs that look at links ahead of people
// would otherwise log in in their place.
func (v *visit) loginForm() error {
	return v.render(http.StatusOK, "login", "Log in", loginPage{Code: v.r.URL.Query().Get("code")})
}

func (v *visit) login() error {
	login, err := v.console.o.Access.UseLogin(v.ctx(), v.r.PostForm.Get("code"))
	if err != nil {
		return err
	}
	v.who = login.Who
	v.setCookie(sessionCookie, login.Session, login.Expires.Sub(v.now))
	return v.redirect(startOf(login.Who))
}

// startOf is the first page of a person: the queues, for whoever may see them.
func startOf(who access.Who) string {
	switch {
	case who.May(access.QueueRead):
		return "/queues"
	case who.May(access.PolicyRead):
		return "/policy"
	}
	return "/help"
}

func (v *visit) start() error { return v.redirect(startOf(v.who)) }

func (v *visit) logout() error {
	err := v.console.o.Access.Logout(v.ctx(), v.session)
	if err != nil {
		return err
	}
	v.setCookie(sessionCookie, "", -time.Second)
	return v.redirect("/login")
}

// settings switches the person's own settings and goes back to where they were.
func (v *visit) settings() error {
	s := v.settingsNow()
	switch v.r.PostForm.Get("cover") {
	case "on":
		s.Cover = true
	case "off":
		s.Cover = false
	}
	switch v.r.PostForm.Get("keys") {
	case "on":
		s.Keys = true
	case "off":
		s.Keys = false
	}
	v.putSettings(s)
	return v.redirect(localPath(v.r.PostForm.Get("back")))
}

// localPath is an address of this console, or its first page for anything else.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host != "" || u.Scheme != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(u.Path, "//") || strings.Contains(s, `\`) {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

func (v *visit) help() error { return v.render(http.StatusOK, "help", "Help", nil) }
