package tally

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/docket-triage/docket/casefile"
)

// Accepted is a flag that was answered with 202: one line of the driver's list.
type Accepted struct {
	Platform string           `json:"platform"`
	ID       string           `json:"id"`
	Key      casefile.FlagKey `json:"key"` // the keyed hash under which the ledger has it
	Account  string           `json:"account"`
	Case     casefile.CaseRef `json:"case,omitempty"` // where the answer named it
}

// Verb is what a verb was answered with: one line of the driver's list of answers.
type Verb struct {
	Verb      VerbKind               `json:"verb"`
	Case      casefile.CaseRef       `json:"case,omitempty"`
	Decision  string                 `json:"decision,omitempty"`
	Action    casefile.Action        `json:"action,omitempty"`
	Person    string                 `json:"person,omitempty"` // login
	Appeal    string                 `json:"appeal,omitempty"`
	Outcome   casefile.AppealOutcome `json:"outcome,omitempty"`
	Number    int                    `json:"number,omitempty"`
	Direction casefile.Direction     `json:"direction,omitempty"`
	State     casefile.ActState      `json:"state,omitempty"`
	Bundle    *casefile.Bundle       `json:"bundle,omitempty"`
	Event     casefile.EventID       `json:"event,omitempty"` // a receipt: the entry that it names
}

// VerbKind names a verb.
type VerbKind string

// The verbs that leave something which must be found again. Others are listed and not counted.
const (
	VerbOpinion  VerbKind = "opinion" // Decision is set where it settled the case
	VerbSeen     VerbKind = "seen"    // a decision that was found on the case's page
	VerbWithdraw VerbKind = "withdraw"
	VerbClose    VerbKind = "close"
	VerbRefer    VerbKind = "refer"
	VerbAppeal   VerbKind = "appeal"
	VerbRule     VerbKind = "rule"
	VerbSettle   VerbKind = "settle"
	VerbProof    VerbKind = "proof" // a proof bundle was handed out
	VerbClaim    VerbKind = "claim"
	VerbOther    VerbKind = "other"
)

// readLines reads a file of one JSON object a line. A last line without its end was never answered for.
func readLines[T any](path string) ([]T, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the driver's list: %w", err)
	}
	var out []T
	scanner := bufio.NewScanner(bytes.NewReader(data[:bytes.LastIndexByte(data, '\n')+1]))
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var one T
		dec := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		dec.DisallowUnknownFields()
		err = dec.Decode(&one)
		if err != nil {
			return nil, fmt.Errorf("read %s, line %d: %w", path, len(out)+1, err)
		}
		out = append(out, one)
	}
	err = scanner.Err()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}
