package casefile

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
)

// CaseRef is a case's random reference and the short number that people use: ten characters of
// Crockford's base 32, shown in two halves ("7K2QX-9MDT4").
type CaseRef string

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewCaseRef makes a random reference (50 bits); the store that inserts it refuses a repeat.
func NewCaseRef() CaseRef {
	s := randomBase32(10)
	return CaseRef(s[:5] + "-" + s[5:])
}

// NewID makes a random id of 26 characters (130 bits) for decisions, notices and verbs.
func NewID() string { return randomBase32(26) }

func randomBase32(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read does not fail since Go 1.24: it aborts the program
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b)
}

// ParseCaseRef reads a reference as people type it: any case, O for 0, I and L for 1, with or
// without the hyphen or spaces. The error is CodeInvalid.
func ParseCaseRef(s string) (CaseRef, error) {
	clean := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(s)))
	if len(clean) != 10 || strings.Trim(clean, crockford) != "" {
		return "", Invalid("case", "a case number has ten letters and digits, like 7K2QX-9MDT4")
	}
	return CaseRef(clean[:5] + "-" + clean[5:]), nil
}

// FlagKey is the keyed hash of (platform, flag id) by which a flag is known outside the sealed store.
type FlagKey string

// Address is where the sealed store keeps something: a keyed hash of its content.
type Address string

// EventID is a ledger entry's place: "chain/seq".
type EventID string

// NewEventID joins a chain and a sequence number (from 1).
func NewEventID(chain string, seq int) EventID { return EventID(chain + "/" + strconv.Itoa(seq)) }

// Split gives the chain and the number of an event id, which has one form only: no sign, no leading
// zero. The error is CodeInvalid.
func (e EventID) Split() (chain string, seq int, err error) {
	i := strings.LastIndexByte(string(e), '/')
	if i <= 0 {
		return "", 0, Invalid("event", "an event id is chain/seq")
	}
	seq, err = strconv.Atoi(string(e)[i+1:])
	if err != nil || seq < 1 || strconv.Itoa(seq) != string(e)[i+1:] {
		return "", 0, Invalid("event", "an event id ends in a number from 1")
	}
	return string(e)[:i], seq, nil
}

// SystemChain is the chain of everything that belongs to no case or takedown.
const SystemChain = "system"

// LogChain is the ledger chain of the one entry that says whose place a log took; id is random.
func LogChain(id string) string { return "log." + id }

// CaseChain is the ledger chain of a case.
func CaseChain(ref CaseRef) string { return "case." + string(ref) }

// TakedownChain is the ledger chain of a decision's takedown.
func TakedownChain(decision string) string { return "takedown." + decision }

// CaseWorkflowID is the workflow id of an account, for the account's life.
func CaseWorkflowID(platform string, key AccountKey) string {
	return fmt.Sprintf("case/%s/%s", platform, key)
}

// ParseCaseWorkflowID is the inverse of CaseWorkflowID. The error is CodeInvalid.
func ParseCaseWorkflowID(id string) (platform string, key AccountKey, err error) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || parts[0] != "case" || parts[1] == "" || parts[2] == "" {
		return "", "", Invalid("workflow", "not the id of a case workflow")
	}
	return parts[1], AccountKey(parts[2]), nil
}

// TakedownWorkflowID is the workflow id of a decision's takedown.
func TakedownWorkflowID(ref CaseRef, decision string) string {
	return fmt.Sprintf("takedown/%s/%s", ref, decision)
}
