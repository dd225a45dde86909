package embedded

import (
	"fmt"
	"strings"

	"github.com/docket-triage/docket/indexing"
)

// terms is what a case is indexed under: a column of tokens each.
type terms struct {
	text, state, queue, policy, action, platform string
}

const (
	insertTerms = "INSERT INTO case_text (rowid, text, state, queue, policy, action, platform) VALUES (?, ?, ?, ?, ?, ?, ?)"
	deleteTerms = "INSERT INTO case_text (case_text, rowid, text, state, queue, policy, action, platform) VALUES ('delete', ?, ?, ?, ?, ?, ?, ?)"
)

func (t terms) args(id int64) []any {
	return []any{id, t.text, t.state, t.queue, t.policy, t.action, t.platform}
}

func termsOf(doc indexing.CaseDoc) terms {
	text := indexing.DocTokens(doc)
	for i, t := range text {
		text[i] = escape(t)
	}
	policies := make([]string, len(doc.Policies))
	for i, p := range doc.Policies {
		policies[i] = escape(string(p))
	}
	return terms{
		text:     strings.Join(text, " "),
		state:    escape(string(doc.State)),
		queue:    escape(doc.Queue),
		policy:   strings.Join(policies, " "),
		action:   escape(string(doc.Action)),
		platform: escape(doc.Platform),
	}
}

// match gives the FTS5 expression of a query, "" for one that restricts nothing. Every word of it
// is quoted and escaped, so that nothing a person types is syntax.
func match(q indexing.CaseQuery) (string, error) {
	tokens, err := indexing.QueryTokens(q.Text)
	if err != nil {
		return "", err
	}
	var parts []string
	add := func(column, word string) {
		parts = append(parts, column+` : "`+escape(word)+`"`)
	}
	for _, t := range tokens {
		add("text", t)
	}
	for _, f := range []struct{ column, word string }{
		{"state", string(q.State)}, {"queue", q.Queue}, {"policy", string(q.Policy)},
		{"action", string(q.Action)}, {"platform", q.Platform},
	} {
		if f.word != "" {
			add(f.column, f.word)
		}
	}
	return strings.Join(parts, " AND "), nil
}

// escape writes a token so that FTS5's ascii tokenizer, which splits at ASCII punctuation and
// forgets ASCII case, keeps it whole and apart from every other: small letters, digits and all
// that is not ASCII stand as they are, everything else as _ and two hexadecimal digits.
func escape(token string) string {
	plain := true
	for i := range len(token) {
		if !verbatim(token[i]) {
			plain = false
			break
		}
	}
	if plain {
		return token
	}
	var b strings.Builder
	for i := range len(token) {
		c := token[i]
		if verbatim(c) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02x", c)
	}
	return b.String()
}

func verbatim(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80
}
