// Package classify holds the scorers: what they are asked and how they explain themselves.
package classify

import (
	"context"

	"github.com/docket-triage/docket/casefile"
)

// Score is a scorer's answer on one account (docs/formats/account-score.md).
type Score struct {
	Platform string                          `json:"platform"`
	Account  string                          `json:"account"`
	Score    float64                         `json:"score"` // 0 to 1
	Posts    int                             `json:"posts"`
	Policies map[casefile.PolicyCode]float64 `json:"policies"`
	Top      []PostScore                     `json:"top"`
	Model    Model                           `json:"model"`
}

// PostScore is one post's part in a score with the terms that gave it.
type PostScore struct {
	Post  string          `json:"post"`
	Score float64         `json:"score"`
	Terms []casefile.Span `json:"terms"`
}

// Model names what made a score.
type Model struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Scorer scores an account by its posts. Safe for concurrent use. It returns an error rather than
// a score it does not have; no posts is CodeInvalid.
type Scorer interface {
	Model() Model
	ScoreAccount(ctx context.Context, platform string, account casefile.Account, posts []casefile.Event) (Score, error)
}
