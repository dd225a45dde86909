package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// moment takes what templates hold times as.
func moment(at any) (time.Time, bool) {
	switch t := at.(type) {
	case time.Time:
		return t, true
	case *time.Time:
		if t != nil {
			return *t, true
		}
	}
	return time.Time{}, false
}

func formatMoment(at any, format func(time.Time) string) (string, error) {
	t, ok := moment(at)
	if !ok {
		return "", fmt.Errorf("not a moment: %T", at)
	}
	return format(t), nil
}

// momentOf reads a moment that is written as text; nil for what is none.
func momentOf(s string) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil
	}
	return &t
}

// countOf writes a number that a stream may not have told: unknown is not zero.
func countOf(n *int64) string {
	if n == nil {
		return "not known"
	}
	return strconv.FormatInt(*n, 10)
}

// pair is a named value in a fixed order.
type pair struct{ Name, Value string }

// pairs orders named values, numbers or words.
func pairs(m any) []pair {
	var out []pair
	switch values := m.(type) {
	case map[string]float64:
		for name, x := range values {
			out = append(out, pair{name, formatFloat(x)})
		}
	case map[string]string:
		for name, s := range values {
			out = append(out, pair{name, s})
		}
	}
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func joinCodes(codes any) string {
	switch list := codes.(type) {
	case []casefile.PolicyCode:
		return joinOf(list)
	case []casefile.Role:
		return joinOf(list)
	case []string:
		return strings.Join(list, ", ")
	}
	return ""
}

func joinOf[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = string(x)
	}
	return strings.Join(parts, ", ")
}

// short is the beginning of a hash, enough to tell versions apart.
func short(s string) string {
	if len(s) > 12 {
		return s[:12]
	}
	return s
}

