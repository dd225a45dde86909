package casefile

import "encoding/json"

// Receipt says where an entry stands in the log. It proves nothing by itself: a Bundle does.
type Receipt struct {
	Event EventID `json:"event"`
	Hash  string  `json:"hash"`  // EntryHash
	Index uint64  `json:"index"` // from 0
}

// BundleFormat is the format name of a Bundle.
const BundleFormat = "docket-bundle/1"

// Bundle is an offline proof that an entry is in a log (docs/formats/proof-bundle.md): the entry's
// bytes, its index, the inclusion path (RFC 6962 hashes) and a signed checkpoint
// (C2SP tlog-checkpoint). It is checked against a key that the checker pinned beforehand.
type Bundle struct {
	Format     string   `json:"format"`
	Entry      []byte   `json:"entry"`
	Index      uint64   `json:"index"`
	Path       [][]byte `json:"path"`
	Checkpoint string   `json:"checkpoint"`
}

// Decides gives the id of the decision that the entry is of; "" for another entry. It proves nothing: the
// bundle is checked by who acts on it.
func (b Bundle) Decides() string {
	e, err := ParseEntry(b.Entry)
	if err != nil || e.Type != EntryDecision {
		return ""
	}
	var body struct {
		Decision string `json:"decision"`
	}
	err = json.Unmarshal(e.Body, &body)
	if err != nil {
		return ""
	}
	return body.Decision
}
