package casefile

import "time"

// FindingKind names what was asked about an account.
type FindingKind string

// The kinds of finding.
const (
	FindingHistory      FindingKind = "history"       // the account's posts in the history index
	FindingEarlierCases FindingKind = "earlier_cases" // its earlier cases and their decisions
	FindingStrikes      FindingKind = "strikes"       // its strikes that have not lapsed
	FindingScore        FindingKind = "score"         // a classifier's scores of its posts
	FindingLookAlike    FindingKind = "look_alike"    // taken-down accounts with a like handle
	FindingMitigations  FindingKind = "mitigations"   // signs of news, research, counter-speech
)

// FindingStatus says whether a finding holds. Unknown is not zero: rules see the status, pages show it.
type FindingStatus string

// The statuses of a finding.
const (
	StatusKnown   FindingStatus = "known"
	StatusUnknown FindingStatus = "unknown" // not asked, or the source does not know; Why says which
	StatusFailed  FindingStatus = "failed"  // asked, and the source erred; Why says how
)

// Finding is one enrichment result. Values holds its numbers by fixed names (docs/formats/finding.md);
// it is empty unless Status is known. Items hold words and stay in the sealed store.
type Finding struct {
	Kind    FindingKind        `json:"kind"`
	Source  string             `json:"source"`
	Version string             `json:"version"`
	At      time.Time          `json:"at"`
	Status  FindingStatus      `json:"status"`
	Why     string             `json:"why,omitempty"`
	Values  map[string]float64 `json:"values,omitempty"`
	Items   []FindingItem      `json:"items,omitempty"`
}

// FindingItem is one thing that a finding rests on.
type FindingItem struct {
	Label   string     `json:"label"`
	Post    string     `json:"post,omitempty"`    // id of a post
	Text    string     `json:"text,omitempty"`    // the words of it
	At      *time.Time `json:"at,omitempty"`      //
	Score   *float64   `json:"score,omitempty"`   // 0 to 1
	Account AccountKey `json:"account,omitempty"` // another account, by keyed hash only
	Case    CaseRef    `json:"case,omitempty"`    //
	Spans   []Span     `json:"spans,omitempty"`   // places in Text
}

// Span is a place in a text, in bytes of its original form; Weight is what it added to a score.
type Span struct {
	Start  int     `json:"start"`
	End    int     `json:"end"`
	Term   string  `json:"term,omitempty"`
	Weight float64 `json:"weight,omitempty"`
}

// FindingCode is a finding without anyone's words: what workflow payloads and routing rules see.
type FindingCode struct {
	Kind    FindingKind        `json:"kind"`
	Source  string             `json:"source"`
	Version string             `json:"version"`
	Status  FindingStatus      `json:"status"`
	Values  map[string]float64 `json:"values,omitempty"`
}

// CodeOf strips a finding of words.
func (f Finding) CodeOf() FindingCode {
	return FindingCode{Kind: f.Kind, Source: f.Source, Version: f.Version, Status: f.Status, Values: f.Values}
}
