package assembly

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/config"
)

func TestPassOn(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "immutable")
		w.Header().Set("Set-Cookie", "a=b")
		if strings.HasSuffix(r.URL.Path, "missing") {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "bytes of "+r.URL.Path)
	}))
	defer origin.Close()
	for _, path := range []string{"/log/", "/log", "/deep/log/"} {
		base, err := url.Parse(origin.URL + path)
		require.NoError(t, err)
		h := http.StripPrefix("/log", passOn(base, slog.New(slog.DiscardHandler)))
		ask := func(method, path string) *httptest.ResponseRecorder {
			asked = nil
			r := httptest.NewRequest(method, path, strings.NewReader("a body"))
			r.Header.Set("Cookie", "session=secret")
			r.Header.Set("Authorization", "Bearer secret")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		w := ask(http.MethodGet, "/log/tile/0/x001/234?q=1")
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "bytes of "+strings.TrimSuffix(path, "/")+"/tile/0/x001/234", w.Body.String())
		require.Empty(t, asked.Header.Get("Cookie")+asked.Header.Get("Authorization")+asked.URL.RawQuery)
		require.Equal(t, base.Host, asked.Host)
		require.Zero(t, asked.ContentLength)
		require.Empty(t, w.Header().Get("Set-Cookie"))
		require.Equal(t, "immutable", w.Header().Get("Cache-Control"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, http.StatusOK, ask(http.MethodHead, "/log/checkpoint").Code)
		require.Equal(t, http.StatusNotFound, ask(http.MethodGet, "/log/tile/missing").Code)
		for path, want := range map[string]int{"/log/": 404, "/log/metrics": 404, "/log/tiles": 404, "/log/../v1/me": 404} {
			require.Equal(t, want, ask(http.MethodGet, path).Code, path)
			require.Nil(t, asked, path)
		}
		require.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost, "/log/checkpoint").Code)
		require.Nil(t, asked)
	}
	base, err := url.Parse(origin.URL)
	require.NoError(t, err)
	origin.Close()
	w := httptest.NewRecorder()
	passOn(base, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/checkpoint", nil))
	require.Equal(t, http.StatusBadGateway, w.Code)
	require.NotContains(t, w.Body.String(), base.Host)
}

func TestPublicLog(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	p, _ := process(t, c, config.RoleServe)
	h, err := p.publicLog()
	require.NoError(t, err)
	require.Nil(t, h, "nobody says where the log is")
	p.Config.Ledger.URL = "http://127.0.0.1:1/log/"
	h, err = p.publicLog()
	require.NoError(t, err)
	require.NotNil(t, h)
}
