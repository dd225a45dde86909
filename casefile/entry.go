package casefile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// EntryType says what a ledger entry records.
type EntryType string

// The types of ledger entry.
const (
	EntryFlagAccepted EntryType = "flag_accepted"
	EntryFlagDropped  EntryType = "flag_dropped" // a signal without a row, or whose row names another case
	EntryRoute        EntryType = "route"
	EntryOpinion      EntryType = "opinion"
	EntryWithdrawn    EntryType = "withdrawn" // a decision withdrawn within its grace time
	EntryDecision     EntryType = "decision"
	EntryClosed       EntryType = "closed"
	EntryActsPlanned  EntryType = "acts_planned"
	EntryActsOutcome  EntryType = "acts_outcome"
	EntryNotice       EntryType = "notice"
	EntryViews        EntryType = "views"         // running digest of the tables of views and refusals
	EntryHandled      EntryType = "handled"       // a person moved a case about without judging it
	EntryDeadline     EntryType = "deadline"      // a deadline came to half its time, or was missed
	EntryReferred     EntryType = "referred"      // a case was referred to another team
	EntryRestarted    EntryType = "restarted"     // a lost run's case goes on; opinions not decided on are void
	EntryActSettled   EntryType = "act_settled"   // a person established an uncertain act's outcome
	EntryAppealOpened EntryType = "appeal_opened" //
	EntryAppealRuling EntryType = "appeal_ruling" // an appeal was decided
	EntrySwitch       EntryType = "switch"        // acts paused or resumed, automation switched
	EntryBreaker      EntryType = "breaker"       // a rule's breaker tripped or was armed again
	EntryBreakGlass   EntryType = "break_glass"   // a case opened without the right to it, for a reason
	EntryRefusedStart EntryType = "refused_start" // a workflow start, signal or verb that the API did not make
	EntryPolicy       EntryType = "policy"
	EntryPeople       EntryType = "people"

	EntryLogRestarted EntryType = "log_restarted" // this log took the place of one whose end was lost
)

// EntryVersion is the format version of Entry.
const EntryVersion = 1

// Entry is one ledger entry (docs/formats/ledger-entry.md). Its canonical JSON is the log's leaf
// data. It holds codes, digests and salted commitments, nobody's words or handles.
type Entry struct {
	V     int             `json:"v"`
	Event EventID         `json:"event"`
	Type  EntryType       `json:"type"`
	At    string          `json:"at"` // RFC 3339, UTC, microseconds
	Actor Actor           `json:"actor"`
	Prev  string          `json:"prev"`            // EntryHash of the chain's previous entry; "" for the first
	Cause string          `json:"cause,omitempty"` // EntryHash of the entry in another chain that this chain answers to
	Body  json.RawMessage `json:"body"`
}

// FixedEntry is an entry whose bytes are fixed: what is appended, retried and proven.
type FixedEntry struct {
	Event EventID `json:"event"`
	Data  []byte  `json:"data"`
}

// Hash is the entry's EntryHash.
func (f FixedEntry) Hash() string { return EntryHash(f.Data) }

// EntryHash is the lower-case hexadecimal SHA-256 of an entry's bytes, by which chains link.
func EntryHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ParseEntry decodes an entry's bytes and checks that they are canonical. The error is CodeInvalid.
func ParseEntry(data []byte) (Entry, error) {
	var e Entry
	err := json.Unmarshal(data, &e)
	if err != nil {
		return Entry{}, decodeError(err, data)
	}
	again, err := Canonical(e)
	if err != nil {
		return Entry{}, err
	}
	if string(again) != string(data) {
		return Entry{}, Errorf(CodeInvalid, "the entry is not in canonical form")
	}
	if e.V != EntryVersion {
		return Entry{}, Invalid("v", "unknown entry version %d", e.V)
	}
	_, _, err = e.Event.Split()
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Position is an entry's place in its chain.
type Position struct {
	Event EventID   `json:"event"`
	Prev  string    `json:"prev"`
	Cause string    `json:"cause,omitempty"`
	At    time.Time `json:"at"`
}

// Salter gives the salts of an account: HMAC-SHA-256 under its content key of the event id and a
// label. Destroying the key makes every commitment of the account unopenable for good.
type Salter interface {
	Salt(event EventID, label string) []byte
}

// Commit is the salted commitment to data: lower-case hexadecimal HMAC-SHA-256 under salt.
func Commit(salt, data []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil))
}

