package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/review/client"
)

// The key of the ledger's golden files, known to everybody.
const (
	goldenSigner = "PRIVATE+KEY+ledger.test.example/golden+f6966c7d+AR+RCuLGts+LF4F1xPRuFSQ5Lc9cInGhLOx4pUhuSxCX"
	goldenKey    = "ledger.test.example/golden+f6966c7d+Acg/9YwdQpe3suriQHoXrmgi/FXNiPvS40zxxz/QKQim"
)

// issuer is a Docket of the test's own: a true log and the salts of every account.
type issuer struct {
	t   *testing.T
	log *ledger.Log
	key string
}

func newIssuer(t *testing.T, signerKey, key string) *issuer {
	t.Helper()
	signer, err := note.NewSigner(signerKey)
	require.NoError(t, err)
	log, err := ledger.Open(t.Context(), ledger.Options{Dir: t.TempDir(), Signer: signer, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, log.Close(ctx))
	})
	return &issuer{t: t, log: log, key: key}
}

// salting gives salts and notes which were asked for.
type salting struct{ given []client.Salt }

func (s *salting) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("a content key of a test"))
	mac.Write([]byte(string(event) + "\n" + label))
	salt := mac.Sum(nil)
	s.given = append(s.given, client.Salt{Event: event, Label: label, Salt: salt})
	return salt
}

var testAccount = casefile.AccountRef{Platform: "example", ID: "account-1"}

// issue puts a decision with its opinions on the log and gives it as the feed does.
func (i *issuer) issue(d casefile.Decision) client.ProvenDecision {
	i.t.Helper()
	var salts salting
	var fixed []casefile.FixedEntry
	prev := ""
	add := func(draft casefile.Draft) {
		pos := casefile.Position{Event: casefile.NewEventID(casefile.CaseChain(d.Case), len(fixed)+1), Prev: prev, At: d.DecidedAt}
		entry, err := casefile.FixEntry(draft, pos, &salts, testAccount)
		require.NoError(i.t, err)
		fixed, prev = append(fixed, entry), entry.Hash()
	}
	for n := range d.Opinions {
		o := &d.Opinions[n]
		add(casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.Actor{Person: o.Person, Role: o.Role}, Opinion: o})
	}
	salts.given = nil
	add(casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d})
	receipts, err := i.log.Append(i.t.Context(), fixed)
	require.NoError(i.t, err)
	last := receipts[len(receipts)-1]
	bundle, err := i.log.Prove(i.t.Context(), last.Index)
	require.NoError(i.t, err)
	account := testAccount
	return client.ProvenDecision{
		Index: last.Index, ID: d.ID, State: casefile.DecisionRecorded, Decision: &d, Account: &account, Salts: salts.given, Bundle: bundle,
	}
}

// decided is a decision of as many people as give an action, in their order.
func decided(ref casefile.CaseRef, by casefile.DecidedBy, actions ...casefile.Action) casefile.Decision {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	d := casefile.Decision{
		ID: "01JDECISION" + string(ref[:5]), Case: ref, Platform: "example", Account: "abcdefghijklmnopqrstuvwxyz234567", DecidedBy: by, DecidedAt: at,
		EvidenceRevision: 1, RuleSet: "test", Opinions: []casefile.Opinion{}, OpinionEvents: []casefile.EventID{},
	}
	for i, action := range actions {
		j := casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
		if action.Timed() {
			j.Days = 30
		}
		for _, m := range casefile.Mitigations {
			j.Mitigations[m] = casefile.AnswerNo
		}
		d.Opinions = append(d.Opinions, casefile.Opinion{
			ID: "01JOPINION" + string(rune('A'+i)), Person: casefile.Person("p-" + string(bytes.Repeat([]byte{byte('1' + i)}, 8))), Role: casefile.RoleReviewer, At: at,
			Judgement: j, Claim: i + 1, EvidenceRevision: 1, Relied: 1,
			Form: casefile.Address("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Digest: "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e",
		})
		d.OpinionEvents = append(d.OpinionEvents, casefile.NewEventID(casefile.CaseChain(ref), i+1))
	}
	d.Standing = max(len(actions)-1, 0)
	if len(actions) > 0 {
		if by == casefile.ByTwoOpinions {
			d.Standing = 0
		}
		d.Judgement = d.Opinions[d.Standing].Judgement
	}
	return d
}

func TestCheckTakes(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, goldenSigner, goldenKey)
	for name, d := range map[string]casefile.Decision{
		"one person":       decided("AAAAA-00001", casefile.ByOneOpinion, casefile.L5),
		"two people":       decided("BBBBB-00001", casefile.ByTwoOpinions, casefile.L6, casefile.L6),
		"an adjudicator":   decided("CCCCC-00001", casefile.ByAdjudication, casefile.L6, casefile.L4, casefile.L6),
		"a senior's order": emergency("DDDDD-00001"),
		"a rule's":         automatic("EEEEE-00001", casefile.L1),
	} {
		require.NoError(t, check(i.issue(d), i.key), name)
	}
}

