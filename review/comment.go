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

// MaxComment is the longest comment, and the longest reason, in characters.
const MaxComment = 4000

// Comment adds a comment. Its words are sealed before the verb is sent, which carries their address
// alone. CodeInvalid on field text.
func (d *Desk) Comment(ctx context.Context, who access.Who, call VerbCall, text string) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateComment, need: access.CaseComment, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	address, _, err := d.sealWords(ctx, s.row.Account, "text", text)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateComment, func(v workflows.Verb) any { return workflows.CommentArgs{Verb: v, Text: address} })
}

// sealWords seals a person's words about an account's case under that account's key. The error is
// CodeInvalid on the field where there are none, or too many.
func (d *Desk) sealWords(ctx context.Context, account casefile.AccountKey, field, text string) (casefile.Address, string, error) {
	text, err := checkWords(field, text)
	if err != nil {
		return "", "", err
	}
	address, digest, err := d.o.Sealer.Seal(ctx, account, evidence.KindComment, []byte(text))
	if err != nil {
		return "", "", fmt.Errorf("seal words: %w", err)
	}
	return address, digest, nil
}

// checkWords gives the words without spaces around them.
func checkWords(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0 || !utf8.ValidString(text):
		return "", casefile.Invalid(field, "words are required here")
	case n > MaxComment:
		return "", casefile.Invalid(field, "%d characters; the limit is %d", n, MaxComment)
	}
	return text, nil
}

// reason seals why somebody does something with a case.
func (d *Desk) reason(ctx context.Context, account casefile.AccountKey, words string) (workflows.Reason, error) {
	address, digest, err := d.sealWords(ctx, account, "reason", words)
	return workflows.Reason{Words: address, Digest: digest}, err
}
