// Package console is the web console: pages made on the server over the review desk, which work
// without a script and without a mouse. What people under review wrote reaches a page as text
// alone; no page loads anything from elsewhere, and no address holds anybody's words.
package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
)

// Options are what a console is made of. Desk, Access and Log are required.
type Options struct {
	Desk   Desk
	Access Sessions
	Log    *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Queues are the queues that there are, in the order in which they are shown; one without a case
	// is shown as empty. Nil shows those alone in which a case stands.
	Queues []policy.Queue
	// HTTPS says that people reach the console by https although this process speaks plain http,
	// behind a proxy: the session cookie is then marked secure.
	HTTPS bool
}

// Console answers every page. Safe for concurrent use.
type Console struct {
	o         Options
	mux       *http.ServeMux
	templates map[string]*template.Template
	static    map[string]asset
	origin    *http.CrossOriginProtection
}

// New makes the console. An error means that an option is missing or that its own files are damaged.
func New(o Options) (http.Handler, error) {
	if o.Desk == nil || o.Access == nil || o.Log == nil {
		return nil, errors.New("make the console: Desk, Access and Log are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{o: o, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection()}
	var err error
	c.static, err = readAssets()
	if err != nil {
		return nil, fmt.Errorf("make the console: %w", err)
	}
	c.templates, err = parseTemplates(c.static)
	if err != nil {
		return nil, fmt.Errorf("make the console: %w", err)
	}
	for _, p := range pages {
		c.mux.Handle(p.Method+" "+p.Path, c.handle(p))
	}
	for path := range c.static {
		c.mux.Handle("GET "+path, http.HandlerFunc(c.serveAsset))
	}
	c.mux.Handle("GET /favicon.ico", http.NotFoundHandler()) // pages name their own; not worth a refusal
	c.mux.Handle("/", c.handle(nowhere))
	return c, nil
}

// headers are set on every answer: nothing from elsewhere is loaded, nothing inline runs, nobody
// frames the pages, nothing stays in a cache, and no address is told to other sites.
var headers = map[string]string{
	"Cache-Control": "no-store",
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), clipboard-read=()",
	"Referrer-Policy":              "same-origin",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// ServeHTTP answers a request and writes its one log line: the page's name, never its address.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := c.o.Now()
	v := &visit{console: c, w: w, r: r, now: begun}
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	c.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	if v.page.Name == "" {
		return // a file of our own
	}
	level := slog.LevelInfo
	if v.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("page", v.page.Name), slog.String("method", method(r)), slog.Int("status", v.status),
		slog.Duration("took", c.o.Now().Sub(begun)), slog.String("person", string(v.who.Person)),
	}
	if v.err != nil {
		attrs = append(attrs, slog.String("code", string(casefile.ErrorCode(v.err))))
		if level == slog.LevelError {
			attrs = append(attrs, slog.String("error", casefile.PlainError(v.err)))
		}
	}
	c.o.Log.LogAttrs(r.Context(), level, "page", attrs...)
}

// method is the request's method if a page could have it: a caller may write anything there.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return r.Method
	}
	return "other"
}

// visit is one request and what becomes known of it.
type visit struct {
	console *Console
	w       http.ResponseWriter
	r       *http.Request
	now     time.Time
	page    Page
	who     access.Who
	session string    // the cookie's value
	set     *Settings // put in this request
	names   map[casefile.Person]string
	status  int
	err     error
}

type visitKey struct{}

func (v *visit) desk() Desk { return v.console.o.Desk }

func (v *visit) ctx() context.Context { return v.r.Context() }
