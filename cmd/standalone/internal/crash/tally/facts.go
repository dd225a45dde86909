package tally

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/ledger/verify"
)

// Facts are everything that the count rests on.
type Facts struct {
	Entries  []verify.TailEntry // every entry of the ledger, in its order
	Faults   []string           // what is wrong with the ledger itself
	Platform []receiver.Line    // what the platforms really did, in each one's order
	Accepted []Accepted
	Verbs    []Verb
	// Key is the ledger's public key, under which handed-out proofs are checked.
	Key string
}

// Sources are the files that Facts are read from.
type Sources struct {
	Ledger    string   // folder of the log
	KeyFile   string   // its public key
	Platforms []string // files of the platforms
	Accepted  string   // list of 202 answers
	Verbs     string   // list of answers to verbs
}

// Read reads all of it. The log is verified from end to end first.
func Read(ctx context.Context, s Sources) (Facts, error) {
	key, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return Facts{}, fmt.Errorf("read the ledger's public key: %w", err)
	}
	f := Facts{Key: strings.TrimSpace(string(key))}
	log := verify.Dir(s.Ledger)
	report, err := verify.Log(ctx, log, f.Key, verify.Options{})
	if err != nil {
		return Facts{}, fmt.Errorf("verify the ledger: %w", err)
	}
	for _, fault := range report.Faults {
		f.Faults = append(f.Faults, fault.String())
	}
	if report.OK() {
		err = verify.Entries(ctx, log, f.Key, func(e verify.TailEntry) error {
			f.Entries = append(f.Entries, e)
			return nil
		})
		if err != nil {
			return Facts{}, fmt.Errorf("read the ledger: %w", err)
		}
	}
	for _, path := range s.Platforms {
		lines, err := receiver.Read(path)
		if err != nil {
			return Facts{}, fmt.Errorf("read what a platform did: %w", err)
		}
		f.Platform = append(f.Platform, lines...)
	}
	f.Accepted, err = readLines[Accepted](s.Accepted)
	if err != nil {
		return Facts{}, err
	}
	f.Verbs, err = readLines[Verb](s.Verbs)
	return f, err
}
