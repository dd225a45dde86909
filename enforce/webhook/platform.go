package webhook

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// Name is the adapter's name.
const Name = "webhook"

// Options change what Open takes for granted.
type Options struct {
	// Now is the clock of signatures and of undo records; nil means time.Now.
	Now func() time.Time
}

// Platform is a platform that is reached by webhook. Make one with Open; safe for concurrent use.
type Platform struct {
	config  Config
	now     func() time.Time
	timeout time.Duration
	way     *http.Transport // a request goes one way, so no client that follows redirects
	secrets []Secret
}

var _ enforce.Platform = (*Platform)(nil)

// Open reads secrets and authorities and makes the platform ready. Nothing is sent. A faulty
// configuration is CodeInvalid (casefile.Faults), a secret file that others may read CodeForbidden.
// Secrets are read once: to change one, open the platform anew.
func Open(c Config, o Options) (*Platform, error) {
	err := c.Validate().Err()
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Platform{config: c, now: o.Now, timeout: durationOr(c.Timeout, DefaultTimeout)}
	for i, source := range c.Secrets {
		field := "secrets[" + strconv.Itoa(i) + "]"
		text, err := source.read()
		if err != nil {
			return nil, &casefile.Error{Code: codeOr(err, casefile.CodeInvalid), Op: Name, Field: field, Message: "cannot be read", Err: err}
		}
		secret, err := ParseSecret(text)
		if err != nil {
			return nil, &casefile.Error{Code: casefile.CodeInvalid, Op: Name, Field: field, Message: "cannot be used", Err: err}
		}
		p.secrets = append(p.secrets, secret)
	}
	p.way, err = newTransport(c)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Op: Name, Field: "ca_file", Message: "cannot be used", Err: err}
	}
	return p, nil
}

// codeOr is the error's code, fallback where it has none of the domain.
func codeOr(err error, fallback casefile.Code) casefile.Code {
	code := casefile.ErrorCode(err)
	if code == casefile.CodeInternal {
		return fallback
	}
	return code
}

// Close closes the connections that stand idle. Requests under way go on.
func (p *Platform) Close() error {
	p.way.CloseIdleConnections()
	return nil
}

// Name is "webhook".
func (p *Platform) Name() string { return Name }

// Capabilities are those that the configuration states.
func (p *Platform) Capabilities() enforce.Capabilities {
	return enforce.Capabilities{
		Acts: slices.Clone(p.config.Acts), Undo: slices.Clone(p.config.Undo),
		Notify: p.config.Notify, Lookup: p.config.Lookup, Idempotent: p.config.Idempotent,
	}
}

// Prepare asks for the state before the act.
func (p *Platform) Prepare(ctx context.Context, r enforce.Request) (enforce.UndoRecord, error) {
	m, err := p.message(TypePrepare, r, casefile.Do, nil)
	if err != nil {
		return enforce.UndoRecord{}, err
	}
	a, err := p.ask(ctx, m)
	if err != nil {
		return enforce.UndoRecord{}, err
	}
	return enforce.UndoRecord{Kind: r.Kind, Before: a.Before, At: p.now().UTC()}, nil
}

// Do asks for the act.
func (p *Platform) Do(ctx context.Context, r enforce.Request) (string, error) {
	m, err := p.message(TypeDo, r, casefile.Do, nil)
	if err != nil {
		return "", err
	}
	a, err := p.ask(ctx, m)
	return a.Reference, err
}

// Undo asks for the act's reverse and hands the undo record along.
func (p *Platform) Undo(ctx context.Context, r enforce.Request, u enforce.UndoRecord) (string, error) {
	u.At = u.At.UTC()
	m, err := p.message(TypeUndo, r, casefile.Undo, &u)
	if err != nil {
		return "", err
	}
	a, err := p.ask(ctx, m)
	return a.Reference, err
}

// Lookup asks whether the request's key was carried out; CodeUnavailable where the platform is stated
// not to tell.
func (p *Platform) Lookup(ctx context.Context, r enforce.Request) (bool, string, error) {
	m, err := p.message(TypeLookup, r, r.Direction, nil)
	if err != nil {
		return false, "", err
	}
	if !p.config.Lookup {
		return false, "", &casefile.Error{Code: casefile.CodeUnavailable, Op: Name, Message: "the platform cannot be asked"}
	}
	a, err := p.ask(ctx, m)
	if err != nil {
		return false, "", err
	}
	return *a.Done, a.Reference, nil
}

