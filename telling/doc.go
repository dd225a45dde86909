// Package telling tells people that something needs them: by webhook and by mail, from an outbox, at
// least once, for ever or for a day. What is told are codes, numbers, times and a link into the
// console; nobody's words, handle or name.
package telling