// Draft is what an entry will say before its bytes are fixed. Exactly the field that Type names is set.
type Draft struct {
	Type     EntryType     `json:"type"`
	Actor    Actor         `json:"actor"`
	Flag     *FlagBody     `json:"flag,omitempty"`
	Route    *RouteBody    `json:"route,omitempty"`
	Opinion  *Opinion      `json:"opinion,omitempty"`
	Decision *Decision     `json:"decision,omitempty"`
	Closed   *ClosedBody   `json:"closed,omitempty"`
	Planned  *PlannedBody  `json:"planned,omitempty"`
	Outcome  *OutcomeBody  `json:"outcome,omitempty"`
	Notice   *NoticeBody   `json:"notice,omitempty"`
	Withdraw *WithdrawBody `json:"withdraw,omitempty"`

	Handled   *HandledBody   `json:"handled,omitempty"`
	Deadline  *DeadlineBody  `json:"deadline,omitempty"`
	Referral  *Referral      `json:"referral,omitempty"`
	Restarted *RestartedBody `json:"restarted,omitempty"`
	Settled   *SettledBody   `json:"settled,omitempty"`
	Appeal    *AppealBody    `json:"appeal,omitempty"`
	Ruling    *AppealRuling  `json:"ruling,omitempty"`
}

// FlagBody records that a flag was taken into a case. Digest is the keyed digest of the decoded
// flag; the entry holds only a commitment to it.
type FlagBody struct {
	Flag   FlagKey `json:"flag"`
	Digest string  `json:"digest"`
	// EvidenceRevision is the case's after the flag came in.
	EvidenceRevision int `json:"evidence_revision"`
}

// RouteBody records a route and the findings it rests on.
type RouteBody struct {
	Route    Route         `json:"route"`
	Findings []FindingCode `json:"findings"`
	Digest   string        `json:"digest"` // keyed digest of the sealed findings
}

// ClosedBody records a case's end. File is the digest of the archived case file.
type ClosedBody struct {
	Reason CloseReason `json:"reason"`
	// Decision is the case's own, or the earlier one that a case closed as already decided is
	// attached to.
	Decision string `json:"decision,omitempty"`
	File     string `json:"file"`
}

// PlannedBody records the acts of a takedown before the first of them, each with the digest of how
// to undo it.
type PlannedBody struct {
	Decision string       `json:"decision"`
	Platform string       `json:"platform"`
	Acts     []PlannedAct `json:"acts"`
}

// PlannedAct is one act with the digest of its undo record.
type PlannedAct struct {
	Number int        `json:"number"`
	Kind   ActKind    `json:"kind"`
	Until  *time.Time `json:"until,omitempty"`
	Undo   string     `json:"undo"`
}

// OutcomeBody records what the acts came to.
type OutcomeBody struct {
	Decision  string       `json:"decision"`
	Direction Direction    `json:"direction"`
	Outcomes  []ActOutcome `json:"outcomes"`
}

// NoticeBody records that the person concerned was told. Digest is the keyed digest of the exact text.
type NoticeBody struct {
	Number   string      `json:"number"`
	Decision string      `json:"decision"`
	State    NoticeState `json:"state"`
	Digest   string      `json:"digest"`
}

// WithdrawBody records a withdrawn decision.
type WithdrawBody struct {
	Decision string  `json:"decision"`
	Event    EventID `json:"event"` // of the opinion withdrawn
}

