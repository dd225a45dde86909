// Package backup copies a running Docket's stores into a folder, so that nothing in the copied records
// lacks its sealed object or its ledger entry, checks such a folder, and moves restored records on from
// the log, which is never rolled back. docs/adr/017-backup.md says what is copied, in which order and why.
package backup
