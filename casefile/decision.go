package casefile

import "time"

// DecidedBy says how a decision was settled.
type DecidedBy string

// The ways to settle a decision.
const (
	ByOneOpinion   DecidedBy = "one_opinion"
	ByTwoOpinions  DecidedBy = "two_opinions"
	ByAdjudication DecidedBy = "adjudication"
	ByAutomation   DecidedBy = "auto"
	ByEmergency    DecidedBy = "emergency" // L5 ordered at once by one senior, to be reviewed within a day
)

// Decision is what was settled about one case.
type Decision struct {
	ID               string     `json:"id"`
	Case             CaseRef    `json:"case"`
	Platform         string     `json:"platform"`
	Account          AccountKey `json:"account"`
	Judgement                   // what stands
	DecidedBy        DecidedBy  `json:"decided_by"`
	DecidedAt        time.Time  `json:"decided_at"`
	EvidenceRevision int        `json:"evidence_revision"`
	RuleSet          string     `json:"rule_set"` // policy version in force when the case was routed
	Opinions         []Opinion  `json:"opinions"`
	// OpinionEvents are the event ids of the opinions' ledger entries, in the same order.
	OpinionEvents []EventID `json:"opinion_events"`
	// Standing is the index of the opinion that stands: its posts are acted on, its notice is sent.
	Standing int `json:"standing"`
	// Rule names the automatic rule of a decision without opinions, AutoNotice its notice.
	Rule       string     `json:"rule,omitempty"`
	AutoNotice *NoticeRef `json:"auto_notice,omitempty"`
}

// Stands is the opinion that stands; nil for a decision of an automatic rule, and for a malformed one.
func (d Decision) Stands() *Opinion {
	if d.Standing < 0 || d.Standing >= len(d.Opinions) {
		return nil
	}
	return &d.Opinions[d.Standing]
}

// Relied is how many posts the decision relies on.
func (d Decision) Relied() int {
	if o := d.Stands(); o != nil {
		return o.Relied
	}
	return 0
}

// Notice is the notice that is due; nil where none is.
func (d Decision) Notice() *NoticeRef {
	if o := d.Stands(); o != nil {
		return o.Notice
	}
	return d.AutoNotice
}

// People counts the different people whose opinions the decision rests on.
func (d Decision) People() int {
	seen := map[Person]bool{}
	for _, o := range d.Opinions {
		seen[o.Person] = true
	}
	return len(seen)
}

// DecisionState is how far a decision has been carried out.
type DecisionState string

// The states of a decision.
const (
	DecisionGrace     DecisionState = "grace"     // can still be withdrawn
	DecisionWithdrawn DecisionState = "withdrawn" // withdrawn within the grace time
	DecisionRecorded  DecisionState = "recorded"  // on the ledger and proven
	DecisionExecuting DecisionState = "executing" // its takedown runs
	DecisionDone      DecisionState = "done"      // every act done, outcome on the ledger; L0: nothing to do
	DecisionUncertain DecisionState = "uncertain" // an act's outcome could not be established: a person's turn
	DecisionFailed    DecisionState = "failed"    // an act was refused for good
	DecisionEnded     DecisionState = "ended"     // its timed acts have come to their end
	DecisionUndone    DecisionState = "undone"    // reinstated
)