// HandledBody records what a person did with a case beside judging it. Digest is the keyed digest of
// the reason's words, "" where none are asked for.
type HandledBody struct {
	What     Handling     `json:"what"`
	Queue    string       `json:"queue,omitempty"`
	To       Person       `json:"to,omitempty"` // whom it was handed to, or whose claim was ended
	Deadline DeadlineKind `json:"deadline,omitempty"`
	Until    *time.Time   `json:"until,omitempty"`
	Digest   string       `json:"digest,omitempty"`
}

// DeadlineBody records how far a deadline had come, and in which queue the case stands since.
type DeadlineBody struct {
	Deadline DeadlineKind `json:"deadline"`
	Mark     DeadlineMark `json:"mark"`
	DueAt    time.Time    `json:"due_at"`
	Queue    string       `json:"queue"`
}

// RestartedBody records that a case goes on after its run was lost. Opinions before it in the chain
// that no decision came of are void.
type RestartedBody struct {
	Revision int `json:"revision"` // the highest that records had seen
}

// LogRestartedBody is the body of the entry that a log begins with whose forerunner was lost from
// somewhere on. The entries behind it are the first Carried ones of that log, unchanged.
type LogRestartedBody struct {
	Origin string `json:"origin"` // of the log that was lost
	// Size and Root are those of its last checkpoint that is known; Root in lower-case hexadecimal.
	Size uint64 `json:"size"`
	Root string `json:"root"`
	// CarriedRoot is the root over the entries that were carried over, in lower-case hexadecimal.
	Carried     uint64 `json:"carried"`
	CarriedRoot string `json:"carried_root"`
}

// FixLogRestarted makes the entry that a log begins with which took the place of another; id is random.
func FixLogRestarted(id string, body LogRestartedBody, at time.Time) (FixedEntry, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return FixedEntry{}, fmt.Errorf("marshal entry body: %w", err)
	}
	return FixBody(EntryLogRestarted, System, Position{Event: NewEventID(LogChain(id), 1), At: at}, raw)
}

// SettledBody records the outcome of an act that a person established. Digest is the keyed digest
// of their words.
type SettledBody struct {
	Decision  string    `json:"decision"`
	Number    int       `json:"number"`
	Direction Direction `json:"direction"`
	State     ActState  `json:"state"`
	Digest    string    `json:"digest"`
}

// AppealBody records that an appeal was opened. Digest is the keyed digest of the complaint's words.
type AppealBody struct {
	Appeal   string     `json:"appeal"`
	Kind     AppealKind `json:"kind"`
	Decision string     `json:"decision"`
	DueAt    time.Time  `json:"due_at"`
	Digest   string     `json:"digest,omitempty"`
}

// rulingEntryBody is the body of an appeal ruling's entry: everything that a reinstatement must match.
type rulingEntryBody struct {
	Ruling       string        `json:"ruling"`
	Appeal       string        `json:"appeal"`
	Kind         AppealKind    `json:"kind"`
	Decision     string        `json:"decision"`
	DecisionHash string        `json:"decision_hash"`
	Case         CaseRef       `json:"case"`
	Platform     string        `json:"platform"`
	Account      string        `json:"account"` // commitment to platform and account id
	Outcome      AppealOutcome `json:"outcome"`
	Person       Person        `json:"person"`
	Role         Role          `json:"role"`
	DecidedAt    string        `json:"decided_at"`
	Form         string        `json:"form"`
	Notice       string        `json:"notice"`
}

