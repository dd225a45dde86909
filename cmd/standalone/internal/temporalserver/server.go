// Package temporalserver runs the real Temporal server inside this process, on SQLite files that
// are kept between runs.
//
// The four services listen on 127.0.0.1 and find each other by fixed addresses, so nothing else
// has to be installed or running. Everything the server has acknowledged is on disk before it
// answers, so a killed process loses nothing; Options.Fast trades that for speed where the power
// may fail. The settings are those of docs/adr/001-temporal-in-process.md.
package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// DefaultNamespace is the namespace that is made when Options names none.
const DefaultNamespace = "docket"

// frontendService is the name under which the frontend reports its health.
const frontendService = "temporal.api.workflowservice.v1.WorkflowService"

// startAttempts bounds how often Start chooses other ports after one of them was taken.
const startAttempts = 5

// Options says where a server keeps its files and how it listens.
type Options struct {
	// Dir holds the two SQLite files; it is made, readable by its owner alone, where missing.
	// Required. One process at a time may use it: locking it is the caller's part.
	Dir string
	// Fast does not wait for the disk at each commit. A killed process still loses nothing; a
	// power cut may lose what was acknowledged shortly before.
	Fast bool
	// Namespace is made on the first start. Empty means DefaultNamespace.
	Namespace string
	// Logger receives the server's warnings and errors. Nil drops them.
	Logger *slog.Logger
	// FrontendPort is the port that clients dial. 0 means any free port; a named port that is
	// taken is an error.
	FrontendPort int
}

// Server is a running Temporal server. Its methods may be called from any goroutine.
type Server struct {
	server   temporal.Server
	logger   *serverLogger
	hostPort string
	stop     sync.Once
	stopErr  error
}

// Start makes the files on the first run, starts the server and returns once the frontend
// answers, or when ctx ends. The caller stops it with Stop.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Dir == "" {
		return nil, errors.New("start temporal server: no data folder given")
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve temporal data folder: %w", err)
	}
	opts.Dir = dir
	if opts.Namespace == "" {
		opts.Namespace = DefaultNamespace
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	err = os.MkdirAll(opts.Dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make temporal data folder: %w", err)
	}
	st := newStore(opts.Dir, opts.Fast)
	err = st.setup(ctx, opts.Namespace)
	if err != nil {
		return nil, err
	}

	for attempt := 1; ; attempt++ {
		s, err := startOnce(opts, st)
		if err == nil {
			err = s.waitServing(ctx)
			if err != nil {
				return nil, errors.Join(err, s.Stop())
			}
			return s, nil
		}
		// Between choosing a free port and listening on it another process may take it.
		retry := errors.Is(err, syscall.EADDRINUSE) && opts.FrontendPort == 0
		if !retry || attempt == startAttempts || ctx.Err() != nil {
			return nil, fmt.Errorf("start temporal server: %w", err)
		}
	}
}

// startOnce starts the server on freshly chosen ports.
func startOnce(opts Options, st store) (*Server, error) {
	ports, err := choosePorts(opts.FrontendPort)
	if err != nil {
		return nil, err
	}
	logger := newServerLogger(opts.Logger)
	srv, err := build(serverConfig(st, ports), ports, logger)
	if err != nil {
		return nil, err
	}
	err = srv.Start()
	if err != nil {
		return nil, errors.Join(err, srv.Stop())
	}
	return &Server{server: srv, logger: logger, hostPort: ports.address(frontend)}, nil
}

// build wires the four services up, which is also when they begin to listen. What the server
// holds to be fatal there, such as a port in use, comes back as an error.
func build(cfg *config.Config, ports ports, logger *serverLogger) (srv temporal.Server, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *fatalError:
			err = r
		default:
			panic(r)
		}
	}()
	return temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(ports.hosts()),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)
}

// HostPort is the address that clients dial, such as 127.0.0.1:7233.
func (s *Server) HostPort() string { return s.hostPort }

// Stop ends the four services, waiting for what they have under way. Later calls return the
// first call's result.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		// A server that stops complains of every connection it cuts itself.
		s.logger.silence()
		err := s.server.Stop()
		if err != nil {
			s.stopErr = fmt.Errorf("stop temporal server: %w", err)
		}
	})
	return s.stopErr
}

// waitServing returns once the frontend reports that it serves.
func (s *Server) waitServing(ctx context.Context) error {
	conn, err := grpc.NewClient(s.hostPort, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("dial temporal frontend: %w", err)
	}
	defer func() { _ = conn.Close() }()

	health := healthpb.NewHealthClient(conn)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := health.Check(
			ctx, &healthpb.HealthCheckRequest{Service: frontendService}, grpc.WaitForReady(true))
		if err == nil && resp.GetStatus() == healthpb.HealthCheckResponse_SERVING {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for temporal frontend on %s: %w", s.hostPort,
				errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}
