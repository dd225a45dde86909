package assembly

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/published"
)

// publicLog answers under /log/ of the serve role: the log itself where this process writes it, what
// ledger.url serves where that is named, nil for nothing.
func (p *Process) publicLog() (http.Handler, error) {
	switch {
	case p.ledger != nil:
		return p.ledger.Handler(), nil
	case p.Config.Ledger.URL == "":
		return nil, nil
	}
	base, err := url.Parse(p.Config.Ledger.URL)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Field: "ledger.url", Message: "is no URL", Err: err}
	}
	return passOn(base, p.log(config.RoleServe)), nil
}

// published is the log as the feed of decisions reads it: where this process writes it, or where ledger.url
// names it; nil for nowhere.
func (p *Process) published() (review.PublishedLog, error) {
	switch {
	case p.ledger != nil:
		return published.Log{Source: verify.Dir(p.Config.Ledger.Dir)}, nil
	case p.Config.Ledger.URL == "":
		return nil, nil
	}
	source, err := verify.HTTP(p.Config.Ledger.URL, nil)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Field: "ledger.url", Message: "is no URL", Err: err}
	}
	return published.Log{Source: source}, nil
}

// logTimeout bounds the wait for the first byte of a part of the log.
const logTimeout = 10 * time.Second

// passOn serves the log of another address. Nothing of the asker's request goes there but the path:
// their cookie and token are for this server alone.
func passOn(base *url.URL, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = base.JoinPath(r.In.URL.Path)
			r.Out.Host = ""
			r.Out.Header = http.Header{}
			r.Out.Body, r.Out.ContentLength = http.NoBody, 0
		},
		ModifyResponse: func(res *http.Response) error {
			kept := http.Header{"X-Content-Type-Options": {"nosniff"}}
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
				if v := res.Header.Get(name); v != "" {
					kept.Set(name, v)
				}
			}
			res.Header = kept
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.WarnContext(r.Context(), "the log does not answer", "error", err.Error())
			http.Error(w, "the log does not answer", http.StatusBadGateway)
		},
		Transport: &http.Transport{ResponseHeaderTimeout: logTimeout, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute},
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/")
		switch {
		case path != "checkpoint" && !strings.HasPrefix(path, "tile/"):
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}
