package verify

import "path"

// Exemption is a kind of file in a log's folder that a check does not read.
type Exemption struct {
	Pattern string // of its path, as path.Match has it
	Why     string
}

// Exempt lists every file in the folder of a log that a check of it does not read. None of them is
// part of the log: what stands there can stop the writer or make it refuse to open the log, but nobody
// who checks the log, or a proof from it, ever takes anything from it. Everything else in the folder is
// read, partial tiles that a larger one took the place of among it. docs/formats/log-layout.md has the
// same table.
var Exempt = []Exemption{
	{"events.sqlite", "the writer's table from events to places: a cache, compared with the log at start"},
	{"events.sqlite-wal", "of the same table, while it is open"},
	{"events.sqlite-shm", "of the same table, while it is open"},
	{"writer.lock", "empty; held by the writer"},
	{".state/version", "Tessera's version of the state folder"},
	{".state/treeState", "size and root of what the writer has taken in, published or not; a checkpoint of a wrong one is a fault of the checkpoint"},
	{".state/treeState.lock", "empty; a lock"},
	{".state/publish.lock", "empty; a lock"},
	{".state/gcState", "how far superseded partial tiles were tidied away"},
	{".state/gcState.lock", "empty; a lock"},
}

// ExemptFile gives the exemption of a file by its path in the log's folder; ok is false for one that a
// check reads, or that nobody knows.
func ExemptFile(name string) (e Exemption, ok bool) {
	for _, e := range Exempt {
		if match, err := path.Match(e.Pattern, name); err == nil && match {
			return e, true
		}
	}
	return Exemption{}, false
}
