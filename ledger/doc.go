// Package ledger writes the append-only log and proves what is in it.
//
// The log is a C2SP tlog-tiles log on a local folder, kept by Tessera's POSIX driver and written by
// one process. Its leaves are the canonical entries of package casefile; docs/formats describes the
// folder, the entries and the proofs. Entries belong to chains (casefile.EventID is chain/seq):
// Append refuses whatever would leave a gap or a fork in a chain, and gives an equal retry the
// receipt of the first time, for ever.
//
// Nothing here is needed to check a log or a proof: that is package ledger/verify, which shares no
// code with this one.
package ledger
