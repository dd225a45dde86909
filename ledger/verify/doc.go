// Package verify checks a log and the proofs from it, without trust in whoever wrote them.
//
// It needs the log's verifier key, pinned beforehand, and either a proof bundle or a copy of the
// log (a folder, or a URL that serves one). It is built on golang.org/x/mod/sumdb and the domain
// types alone and shares no code with package ledger, so that a fault in the writer is not repeated
// in the check.
//
// Whoever holds both the log's folder and its key can write another log that verifies by itself:
// only a checkpoint kept from before shows that (Consistency).
package verify
