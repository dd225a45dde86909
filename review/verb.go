package review

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// maxKeyBytes bounds an idempotency key.
const maxKeyBytes = 200

// Unknown says that a verb was sent and its outcome is not known: it may count, or may yet. The
// same call with the same key finds out and never counts twice. Its code is CodeUnavailable.
type Unknown struct {
	// Key is the idempotency key to send again.
	Key string
	// TimedOut tells a deadline that passed from an engine that could not be reached.
	TimedOut bool
	err      error
}

// Error says what to do.
func (u *Unknown) Error() string {
	return "whether this took effect is not known: send it again with the same verb id"
}

// Unwrap gives an error of CodeUnavailable around the cause.
func (u *Unknown) Unwrap() error {
	return &casefile.Error{Code: casefile.CodeUnavailable, Message: u.Error(), Err: u.err}
}

// VerbAnswer is the answer to a verb.
type VerbAnswer struct {
	workflows.VerbResult
	// Key is the idempotency key under which the verb counts once; made here if the caller gave none.
	Key string `json:"verb_id"`
}

// key checks the caller's idempotency key, or makes one.
func key(given string) (string, error) {
	if given == "" {
		return casefile.NewID(), nil
	}
	if len(given) > maxKeyBytes || !utf8.ValidString(given) || strings.ContainsFunc(given, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", casefile.Invalid("idempotency_key", "1 to %d bytes without control characters", maxKeyBytes)
	}
	return given, nil
}

// alphabet is Crockford's base 32, as in casefile's ids.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// verbID derives the Update id from person, verb, what it is about (a case's number, an appeal's or an
// act's key) and key: two people's equal keys are two verbs, a key used for another verb or thing is another verb, and whatever a client writes into a
// key stays out of payloads and the ledger. It has the form of casefile.NewID.
func (d *Desk) verbID(person casefile.Person, name, about, key string) (string, error) {
	sum, err := hex.DecodeString(d.o.Identity.Digest([]byte(strings.Join([]string{"docket-verb/1", string(person), name, about, key}, "\n"))))
	if err != nil || len(sum) < 26 {
		return "", casefile.Errorf(casefile.CodeInternal, "the identity's digest is not 26 bytes of hexadecimal")
	}
	id := make([]byte, 26)
	for i := range id {
		id[i] = alphabet[sum[i]&31]
	}
	return string(id), nil
}

// request is what every verb starts from.
type request struct {
	who  access.Who
	name string // of the Update
	need access.Permission
	ref  casefile.CaseRef
	key  string
}

// started is a checked request: the row of its case and what every verb carries.
type started struct {
	who  access.Who
	row  records.Case
	verb workflows.Verb
	key  string
}

// start checks permission and key and reads the case's row.
func (d *Desk) start(ctx context.Context, r request) (started, error) {
	actor, err := r.who.ActorFor(r.need)
	if err != nil {
		return started{}, err
	}
	k, err := key(r.key)
	if err != nil {
		return started{}, err
	}
	row, err := d.row(ctx, r.who, r.ref)
	if err != nil {
		return started{}, err
	}
	id, err := d.verbID(r.who.Person, r.name, string(row.Ref), k)
	if err != nil {
		return started{}, err
	}
	return started{who: r.who, row: row, verb: workflows.Verb{ID: id, Case: row.Ref, Actor: actor}, key: k}, nil
}

// row reads a case's row, with the restriction that it has for the caller; ref may be written as people
// write it.
func (d *Desk) row(ctx context.Context, who access.Who, ref casefile.CaseRef) (records.Case, error) {
	ref, err := casefile.ParseCaseRef(string(ref))
	if err != nil {
		return records.Case{}, err
	}
	row, err := d.o.Records.Case(ctx, ref)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return records.Case{}, casefile.Errorf(casefile.CodeNotFound, "there is no case %s", ref)
	}
	if err != nil {
		return records.Case{}, fmt.Errorf("read case row: %w", err)
	}
	return d.restrict(ctx, who, row), nil
}

// signed makes a verb's arguments with the API's word for them. with builds them around a verb: once
// without the word, for the digest that the word is about, and once with it.
func signed[A any](d *Desk, who access.Who, name, on string, v workflows.Verb, with func(workflows.Verb) A) (A, error) {
	word, err := d.o.Signer.Sign(who, v.Actor.Role, name, on, v.ID, with(v))
	if err != nil {
		var none A
		return none, fmt.Errorf("sign the verb: %w", err)
	}
	v.Assertion = &word
	return with(v), nil
}

// update sends a verb on a case under a deadline.
func (d *Desk) update(ctx context.Context, s started, name string, with func(workflows.Verb) any) (VerbAnswer, error) {
	args, err := signed(d, s.who, name, casefile.CaseChain(s.row.Ref), s.verb, with)
	if err != nil {
		return VerbAnswer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.VerbTimeout)
	defer cancel()
	result, err := d.o.Workflows.Update(ctx, s.row.Platform, s.row.Account, name, s.verb.ID, args)
	if err != nil {
		return VerbAnswer{}, outcome(ctx, s.key, err)
	}
	return VerbAnswer{VerbResult: result, Key: s.key}, nil
}

// outcome tells a refusal of the workflow's own from everything else, which leaves the outcome unknown.
func outcome(ctx context.Context, key string, err error) error {
	switch casefile.ErrorCode(err) {
	case casefile.CodeUnavailable, casefile.CodeInternal:
		timedOut := ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded)
		return &Unknown{Key: key, TimedOut: timedOut, err: err}
	}
	return err
}