// decisionEntryBody is the body of a decision's entry: everything that an act must match.
type decisionEntryBody struct {
	Decision         string                 `json:"decision"`
	Case             CaseRef                `json:"case"`
	Platform         string                 `json:"platform"`
	Account          string                 `json:"account"` // commitment to platform and account id
	Action           Action                 `json:"action"`
	Days             int                    `json:"days"`
	Policies         []PolicyCode           `json:"policies"`
	EntityTier       EntityTier             `json:"entity_tier"`
	Mitigations      map[Mitigation]Answer  `json:"mitigations"`
	DecidedBy        DecidedBy              `json:"decided_by"`
	DecidedAt        string                 `json:"decided_at"`
	EvidenceRevision int                    `json:"evidence_revision"`
	RuleSet          string                 `json:"rule_set"`
	Opinions         []decisionEntryOpinion `json:"opinions"`
	Standing         int                    `json:"standing"`
	Rule             string                 `json:"rule"`
	Notice           string                 `json:"notice"` // commitment to an automatic rule's notice; "" for none
}

// decisionEntryOpinion opens one opinion's commitment: Salt and Codes give the commitment of its
// own entry.
type decisionEntryOpinion struct {
	Event EventID      `json:"event"`
	Salt  string       `json:"salt"`
	Codes opinionCodes `json:"codes"`
}

// opinionCodes is what an opinion's entry commits to. Form is a commitment of its own to the words.
type opinionCodes struct {
	ID               string                `json:"id"`
	Person           Person                `json:"person"`
	Role             Role                  `json:"role"`
	At               string                `json:"at"`
	Action           Action                `json:"action"`
	Days             int                   `json:"days"`
	Policies         []PolicyCode          `json:"policies"`
	EntityTier       EntityTier            `json:"entity_tier"`
	Mitigations      map[Mitigation]Answer `json:"mitigations"`
	EvidenceRevision int                   `json:"evidence_revision"`
	Relied           int                   `json:"relied"`
	Form             string                `json:"form"`
	Notice           string                `json:"notice"`
	Emergency        bool                  `json:"emergency"`
}

// Labels of an event's salts.
const (
	saltAccount = "account"
	saltFlag    = "flag"
	saltFinding = "findings"
	saltOpinion = "opinion"
	saltForm    = "form"
	saltFile    = "file"
	saltUndo    = "undo"
	saltNotice  = "notice"
	saltReason  = "reason"
)

// TimeFormat is how entries write times: RFC 3339 in UTC with microseconds.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

func entryTime(t time.Time) string { return t.UTC().Format(TimeFormat) }

func (o Opinion) codes(event EventID, salter Salter) opinionCodes {
	notice := ""
	if o.Notice != nil {
		notice = Commit(salter.Salt(event, saltNotice), []byte(o.Notice.Digest))
	}
	return opinionCodes{
		Relied: o.Relied, Notice: notice, ID: o.ID, Person: o.Person, Role: o.Role, At: entryTime(o.At), Action: o.Action, Days: o.Days,
		Policies: o.Policies, EntityTier: o.EntityTier, Mitigations: o.Mitigations,
		EvidenceRevision: o.EvidenceRevision, Emergency: o.Emergency, Form: Commit(salter.Salt(event, saltForm), []byte(o.Digest)),
	}
}

// FixEntry makes the one true entry of a draft at a position: a pure function, so that whoever
// holds the draft, the account's salts and its name can build the same bytes again. The actor of a
// takedown does just that with the decision it is about to carry out (promise 1).
func FixEntry(d Draft, pos Position, salter Salter, account AccountRef) (FixedEntry, error) {
	body, err := entryBody(d, pos.Event, salter, account)
	if err != nil {
		return FixedEntry{}, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return FixedEntry{}, fmt.Errorf("marshal entry body: %w", err)
	}
	return FixBody(d.Type, d.Actor, pos, raw)
}

// FixBody makes an entry from a body that needs no salts, such as those of the system chain.
func FixBody(typ EntryType, actor Actor, pos Position, body json.RawMessage) (FixedEntry, error) {
	data, err := Canonical(Entry{
		V: EntryVersion, Event: pos.Event, Type: typ, At: entryTime(pos.At), Actor: actor,
		Prev: pos.Prev, Cause: pos.Cause, Body: body,
	})
	if err != nil {
		return FixedEntry{}, fmt.Errorf("fix entry %s: %w", pos.Event, err)
	}
	return FixedEntry{Event: pos.Event, Data: data}, nil
}

