package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// The console's cookies. None can be read by a script or is sent along from another site.
const (
	sessionCookie  = "docket_session"
	settingsCookie = "docket_settings"
	flashCookie    = "docket_flash"
)

func (v *visit) setCookie(name, value string, age time.Duration) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: v.r.TLS != nil || v.console.o.HTTPS, MaxAge: int(age / time.Second),
	}
	if age < 0 {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// Settings are a person's own for a session of the browser.
type Settings struct {
	Cover bool // evidence is covered until it is opened
	Keys  bool // single keys do something
}

// settingsNow reads the settings: both are on until switched off.
func (v *visit) settingsNow() Settings {
	if v.set != nil {
		return *v.set
	}
	s := Settings{Cover: true, Keys: true}
	cookie, err := v.r.Cookie(settingsCookie)
	if err != nil {
		return s
	}
	for _, off := range strings.Split(cookie.Value, ".") {
		switch off {
		case "uncovered":
			s.Cover = false
		case "nokeys":
			s.Keys = false
		}
	}
	return s
}

// putSettings keeps settings, for the rest of this request too.
func (v *visit) putSettings(s Settings) {
	var off []string
	if !s.Cover {
		off = append(off, "uncovered")
	}
	if !s.Keys {
		off = append(off, "nokeys")
	}
	v.set = &s
	v.setCookie(settingsCookie, strings.Join(off, "."), 0)
}

// Flash is a word about what was just done, shown once on the next page.
type Flash struct {
	Kind  string
	Case  casefile.CaseRef
	Until *Until // until when a decision can be withdrawn
}

// The kinds of flash; their words stand in the templates.
const (
	flashDecided   = "decided"
	flashGiven     = "given"
	flashReleased  = "released"
	flashClosed    = "closed"
	flashWithdrawn = "withdrawn"
	flashReopened  = "reopened"
	flashReopening = "reopening"
	flashCommented = "commented"
	flashEmpty     = "empty"
)

const flashAge = time.Minute

func (v *visit) putFlash(kind string, ref casefile.CaseRef, until *time.Time) {
	value := kind + "." + string(ref)
	if until != nil {
		value += "." + strconv.FormatInt(until.Unix(), 10)
	}
	v.setCookie(flashCookie, value, flashAge)
}

// takeFlash reads the flash and has it forgotten; nil when there is none.
func (v *visit) takeFlash() *Flash {
	cookie, err := v.r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	v.setCookie(flashCookie, "", -1)
	parts := strings.Split(cookie.Value, ".")
	if len(parts) < 2 {
		return nil
	}
	f := &Flash{Kind: parts[0]}
	ref, err := casefile.ParseCaseRef(parts[1])
	if err == nil {
		f.Case = ref
	}
	if len(parts) > 2 {
		sec, err := strconv.ParseInt(parts[2], 10, 64)
		if err == nil {
			u := until(v.now, time.Unix(sec, 0))
			f.Until = &u
		}
	}
	return f
}
