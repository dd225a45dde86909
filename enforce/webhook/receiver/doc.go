// Package receiver is a small but real platform at the other end of a webhook
// (docs/formats/webhook.md), for tests and crash runs: it verifies signatures, keeps keys apart,
// writes down what it really did, on disk before it answers, and answers questions from that file
// alone. Its faults can be chosen, and what was done twice can be counted (Read, Doubles).
//
// It stands for the platform, so its file holds account ids and notices' texts (mode 0600). No
// production code imports it.
package receiver
