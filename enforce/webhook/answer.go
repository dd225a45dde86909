package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"

	"github.com/docket-triage/docket/casefile"
)

// Answer is the body of a platform's answer to a message.
type Answer struct {
	V    int    `json:"v"`
	Type Type   `json:"type"` // that of the message
	Key  string `json:"key"`  // that of the message
	// Reference is the platform's own, for what was carried out.
	Reference string `json:"reference,omitempty"`
	// Done answers a look-up, and nothing else.
	Done *bool `json:"done,omitempty"`
	// Before answers act.prepare, and nothing else: names and values of the state before the act.
	Before map[string]string `json:"before,omitempty"`
}

// A reference goes on record, where no name may stand: its form leaves out addresses and most handles.
var referenceForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// DecodeAnswer reads an answer, whole, and passes over fields that it does not know: others write it.
// The error is CodeInvalid, or CodeTooLarge over MaxAnswer, and quotes nothing of it.
func DecodeAnswer(data []byte) (Answer, error) {
	if len(data) > MaxAnswer {
		return Answer{}, casefile.Errorf(casefile.CodeTooLarge, "an answer has at most %d bytes", MaxAnswer)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var a Answer
	err := dec.Decode(&a)
	if err != nil {
		return Answer{}, casefile.Errorf(casefile.CodeInvalid, "not an answer")
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Answer{}, casefile.Errorf(casefile.CodeInvalid, "something follows the answer")
	}
	err = a.check()
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// check holds an answer to what its type needs. The error is CodeInvalid.
func (a Answer) check() error {
	switch {
	case a.V != Version:
		return casefile.Invalid("v", "unknown version")
	case !keyForm.MatchString(a.Key):
		return casefile.Invalid("key", "required")
	}
	wantReference, wantDone, wantBefore := a.Type.Acts(), false, false
	switch a.Type {
	case TypeDo, TypeUndo, TypeDeliver:
	case TypePrepare:
		wantBefore = true
	case TypeLookup:
		wantDone = true
		wantReference = a.Done != nil && *a.Done
	default:
		return casefile.Invalid("type", "unknown")
	}
	switch {
	case wantDone != (a.Done != nil):
		return casefile.Invalid("done", "belongs to a look-up, and to nothing else")
	case wantReference != (a.Reference != ""):
		return casefile.Invalid("reference", "belongs to what was carried out, and to nothing else")
	case wantReference && !referenceForm.MatchString(a.Reference):
		return casefile.Invalid("reference", "must be 1 to 64 letters, digits, - and _")
	case wantBefore != (a.Before != nil) || wantBefore && len(a.Before) == 0:
		return casefile.Invalid("before", "belongs to act.prepare, with one name at least, and to nothing else")
	}
	return nil
}
