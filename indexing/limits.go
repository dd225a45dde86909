package indexing

import "time"

// Limits of a case query.
const (
	DefaultLimit   = 50
	MaxLimit       = 200
	MaxTotal       = 10_000 // CasePage.Total stops here
	MaxQueryTokens = 32     // distinct tokens of CaseQuery.Text
	MaxTokens      = 50_000 // distinct tokens of a document that are indexed; later ones are not
)

// MaxOpenedAt is the latest opening of a case that an index takes; the earliest is 1970.
var MaxOpenedAt = time.UnixMilli(1<<42 - 1).UTC()
