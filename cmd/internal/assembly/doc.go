// Package assembly puts the five roles together from a configuration. Both programs use it: docket
// for one role in a process, standalone for all five in one.
//
// A Process opens what its roles need when the first of them needs it, and stops everything last
// first. Each role is put together in one file of its own (ledger.go, enforce.go, work.go, serve.go,
// detect.go): a new dependency of a role is added there, one that roles share in stores.go. Nothing
// asks which program it runs in: a role finds what is there by what the process has opened.
package assembly
