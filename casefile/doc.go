// Package casefile holds Docket's domain: accounts, events, flags, findings, cases, opinions,
// decisions, acts and ledger entries, with their states and the rules that belong to them alone.
//
// It imports only the standard library, so that workflows, adapters and verifiers can share it
// without sharing anything else.
package casefile
