// Package crashpoint marks the numbered steps of docs/life-of-a-case.md in the code, so that a crash
// run can end the process right behind the effect of a step and before the next.
//
// In a program built without the tag crashpoints a mark is nothing at all. With it, a process whose
// environment names a step (EnvAt) kills itself by SIGKILL, as a power cut or the kernel would, when it
// passes that step's mark for the given time. Marks stand where effects are made: in activities,
// adapters, the door and the API, never in workflow code, which is replayed.
package crashpoint

// The environment of a process built with the tag.
const (
	// EnvAt names a step and the number of the pass that ends the process: "19:2".
	EnvAt = "DOCKET_CRASH_AT"
	// EnvWhen names a file; passes count only once it is there. "" counts them from the start.
	EnvWhen = "DOCKET_CRASH_WHEN"
)
