package assembly

import (
	"time"

	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/indexing"
)

// Seams are where somebody may stand between the roles and what they ask. The zero value, which every
// program has, changes nothing; tests play faults there.
type Seams struct {
	Index    func(indexing.Index) indexing.Index
	Scorer   func(classify.Scorer) classify.Scorer
	Platform func(enforce.Platform) enforce.Platform
	// Now is the clock of our own code; nil means time.Now. Temporal keeps its own.
	Now func() time.Time
}

func (p *Process) now() time.Time {
	if p.Seams.Now != nil {
		return p.Seams.Now()
	}
	return time.Now()
}

// through puts a seam around what was opened.
func through[T any](seam func(T) T, v T) T {
	if seam == nil {
		return v
	}
	return seam(v)
}
