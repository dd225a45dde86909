// Package codec encrypts every payload that Docket hands to Temporal: arguments and results of
// workflows, activities, signals, updates and queries, markers, heartbeats, and through
// NewFailureConverter the messages and stacks of errors.
//
// Each payload is sealed with AES-256-GCM under a fresh random nonce. The id of the key stands in
// the payload's metadata, so keys rotate without touching old histories: add the new key to
// every process first, make it active afterwards, and drop the old one when the last history
// written with it is past its retention. A random nonce is safe for 2^32 payloads of one key.
//
// # What is not encrypted
//
// Temporal keeps these in clear, and the SDK never offers them to a codec: workflow ids, names of
// workflows, activities, signals and task queues, search attributes, memos given at a workflow's
// start, times and sizes. None of them may hold a word or handle of anybody's. Failures that the
// server makes itself (a time-out, a termination) hold no text of ours.
//
// # What is refused
//
// Decode refuses a payload that is not encrypted, since everything that Docket's own processes
// write is, the empty payload of a nil argument included. So a signal, update or start that
// somebody sends past Docket, without a key, is not even read: the SDK drops such a signal,
// rejects such an update and fails such a start. Options.AllowPlain lifts this, for reading
// histories written before a codec was used.
//
// A sealed payload is not bound to the place it was written for: whoever may write to Temporal can
// copy one workflow's payload to another. That is not the codec's to stop; the signed assertions
// inside the payloads are what a workflow believes.
//
// A process that lacks a key answers CodeUnavailable for what was sealed with it. An activity is
// then retried, but a workflow whose arguments cannot be read fails for good, which is why a key
// must be everywhere before it is active anywhere.
package codec
