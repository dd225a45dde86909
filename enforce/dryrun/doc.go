// Package dryrun is a platform that does nothing to anybody: it appends what it would do to a file
// of its own (docs/formats/act.md) and keeps the state that its accounts would be in.
//
// It keeps every rule that a real platform is held to: an act happens once for its key, can be
// looked up after a crash, and is taken back for good. The file holds account ids and the text of
// notices, because it stands for the platform; its mode is 0600.
package dryrun