func entryBody(d Draft, event EventID, salter Salter, account AccountRef) (any, error) {
	commit := func(label, digest string) string { return Commit(salter.Salt(event, label), []byte(digest)) }
	missing := Errorf(CodeInternal, "a %s entry lacks its body", d.Type)
	switch d.Type {
	case EntryFlagAccepted:
		if d.Flag == nil {
			return nil, missing
		}
		return map[string]any{"flag": d.Flag.Flag, "content": commit(saltFlag, d.Flag.Digest), "evidence_revision": d.Flag.EvidenceRevision}, nil
	case EntryRoute:
		if d.Route == nil {
			return nil, missing
		}
		r := d.Route.Route
		statuses := map[string]any{}
		for _, f := range d.Route.Findings {
			statuses[string(f.Kind)] = map[string]any{"source": f.Source, "version": f.Version, "status": f.Status}
		}
		return map[string]any{
			"queue": r.Queue, "severity": r.Severity, "confidence": r.Confidence, "tier": r.Tier,
			"due_at": entryTime(r.DueAt), "decide_by": entryTime(r.DecideBy), "rule": r.Rule, "rule_set": r.RuleSet,
			"findings": commit(saltFinding, d.Route.Digest), "statuses": statuses,
		}, nil
	case EntryOpinion:
		if d.Opinion == nil {
			return nil, missing
		}
		codes, err := Canonical(d.Opinion.codes(event, salter))
		if err != nil {
			return nil, err
		}
		return map[string]any{"commitment": Commit(salter.Salt(event, saltOpinion), codes)}, nil
	case EntryWithdrawn:
		if d.Withdraw == nil {
			return nil, missing
		}
		return d.Withdraw, nil
	case EntryDecision:
		if d.Decision == nil {
			return nil, missing
		}
		return decisionBody(*d.Decision, event, salter, account)
	case EntryClosed:
		if d.Closed == nil {
			return nil, missing
		}
		return map[string]any{"reason": d.Closed.Reason, "decision": d.Closed.Decision, "file": commit(saltFile, d.Closed.File)}, nil
	case EntryActsPlanned:
		if d.Planned == nil {
			return nil, missing
		}
		acts := []any{}
		for _, a := range d.Planned.Acts {
			acts = append(acts, map[string]any{
				"number": a.Number, "kind": a.Kind, "until": optionalTime(a.Until),
				"undo": commit(fmt.Sprintf("%s.%d", saltUndo, a.Number), a.Undo),
			})
		}
		return map[string]any{"decision": d.Planned.Decision, "platform": d.Planned.Platform, "acts": acts}, nil
	case EntryActsOutcome:
		if d.Outcome == nil {
			return nil, missing
		}
		outs := []any{}
		for _, o := range d.Outcome.Outcomes {
			outs = append(outs, map[string]any{
				"number": o.Act.Number, "kind": o.Act.Kind, "state": o.State, "at": entryTime(o.At),
				"reference": o.Reference, "why": o.Why, "by": o.By,
			})
		}
		return map[string]any{"decision": d.Outcome.Decision, "direction": d.Outcome.Direction, "outcomes": outs}, nil
	case EntryNotice:
		if d.Notice == nil {
			return nil, missing
		}
		return map[string]any{
			"number": d.Notice.Number, "decision": d.Notice.Decision, "state": d.Notice.State,
			"text": commit(saltNotice, d.Notice.Digest),
		}, nil
	}
	return handlingBody(d, commit, event, salter, account)
}

