// Package worker puts the parts together into the five roles: Detect, Serve, Work, Enforce, Ledger.
// A role is one constructor with Start and Stop; roles meet only over task queues, records, the
// sealed store, the index and HTTP, so that one process may hold one of them or all five.
package worker
