// Package ledgertest writes whole logs of made-up cases straight into the files of a log's folder, with
// neither a writer nor a sync: what takes the writer minutes takes seconds. The benches and the attack
// tests need logs of that size.
//
// Entries are fixed by casefile as workflows fix them. A test holds the files to those that package
// ledger writes of the same entries, byte for byte.
package ledgertest
