// Package records is Docket's transactional store: flag receipts, case and queue rows, decisions,
// acts and their undo, strikes, people and tokens, wrapped account keys, views and refusals, and
// the outboxes of ledger and index. It outlives workflows.
//
// Nothing in it holds the words, handle or name of a person under review: such things are sealed,
// and rows hold addresses (package evidence). Rows are closed, never deleted; the higher revision
// wins. Adapters (records/sqlite, records/postgres) share their statements (records/relational) and
// answer one suite, recordstest.Exercise.
package records