func emergency(ref casefile.CaseRef) casefile.Decision {
	d := decided(ref, casefile.ByEmergency, casefile.L5)
	d.Opinions[0].Emergency, d.Opinions[0].Role = true, casefile.RoleSenior
	return d
}

func automatic(ref casefile.CaseRef, action casefile.Action) casefile.Decision {
	d := decided(ref, casefile.ByAutomation)
	d.Rule = "a-rule"
	d.Judgement = casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		d.Mitigations[m] = casefile.AnswerNotAssessed
	}
	return d
}

// TestCheckRefuses: whatever is wrong with a decision or its proof is refused, and named.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, goldenSigner, goldenKey)
	first := i.issue(decided("AAAAA-00001", casefile.ByOneOpinion, casefile.L3))
	good := i.issue(decided("BBBBB-00001", casefile.ByTwoOpinions, casefile.L6, casefile.L6))
	require.NoError(t, check(first, i.key))
	require.NoError(t, check(good, i.key))
	skey, anotherKey, err := ledger.GenerateKey("ledger.test.example/another")
	require.NoError(t, err)
	elsewhere := newIssuer(t, skey, anotherKey).issue(*good.Decision)
	require.NoError(t, check(elsewhere, anotherKey))

	const notThis = "the proven entry is not that of this decision on this account"
	for name, c := range map[string]struct {
		want   string
		change func(p *client.ProvenDecision)
	}{
		"another decision's bundle": {"the proof is of the entry at", func(p *client.ProvenDecision) { p.Bundle = first.Bundle }},
		"another decision's bundle at its index": {notThis, func(p *client.ProvenDecision) {
			p.Bundle, p.Index = first.Bundle, first.Index
		}},
		"another decision under this one's proof": {notThis, func(p *client.ProvenDecision) { p.Decision, p.ID = first.Decision, first.ID }},
		"another decision than was announced":     {"another than the one announced", func(p *client.ProvenDecision) { p.ID = first.ID }},
		"a stronger action than was proven": {notThis, func(p *client.ProvenDecision) {
			p.Bundle, p.Index, p.Decision, p.ID, p.Salts = first.Bundle, first.Index, copied(t, first.Decision), first.ID, first.Salts
			p.Decision.Action, p.Decision.Days = casefile.L5, 30
		}},
		"a weaker action than was proven": {notThis, func(p *client.ProvenDecision) { p.Decision.Action = casefile.L4 }},
		"another policy":                  {notThis, func(p *client.ProvenDecision) { p.Decision.Policies = []casefile.PolicyCode{casefile.VE02} }},
		"another account":                 {notThis, func(p *client.ProvenDecision) { p.Account.ID = "account-2" }},
		"another platform":                {"not one of the decision's platform", func(p *client.ProvenDecision) { p.Account.Platform = "other" }},
		"no account":                      {"without its decision or its account", func(p *client.ProvenDecision) { p.Account = nil }},
		"no decision":                     {"without its decision or its account", func(p *client.ProvenDecision) { p.Decision = nil }},
		"an opinion less": {notThis, func(p *client.ProvenDecision) {
			p.Decision.Opinions, p.Decision.OpinionEvents = p.Decision.Opinions[:1], p.Decision.OpinionEvents[:1]
		}},
		"somebody else's opinion":  {notThis, func(p *client.ProvenDecision) { p.Decision.Opinions[1].Person = "p-33333333" }},
		"another salt":             {notThis, func(p *client.ProvenDecision) { p.Salts[0].Salt = []byte("another") }},
		"a salt too few":           {notThis, func(p *client.ProvenDecision) { p.Salts = p.Salts[1:] }},
		"another log's proof":      {"not signed with the pinned key", func(p *client.ProvenDecision) { *p = elsewhere }},
		"another log's checkpoint": {"not signed with the pinned key", func(p *client.ProvenDecision) { p.Bundle.Checkpoint = elsewhere.Bundle.Checkpoint }},
		"a checkpoint from before": {"entries, not the one at", func(p *client.ProvenDecision) { p.Bundle.Checkpoint = first.Bundle.Checkpoint }},
		"a truncated entry":        {"path does not lead from the entry", func(p *client.ProvenDecision) { p.Bundle.Entry = p.Bundle.Entry[:len(p.Bundle.Entry)-1] }},
		"a truncated path":         {"path does not lead from the entry", func(p *client.ProvenDecision) { p.Bundle.Path = p.Bundle.Path[:len(p.Bundle.Path)-1] }},
		"a truncated checkpoint":   {"not signed with the pinned key", func(p *client.ProvenDecision) { p.Bundle.Checkpoint = p.Bundle.Checkpoint[:40] }},
		"no bundle":                {"not in the format", func(p *client.ProvenDecision) { p.Bundle = casefile.Bundle{} }},
	} {
		p := copied(t, &good)
		c.change(p)
		err := check(*p, i.key)
		require.ErrorContains(t, err, c.want, name)
		require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err), name)
	}

	// What a log has signed may be wrong all the same.
	alone := decided("CCCCC-00001", casefile.ByOneOpinion, casefile.L6)
	twice := decided("DDDDD-00001", casefile.ByTwoOpinions, casefile.L6, casefile.L6)
	twice.Opinions[1].Person = twice.Opinions[0].Person
	machine := decided("EEEEE-00001", casefile.ByOneOpinion, casefile.L5)
	machine.Opinions[0].Role = casefile.RoleService
	worse := decided("FFFFF-00001", casefile.ByOneOpinion, casefile.L3)
	worse.Action = casefile.L4
	differing := decided("GGGGG-00001", casefile.ByTwoOpinions, casefile.L5, casefile.L3)
	nobody := decided("HHHHH-00001", casefile.ByOneOpinion)
	nobody.Action = casefile.L3
	reviewers := emergency("JJJJJ-00001")
	reviewers.Opinions[0].Role = casefile.RoleReviewer
	unnamed := automatic("MMMMM-00001", casefile.L1)
	unnamed.Rule = ""
	for want, d := range map[string]casefile.Decision{
		"L6 takes 2 people; 1 stand behind it": alone,
		"somebody's opinion counts twice":      twice,
		"an opinion is not a person's":         machine,
		"is not that of the opinion that stands": func() casefile.Decision {
			worse.Opinions[0].Action, worse.Opinions[0].Days = casefile.L4, 0
			worse.Days = 30
			return worse
		}(),
		"do not settle the decision":             differing,
		"an emergency order is one senior's L5":  reviewers,
		"no rule decides L4 by itself":           automatic("KKKKK-00001", casefile.L4),
		"no rule decides L1 by itself":           unnamed,
		"L3 takes 1 people; 0 stand behind it":   nobody,
		"stand before the decision's, once, on ": otherChain(decided("NNNNN-00001", casefile.ByOneOpinion, casefile.L3)),
	} {
		require.ErrorContains(t, check(i.issue(d), i.key), want)
	}
	opinion := copied(t, &good)
	bundle, err := i.log.Prove(t.Context(), good.Index-1)
	require.NoError(t, err)
	opinion.Bundle, opinion.Index = bundle, bundle.Index
	require.ErrorContains(t, check(*opinion, i.key), "of type opinion, not a decision's")
}

