package worker

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// says is a handler that says its name and the path it was asked for.
func says(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name+" "+r.URL.Path) })
}

// part is a background role that counts.
type part struct {
	starts, stops int
	err           error
}

func (p *part) Start(context.Context) error {
	p.starts++
	return p.err
}

func (p *part) Stop(context.Context) error {
	p.stops++
	return nil
}

// serve starts the role with what change makes of its options, and gives its address.
func serve(t *testing.T, change func(*ServeOptions)) (*Serve, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := ServeOptions{
		Listener: listener, API: says("api"), Console: says("console"), Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	s := NewServe(o)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	return s, "http://" + listener.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestServeRoutes(t *testing.T) {
	t.Parallel()
	_, base := serve(t, func(o *ServeOptions) {
		o.Log = says("log")
		counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "docket_test_total", Help: "A count."})
		counter.Add(3)
		o.Metrics.MustRegister(counter)
	})
	for path, want := range map[string]string{
		"/v1/flags":            "api /v1/flags",
		"/":                    "console /",
		"/queues":              "console /queues",
		"/log/checkpoint":      "log /checkpoint",
		"/log/tile/0/x001/067": "log /tile/0/x001/067",
		"/healthz":             "ok\n",
		"/readyz":              "",
	} {
		status, body := get(t, base+path)
		require.Equal(t, http.StatusOK, status, path)
		require.Equal(t, want, body, path)
	}
	status, body := get(t, base+"/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "docket_test_total 3")

	_, plain := serve(t, nil)
	_, body = get(t, plain+"/log/checkpoint")
	require.Equal(t, "console /log/checkpoint", body, "a role without a log has no such path")
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	sound := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("words of the engine: dial 10.0.0.7") }
	deadlines := make(chan time.Duration, 3)
	patient := func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		if ok {
			deadlines <- time.Until(deadline)
		}
		return nil
	}
	cases := map[string]struct {
		checks []Check
		status int
		body   string
	}{
		"all answer":         {[]Check{{"records", sound}, {"index", sound}}, http.StatusOK, "records: ok\nindex: ok\n"},
		"one does not":       {[]Check{{"records", sound}, {"index", down}, {"ledger", sound}}, http.StatusServiceUnavailable, "records: ok\nindex: does not answer\nledger: ok\n"},
		"the first does not": {[]Check{{"records", down}, {"index", sound}}, http.StatusServiceUnavailable, "records: does not answer\nindex: ok\n"},
		"time is bounded":    {[]Check{{"records", patient}}, http.StatusOK, "records: ok\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, base := serve(t, func(o *ServeOptions) { o.Checks = c.checks })
			status, body := get(t, base+"/readyz")
			require.Equal(t, c.status, status)
			require.Equal(t, c.body, body)
			status, _ = get(t, base+"/healthz")
			require.Equal(t, http.StatusOK, status, "the process itself is well")
		})
	}
	left := <-deadlines
	require.Positive(t, left)
	require.LessOrEqual(t, left, readyTimeout)
}

func TestServeStopFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	background := &part{}
	s, base := serve(t, func(o *ServeOptions) {
		o.Background = []Role{background}
		o.API = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-finish
			_, _ = io.WriteString(w, "finished")
		})
	})
	require.Equal(t, 1, background.starts)
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(base + "/v1/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.WithoutCancel(t.Context())) }()
	require.Eventually(t, func() bool {
		res, err := http.Get(base + "/healthz")
		if err == nil {
			_ = res.Body.Close()
		}
		return err != nil
	}, 10*time.Second, 5*time.Millisecond, "nothing new is taken")
	close(finish)
	require.Equal(t, "finished", <-answer)
	require.NoError(t, <-stopped)
	require.GreaterOrEqual(t, background.stops, 1)
	select {
	case err := <-s.Failed():
		require.NoError(t, err, "a stop is no failure")
	default:
	}
}

// TestServeStopCutsStreams: a stream of changes has no end of its own; a stop does not wait for it.
func TestServeStopCutsStreams(t *testing.T) {
	t.Parallel()
	stop := map[string]func(t *testing.T, s *Serve) error{
		"after its patience": func(t *testing.T, s *Serve) error {
			s.patience = 50 * time.Millisecond
			return s.Stop(context.WithoutCancel(t.Context()))
		},
		"when its context ends": func(t *testing.T, s *Serve) error {
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			cancel()
			return s.Stop(ctx)
		},
	}
	for name, stop := range stop {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, base := serve(t, func(o *ServeOptions) {
				o.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "first\n")
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				})
			})
			res, err := http.Get(base + "/v1/events")
			require.NoError(t, err)
			defer func() { _ = res.Body.Close() }()
			lines := bufio.NewReader(res.Body)
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "first\n", line)
			require.NoError(t, stop(t, s))
			_, err = lines.ReadString('\n')
			require.Error(t, err, "the stream was cut")
		})
	}
}

func TestServeStartFailure(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	first, second, third := &part{}, &part{err: errors.New("cannot start")}, &part{}
	s := NewServe(ServeOptions{Listener: listener, API: says("api"), Console: says("console"), Background: []Role{first, second, third},
		Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, s.Start(t.Context()), "cannot start")
	require.Equal(t, part{starts: 1, stops: 1}, *first, "what had been started is stopped again")
	require.Zero(t, second.stops)
	require.Zero(t, third.starts)
	require.NoError(t, listener.Close())
}

// TestServeFailed: a server that ends by itself says so.
func TestServeFailed(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := NewServe(ServeOptions{Listener: listener, API: says("api"), Console: says("console"), Metrics: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(&said, nil))})
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, listener.Close())
	select {
	case err = <-s.Failed():
		require.ErrorIs(t, err, net.ErrClosed)
	case <-time.After(10 * time.Second):
		require.Fail(t, "nothing was said")
	}
	require.NoError(t, s.Stop(t.Context()))
}
