package crash

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

// platform is one that acts are asked of: what it promises, and how it fails.
type platform struct {
	name               string
	idempotent, lookup bool
	faults             []string // of the receiver's command

	config  string // file of the webhook's configuration
	file    string // what it really did
	process *process
}

// platforms are three that differ in what the actor can find out after an act was cut off: one keeps keys
// apart, one can only be asked, and of one nothing can be established, so that a person has to look.
func platforms() []*platform {
	slow := "slow_after"
	return []*platform{
		{name: "keeps", idempotent: true, lookup: true, faults: []string{"throttled/23", slow}},
		{name: "asks", lookup: true, faults: []string{"drop_after/13", slow}},
		{name: "mute", faults: []string{"drop_after/17", slow}},
	}
}

// answerWait is how long a platform takes for its answer: it holds takedowns in flight.
const answerWait = 1200 * time.Millisecond

// start starts the platform's process and writes the configuration that reaches it.
func (p *platform) start(ctx context.Context, dir, program string) error {
	secret := webhook.NewSecret()
	secretFile := filepath.Join(dir, p.name+".secret")
	err := os.WriteFile(secretFile, []byte(secret+"\n"), 0o600)
	if err != nil {
		return fmt.Errorf("write a platform's secret: %w", err)
	}
	p.file, p.config = filepath.Join(dir, p.name+".ndjson"), filepath.Join(dir, p.name+".json")
	args := []string{"--file", p.file, "--secret-file", secretFile, "--wait", answerWait.String()}
	if !p.idempotent {
		args = append(args, "--forgetful")
	}
	for _, f := range p.faults {
		args = append(args, "--fault", f)
	}
	var line string
	p.process, line, err = firstLine(ctx, "platform "+p.name, filepath.Join(dir, p.name+".log"), program, args...)
	if err != nil {
		return err
	}
	var address struct {
		URL string `json:"url"`
	}
	err = json.Unmarshal([]byte(line), &address)
	if err != nil {
		return fmt.Errorf("read the address of platform %s: %w", p.name, err)
	}
	all := []casefile.ActKind{
		casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost, casefile.ActSuspend,
		casefile.ActTerminate, casefile.ActBlockIdentifiers,
	}
	data, err := json.Marshal(webhook.Config{
		URL: address.URL, Secrets: []webhook.SecretSource{{File: secretFile}}, Idempotent: p.idempotent, Lookup: p.lookup,
		Notify: true, Timeout: "5s", Acts: all, Undo: all[1:],
	})
	if err != nil {
		return fmt.Errorf("encode a webhook's configuration: %w", err)
	}
	err = os.WriteFile(p.config, data, 0o600)
	if err != nil {
		return fmt.Errorf("write a webhook's configuration: %w", err)
	}
	return nil
}

// told is a notice that a platform delivered.
type told struct {
	number string
	ref    casefile.CaseRef
}

// watch follows what the platforms write down.
type watch struct {
	mu      sync.Mutex
	done    map[string]bool           // by key
	notices map[casefile.CaseRef]told // the first of each case
	order   []casefile.CaseRef
}

// follow reads one platform's file as it grows, until ctx ends. The driver needs the keys alone; what
// each line says is for the count.
func (w *watch) follow(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("follow a platform's file: %w", err)
	}
	defer func() { _ = f.Close() }()
	br := bufio.NewReader(f)
	var line []byte
	for {
		part, err := br.ReadBytes('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			err = w.take(line)
			if err != nil {
				return err
			}
			line = nil
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("follow a platform's file: %w", err)
		case !pause(ctx, 100*time.Millisecond):
			return nil
		}
	}
}

func (w *watch) take(line []byte) error {
	var l struct {
		Message struct {
			Key    string       `json:"key"`
			Type   webhook.Type `json:"type"`
			Notice *struct {
				Case casefile.CaseRef `json:"case"`
			} `json:"notice"`
		} `json:"message"`
	}
	err := json.Unmarshal(line, &l)
	if err != nil {
		return fmt.Errorf("read a platform's line: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[l.Message.Key] = true
	if l.Message.Type != webhook.TypeDeliver || l.Message.Notice == nil {
		return nil
	}
	ref := l.Message.Notice.Case
	_, before := w.notices[ref]
	if !before {
		w.notices[ref] = told{number: strings.TrimSuffix(l.Message.Key, "/notice"), ref: ref}
		w.order = append(w.order, ref)
	}
	return nil
}

func (w *watch) hasDone(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done[key]
}

// after gives the first notices of cases from the n-th on.
func (w *watch) after(n int) []told {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []told
	for _, ref := range w.order[min(n, len(w.order)):] {
		out = append(out, w.notices[ref])
	}
	return out
}

// pause waits; false where ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