// otherChain names an opinion of another case.
func otherChain(d casefile.Decision) casefile.Decision {
	d.OpinionEvents = []casefile.EventID{casefile.NewEventID(casefile.CaseChain("AAAAA-00001"), 1)}
	return d
}

// copied is a value that shares nothing with another, as if it had come over the wire.
func copied[T any](t *testing.T, v *T) *T {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	out := new(T)
	require.NoError(t, json.Unmarshal(data, out))
	return out
}

// TestGolden holds the format's golden file to what is checked here: one decision as it is given, and one
// whose account was erased.
func TestGolden(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, goldenSigner, goldenKey)
	given := i.issue(decided("7K2QX-9MDT4", casefile.ByTwoOpinions, casefile.L6, casefile.L6))
	erased := client.ProvenDecision{Index: given.Index, ID: given.ID, State: casefile.DecisionDone, Withheld: "erased", Bundle: given.Bundle}
	var lines bytes.Buffer
	for _, v := range []client.ProvenDecision{given, erased} {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		lines.Write(append(data, '\n'))
	}
	const file = "../../docs/formats/proven-decision.golden.ndjson"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, lines.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), lines.String(), "UPDATE_GOLDEN=1 writes it anew")
	var read client.ProvenDecision
	require.NoError(t, json.Unmarshal(bytes.SplitN(want, []byte("\n"), 2)[0], &read))
	require.NoError(t, check(read, goldenKey))
}