// Notify hands a notice over for delivery; CodeState where the platform is stated to deliver none.
func (p *Platform) Notify(ctx context.Context, account casefile.AccountRef, n casefile.Notice) error {
	m := Message{
		V: Version, Type: TypeDeliver, Key: noticeKey(n.Number), Account: account,
		Notice: &Notice{Case: n.Case, Lang: n.Lang, Text: n.Text},
	}
	err := m.check()
	if err != nil {
		return err
	}
	if !p.config.Notify {
		return &casefile.Error{Code: casefile.CodeState, Op: Name, Message: "the platform delivers no notices"}
	}
	_, err = p.ask(ctx, m)
	return err
}

// message makes and checks the message about an act. What the platform is stated not to do is
// CodeState.
func (p *Platform) message(t Type, r enforce.Request, want casefile.Direction, u *enforce.UndoRecord) (Message, error) {
	if r.Direction != want || (want != casefile.Do && want != casefile.Undo) || !strings.HasSuffix(r.Key, "/"+string(want)) {
		return Message{}, casefile.Invalid("direction", "must be do or undo, as is asked for and as the key says")
	}
	act := &Act{Kind: r.Kind, Post: r.Post, Policy: r.Policy, Case: r.Case}
	if r.Until != nil {
		until := r.Until.UTC()
		act.Until = &until
	}
	m := Message{V: Version, Type: t, Key: r.Key, Account: r.Account, Act: act, Undo: u}
	err := m.check()
	if err != nil {
		return Message{}, err
	}
	able := p.config.Acts
	if want == casefile.Undo {
		able = p.config.Undo
	}
	if !slices.Contains(able, r.Kind) {
		return Message{}, &casefile.Error{Code: casefile.CodeState, Op: Name, Message: "the platform cannot " + string(want) + " " + string(r.Kind)}
	}
	return m, nil
}

// ask sends one message, once, and judges what came of it.
func (p *Platform) ask(ctx context.Context, m Message) (Answer, error) {
	body, err := m.encode()
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	sendCtx, sent := traced(ctx)
	request, err := p.request(sendCtx, m, body)
	if err != nil {
		return Answer{}, err
	}
	response, err := p.way.RoundTrip(request)
	if err != nil && !sent.Load() {
		return Answer{}, notSent(err)
	}
	if err != nil {
		message, cause := lost(ctx, err)
		return Answer{}, p.loss(m.Type, cause, message)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return Answer{}, p.refusal(m.Type, response.StatusCode, response.Header)
	}
	data, err := readAnswer(response.Body)
	if err != nil {
		message, cause := lost(ctx, err)
		return Answer{}, p.loss(m.Type, cause, message)
	}
	a, err := DecodeAnswer(data)
	switch {
	case err != nil: // the error names a field and quotes nothing
		return Answer{}, p.loss(m.Type, nil, "the platform's answer cannot be read: "+err.Error())
	case a.Type != m.Type || a.Key != m.Key:
		return Answer{}, p.loss(m.Type, nil, "the platform's answer is to another message")
	case names(a.Reference, m):
		return Answer{}, p.loss(m.Type, nil, "the platform's reference holds the id of the account or the post")
	}
	return a, nil
}

// request signs a message as one attempt at this time. Its id is the key for whatever acts, so that a
// platform can keep attempts apart by it, and random for questions, whose answers must be fresh.
func (p *Platform) request(ctx context.Context, m Message, body []byte) (*http.Request, error) {
	id := m.Key
	if !m.Type.Acts() {
		id = casefile.NewID()
	}
	at := p.now()
	signatures := make([]string, len(p.secrets))
	for i, secret := range p.secrets {
		signature, err := secret.Sign(id, at, body)
		if err != nil {
			return nil, fmt.Errorf("sign the request: %w", err)
		}
		signatures[i] = signature
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.config.URL, bytes.NewReader(body))
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInternal, Op: Name, Message: "the request cannot be made"}
	}
	// No Idempotency-Key: with it the transport itself would send a request a second time.
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "docket")
	request.Header.Set(HeaderID, id)
	request.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	return request, nil
}

// shortID is a length up to which an id may stand in a random reference by chance.
const shortID = 6

// names says whether a reference, which goes on record, holds the id of the account or the post.
func names(reference string, m Message) bool {
	ids := []string{m.Account.ID}
	if m.Act != nil && m.Act.Post != "" {
		ids = append(ids, m.Act.Post)
	}
	return slices.ContainsFunc(ids, func(id string) bool {
		return id == reference || len(id) > shortID && strings.Contains(reference, id)
	})
}
