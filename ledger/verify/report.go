package verify

import (
	"fmt"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// FaultKind says what kind of fault was found.
type FaultKind string

// The kinds of fault.
const (
	FaultCheckpoint FaultKind = "checkpoint" // not signed with the key, malformed, or of another tree
	FaultMissing    FaultKind = "missing"    // a file that the checkpoint needs is not there
	FaultFormat     FaultKind = "format"     // a file is no tile or entry bundle of its size
	FaultHash       FaultKind = "hash"       // a file's content is not what the checkpoint covers
	FaultEntry      FaultKind = "entry"      // an entry is not canonical
	FaultGap        FaultKind = "gap"        // a chain lacks numbers
	FaultFork       FaultKind = "fork"       // two entries of one event, or another predecessor named
	FaultOrder      FaultKind = "order"      // a number of a chain after a higher one
	FaultCause      FaultKind = "cause"      // a takedown or an appeal without its decision, a reinstatement without its ruling
	FaultOpinion    FaultKind = "opinion"    // a decision that opens an opinion which was not given so
	FaultPeople     FaultKind = "people"     // a decision that ends an account with fewer than two people behind it
	FaultRestart    FaultKind = "restart"    // what a log says of the one whose place it took does not hold
	FaultRuling     FaultKind = "ruling"     // a ruling on no decision, or by somebody who took part in it
)

// Fault is one thing wrong with a log.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// File is the tlog-tiles path of the file at fault, or that holds the entry at fault.
	File string `json:"file"`
	// Index is the entry's, nil where no single entry is meant.
	Index *uint64 `json:"index,omitempty"`
	// Event is the entry's, "" where there is none or it cannot be told.
	Event casefile.EventID `json:"event,omitempty"`
	What  string           `json:"what"`
}

// String is the fault in one line.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Index != nil {
		fmt.Fprintf(&b, ": entry %d", *f.Index)
	}
	if f.Event != "" {
		fmt.Fprintf(&b, " (%s)", f.Event)
	}
	return b.String() + ": " + f.What
}

// Report is what came of checking a log.
type Report struct {
	Checkpoint Checkpoint `json:"checkpoint"`
	Entries    uint64     `json:"entries"` // read and hashed, repeats not counted
	Repeats    uint64     `json:"repeats"` // entries logged again with equal bytes, which is no fault
	Chains     int        `json:"chains"`
	Decisions  int        `json:"decisions"`
	// Restarted is the log whose place this one took, as its first entry names it; nil for none.
	Restarted *casefile.LogRestartedBody `json:"restarted,omitempty"`
	Faults    []Fault                    `json:"faults"` // in the order of the log, as far as they have one
	// Stopped is set when there were more faults than Options.MaxFaults and the rest was not checked.
	Stopped bool `json:"stopped,omitempty"`
}

// OK reports whether the log has no fault.
func (r Report) OK() bool { return len(r.Faults) == 0 }

// Err is nil for a log without fault, else a CodeUnproven error with the first one.
func (r Report) Err() error {
	if r.OK() {
		return nil
	}
	return unproven("the log has %d faults, the first: %s", len(r.Faults), r.Faults[0])
}
