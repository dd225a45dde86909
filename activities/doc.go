// Package activities holds every side effect that a workflow asks for, one file per concern: Work
// for the work role (quick reads and writes of our own stores, run as local activities), Ledger for
// the ledger role, Actor for the enforce role. Errors are casefile errors; the worker's interceptor
// turns them into Temporal's at one place.
package activities
