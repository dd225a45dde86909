package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Limits of a flag (docs/formats/flag.md).
const (
	MaxFlagBytes    = 1 << 20
	MaxFlagEvidence = 100
	MaxFlagReasons  = 200
	maxFlagIDBytes  = 200
)

// Flag is a detector's claim that an account needs a look. The same claim always has the same ID
// (made from platform, account, rule-set version, rules and evidence ids); different claims never
// share one.
type Flag struct {
	ID       string    `json:"id"`
	Platform string    `json:"platform"`
	Account  Account   `json:"account"`
	Detector Detector  `json:"detector"`
	Reasons  []Reason  `json:"reasons"`
	Evidence []Event   `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}

// Detector names the program, and the version of program and rules, that made a flag.
type Detector struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Reason is one rule that fired, with the value it saw. Weight is the share of the account's score
// that the rule gave, 0 to 1000. Terms are the matched places, for the reviewer's eye.
type Reason struct {
	Rule   string     `json:"rule"`
	Policy PolicyCode `json:"policy"`
	Weight float64    `json:"weight"`
	Detail string     `json:"detail,omitempty"`
	Terms  []Match    `json:"terms,omitempty"`
}

// Match is one place in an evidence post where a term of a rule stands: byte offsets into the
// post's original text.
type Match struct {
	Post  string `json:"post"`
	Term  string `json:"term"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// DecodeFlag decodes one flag strictly (unknown fields are errors, except inside its evidence) and
// validates it. Errors are CodeInvalid with the field named, or CodeTooLarge.
func DecodeFlag(data []byte) (Flag, error) {
	if len(data) > MaxFlagBytes {
		return Flag{}, &Error{Code: CodeTooLarge, Message: fmt.Sprintf("flag of %d bytes; the limit is %d", len(data), MaxFlagBytes)}
	}
	type wireFlag struct {
		ID       string            `json:"id"`
		Platform string            `json:"platform"`
		Account  Account           `json:"account"`
		Detector Detector          `json:"detector"`
		Reasons  []Reason          `json:"reasons"`
		Evidence []json.RawMessage `json:"evidence"`
		At       time.Time         `json:"at"`
	}
	var w wireFlag
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&w)
	if err != nil {
		return Flag{}, decodeError(err, data)
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Flag{}, Errorf(CodeInvalid, "more than one JSON value")
	}
	if len(w.Evidence) > MaxFlagEvidence {
		return Flag{}, &Error{Code: CodeTooLarge, Field: "evidence", Message: fmt.Sprintf("%d posts; the limit is %d", len(w.Evidence), MaxFlagEvidence)}
	}
	f := Flag{ID: w.ID, Platform: w.Platform, Account: w.Account, Detector: w.Detector, Reasons: w.Reasons, At: w.At}
	for i, raw := range w.Evidence {
		var e Event
		err = json.Unmarshal(raw, &e)
		if err != nil {
			de := decodeError(err, raw)
			if de.Field != "" {
				de.Field = "." + de.Field
			}
			de.Field = fmt.Sprintf("evidence[%d]%s", i, de.Field)
			return Flag{}, de
		}
		f.Evidence = append(f.Evidence, e)
	}
	err = f.Validate()
	if err != nil {
		return Flag{}, err
	}
	return f, nil
}

// Validate normalises times to UTC and checks every field of the flag.
func (f *Flag) Validate() error {
	if f.ID == "" || len(f.ID) > maxFlagIDBytes || strings.ContainsFunc(f.ID, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return Invalid("id", "required: 1 to %d bytes without spaces or control characters", maxFlagIDBytes)
	}
	if !ValidPlatform(f.Platform) {
		return Invalid("platform", "required: 1 to 32 of a-z, 0-9, '-' and '_', beginning with a letter")
	}
	if f.Account.ID == "" {
		return Invalid("account.id", "required")
	}
	if f.Detector.Name == "" {
		return Invalid("detector.name", "required")
	}
	if f.Detector.Version == "" {
		return Invalid("detector.version", "required")
	}
	if len(f.Reasons) == 0 {
		return Invalid("reasons", "at least one is required")
	}
	if len(f.Reasons) > MaxFlagReasons {
		return &Error{Code: CodeTooLarge, Field: "reasons", Message: fmt.Sprintf("%d reasons; the limit is %d", len(f.Reasons), MaxFlagReasons)}
	}
	for i, r := range f.Reasons {
		if r.Rule == "" {
			return Invalid(fmt.Sprintf("reasons[%d].rule", i), "required")
		}
		if !r.Policy.Valid() {
			return Invalid(fmt.Sprintf("reasons[%d].policy", i), "not a policy code VE-00 to VE-12")
		}
		if !(r.Weight >= 0 && r.Weight <= 1000) {
			return Invalid(fmt.Sprintf("reasons[%d].weight", i), "must be 0 to 1000")
		}
	}
	if len(f.Evidence) > MaxFlagEvidence {
		return &Error{Code: CodeTooLarge, Field: "evidence", Message: fmt.Sprintf("%d posts; the limit is %d", len(f.Evidence), MaxFlagEvidence)}
	}
	for i := range f.Evidence {
		e := &f.Evidence[i]
		if e.Platform == "" {
			e.Platform = f.Platform
		}
		if e.Account.ID == "" {
			e.Account.ID = f.Account.ID
		}
		err := e.Normalize(fmt.Sprintf("evidence[%d].", i))
		if err != nil {
			return err
		}
		// Evidence is sealed under the flag's account and may be removed as its: another's is neither.
		if e.Platform != f.Platform {
			return Invalid(fmt.Sprintf("evidence[%d].platform", i), "must be the flag's platform")
		}
		if e.Account.ID != f.Account.ID {
			return Invalid(fmt.Sprintf("evidence[%d].account.id", i), "must be the flag's account")
		}
	}
	if f.At.IsZero() {
		return Invalid("at", "required, as RFC 3339")
	}
	f.At = f.At.UTC()
	if f.Account.CreatedAt != nil {
		t := f.Account.CreatedAt.UTC()
		f.Account.CreatedAt = &t
	}
	return nil
}

// Ref gives the account that the flag is about.
func (f *Flag) Ref() AccountRef { return AccountRef{Platform: f.Platform, ID: f.Account.ID} }
