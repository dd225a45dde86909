package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a child of the driver.
type process struct {
	name  string
	cmd   *exec.Cmd
	begun time.Time
	done  chan struct{} // closed once it has ended
	err   error
	meant atomic.Bool // the driver ended it
}

// spawn starts a program. Standard output goes to out, or with the standard error to its log.
func spawn(name, logFile string, env []string, out io.Writer, path string, args ...string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	p := &process{name: name, cmd: exec.Command(path, args...), begun: time.Now(), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if out != nil {
		p.cmd.Stdout = out
	}
	err = p.cmd.Start()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process as the kernel would, and waits until it is gone.
func (p *process) kill() {
	p.meant.Store(true)
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// killed says whether it ended by SIGKILL.
func (p *process) killed() bool {
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// stop asks the process to end and waits for that.
func (p *process) stop(ctx context.Context) error {
	p.meant.Store(true)
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ask %s to end: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("%s does not end: %w", p.name, ctx.Err())
	}
	if p.err != nil {
		return fmt.Errorf("%s ended badly: %w", p.name, p.err)
	}
	return nil
}

// firstLine starts a program and gives the first line that it prints.
func firstLine(ctx context.Context, name, logFile, path string, args ...string) (*process, string, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, "", fmt.Errorf("make a pipe for %s: %w", name, err)
	}
	p, err := spawn(name, logFile, nil, write, path, args...)
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return nil, "", err
	}
	lines := make(chan string, 1)
	go func() {
		defer func() { _ = read.Close() }()
		scanner := bufio.NewScanner(read)
		for first := true; scanner.Scan(); first = false {
			if first {
				lines <- scanner.Text()
			}
		}
		close(lines)
	}()
	select {
	case line, ok := <-lines:
		if ok {
			return p, line, nil
		}
		<-p.done
		return nil, "", fmt.Errorf("%s ended without a word (%v): see %s", name, p.err, logFile)
	case <-ctx.Done():
		p.kill()
		return nil, "", ctx.Err()
	}
}

// Programs are the three that a run is made of.
type Programs struct {
	Standalone string // built with the tag crashpoints
	Receiver   string
	Tally      string
}

// Build builds the programs of a run from the sources around the working folder.
func Build(ctx context.Context, dir string) (Programs, error) {
	root, err := moduleRoot()
	if err != nil {
		return Programs{}, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "crashpoints", "-o", dir+string(filepath.Separator),
		"./cmd/standalone", "./enforce/webhook/receiver/cmd/receiver", "./cmd/standalone/internal/crash/tally/cmd/tally")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Programs{}, fmt.Errorf("build the programs of the crash run: %w\n%s", err, out)
	}
	return Programs{Standalone: filepath.Join(dir, "standalone"), Receiver: filepath.Join(dir, "receiver"), Tally: filepath.Join(dir, "tally")}, nil
}

// moduleRoot is the folder of go.mod around the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	for {
		_, err = os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("a crash run builds its programs: start it from a folder of the sources")
		}
		dir = filepath.Dir(dir)
	}
}
