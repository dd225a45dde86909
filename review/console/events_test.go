package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/console"
)

// TestEventsTellOfChanges: a stream begins at once, tells of a change by the case's number alone, and is
// nobody's who has no session.
func TestEventsTellOfChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ask := func(session string) *http.Response {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events", nil)
		require.NoError(t, err)
		r.AddCookie(&http.Cookie{Name: "docket_session", Value: session})
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	require.Equal(t, http.StatusUnauthorized, ask("no session").StatusCode)
	stream := ask(v.cookies["docket_session"])
	require.Equal(t, http.StatusOK, stream.StatusCode)
	require.Equal(t, "text/event-stream", stream.Header.Get("Content-Type"))
	require.Equal(t, "no-store", stream.Header.Get("Cache-Control"))
	lines := bufio.NewScanner(stream.Body)
	require.True(t, lines.Scan())
	require.Equal(t, "retry: 2000", lines.Text(), "it is open before anything changes")
	ref, _ := s.Open(1)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && strings.Contains(data, string(ref)) {
			require.JSONEq(t, `{"kind":"case","case":"`+string(ref)+`"}`, data)
			return
		}
	}
	require.NoError(t, lines.Err())
	require.Fail(t, "the stream ended without the change")
}

func TestPagesThatLiveSayWhatToReplace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, admin := s.login("lead"), s.login("admin")
	for address, id := range map[string]string{"/queues": "waiting", "/queues/general": "queue-live", "/acts": "pending", "/appeals": "appeals-live"} {
		page := v.get(address).page()
		_, live := attr(byID(page, id), "data-live")
		require.True(t, live, address)
		require.Contains(t, v.get(address).body, `class="unscripted">Load anew`, "and without a script there is a link")
	}
	require.Contains(t, v.get("/queues").body, `data-events="/events"`)
	require.Contains(t, admin.get("/acts").body, `data-events="/events"`)
	service := s.Add("no-stream", "policy", casefile.RoleService) // has no console; stands for whoever may not have the stream
	require.False(t, slices.ContainsFunc(console.Pages(), func(p console.Page) bool { return p.Path == "/events" && p.Allows(service) }))
}
