package indexing

import (
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// QueryTokens gives the distinct tokens that a query's text asks for, sorted; none for a text of
// spaces only. Errors are CodeInvalid and name the field text: no word in it, or more than
// MaxQueryTokens.
func QueryTokens(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	tokens := Tokens(text)
	slices.Sort(tokens)
	tokens = slices.Compact(tokens)
	if len(tokens) == 0 {
		return nil, casefile.Invalid("text", "no word to search for")
	}
	if len(tokens) > MaxQueryTokens {
		return nil, casefile.Invalid("text", "%d different words; the limit is %d", len(tokens), MaxQueryTokens)
	}
	return tokens, nil
}

// QueryLimit gives the number of cases on a page. The error is CodeInvalid and names the field limit.
func QueryLimit(limit int) (int, error) {
	if limit == 0 {
		return DefaultLimit, nil
	}
	if limit < 1 || limit > MaxLimit {
		return 0, casefile.Invalid("limit", "must be 1 to %d", MaxLimit)
	}
	return limit, nil
}

// DocTokens gives the distinct tokens by which a case is found, in the order in which they first
// stand: of its reference (with and without the hyphen), handle, account id, display names and
// text. At most MaxTokens.
func DocTokens(doc CaseDoc) []string {
	seen := make(map[string]bool)
	var tokens []string
	for _, s := range []string{
		string(doc.Ref), strings.ReplaceAll(string(doc.Ref), "-", ""), doc.Handle, doc.AccountID, doc.Names, doc.Text,
	} {
		for _, t := range Tokens(s) {
			if seen[t] || len(tokens) == MaxTokens {
				continue
			}
			seen[t] = true
			tokens = append(tokens, t)
		}
	}
	return tokens
}
