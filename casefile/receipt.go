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

// Decides reports whether the entry is that of the decision of this id. It proves nothing: the bundle is
// checked by who acts on it. A nil bundle decides nothing.
func (b *Bundle) Decides(decision string) bool {
	if b == nil {
		return false
	}
	e, err := ParseEntry(b.Entry)
	if err != nil || e.Type != EntryDecision {
		return false
	}
	var body struct {
		Decision string `json:"decision"`
	}
	err = json.Unmarshal(e.Body, &body)
	return err == nil && body.Decision == decision
}
