package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/docket-triage/docket/casefile"
)

// digest is an EntryHash in bytes.
type digest [sha256.Size]byte

// entryView is what the checks across entries need to know of one.
type entryView struct {
	file  string
	index uint64
	hash  digest
	err   error // it is no canonical entry; the rest but file, index and hash is unset

	entry      casefile.Entry
	event      casefile.EventID
	chain      string
	seq        int
	typ        casefile.EntryType
	prev       digest
	first      bool // prev is ""
	badPrev    bool // prev is neither "" nor an EntryHash
	cause      string
	commitment string        // of an opinion
	decision   *decisionView // of a decision
	ruling     *rulingView   // of an appeal's ruling
	appealed   string        // of an appeal opened: the decision's id
}

// decisionView is what a decision's entry claims of its opinions.
type decisionView struct {
	id       string
	action   casefile.Action
	opinions []openedOpinion
}

// openedOpinion is an opinion as a decision opens it: the commitment that its entry must hold.
type openedOpinion struct {
	event      casefile.EventID
	commitment string
	person     casefile.Person
	action     casefile.Action
}

// rulingView is what a ruling's entry claims.
type rulingView struct {
	appeal, decision, decisionHash string
	person                         casefile.Person
}

// viewEntry parses an entry's bytes.
func viewEntry(data []byte) entryView {
	v := entryView{hash: sha256.Sum256(data)}
	e, err := parseEntry(data)
	if err != nil {
		v.err = err
		return v
	}
	chain, seq, err := e.Event.Split()
	if err == nil && casefile.NewEventID(chain, seq) != e.Event {
		err = casefile.Invalid("event", "the number of an event id has no sign and no leading zero")
	}
	if err != nil {
		v.err = err
		return v
	}
	v.entry = e
	v.event, v.chain, v.seq, v.typ, v.cause = e.Event, chain, seq, e.Type, e.Cause
	v.first = e.Prev == ""
	if !v.first {
		var ok bool
		v.prev, ok = parseDigest(e.Prev)
		v.badPrev = !ok
	}
	switch e.Type {
	case casefile.EntryOpinion:
		v.err = v.viewOpinion(e.Body)
	case casefile.EntryDecision:
		v.err = v.viewDecision(e.Body)
	case casefile.EntryAppealOpened:
		v.err = v.viewAppeal(e.Body)
	case casefile.EntryAppealRuling:
		v.err = v.viewRuling(e.Body)
	}
	return v
}

func (v *entryView) viewOpinion(body json.RawMessage) error {
	var o struct {
		Commitment string `json:"commitment"`
	}
	err := json.Unmarshal(body, &o)
	if err != nil || o.Commitment == "" {
		return casefile.Invalid("body.commitment", "an opinion's entry lacks its commitment")
	}
	v.commitment = o.Commitment
	return nil
}

func (v *entryView) viewDecision(body json.RawMessage) error {
	var d struct {
		Decision string          `json:"decision"`
		Action   casefile.Action `json:"action"`
		Opinions []struct {
			Event casefile.EventID `json:"event"`
			Salt  []byte           `json:"salt"`
			Codes json.RawMessage  `json:"codes"`
		} `json:"opinions"`
	}
	err := json.Unmarshal(body, &d)
	if err != nil || d.Decision == "" {
		return casefile.Invalid("body.decision", "a decision's entry lacks its id or opinions")
	}
	v.decision = &decisionView{id: d.Decision, action: d.Action}
	for _, o := range d.Opinions {
		var codes struct {
			Person casefile.Person `json:"person"`
			Action casefile.Action `json:"action"`
		}
		err = json.Unmarshal(o.Codes, &codes)
		if err != nil {
			return casefile.Invalid("body.opinions", "an opinion's codes are malformed")
		}
		// A part of canonical JSON is canonical: Codes are the very bytes that were committed to.
		v.decision.opinions = append(v.decision.opinions, openedOpinion{
			event: o.Event, commitment: casefile.Commit(o.Salt, o.Codes), person: codes.Person, action: codes.Action,
		})
	}
	return nil
}

func (v *entryView) viewAppeal(body json.RawMessage) error {
	var a struct {
		Decision string `json:"decision"`
	}
	err := json.Unmarshal(body, &a)
	if err != nil || a.Decision == "" {
		return casefile.Invalid("body.decision", "an appeal's entry lacks its decision")
	}
	v.appealed = a.Decision
	return nil
}

func (v *entryView) viewRuling(body json.RawMessage) error {
	var r struct {
		Appeal       string          `json:"appeal"`
		Decision     string          `json:"decision"`
		DecisionHash string          `json:"decision_hash"`
		Person       casefile.Person `json:"person"`
	}
	err := json.Unmarshal(body, &r)
	if err != nil || r.Appeal == "" || r.Decision == "" {
		return casefile.Invalid("body.appeal", "a ruling's entry lacks its appeal or decision")
	}
	v.ruling = &rulingView{appeal: r.Appeal, decision: r.Decision, decisionHash: r.DecisionHash, person: r.Person}
	return nil
}

func parseDigest(s string) (digest, bool) {
	var d digest
	n, err := hex.Decode(d[:], []byte(s[:min(len(s), 2*len(d))]))
	return d, err == nil && n == len(d) && hex.EncodeToString(d[:]) == s
}
