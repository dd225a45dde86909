package review

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/workflows"
)

// MaxComment is the longest comment, in characters.
const MaxComment = 4000

// Comment adds a comment. Its words are sealed before the verb is sent, which carries their address
// alone. CodeInvalid on field text.
func (d *Desk) Comment(ctx context.Context, who access.Who, call VerbCall, text string) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateComment, need: access.CaseComment, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0 || !utf8.ValidString(text):
		return VerbAnswer{}, casefile.Invalid("text", "a comment needs words")
	case n > MaxComment:
		return VerbAnswer{}, casefile.Invalid("text", "%d characters; the limit is %d", n, MaxComment)
	}
	address, _, err := d.o.Sealer.Seal(ctx, s.row.Account, evidence.KindComment, []byte(text))
	if err != nil {
		return VerbAnswer{}, fmt.Errorf("seal comment: %w", err)
	}
	return d.update(ctx, s, workflows.UpdateComment, workflows.CommentArgs{Verb: s.verb, Text: address})
}
