package local

import (
	_ "embed"
	"sync"
)

// shipped is the model that `go run ./classify/local/train -seed 7` makes.
//
//go:embed model.bin
var shipped []byte

// Default gives the model that ships with Docket. The error is CodeState when the folding of texts
// has changed since it was trained.
var Default = sync.OnceValues(func() (*Model, error) { return Decode(shipped) })
