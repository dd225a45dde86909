package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ServeOptions are what the serve role is made of.
type ServeOptions struct {
	Listener net.Listener
	// API answers under /v1/, Console everywhere else.
	API     http.Handler
	Console http.Handler
	// Log answers under /log/ with the ledger's public tiles; nil leaves the path out.
	Log http.Handler
	// Background runs beside the server until it stops: the intake's sweeper.
	Background []Role
	// Checks are asked by /readyz; each names what it checks.
	Checks  []Check
	Metrics *prometheus.Registry
	Logger  *slog.Logger
}

// Role is a part of the system with its own beginning and end. Stop waits for what is under way.
type Role interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Check says whether something that a role needs answers.
type Check struct {
	Name string
	Ask  func(ctx context.Context) error
}

// Serve is the role that answers people and detectors over HTTP.
type Serve struct {
	o      ServeOptions
	server *http.Server
	failed chan error

	patience time.Duration
}

// NewServe makes the role.
func NewServe(o ServeOptions) *Serve {
	mux := http.NewServeMux()
	mux.Handle("/v1/", o.API)
	mux.Handle("/", o.Console)
	if o.Log != nil {
		mux.Handle("/log/", http.StripPrefix("/log", o.Log))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /readyz", ready(o.Checks))
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return &Serve{
		o: o,
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
			ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		},
		failed: make(chan error, 1), patience: patience,
	}
}

// readyTimeout bounds one check of /readyz.
const readyTimeout = 2 * time.Second

// ready answers 200 when everything answers, else 503, with a line for each check.
func ready(checks []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, text := http.StatusOK, ""
		for _, c := range checks {
			ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
			err := c.Ask(ctx)
			cancel()
			state := "ok"
			if err != nil {
				status, state = http.StatusServiceUnavailable, "does not answer"
			}
			text += c.Name + ": " + state + "\n"
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

// Start starts answering. After an error nothing of it runs.
func (s *Serve) Start(ctx context.Context) error {
	for i, b := range s.o.Background {
		err := b.Start(ctx)
		if err != nil {
			for _, started := range s.o.Background[:i] {
				err = errors.Join(err, started.Stop(ctx))
			}
			return fmt.Errorf("start the serve role: %w", err)
		}
	}
	go func() {
		err := s.server.Serve(s.o.Listener)
		if !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return nil
}

// Failed tells of a server that ended by itself.
func (s *Serve) Failed() <-chan error { return s.failed }

// patience is how long a stopping server waits for the requests under way: long enough for all but
// the streams of changes, which do not end by themselves.
const patience = 5 * time.Second

// Stop lets requests under way finish, for at most five seconds or until ctx ends.
func (s *Serve) Stop(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err := s.server.Shutdown(waiting)
	if waiting.Err() != nil {
		err = s.server.Close()
	}
	for _, b := range s.o.Background {
		err = errors.Join(err, b.Stop(ctx))
	}
	if err != nil {
		return fmt.Errorf("stop the serve role: %w", err)
	}
	return nil
}
