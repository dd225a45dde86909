package console

import (
	"net/http"
	"regexp"
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

// Flash is a word about what was just done, shown once on the next page. It holds codes only.
type Flash struct {
	Kind string
	Case casefile.CaseRef
	// At is a moment that the word names: until when something can be taken back, or lasts.
	At *time.Time
	// Name is a platform, a receipt's ledger event or a pseudonym; Count how many.
	Name  string
	Count int
	// Until is how far away At is when the page is made.
	Until *Until
}

// The kinds of flash; their words stand in the templates.
const (
	flashDecided    = "decided"
	flashGiven      = "given"
	flashReleased   = "released"
	flashSnoozed    = "snoozed"
	flashHeld       = "held"
	flashHandedOver = "handed_over"
	flashEscalated  = "escalated"
	flashThreat     = "threat"
	flashReferred   = "referred"
	flashMoved      = "moved"
	flashEnded      = "ended"
	flashClosed     = "closed"
	flashWithdrawn  = "withdrawn"
	flashReopened   = "reopened"
	flashReopening  = "reopening"
	flashGlass      = "glass"
	flashKept       = "kept"
	flashUnkept     = "unkept"
	flashErasing    = "erasing"
	flashCommented  = "commented"
	flashEmpty      = "empty"

	flashNoAppeal       = "no_appeal"
	flashAppealReleased = "appeal_released"
	flashRuled          = "ruled"
	flashPaused         = "paused"
	flashResumed        = "resumed"
	flashStillPaused    = "still_paused"
	flashSettled        = "settled"
	flashAutomationOn   = "automation_on"
	flashAutomationOff  = "automation_off"
	flashArmed          = "armed"
	flashEnabled        = "enabled"
	flashGlassReviewed  = "glass_reviewed"
)

const flashAge = time.Minute

// flashName is the shape of a name in a flash.
var flashName = regexp.MustCompile(`^[A-Za-z0-9/._-]{1,80}$`)

// putFlash has a word shown on the next page. A name that no code has the shape of is left out.
func (v *visit) putFlash(f Flash) {
	at := ""
	if f.At != nil {
		at = strconv.FormatInt(f.At.Unix(), 10)
	}
	if !flashName.MatchString(f.Name) {
		f.Name = ""
	}
	v.setCookie(flashCookie, strings.Join([]string{f.Kind, string(f.Case), at, strconv.Itoa(f.Count), f.Name}, "~"), flashAge)
}

// takeFlash reads the flash and has it forgotten; nil when there is none.
func (v *visit) takeFlash() *Flash {
	cookie, err := v.r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	v.setCookie(flashCookie, "", -1)
	f := readFlash(cookie.Value)
	if f != nil && f.At != nil {
		u := until(v.now, *f.At)
		f.Until = &u
	}
	return f
}

// readFlash reads a cookie that may hold anything; nil for what is not a flash.
func readFlash(value string) *Flash {
	parts := strings.Split(value, "~")
	if len(parts) != 5 {
		return nil
	}
	f := &Flash{Kind: parts[0]}
	ref, err := casefile.ParseCaseRef(parts[1])
	if err == nil {
		f.Case = ref
	}
	sec, err := strconv.ParseInt(parts[2], 10, 64)
	if err == nil {
		at := time.Unix(sec, 0).UTC()
		f.At = &at
	}
	n, err := strconv.Atoi(parts[3])
	if err == nil && n > 0 {
		f.Count = n
	}
	if flashName.MatchString(parts[4]) {
		f.Name = parts[4]
	}
	return f
}
