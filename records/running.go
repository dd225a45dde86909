package records

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/docket-triage/docket/casefile"
)

// RunningHash is the running hash of the tables of views and refusals after the view, prev being
// the one before it ("" before the first row): the lower-case hexadecimal SHA-256 of prev, a line
// feed and the row's canonical JSON. The view's Seq is part of it.
func (v View) RunningHash(prev string) (string, error) {
	return runningHash(prev, map[string]any{
		"kind": "view", "seq": v.Seq, "person": v.Person, "case": v.Case, "purpose": v.Purpose,
		"at": v.At.UTC().Format(casefile.TimeFormat),
	})
}

// RunningHash is the running hash after the refusal, as of a view.
func (r Refusal) RunningHash(prev string) (string, error) {
	return runningHash(prev, map[string]any{
		"kind": "refusal", "seq": r.Seq, "person": r.Person, "case": r.Case, "verb": r.Verb, "code": r.Code,
		"at": r.At.UTC().Format(casefile.TimeFormat),
	})
}

func runningHash(prev string, row map[string]any) (string, error) {
	data, err := casefile.Canonical(row)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(prev+"\n"), data...))
	return hex.EncodeToString(sum[:]), nil
}
