// Package tally counts, after a crash run, what was lost and what happened twice. It shares nothing
// with what was killed: it reads the public files of the ledger, what the platforms wrote down of what
// they really did, and what the driver was answered. Its command is a program of its own.
package tally
