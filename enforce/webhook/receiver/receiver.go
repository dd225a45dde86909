package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

// Options say what a receiver is like.
type Options struct {
	// File is where it writes down what it did; made where there is none, read where there is one.
	File string
	// Secrets are those that it takes signatures of (whsec_...), at least one.
	Secrets []string
	// Forgetful plays a platform that does not keep keys apart: a request that comes twice is carried
	// out twice.
	Forgetful bool
	// Tolerance is how far a request's time may be off, either way; 0 means five minutes.
	Tolerance time.Duration
	// Now is its clock; nil means time.Now.
	Now func() time.Time
}

const defaultTolerance = 5 * time.Minute

// Receiver is the platform, as an http.Handler for any path. Make one with New; safe for concurrent
// use. One process at a time may have a file open.
type Receiver struct {
	secrets   []webhook.Secret
	forgetful bool
	tolerance time.Duration
	now       func() time.Time

	mu     sync.Mutex
	file   *file
	closed bool
	state  *state
	faults []*armed
	asked  map[string]time.Time // ids of questions
	pruned time.Time
}

// New opens the file and rebuilds from it what was done so far. What is wrong with the secrets or the
// file is CodeInvalid.
func New(o Options) (*Receiver, error) {
	if len(o.Secrets) == 0 {
		return nil, casefile.Invalid("secrets", "at least one is required")
	}
	r := &Receiver{forgetful: o.Forgetful, tolerance: o.Tolerance, now: o.Now, state: newState(), asked: map[string]time.Time{}}
	if r.tolerance == 0 {
		r.tolerance = defaultTolerance
	}
	if r.now == nil {
		r.now = time.Now
	}
	for _, text := range o.Secrets {
		secret, err := webhook.ParseSecret(text)
		if err != nil {
			return nil, err
		}
		r.secrets = append(r.secrets, secret)
	}
	f, err := openFile(o.File, r.state.take)
	if err != nil {
		return nil, err
	}
	r.file = f
	return r, nil
}

// Close closes the file; every request after it is answered 503.
func (r *Receiver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return r.file.close()
}

// Count is how many acts, reverses and notices it really carried out.
func (r *Receiver) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.lines
}

// ServeHTTP answers one request as docs/formats/webhook.md has it.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	m, status := r.read(w, req)
	if status != 0 {
		refuse(w, status)
		return
	}
	fault := r.next(m.Type)
	switch fault.Kind {
	case Down:
		w.Header().Set("Retry-After", seconds(max(fault.RetryAfter, time.Second)))
		refuse(w, http.StatusServiceUnavailable)
		return
	case Throttled:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", seconds(fault.RetryAfter))
		}
		refuse(w, http.StatusTooManyRequests)
		return
	case Broken:
		refuse(w, http.StatusInternalServerError)
		return
	case DropBefore:
		panic(http.ErrAbortHandler)
	case SlowBefore:
		fault.wait(nil)
	}
	answer, status := r.carryOut(m)
	switch fault.Kind {
	case SlowAfter:
		fault.wait(req.Context().Done())
	case ErrorAfter:
		status = http.StatusInternalServerError
	case DropAfter:
		panic(http.ErrAbortHandler)
	case Garbage:
		// Such pages tell more than they should: none of it may go on.
		_, _ = io.WriteString(w, "<html>done for @handle."+m.Account.ID+"</html>")
		return
	}
	if status != 0 {
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		refuse(w, status)
		return
	}
	data, err := json.Marshal(answer)
	if err != nil {
		refuse(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // who has gone does not hear it, and asks again
}

// refuse answers with a status and no words.
func refuse(w http.ResponseWriter, status int) { w.WriteHeader(status) }

// read takes a request in; the status is 0 for a sound one.
func (r *Receiver) read(w http.ResponseWriter, req *http.Request) (webhook.Message, int) {
	if req.Method != http.MethodPost {
		return webhook.Message{}, http.StatusMethodNotAllowed
	}
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return webhook.Message{}, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, webhook.MaxMessage))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return webhook.Message{}, http.StatusRequestEntityTooLarge
	case err != nil:
		return webhook.Message{}, http.StatusBadRequest
	}
	if !r.signed(req.Header, body) {
		return webhook.Message{}, http.StatusUnauthorized
	}
	m, err := webhook.DecodeMessage(body)
	if err != nil {
		return webhook.Message{}, http.StatusBadRequest
	}
	id := req.Header.Get(webhook.HeaderID)
	switch {
	case m.Type.Acts() && id != m.Key:
		return webhook.Message{}, http.StatusBadRequest
	case !m.Type.Acts() && r.replayed(id):
		return webhook.Message{}, http.StatusConflict
	}
	return m, 0
}

// carryOut does what a message asks for; the status is 0 where it did.
func (r *Receiver) carryOut(m webhook.Message) (webhook.Answer, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return webhook.Answer{}, http.StatusServiceUnavailable
	}
	answer := webhook.Answer{V: webhook.Version, Type: m.Type, Key: m.Key}
	before, known := r.state.done[m.Key]
	switch {
	case m.Type == webhook.TypePrepare:
		answer.Before = r.state.before(m)
		return answer, 0
	case m.Type == webhook.TypeLookup:
		if known && !same(webhook.Message{Account: before.Message.Account, Act: before.Message.Act}, webhook.Message{Account: m.Account, Act: m.Act}) {
			return webhook.Answer{}, http.StatusConflict
		}
		answer.Done, answer.Reference = &known, before.Reference
		return answer, 0
	case known && !r.forgetful:
		if !same(before.Message, m) {
			return webhook.Answer{}, http.StatusConflict
		}
		answer.Reference = before.Reference
		return answer, 0
	case m.Type == webhook.TypeUndo && !r.state.stands(m):
		return webhook.Answer{}, http.StatusPreconditionFailed
	}
	l := Line{V: lineVersion, At: r.now().UTC(), Reference: casefile.NewID(), Message: m}
	err := r.file.append(l)
	if err != nil {
		return webhook.Answer{}, http.StatusInternalServerError
	}
	r.state.take(l)
	answer.Reference = l.Reference
	return answer, 0
}

// same says whether two messages ask for the same, however they were laid out.
func same(a, b webhook.Message) bool {
	first, err := json.Marshal(a)
	second, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(first, second)
}