func sizeOf(n int64) string {
	switch {
	case n <= 0:
		return "size not known"
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

var findingTitles = map[casefile.FindingKind]string{
	casefile.FindingHistory:      "Posts in the history",
	casefile.FindingEarlierCases: "Earlier cases",
	casefile.FindingStrikes:      "Strikes",
	casefile.FindingScore:        "Score of its posts",
	casefile.FindingLookAlike:    "Look-alike handles",
	casefile.FindingMitigations:  "Signs of a legitimate context",
}

func findingTitle(k casefile.FindingKind) string {
	if t, ok := findingTitles[k]; ok {
		return t
	}
	return string(k)
}

// valueLabels are the names of findings' values in plain words.
var valueLabels = map[string]string{
	"posts": "posts", "reposts": "reposts", "replies": "replies", "days": "days covered",
	"closed": "closed", "violations": "with a violation", "highest_action": "highest step of the ladder",
	"items": "pieces of evidence", "items_new": "of these in no earlier case",
	"live": "not lapsed", "account": "account", "max": "highest post", "accounts": "accounts",
}

// valueLabel writes the name of a value; one of a policy code by its code.
func valueLabel(name string) string {
	if l, ok := valueLabels[name]; ok {
		return l
	}
	if code, ok := strings.CutPrefix(name, "p_"); ok {
		return strings.ToUpper(strings.ReplaceAll(code, "_", "-"))
	}
	return name
}

// wordsOf gives the words for a code, and the code itself for one that has none.
func wordsOf[T ~string](words map[T]string, code T) string {
	if t, ok := words[code]; ok {
		return t
	}
	return string(code)
}

var stateText = map[casefile.State]string{
	casefile.StateNew:     "findings are being gathered",
	casefile.StateQueued:  "waits in its queue",
	casefile.StateClaimed: "claimed",
	casefile.StateDecided: "decided",
	casefile.StateProven:  "decided and proven",
	casefile.StateClosed:  "closed",
}

func stateWords(s casefile.State) string { return wordsOf(stateText, s) }

var decisionText = map[casefile.DecisionState]string{
	casefile.DecisionGrace:     "can still be withdrawn",
	casefile.DecisionWithdrawn: "withdrawn",
	casefile.DecisionRecorded:  "on the ledger and proven",
	casefile.DecisionExecuting: "being carried out",
	casefile.DecisionDone:      "carried out",
	casefile.DecisionUncertain: "an act's outcome could not be established: a person must look",
	casefile.DecisionFailed:    "an act was refused for good",
	casefile.DecisionEnded:     "its time has come to an end",
	casefile.DecisionUndone:    "taken back",
}

func decisionWords(s casefile.DecisionState) string { return wordsOf(decisionText, s) }

var decidedByText = map[casefile.DecidedBy]string{
	casefile.ByOneOpinion:   "one person",
	casefile.ByTwoOpinions:  "two people who agree",
	casefile.ByAdjudication: "a third person, after two who differed",
	casefile.ByAutomation:   "an automatic rule",
	casefile.ByEmergency:    "one person, as an emergency order",
}

func decidedByWords(b casefile.DecidedBy) string { return wordsOf(decidedByText, b) }

var actText = map[casefile.ActKind]string{
	casefile.ActWarn: "warn the account", casefile.ActLabel: "label the posts", casefile.ActLimit: "limit features",
	casefile.ActRemovePost: "remove a post", casefile.ActSuspend: "suspend the account",
	casefile.ActTerminate: "terminate the account", casefile.ActBlockIdentifiers: "block its identifiers",
}

func actWords(k casefile.ActKind) string { return wordsOf(actText, k) }

var actStateText = map[casefile.ActState]string{
	casefile.ActPlanned: "waiting", casefile.ActDone: "done", casefile.ActFailed: "failed", casefile.ActUncertain: "uncertain",
	casefile.ActUndone: "taken back", casefile.ActSkipped: "left alone: a stronger act stands",
}

// actStateWords says how far an act is: one that was begun and has no outcome is being tried.
func actStateWords(a review.ActView) string {
	if a.State == casefile.ActPlanned && (a.StartedAt != nil || a.Tries > 0) {
		return "retrying"
	}
	return wordsOf(actStateText, a.State)
}

var stageText = map[records.ActStage]string{
	records.ActWaiting:   "waiting: nothing begun",
	records.ActRetrying:  "retrying: an attempt is under way or came to nothing",
	records.ActUncertain: "uncertain: a person must look and settle it",
	records.ActFailed:    "failed: the platform refused it for good",
}

func stageWords(s records.ActStage) string { return wordsOf(stageText, s) }

var codeText = map[casefile.Code]string{
	casefile.CodeUnavailable: "the platform does not answer", casefile.CodePaused: "acts are paused",
	casefile.CodeUncertain: "the outcome could not be established", casefile.CodeUnproven: "the proof does not fit the decision",
	casefile.CodeForbidden: "the platform does not allow it", casefile.CodeNotFound: "the platform does not know it",
	casefile.CodeInternal: "a fault of the actor",
}

// codeWords says what an attempt came to; codes of a platform's own stand as they are.
func codeWords(code string) string { return wordsOf(codeText, casefile.Code(code)) }

// refusalText says why something was refused to a person.
var refusalText = map[casefile.Code]string{
	casefile.CodeInvalid: "the form was not right", casefile.CodeNotFound: "there is no such thing, or not for them",
	casefile.CodeConflict: "somebody was faster, or it was sent before with other content", casefile.CodeState: "its state did not allow it",
	casefile.CodeStaleClaim: "the claim was not theirs any more", casefile.CodeNewEvidence: "evidence had come in since",
	casefile.CodeForbidden: "they may not do this", casefile.CodeNeedsSecond: "it takes two people", casefile.CodeTooLarge: "it was too large",
	casefile.CodeUnavailable: "something that it needs did not answer", casefile.CodeUnproven: "there was no proof for it",
	casefile.CodeUncertain: "what came of it could not be established", casefile.CodePaused: "acts were paused", casefile.CodeInternal: "a fault of Docket's own",
}

// refusalWords says why something was refused; what has no words stands as it is.
func refusalWords(c casefile.Code) string { return wordsOf(refusalText, c) }

var deadlineText = map[casefile.DeadlineKind]string{
	casefile.DeadlineTouch: "first look", casefile.DeadlineDecision: "decision", casefile.DeadlineThreat: "taking up the threat to life",
}

func deadlineWords(k casefile.DeadlineKind) string { return wordsOf(deadlineText, k) }

var referralText = map[casefile.ReferralKind]string{
	casefile.ReferChildSafety: "child safety", casefile.ReferSelfHarm: "self-harm", casefile.ReferLegal: "legal", casefile.ReferPolicyTeam: "the policy team",
}

func referralWords(k casefile.ReferralKind) string { return wordsOf(referralText, k) }

var appealText = map[casefile.AppealState]string{
	casefile.AppealOpen: "waits", casefile.AppealClaimed: "claimed", casefile.AppealDecided: "decided, not proven yet",
	casefile.AppealRejected: "rejected: the decision stands", casefile.AppealUpheld: "upheld: being taken back",
	casefile.AppealReinstated: "upheld: everything was taken back", casefile.AppealIncomplete: "upheld: something could not be taken back",
}

func appealWords(s casefile.AppealState) string { return wordsOf(appealText, s) }

var appealKindText = map[casefile.AppealKind]string{
	casefile.AppealByAccount: "appeal", casefile.AppealEmergency: "review of an emergency order",
}

func appealKindWords(k casefile.AppealKind) string { return wordsOf(appealKindText, k) }

var purposeText = map[access.Purpose]string{
	access.PurposeReview: "to judge it", access.PurposeAppeal: "to judge an appeal against it", access.PurposeSupport: "to help a colleague with it",
	access.PurposePolicy: "to learn from it for the rules", access.PurposeAudit: "to check how it was decided", access.PurposeBreakGlass: "through broken glass",
	access.PurposeTakedown: "to act on its decision",
}

// purposeWords says for what somebody looks at a case, as the desk or as package access writes it.
func purposeWords(p any) string { return wordsOf(purposeText, access.Purpose(fmt.Sprint(p))) }

// ageOf writes how long an act has waited.
func ageOf(seconds int) string { return span(time.Duration(seconds) * time.Second) }

// maxTotal is as far as a search counts.
const maxTotal = 10_000

// totalOf says how many cases a search found.
func totalOf(p *review.CasePage) string {
	switch {
	case p.Total == nil:
		return strconv.Itoa(len(p.Cases))
	case *p.Total >= maxTotal:
		return "10,000 or more"
	}
	return strconv.Itoa(*p.Total)
}

// tally says how many findings there are, and how many of them are not known.
func tally(findings []casefile.Finding) string {
	n := map[casefile.FindingStatus]int{}
	for _, f := range findings {
		n[f.Status]++
	}
	out := strconv.Itoa(len(findings))
	for _, s := range []casefile.FindingStatus{casefile.StatusFailed, casefile.StatusUnknown} {
		if n[s] > 0 {
			out += fmt.Sprintf(", %d %s", n[s], s)
		}
	}
	return out
}

// liveStrikes gives the number of strikes that have not lapsed; "" when it is not known.
func liveStrikes(f *casefile.Finding) string {
	n, told := f.Values["live"]
	if f.Status != casefile.StatusKnown || !told {
		return ""
	}
	return formatFloat(n)
}
