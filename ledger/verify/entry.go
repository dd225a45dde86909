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
}

// decisionView is what a decision's entry claims of its opinions.
type decisionView struct {
	id       string
	opinions []openedOpinion
}

// openedOpinion is an opinion as a decision opens it: the commitment that its entry must hold.
type openedOpinion struct {
	event      casefile.EventID
	commitment string
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
		Decision string `json:"decision"`
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
	v.decision = &decisionView{id: d.Decision}
	for _, o := range d.Opinions {
		// A part of canonical JSON is canonical: Codes are the very bytes that were committed to.
		v.decision.opinions = append(v.decision.opinions, openedOpinion{event: o.Event, commitment: casefile.Commit(o.Salt, o.Codes)})
	}
	return nil
}

func parseDigest(s string) (digest, bool) {
	var d digest
	n, err := hex.Decode(d[:], []byte(s[:min(len(s), 2*len(d))]))
	return d, err == nil && n == len(d) && hex.EncodeToString(d[:]) == s
}
