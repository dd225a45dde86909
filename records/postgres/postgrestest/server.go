// Package postgrestest starts throw-away PostgreSQL servers for tests.
//
// The server is what is installed (Debian's package postgresql: nothing has to be configured, and
// its own cluster stays as it is). A server lives in a folder of its own below the system's
// temporary folder, listens on a socket in it and nowhere else, and goes with the test's process,
// however that ends.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// patience bounds how long a server may take to come up or to go.
const patience = time.Minute

// Server is a PostgreSQL server.
type Server struct {
	bin, dir string
	account  *syscall.SysProcAttr
	settings []string

	holder *exec.Cmd
	leash  io.WriteCloser // when it closes, the holder ends the server
	number atomic.Int64   // of databases

	mu     sync.Mutex
	server *os.Process
	gone   chan struct{} // closed when the server has ended
}

// shared is the server of all tests of a test's process that need none of their own.
var shared = sync.OnceValues(func() (*Server, error) { return start(false) })

// Database makes an empty database on the server that the process's tests share, and returns its
// URL. The test is skipped where PostgreSQL is not installed.
func Database(t testing.TB) string {
	t.Helper()
	s, err := shared()
	require.NoError(t, skipMissing(t, err))
	return s.Database(t)
}

// Start starts a server for one test, which may restart and kill it. durable makes it keep commits
// on the disk, for figures that mean something; otherwise it leaves them to the operating system,
// and only its own crash loses nothing. The test is skipped where PostgreSQL is not installed.
func Start(t testing.TB, durable bool) *Server {
	t.Helper()
	s, err := start(durable)
	require.NoError(t, skipMissing(t, err))
	t.Cleanup(func() { require.NoError(t, s.remove()) })
	return s
}

var errMissing = errors.New("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")

func skipMissing(t testing.TB, err error) error {
	t.Helper()
	if errors.Is(err, errMissing) {
		t.Skip(errMissing)
	}
	return err
}

// start makes a cluster and starts its server.
func start(durable bool) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "docket-pg-")
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	s := &Server{bin: bin, dir: dir, account: account, settings: []string{
		"listen_addresses=", "unix_socket_directories=" + dir, "max_connections=200", "log_min_messages=fatal",
	}}
	if !durable {
		s.settings = append(s.settings, "fsync=off", "full_page_writes=off")
	}
	if account.Credential != nil {
		err = os.Chown(dir, int(account.Credential.Uid), int(account.Credential.Gid))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("hand folder over: %w", err), os.RemoveAll(dir))
		}
	}
	err = s.holdOn()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	// A locale whose order of text is not that of its bytes, which the records must not depend on.
	made := exec.Command(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "--no-sync",
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en")
	made.SysProcAttr, made.Dir = account, dir
	out, err := made.CombinedOutput()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), s.remove())
	}
	err = s.run()
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// binaries finds the newest installed server's.
func binaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	best, newest := "", 0
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > newest {
			best, newest = filepath.Dir(path), version
		}
	}
	if best == "" {
		return "", errMissing
	}
	return best, nil
}

// unprivileged is whom the server runs as: PostgreSQL refuses to run as root.
func unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{Setpgid: true}, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("find a user to run PostgreSQL as: %w", err)
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user postgres: %w", err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user postgres: %w", err)
	}
	return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// hold is what keeps a server from outliving this process, which holds the other end of its standard
// input. It reads the server's process id each time that one is started. When the pipe ends, it
// ends the server and removes the folder ($1).
const hold = `
while read -r line; do server=$line; done
if [ -n "$server" ]; then
	kill -QUIT "$server" 2>/dev/null
	tries=0
	while [ $tries -lt 100 ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$server" 2>/dev/null; do
		tries=$((tries + 1))
		sleep 0.05
	done
fi
rm -rf "$1"
`

func (s *Server) holdOn() error {
	s.holder = exec.Command("/bin/sh", "-c", hold, "hold", s.dir)
	s.holder.SysProcAttr, s.holder.Dir = s.account, "/"
	leash, err := s.holder.StdinPipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	s.leash = leash
	err = s.holder.Start()
	if err != nil {
		return fmt.Errorf("start what ends the server: %w", err)
	}
	return nil
}

// run starts the server and waits until it answers. Soon after a kill, what is left of the server
// before may still be in the way: then it is tried again.
func (s *Server) run() error {
	deadline := time.Now().Add(patience)
	for {
		err := s.launch()
		if err != nil {
			return err
		}
		up, err := s.answers(deadline)
		if up || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has it
	args := []string{"-D", s.data()}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	server := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = s.account, s.dir, log, log
	err = server.Start()
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	s.server, s.gone = server.Process, make(chan struct{})
	go func(gone chan struct{}) {
		_ = server.Wait() // how it ended stands in its log
		close(gone)
	}(s.gone)
	_, err = fmt.Fprintln(s.leash, server.Process.Pid)
	if err != nil {
		return fmt.Errorf("note server: %w", err)
	}
	return nil
}

// answers waits until the server answers; up is false when it ended instead.
func (s *Server) answers(deadline time.Time) (up bool, err error) {
	ctx, stop := context.WithDeadline(context.Background(), deadline)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.gone:
			log, readErr := os.ReadFile(filepath.Join(s.dir, "log"))
			return false, errors.Join(fmt.Errorf("the server ended: %s", log), readErr)
		case <-ctx.Done():
			return false, errors.Join(errors.New("the server does not answer"), err)
		case <-tick.C:
		}
		var conn *pgx.Conn
		conn, err = pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return true, conn.Close(ctx)
		}
	}
}

func (s *Server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return u.String()
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.url("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	name := fmt.Sprintf("docket_%d", s.number.Add(1))
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	return s.url(name)
}

// Stop ends the server in good order; its clients are cut off. Restart brings it back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, s.end(syscall.SIGINT))
}

// Kill ends the server at once, as the machine's out-of-memory killer would. Restart brings it back.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	require.NoError(t, s.end(syscall.SIGKILL))
}

// Restart starts a server that was stopped or killed, with the same URL and data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NoError(t, s.run())
}

func (s *Server) end(how syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.server.Signal(how)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end server: %w", err)
	}
	select {
	case <-s.gone:
		return nil
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}

// remove ends the server and removes its folder.
func (s *Server) remove() error {
	err := s.leash.Close()
	return errors.Join(err, s.holder.Wait())
}
