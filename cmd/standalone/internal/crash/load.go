package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/review/client"
)

// load is everybody who uses Docket during a run: detectors and people, over HTTP alone.
type load struct {
	base   string
	http   *http.Client
	flagOf func(platform, id string) casefile.FlagKey

	mu       sync.Mutex
	tokens   map[string]string // by login
	rng      *rand.Rand
	flags    int                       // made so far
	opinions map[casefile.CaseRef]bool // cases that somebody gave an opinion on which settled nothing
	order    []casefile.CaseRef        // cases that were decided, in their order
	urge     string                    // the step that is waited for: what passes it is done more often

	flight   *flight
	watch    *watch
	accepted *journal
	verbs    *journal

	draining chan struct{} // closed when nothing new is begun any more
	failed   chan error
}

// client is somebody's way to the API.
func (l *load) client(login string) *client.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &client.Client{Base: l.base, Token: l.tokens[login], HTTP: l.http}
}

// readTokens reads what a start writes for tools.
func (l *load) readTokens(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the credentials: %w", err)
	}
	var c struct {
		People []struct {
			Login string `json:"login"`
			Token string `json:"token"`
		} `json:"people"`
	}
	err = json.Unmarshal(data, &c)
	if err != nil {
		return fmt.Errorf("read the credentials: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range c.People {
		l.tokens[p.Login] = p.Token
	}
	return nil
}

// chance is true for n of 100 draws.
func (l *load) chance(n int) bool { return l.draw(100) < n }

func (l *load) draw(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rng.IntN(n)
}

// urged says whether one of the steps is waited for.
func (l *load) urged(steps ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range steps {
		if s == l.urge {
			return true
		}
	}
	return false
}

func (l *load) setUrge(step string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.urge = step
}

func (l *load) drains() bool {
	select {
	case <-l.draining:
		return true
	default:
		return false
	}
}

// fail ends the run: something happened that a crash does not excuse.
func (l *load) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// note writes an answer to a verb down.
func (l *load) note(v tally.Verb) {
	err := l.verbs.add(v)
	if err != nil {
		l.fail(err)
	}
}

// again says whether a call's outcome is not known, so that the same call is to be made again: nothing
// answered, or what answered does not know.
func again(err error) bool {
	switch casefile.ErrorCode(err) {
	case casefile.CodeUnavailable, casefile.CodeInternal:
		return true
	}
	var e *client.Error
	return err != nil && !errors.As(err, &e) // an answer that broke off
}

// insist makes a call with one key until it is answered, whatever happens to who answers. unsure says
// that an attempt before the last was not answered: a refusal may then be of what had counted already.
func insist[T any](ctx context.Context, call func(ctx context.Context) (T, error)) (out T, unsure bool, err error) {
	for {
		attempt, cancel := context.WithTimeout(ctx, callTimeout)
		out, err = call(attempt)
		cancel()
		if err == nil || !again(err) || ctx.Err() != nil {
			return out, unsure, err
		}
		unsure = true
		if !pause(ctx, retryEvery) {
			return out, unsure, ctx.Err()
		}
	}
}

const (
	callTimeout = 15 * time.Second
	retryEvery  = 150 * time.Millisecond
)
