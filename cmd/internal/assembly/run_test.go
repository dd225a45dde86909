package assembly

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
)

// page gives status and text.
func page(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

func TestRunRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	for _, role := range config.Roles {
		var faults casefile.Faults
		require.ErrorAs(t, Run(t.Context(), config.Config{}, role, slog.New(slog.DiscardHandler)), &faults)
		require.Greater(t, len(faults), 1, "all faults at once")
	}
	require.ErrorContains(t, Run(t.Context(), testConfig(t), "judge", slog.New(slog.DiscardHandler)), "there is no role")
}

// TestRunWaits: a role whose Temporal, or whose door, does not answer keeps trying, says so in the log
// and on its health listener, and stops cleanly all the same.
func TestRunWaits(t *testing.T) {
	t.Parallel()
	for _, role := range config.Roles {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			c := testConfig(t)
			c.Health.Listen = "127.0.0.1:0"
			log := &logged{}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- Run(ctx, c, role, slog.New(slog.NewJSONHandler(log, nil))) }()
			log.says(t, `"msg":"does not answer, trying again"`)
			at := regexp.MustCompile(`"part":"health","address":"([^"]+)"`).FindStringSubmatch(log.String())
			require.Len(t, at, 2)
			status, text := page(t, "http://"+at[1]+"/healthz")
			require.Equal(t, http.StatusOK, status, "it lives")
			require.Equal(t, "ok\n", text)
			status, text = page(t, "http://"+at[1]+"/readyz")
			require.Equal(t, http.StatusServiceUnavailable, status)
			waitsFor := "temporal"
			if role == config.RoleDetect {
				waitsFor = "door"
			}
			require.Contains(t, text, waitsFor+": does not answer\n")
			require.Contains(t, text, "started: does not answer\n")
			cancel()
			select {
			case err := <-ended:
				require.NoError(t, err)
			case <-time.After(StopTimeout):
				require.Fail(t, "does not stop")
			}
			require.Contains(t, log.String(), `"msg":"stopped"`)
			require.NotContains(t, log.String(), "an-invented-token")
		})
	}
}

func TestRunTellsOfATakenAddress(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	c := testConfig(t)
	c.Health.Listen = taken.Addr().String()
	err = Run(t.Context(), c, config.RoleWork, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "listen on health.listen "+c.Health.Listen)
}

// TestDoorRefusesToken: a token that the serve role does not know stops detect at once.
func TestDoorRefusesToken(t *testing.T) {
	t.Parallel()
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status":401,"code":"forbidden","title":"Unauthorized","detail":"log in first, or send a valid token"}`)
	}))
	defer door.Close()
	c := testConfig(t)
	c.Detect.Door = door.URL
	err := Run(t.Context(), c, config.RoleDetect, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "detect.token_file: the role serve at "+door.URL+" does not know this token")
	require.NotContains(t, err.Error(), "an-invented-token")
}

func TestFailedPartIsTold(t *testing.T) {
	t.Parallel()
	p, _ := process(t, testConfig(t), config.RoleServe)
	ended := make(chan error, 1)
	p.follow("serve HTTP", ended)
	p.follow("never ends", make(chan error))
	ended <- errors.New("listener closed")
	select {
	case err := <-p.Failed():
		require.EqualError(t, err, "serve HTTP: listener closed")
	case <-time.After(patience):
		require.Fail(t, "nobody was told")
	}
}

// TestStopGoesBackwards: what was started last is stopped first, all of it, once.
func TestStopGoesBackwards(t *testing.T) {
	t.Parallel()
	p := New(testConfig(t), slog.New(slog.DiscardHandler), config.RoleServe)
	var order []int
	for i := range 3 {
		p.OnStop(func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			order = append(order, i)
			return errors.New("failed to stop")
		})
	}
	require.Error(t, p.Stop(t.Context()))
	require.Equal(t, []int{2, 1, 0}, order, "a failure stops no other's stop")
	require.NoError(t, p.Stop(t.Context()))
	require.Len(t, order, 3)
}

// TestWatchTellsChanges: the log says once that something stopped answering, and once that it answers.
func TestWatchTellsChanges(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer door.Close()
	c := testConfig(t)
	c.Detect.Door = door.URL
	p, log := process(t, c, config.RoleDetect)
	_, err := p.Index(t.Context())
	require.NoError(t, err)
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "up"}, []string{"name"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(gauge)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.watch(ctx, gauge, time.Millisecond)
	}()
	value := func(want float64) {
		require.Eventually(t, func() bool {
			families, err := registry.Gather()
			for _, f := range families {
				for _, m := range f.GetMetric() {
					if m.GetLabel()[0].GetValue() == "door" {
						return err == nil && m.GetGauge().GetValue() == want
					}
				}
			}
			return false
		}, patience, time.Millisecond)
	}
	value(1)
	down.Store(true)
	log.says(t, `"msg":"does not answer, trying again","what":"door","error":"ask the door: status 503"`)
	value(0)
	require.Eventually(t, func() bool { return slices.Equal(p.notAnswering(), []string{"door"}) }, patience, time.Millisecond)
	down.Store(false)
	log.says(t, `"msg":"answers again","what":"door"`)
	value(1)
	require.Eventually(t, func() bool { return p.notAnswering() == nil }, patience, time.Millisecond)
	cancel()
	<-done
	require.Equal(t, 2, strings.Count(log.String(), "\n"), "each once:\n%s", log)
}