// handlingBody builds the bodies of what happens around decisions.
func handlingBody(d Draft, commit func(label, digest string) string, event EventID, salter Salter, account AccountRef) (any, error) {
	reason := func(digest string) string {
		if digest == "" {
			return ""
		}
		return commit(saltReason, digest)
	}
	switch {
	case d.Type == EntryHandled && d.Handled != nil:
		h := d.Handled
		return map[string]any{
			"what": h.What, "queue": h.Queue, "to": h.To, "deadline": h.Deadline, "until": optionalTime(h.Until), "reason": reason(h.Digest),
		}, nil
	case d.Type == EntryDeadline && d.Deadline != nil:
		return map[string]any{
			"deadline": d.Deadline.Deadline, "mark": d.Deadline.Mark, "due_at": entryTime(d.Deadline.DueAt), "queue": d.Deadline.Queue,
		}, nil
	case d.Type == EntryReferred && d.Referral != nil:
		return map[string]any{"referral": d.Referral.ID, "to": d.Referral.Kind, "reason": reason(d.Referral.Digest)}, nil
	case d.Type == EntryRestarted && d.Restarted != nil:
		return d.Restarted, nil
	case d.Type == EntryActSettled && d.Settled != nil:
		x := d.Settled
		return map[string]any{
			"decision": x.Decision, "number": x.Number, "direction": x.Direction, "state": x.State, "reason": reason(x.Digest),
		}, nil
	case d.Type == EntryAppealOpened && d.Appeal != nil:
		a := d.Appeal
		return map[string]any{
			"appeal": a.Appeal, "kind": a.Kind, "decision": a.Decision, "due_at": entryTime(a.DueAt), "complaint": reason(a.Digest),
		}, nil
	case d.Type == EntryAppealRuling && d.Ruling != nil:
		return rulingBody(*d.Ruling, commit, event, salter, account)
	}
	return nil, Errorf(CodeInternal, "no builder for an entry of type %q, or it lacks its body", d.Type)
}

func rulingBody(r AppealRuling, commit func(label, digest string) string, event EventID, salter Salter, account AccountRef) (any, error) {
	who, err := Canonical(account)
	if err != nil {
		return nil, err
	}
	body := rulingEntryBody{
		Ruling: r.ID, Appeal: r.Appeal, Kind: r.Kind, Decision: r.Decision, DecisionHash: r.DecisionHash, Case: r.Case,
		Platform: r.Platform, Account: Commit(salter.Salt(event, saltAccount), who), Outcome: r.Outcome,
		Person: r.Person, Role: r.Role, DecidedAt: entryTime(r.At), Form: commit(saltForm, r.Digest),
	}
	if r.Notice != nil {
		body.Notice = commit(saltNotice, r.Notice.Digest)
	}
	return body, nil
}

func decisionBody(d Decision, event EventID, salter Salter, account AccountRef) (any, error) {
	if len(d.Opinions) != len(d.OpinionEvents) {
		return nil, Errorf(CodeInternal, "decision with %d opinions and %d opinion entries", len(d.Opinions), len(d.OpinionEvents))
	}
	who, err := Canonical(account)
	if err != nil {
		return nil, err
	}
	body := decisionEntryBody{
		Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: Commit(salter.Salt(event, saltAccount), who),
		Action: d.Action, Days: d.Days, Policies: d.Policies, EntityTier: d.EntityTier, Mitigations: d.Mitigations,
		DecidedBy: d.DecidedBy, DecidedAt: entryTime(d.DecidedAt), EvidenceRevision: d.EvidenceRevision, RuleSet: d.RuleSet,
		Opinions: []decisionEntryOpinion{}, Standing: d.Standing, Rule: d.Rule,
	}
	if d.AutoNotice != nil {
		body.Notice = Commit(salter.Salt(event, saltNotice), []byte(d.AutoNotice.Digest))
	}
	for i, o := range d.Opinions {
		ev := d.OpinionEvents[i]
		body.Opinions = append(body.Opinions, decisionEntryOpinion{
			Event: ev,
			Salt:  base64.StdEncoding.EncodeToString(salter.Salt(ev, saltOpinion)),
			Codes: o.codes(ev, salter),
		})
	}
	return body, nil
}

func optionalTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return entryTime(*t)
}
