// Package workflows holds Docket's deterministic workflows: the case, the takedown. They import
// casefile and the Temporal SDK alone; everything with a side effect is an activity, named here and
// implemented in package activities.
//
// Payloads hold codes, counts, digests and addresses, no one's words or handles.
package workflows
