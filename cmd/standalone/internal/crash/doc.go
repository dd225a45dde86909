// Package crash drives a crash run: it starts the whole of Docket as a process of its own, built with
// crash points, keeps flags, claims and takedowns in flight over HTTP, kills the process again and again,
// and has a third program count what was lost and what happened twice. The platforms are processes of
// their own as well, which no kill takes along.
package crash
