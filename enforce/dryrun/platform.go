package dryrun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// Name is the adapter's name.
const Name = "dryrun"

// Options change what Open takes for granted.
type Options struct {
	// Now is the clock of the lines; nil means time.Now.
	Now func() time.Time
}

// Platform is the dry run. Make one with Open; safe for concurrent use. One process at a time may
// have a file open.
type Platform struct {
	now func() time.Time

	mu     sync.Mutex
	file   *file
	down   bool
	closed bool
	// done maps the key of everything that was carried out to what was asked for and answered.
	done     map[doneKey]done
	accounts map[casefile.AccountRef]measures
}

// done is what is kept of a line in memory: a digest of what was asked, so that the same key with
// another request is told from a retry.
type done struct {
	asked     [sha256.Size]byte
	reference string
}

// doneKey keeps notices' numbers apart from acts' keys.
type doneKey struct {
	notice bool
	key    string
}

var _ enforce.Platform = (*Platform)(nil)

// Open opens the dry run of a file, making it if there is none, and rebuilds from it what was done
// so far. A last line that a crash tore is cut off. A line that cannot be read anywhere else is a
// CodeInvalid error that names it.
func Open(path string) (*Platform, error) { return OpenWith(path, Options{}) }

// OpenWith is Open with options.
func OpenWith(path string, o Options) (*Platform, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Platform{now: o.Now, done: map[doneKey]done{}, accounts: map[casefile.AccountRef]measures{}}
	f, err := openFile(path, p.replay)
	if err != nil {
		return nil, err
	}
	p.file = f
	return p, nil
}

// Close closes the file; everything asked after it is CodeUnavailable.
func (p *Platform) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.file.close()
}

// SetDown plays an outage: while it is on, everything is CodeUnavailable and nothing happens.
func (p *Platform) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// State is the state that an account would be in, by the names of docs/formats/act.md; empty when
// nothing stands against it.
func (p *Platform) State(account casefile.AccountRef) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accounts[account].state()
}

// Name is "dryrun".
func (p *Platform) Name() string { return Name }

// Capabilities are all there are.
func (p *Platform) Capabilities() enforce.Capabilities {
	all := func() []casefile.ActKind {
		return []casefile.ActKind{
			casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost,
			casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers,
		}
	}
	return enforce.Capabilities{Acts: all(), Undo: all(), Notify: true, Lookup: true, Idempotent: true}
}

