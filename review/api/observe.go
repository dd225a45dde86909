package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/casefile"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_api_requests_total", Help: "Requests of the HTTP API, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "docket_api_request_seconds", Help: "Time to answer a request of the HTTP API, by route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		err := reg.Register(c)
		if err != nil {
			return metrics{}, fmt.Errorf("register API metrics: %w", err)
		}
	}
	return m, nil
}

// headers are set on every answer: nothing of it may be kept, framed, run or guessed at.
var headers = map[string]string{
	"Cache-Control":           "no-store",
	"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	"Referrer-Policy":         "no-referrer",
	"X-Content-Type-Options":  "nosniff",
	"X-Frame-Options":         "DENY",
}

// observe answers a request and writes its one line: the route's pattern, never the address, and
// nobody's words.
func (a *API) observe(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	c := &call{}
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	sw := &statusWriter{ResponseWriter: w}
	defer func() {
		crash := recover()
		if crash != nil {
			a.crashed(sw, r, c, crash)
		}
		a.line(r, sw, c, time.Since(begun))
		if crash == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(crash)
		}
	}()
	a.mux.ServeHTTP(sw, r)
}

// crashed answers for a handler that panicked. The panic's value may hold anything: its type and
// the stack are logged.
func (a *API) crashed(w *statusWriter, r *http.Request, c *call, crash any) {
	if crash == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		return
	}
	a.o.Log.LogAttrs(r.Context(), slog.LevelError, "handler panicked", slog.String("route", c.route.Name),
		slog.String("type", fmt.Sprintf("%T", crash)), slog.String("stack", string(debug.Stack())))
	c.code = casefile.CodeInternal
	if w.status == 0 {
		writeProblem(w, problemOf(casefile.Errorf(casefile.CodeInternal, "panic")))
	}
}

func (a *API) line(r *http.Request, w *statusWriter, c *call, took time.Duration) {
	status, name := w.status, c.route.Name
	if status == 0 {
		status = http.StatusOK
	}
	if name == "" {
		name = "none"
	}
	a.metrics.requests.WithLabelValues(name, strconv.Itoa(status)).Inc()
	a.metrics.seconds.WithLabelValues(name).Observe(took.Seconds())
	attrs := []slog.Attr{
		slog.String("method", method(r)), slog.String("route", c.route.Path), slog.Int("status", status),
		slog.Int64("ms", took.Milliseconds()), slog.String("person", string(c.who.Person)),
	}
	if c.code != "" {
		attrs = append(attrs, slog.String("code", string(c.code)))
	}
	level := slog.LevelInfo
	if c.err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", casefile.PlainError(c.err)))
	}
	a.o.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// method is the request's method if it is one that the table knows: a caller may write anything there.
func method(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodPost {
		return r.Method
	}
	return "other"
}

// noRoute answers what the table does not have. It says nothing of what is there, and the address
// is not put on record: it may hold anything.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	p := problemOf(casefile.Errorf(casefile.CodeNotFound, "no such route and method; see /v1/openapi.json"))
	allowed := a.methods(r)
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		p.Status, p.Detail = http.StatusMethodNotAllowed, "this route takes "+strings.Join(allowed, ", ")
		p.fill()
	}
	callOf(r.Context()).code = p.Code
	writeProblem(w, p)
}

// methods lists the methods under which the table knows the address.
func (a *API) methods(r *http.Request) []string {
	var out []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = m
		_, pattern := a.mux.Handler(probe)
		if pattern != "/" && pattern != "" {
			out = append(out, m)
		}
	}
	return out
}

// statusWriter notes the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts as status 200.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController what is below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