// Prepare reads the state before the act.
func (p *Platform) Prepare(ctx context.Context, r enforce.Request) (enforce.UndoRecord, error) {
	err := checkRequest(r, casefile.Do)
	if err != nil {
		return enforce.UndoRecord{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err = p.ready(ctx)
	if err != nil {
		return enforce.UndoRecord{}, err
	}
	// A retry after the act still reads the state before it.
	others, _ := p.accounts[r.Account].without(r.Key)
	return enforce.UndoRecord{Kind: r.Kind, Before: others.before(r.Kind, r.Post), At: p.now().UTC()}, nil
}

// Do records the act.
func (p *Platform) Do(ctx context.Context, r enforce.Request) (string, error) {
	err := checkRequest(r, casefile.Do)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.once(ctx, r.Key, line{Op: opDo, Account: r.Account, Act: actOf(r)}, func(l *line) error {
		l.Act.Before = p.accounts[r.Account].before(r.Kind, r.Post)
		return nil
	})
}

// Undo records that the act is taken back. CodeState when it does not stand: it was never done here.
func (p *Platform) Undo(ctx context.Context, r enforce.Request, u enforce.UndoRecord) (string, error) {
	err := checkRequest(r, casefile.Undo)
	if err != nil {
		return "", err
	}
	if u.Kind != r.Kind {
		return "", casefile.Invalid("undo.kind", "the undo record is of another kind of act")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.once(ctx, r.Key, line{Op: opUndo, Account: r.Account, Act: actOf(r)}, func(l *line) error {
		_, stands := p.accounts[r.Account].without(doKey(r.Key))
		if !stands {
			return &casefile.Error{Code: casefile.CodeState, Op: Name, Message: "there is nothing to take back: the act does not stand"}
		}
		l.Act.Before = p.accounts[r.Account].before(r.Kind, r.Post)
		return nil
	})
}

// Lookup says whether the request's key was carried out.
func (p *Platform) Lookup(ctx context.Context, r enforce.Request) (bool, string, error) {
	err := checkRequest(r, r.Direction)
	if err != nil {
		return false, "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err = p.ready(ctx)
	if err != nil {
		return false, "", err
	}
	d, ok := p.done[doneKey{key: r.Key}]
	return ok, d.reference, nil
}

// Notify records the notice word for word, once for its number.
func (p *Platform) Notify(ctx context.Context, account casefile.AccountRef, n casefile.Notice) error {
	switch {
	case account.Platform == "" || account.ID == "":
		return casefile.Invalid("account", "platform and id are required")
	case n.Number == "":
		return casefile.Invalid("number", "required")
	case n.Text == "":
		return casefile.Invalid("text", "required")
	case !allText(account.Platform, account.ID, n.Number, n.Text, n.Lang, string(n.Case)):
		return casefile.Invalid("notice", "must be valid UTF-8")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.once(ctx, n.Number, line{Op: opNotice, Account: account, Notice: &noticeLine{
		Case: n.Case, Lang: n.Lang, SHA256: textDigest(n.Text), Text: n.Text,
	}}, func(*line) error { return nil })
	return err
}

// once appends a line unless its key was carried out before: then it gives the reference of that
// time, or CodeConflict if something else was asked. last has the final word before the append.
func (p *Platform) once(ctx context.Context, key string, l line, last func(*line) error) (string, error) {
	err := p.ready(ctx)
	if err != nil {
		return "", err
	}
	l.V, l.Key = lineVersion, key
	asked, err := askedDigest(l)
	if err != nil {
		return "", err
	}
	before, ok := p.done[keyOf(l)]
	if ok {
		if before.asked != asked {
			return "", &casefile.Error{Code: casefile.CodeConflict, Op: Name, Message: "the same key was carried out with another request"}
		}
		return before.reference, nil
	}
	err = last(&l)
	if err != nil {
		return "", err
	}
	l.At, l.Reference = p.now().UTC(), casefile.NewID()
	data, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("encode dry-run line: %w", err)
	}
	err = p.file.append(data)
	if err != nil {
		return "", err
	}
	p.take(l, asked)
	return l.Reference, nil
}

// replay takes a line of the file in. A key that stands twice is a fault of the file.
func (p *Platform) replay(data []byte) error {
	l, err := decodeLine(data)
	if err != nil {
		return err
	}
	asked, err := askedDigest(l)
	if err != nil {
		return err
	}
	_, twice := p.done[keyOf(l)]
	if twice {
		return casefile.Invalid("key", "stands twice in the file")
	}
	if l.Op == opUndo {
		_, stands := p.accounts[l.Account].without(doKey(l.Key))
		if !stands {
			return casefile.Invalid("key", "takes back what does not stand")
		}
	}
	p.take(l, asked)
	return nil
}

func (p *Platform) take(l line, asked [sha256.Size]byte) {
	p.done[keyOf(l)] = done{asked: asked, reference: l.Reference}
	switch l.Op {
	case opDo:
		p.accounts[l.Account] = append(p.accounts[l.Account], measure{key: l.Key, kind: l.Act.Kind, post: l.Act.Post, until: l.Act.Until})
	case opUndo:
		left, _ := p.accounts[l.Account].without(doKey(l.Key))
		p.accounts[l.Account] = left
	}
}

func (p *Platform) ready(ctx context.Context) error {
	err := ctx.Err()
	if err != nil {
		return unavailable(err, "given up before anything was done")
	}
	switch {
	case p.closed:
		return unavailable(nil, "the dry run is closed")
	case p.down:
		return unavailable(nil, "the platform is down")
	}
	return nil
}

func actOf(r enforce.Request) *actLine {
	a := &actLine{Kind: r.Kind, Post: r.Post, Policy: r.Policy, Case: r.Case}
	if r.Until != nil {
		until := r.Until.UTC()
		a.Until = &until
	}
	return a
}

func checkRequest(r enforce.Request, want casefile.Direction) error {
	suffix := "/" + string(want)
	switch {
	case want != casefile.Do && want != casefile.Undo, r.Direction != want:
		return casefile.Invalid("direction", "must be do or undo, as is asked for")
	case !strings.HasSuffix(r.Key, suffix) || len(r.Key) == len(suffix):
		return casefile.Invalid("key", "must end in the direction of the act")
	case r.Account.Platform == "" || r.Account.ID == "":
		return casefile.Invalid("account", "platform and id are required")
	case !allText(r.Key, r.Account.Platform, r.Account.ID, r.Post, string(r.Policy), string(r.Case)):
		return casefile.Invalid("request", "must be valid UTF-8")
	}
	return actOf(r).check()
}

// allText says whether the file would give every one of the texts back as it is.
func allText(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return !utf8.ValidString(s) })
}

// doKey is the key of the act that an undo's key takes back.
func doKey(undoKey string) string {
	return strings.TrimSuffix(undoKey, string(casefile.Undo)) + string(casefile.Do)
}

func keyOf(l line) doneKey { return doneKey{notice: l.Op == opNotice, key: l.Key} }

// askedDigest is the digest of what a line was asked for, without what the platform added.
func askedDigest(l line) ([sha256.Size]byte, error) {
	l.At, l.Reference = time.Time{}, ""
	if l.Act != nil {
		act := *l.Act
		act.Before = nil
		l.Act = &act
	}
	data, err := json.Marshal(l)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("encode dry-run line: %w", err)
	}
	return sha256.Sum256(data), nil
}

func textDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
