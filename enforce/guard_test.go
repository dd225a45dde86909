package enforce_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

var decidedAt = time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC)

const (
	caseRef   = casefile.CaseRef("7K2QX-9MDT4")
	logOrigin = "log.test.example/docket"
)

var account = casefile.AccountRef{Platform: "synthetic", ID: "a-17"}

// testSalts are an account's salts under one content key.
type testSalts string

func (k testSalts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte(k))
	fmt.Fprintf(mac, "%s\n%s", event, label)
	return mac.Sum(nil)
}

// testLog is a real, tiny log: its hashes are stored as tlog stores them, its checkpoints signed.
type testLog struct {
	t      *testing.T
	signer note.Signer
	vkey   string
	hashes []tlog.Hash
	data   [][]byte
}

func newLog(t *testing.T) *testLog {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, logOrigin)
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	l := &testLog{t: t, signer: signer, vkey: vkey}
	for i := range 5 {
		l.add([]byte(fmt.Sprintf(`{"other":%d}`, i)))
	}
	return l
}

func (l *testLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = l.hashes[n]
	}
	return out, nil
}

func (l *testLog) add(data []byte) int64 {
	n := int64(len(l.data))
	hashes, err := tlog.StoredHashes(n, data, l)
	require.NoError(l.t, err)
	l.hashes, l.data = append(l.hashes, hashes...), append(l.data, data)
	return n
}

// prove makes the bundle of an entry under a checkpoint of the given size.
func (l *testLog) prove(n, size int64) casefile.Bundle {
	root, err := tlog.TreeHash(size, l)
	require.NoError(l.t, err)
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", logOrigin, size, root)}, l.signer)
	require.NoError(l.t, err)
	b := casefile.Bundle{Format: casefile.BundleFormat, Entry: l.data[n], Index: uint64(n), Checkpoint: string(signed)}
	if n < size {
		path, err := tlog.ProveRecord(size, n, l)
		require.NoError(l.t, err)
		for _, h := range path {
			b.Path = append(b.Path, slices.Clone(h[:]))
		}
	}
	return b
}

func (l *testLog) proveNow(n int64) casefile.Bundle { return l.prove(n, int64(len(l.data))) }

func judgement(a casefile.Action, codes ...casefile.PolicyCode) casefile.Judgement {
	j := casefile.Judgement{Action: a, Policies: codes, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNo
	}
	if a.Timed() {
		j.Days = 14
	}
	return j
}

func opinion(person casefile.Person, j casefile.Judgement) casefile.Opinion {
	return casefile.Opinion{
		ID: "OPINION-OF-" + string(person), Person: person, Role: casefile.RoleReviewer, At: decidedAt.Add(-time.Minute), Judgement: j,
		Claim: 3, EvidenceRevision: 4, Relied: 2, Form: "address", Digest: "form-digest",
		Notice: &casefile.NoticeRef{Number: "N-1", Text: "address", Digest: "notice-digest"},
	}
}

// decision is what the opinions settled: the adjudicator's stands, or of two the one with the shorter term.
func decision(by casefile.DecidedBy, opinions ...casefile.Opinion) casefile.Decision {
	standing := 0
	switch {
	case by == casefile.ByAdjudication:
		standing = len(opinions) - 1
	case len(opinions) == 2 && opinions[1].Days < opinions[0].Days:
		standing = 1
	}
	d := casefile.Decision{
		ID: "DECISION-1", Case: caseRef, Platform: account.Platform, Account: "keyed-hash", Judgement: opinions[standing].Judgement,
		DecidedBy: by, DecidedAt: decidedAt, EvidenceRevision: 4, RuleSet: "rules", Opinions: opinions, Standing: standing,
	}
	for i := range opinions {
		d.OpinionEvents = append(d.OpinionEvents, casefile.NewEventID(casefile.CaseChain(caseRef), i+1))
	}
	return d
}

// write puts the case's chain into the log as its workflow would: the opinions, then the decision.
func write(t *testing.T, l *testLog, d casefile.Decision, who casefile.AccountRef, salts testSalts) int64 {
	t.Helper()
	prev, seq := "", 0
	next := func(draft casefile.Draft) int64 {
		seq++
		f, err := casefile.FixEntry(draft, casefile.Position{Event: casefile.NewEventID(casefile.CaseChain(d.Case), seq), Prev: prev, At: decidedAt}, salts, who)
		require.NoError(t, err)
		prev = f.Hash()
		return l.add(f.Data)
	}
	for _, o := range d.Opinions {
		next(casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.Actor{Person: o.Person, Role: o.Role}, Opinion: &o})
	}
	return next(casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d})
}

func check(t *testing.T, vkey string, d casefile.Decision, b casefile.Bundle, who casefile.AccountRef, salts testSalts) error {
	t.Helper()
	g, err := enforce.NewGuard(vkey)
	require.NoError(t, err)
	return g.Check(d, b, who, salts)
}

func requireRefused(t *testing.T, err error, says string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	require.ErrorContains(t, err, says)
}

// TestPromise01 holds promise 1: no act without exactly the entry of the decision being carried out
// in the log whose key the actor has pinned, and the people due behind it.
func TestPromise01(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	const salts = testSalts("content key of the account")
	l6 := decision(casefile.ByTwoOpinions, opinion("p-anna0000", judgement(casefile.L6, casefile.VE03)), opinion("p-bert0000", judgement(casefile.L6, casefile.VE03)))
	l6At := write(t, l, l6, account, salts)
	l5 := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L5, casefile.VE08)))
	l5.ID = "DECISION-2"
	l5At := write(t, l, l5, account, salts)
	for i := range 9 {
		l.add([]byte(fmt.Sprintf(`{"later":%d}`, i)))
	}
	other := newLog(t)
	otherAt := write(t, other, l6, account, salts)
	right := l.proveNow(l6At)

	t.Run("the right ones pass", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, check(t, l.vkey, l6, right, account, salts))
		require.NoError(t, check(t, l.vkey, l5, l.proveNow(l5At), account, salts))
		require.NoError(t, check(t, l.vkey, l6, l.prove(l6At, l6At+1), account, salts), "the smallest checkpoint that covers it")
	})
	t.Run("the decision as a workflow's payload carries it", func(t *testing.T) {
		t.Parallel()
		raw, err := json.Marshal(struct {
			D casefile.Decision
			B casefile.Bundle
		}{l6, right})
		require.NoError(t, err)
		var back struct {
			D casefile.Decision
			B casefile.Bundle
		}
		require.NoError(t, json.Unmarshal(raw, &back))
		require.NoError(t, check(t, l.vkey, back.D, back.B, account, salts))
	})

	tampered := func(change func(*casefile.Bundle)) casefile.Bundle {
		b := right
		b.Path = slices.Clone(right.Path)
		for i := range b.Path {
			b.Path[i] = slices.Clone(right.Path[i])
		}
		b.Entry = slices.Clone(right.Entry)
		change(&b)
		return b
	}
	bundles := map[string]struct {
		bundle casefile.Bundle
		says   string
	}{
		"no bundle":               {casefile.Bundle{}, "proof does not hold"},
		"other decision's bundle": {l.proveNow(l5At), "not that of this decision"},
		"an opinion's bundle":     {l.proveNow(l6At - 1), "proof is of a opinion entry"},
		"not an entry":            {l.proveNow(0), "proof does not hold"},
		"other log's":             {other.proveNow(otherAt), "not signed with the pinned key"},
		"too small checkpoint":    {l.prove(l6At, l6At), "covers"},
		"path of another entry":   {tampered(func(b *casefile.Bundle) { b.Path = l.proveNow(l5At).Path }), "path does not lead"},
		"one bit of the path":     {tampered(func(b *casefile.Bundle) { b.Path[1][7] ^= 1 }), "path does not lead"},
		"path too short":          {tampered(func(b *casefile.Bundle) { b.Path = b.Path[1:] }), "path does not lead"},
		"other index":             {tampered(func(b *casefile.Bundle) { b.Index++ }), "path does not lead"},
		"one byte of the entry":   {tampered(func(b *casefile.Bundle) { b.Entry[len(b.Entry)-3] ^= 1 }), "path does not lead"},
		"checkpoint altered":      {tampered(func(b *casefile.Bundle) { b.Checkpoint = "x" + b.Checkpoint[1:] }), "not signed"},
		"other format":            {tampered(func(b *casefile.Bundle) { b.Format = "docket-bundle/2" }), "format"},
	}
	for name, c := range bundles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, check(t, l.vkey, l6, c.bundle, account, salts), c.says)
		})
	}

	// The proof is right; what is about to be carried out is not what was proven.
	changes := map[string]func(*casefile.Decision){
		"weaker action proven, stronger done": func(d *casefile.Decision) { *d = l5; d.Action, d.Days = casefile.L6, 0 },
		"other days":                          func(d *casefile.Decision) { *d = l5; d.Days = 300 },
		"other case":                          func(d *casefile.Decision) { d.Case = "00000-00000" },
		"other id":                            func(d *casefile.Decision) { d.ID = "DECISION-3" },
		"other policy":                        func(d *casefile.Decision) { d.Policies = []casefile.PolicyCode{casefile.VE01} },
		"other tier":                          func(d *casefile.Decision) { d.EntityTier = casefile.E1 },
		"other evidence revision":             func(d *casefile.Decision) { d.EvidenceRevision++ },
		"other rules":                         func(d *casefile.Decision) { d.RuleSet = "other" },
		"other time":                          func(d *casefile.Decision) { d.DecidedAt = d.DecidedAt.Add(time.Microsecond) },
		"other way":                           func(d *casefile.Decision) { d.DecidedBy = casefile.ByAdjudication },
		"one person fewer":                    func(d *casefile.Decision) { d.Opinions, d.OpinionEvents = d.Opinions[:1], d.OpinionEvents[:1] },
		"an opinion without its entry":        func(d *casefile.Decision) { d.OpinionEvents = d.OpinionEvents[:1] },
		"other opinion's person":              func(d *casefile.Decision) { d.Opinions[1].Person = "p-carl0000" },
		"other opinion's role":                func(d *casefile.Decision) { d.Opinions[1].Role = casefile.RoleLead },
		"other opinion's words":               func(d *casefile.Decision) { d.Opinions[0].Digest = "other" },
		"other opinion's notice":              func(d *casefile.Decision) { d.Opinions[0].Notice = &casefile.NoticeRef{Digest: "other"} },
		"more posts relied on":                func(d *casefile.Decision) { d.Opinions[0].Relied = 3 },
		"a mitigation answered otherwise": func(d *casefile.Decision) {
			d.Mitigations = judgement(casefile.L1).Mitigations
			d.Mitigations[casefile.M1] = casefile.AnswerYes
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, b := l6, right
			d.Opinions, d.OpinionEvents = slices.Clone(l6.Opinions), slices.Clone(l6.OpinionEvents)
			change(&d)
			if d.ID == l5.ID {
				b = l.proveNow(l5At)
			}
			requireRefused(t, check(t, l.vkey, d, b, account, salts), "guard")
		})
	}

	t.Run("other account", func(t *testing.T) {
		t.Parallel()
		requireRefused(t, check(t, l.vkey, l6, right, casefile.AccountRef{Platform: "synthetic", ID: "a-18"}, salts), "not that of this decision")
	})
	t.Run("other platform", func(t *testing.T) {
		t.Parallel()
		requireRefused(t, check(t, l.vkey, l6, right, casefile.AccountRef{Platform: "other", ID: account.ID}, salts), "platform")
	})
	t.Run("no account", func(t *testing.T) {
		t.Parallel()
		requireRefused(t, check(t, l.vkey, l6, right, casefile.AccountRef{Platform: "synthetic"}, salts), "platform")
	})
	t.Run("other account's salts", func(t *testing.T) {
		t.Parallel()
		requireRefused(t, check(t, l.vkey, l6, right, account, "content key of another"), "not that of this decision")
	})
	t.Run("other pinned key", func(t *testing.T) {
		t.Parallel()
		requireRefused(t, check(t, other.vkey, l6, right, account, salts), "pinned key")
	})
	t.Run("no pinned key", func(t *testing.T) {
		t.Parallel()
		var none *enforce.Guard
		requireRefused(t, none.Check(l6, right, account, salts), "no pinned key")
		requireRefused(t, (&enforce.Guard{}).Check(l6, right, account, salts), "no pinned key")
	})
	t.Run("no salts", func(t *testing.T) {
		t.Parallel()
		g, err := enforce.NewGuard(l.vkey)
		require.NoError(t, err)
		requireRefused(t, g.Check(l6, right, account, nil), "no salts")
	})
}

// TestPromise01People: the log may hold a decision that the house's rules do not allow. It is in the
// log word for word, and the actor refuses it all the same.
func TestPromise01People(t *testing.T) {
	t.Parallel()
	const anna, bert, carl = casefile.Person("p-anna0000"), casefile.Person("p-bert0000"), casefile.Person("p-carl0000")
	end, limit := judgement(casefile.L6, casefile.VE03), judgement(casefile.L3, casefile.VE08)
	asService := opinion(anna, limit)
	asService.Role = casefile.RoleService
	changed := func(d casefile.Decision, change func(*casefile.Decision)) casefile.Decision {
		change(&d)
		return d
	}
	term := func(j casefile.Judgement, n int) casefile.Judgement {
		j.Days = n
		return j
	}
	order := opinion(anna, judgement(casefile.L5, casefile.VE08))
	order.Emergency, order.Role = true, casefile.RoleSenior
	emergency := decision(casefile.ByEmergency, order)
	elsewhere := casefile.NewEventID(casefile.CaseChain("00000-00000"), 1)
	cases := map[string]struct {
		decision casefile.Decision
		says     string // "" passes
	}{
		"one person":                          {decision(casefile.ByOneOpinion, opinion(anna, limit)), ""},
		"two people":                          {decision(casefile.ByTwoOpinions, opinion(anna, end), opinion(bert, end)), ""},
		"two people, the shorter term stands": {decision(casefile.ByTwoOpinions, opinion(anna, limit), opinion(bert, term(limit, 7))), ""},
		"a third person":                      {decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(carl, limit)), ""},
		"a third person ends the account":     {decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(carl, end)), ""},
		"a third person's own view":           {decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(carl, judgement(casefile.L1, casefile.VE12))), ""},
		"an emergency order":                  {emergency, ""},
		"a rule":                              {automatic(casefile.L1, casefile.VE09), ""},
		"a rule that closes":                  {automatic(casefile.L0, casefile.VE00), ""},
		"L6 by one":                           {decision(casefile.ByOneOpinion, opinion(anna, end)), "takes 2 people"},
		"L6 by the same person twice":         {decision(casefile.ByTwoOpinions, opinion(anna, end), opinion(anna, end)), "counts twice"},
		"L6 with one of two behind it":        {changed(decision(casefile.ByTwoOpinions, opinion(anna, limit), opinion(bert, end)), func(d *casefile.Decision) { d.Judgement, d.Standing = end, 1 }), "1 of 2"},
		"L6 by two of whom one wants less":    {changed(decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit)), func(d *casefile.Decision) { d.Judgement, d.Standing = end, 0 }), "1 of 2"},
		"L6 by an adjudicator alone":          {decision(casefile.ByAdjudication, opinion(anna, limit), opinion(bert, judgement(casefile.L5, casefile.VE08)), opinion(carl, end)), "1 of 3"},
		"two who differ, without a third":     {decision(casefile.ByTwoOpinions, opinion(anna, limit), opinion(bert, judgement(casefile.L5, casefile.VE08))), "do not settle"},
		"two who differ on the policy":        {decision(casefile.ByTwoOpinions, opinion(anna, judgement(casefile.L6, casefile.VE04)), opinion(bert, end)), "do not settle"},
		"two, the longer term":                {changed(decision(casefile.ByTwoOpinions, opinion(anna, limit), opinion(bert, term(limit, 7))), func(d *casefile.Decision) { d.Judgement, d.Standing = limit, 0 }), "do not settle"},
		"an adjudicator who took part":        {decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(anna, limit)), "counts twice"},
		"nothing to adjudicate":               {decision(casefile.ByAdjudication, opinion(anna, limit), opinion(bert, limit), opinion(carl, judgement(casefile.L5, casefile.VE08))), "nothing to adjudicate"},
		"a fourth person":                     {changed(decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(carl, limit), opinion("p-dora0000", limit)), func(d *casefile.Decision) { d.Standing = 2 }), "no fourth"},
		"not the opinion that stands":         {changed(decision(casefile.ByAdjudication, opinion(anna, end), opinion(bert, limit), opinion(carl, limit)), func(d *casefile.Decision) { d.Standing = 1 }), "do not settle"},
		"an opinion that is not there":        {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.Standing = 1 }), "opinion that stands"},
		"not the opinion's judgement":         {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.Judgement = judgement(casefile.L4, casefile.VE08) }), "takes 1 people"},
		"not the opinion's policy":            {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.Policies = []casefile.PolicyCode{casefile.VE10} }), "opinion that stands"},
		"not the opinion's answers": {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) {
			d.Mitigations = judgement(casefile.L1).Mitigations
			d.Mitigations[casefile.M1] = casefile.AnswerYes
		}), "opinion that stands"},
		"no opinion":                      {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.Opinions, d.OpinionEvents = nil, nil }), "takes 1 people"},
		"in no known way":                 {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.DecidedBy = "" }), "no known way"},
		"two opinions said to be one":     {decision(casefile.ByOneOpinion, opinion(anna, limit), opinion(bert, limit)), "do not settle"},
		"a person's decision with a rule": {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.Rule = "some-rule" }), "no automatic rule"},
		"an emergency order of a reviewer": {changed(emergency, func(d *casefile.Decision) {
			d.Opinions = []casefile.Opinion{opinion(anna, judgement(casefile.L5, casefile.VE08))}
		}), "emergency"},
		"an emergency order of more":           {decision(casefile.ByEmergency, opinion(anna, end), opinion(bert, end)), "emergency"},
		"an emergency order of less":           {decision(casefile.ByEmergency, opinion(anna, limit)), "emergency"},
		"a person's opinion said to be a rule": {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.DecidedBy = casefile.ByAutomation }), "named rule's"},
		"a rule without a name":                {changed(automatic(casefile.L1, casefile.VE09), func(d *casefile.Decision) { d.Rule = "" }), "named rule's"},
		"a rule that limits":                   {automatic(casefile.L3, casefile.VE09), "by itself"},
		"a rule that removes":                  {automatic(casefile.L4, casefile.VE09), "by itself"},
		"a rule that suspends":                 {automatic(casefile.L5, casefile.VE09), "by itself"},
		"a rule that ends an account":          {automatic(casefile.L6, casefile.VE03), "by itself"},
		"a rule on an unclear reference":       {automatic(casefile.L1, casefile.VE12), "by itself"},
		"a rule that warns of no violation":    {automatic(casefile.L1, casefile.VE00), "by itself"},
		"a rule that answers a mitigation":     {changed(automatic(casefile.L1, casefile.VE09), func(d *casefile.Decision) { d.Mitigations = judgement(casefile.L1).Mitigations }), "nobody assessed"},
		"a rule that leaves mitigations out":   {changed(automatic(casefile.L1, casefile.VE09), func(d *casefile.Decision) { d.Mitigations = nil }), "nobody assessed"},
		"an opinion of a service":              {decision(casefile.ByOneOpinion, asService), "not a person's"},
		"an opinion of nobody":                 {decision(casefile.ByOneOpinion, opinion("", limit)), "not a person's"},
		"a mitigation left open":               {decision(casefile.ByOneOpinion, opinion(anna, casefile.Judgement{Action: casefile.L4, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E0})), "judgement"},
		"a legal order":                        {decision(casefile.ByOneOpinion, opinion(anna, judgement(casefile.LX, casefile.VE08))), "judgement"},
		"an opinion of another case":           {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.OpinionEvents = []casefile.EventID{elsewhere} }), "case's chain"},
		"an opinion after the decision":        {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.OpinionEvents[0] = casefile.NewEventID(casefile.CaseChain(caseRef), 9) }), "came before"},
		"one entry for two people":             {changed(decision(casefile.ByTwoOpinions, opinion(anna, end), opinion(bert, end)), func(d *casefile.Decision) { d.OpinionEvents[1] = d.OpinionEvents[0] }), "counts twice"},
		"an opinion with a malformed event id": {changed(decision(casefile.ByOneOpinion, opinion(anna, limit)), func(d *casefile.Decision) { d.OpinionEvents[0] = "x" }), "malformed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			at := write(t, l, c.decision, account, "key")
			err := check(t, l.vkey, c.decision, l.proveNow(at), account, "key")
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, c.says)
		})
	}
}

// automatic is a named rule's decision.
func automatic(a casefile.Action, code casefile.PolicyCode) casefile.Decision {
	j := casefile.Judgement{Action: a, Policies: []casefile.PolicyCode{code}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNotAssessed
	}
	return casefile.Decision{
		ID: "DECISION-1", Case: caseRef, Platform: account.Platform, Account: "keyed-hash", Judgement: j, DecidedBy: casefile.ByAutomation,
		DecidedAt: decidedAt, EvidenceRevision: 4, RuleSet: "rules", Rule: "weak-propaganda", Opinions: []casefile.Opinion{}, OpinionEvents: []casefile.EventID{},
	}
}

// ruling is one person's on an appeal against the decision whose entry is given.
func ruling(d casefile.Decision, entry []byte) casefile.AppealRuling {
	return casefile.AppealRuling{
		ID: "RULING-1", Appeal: "APPEAL-1", Kind: casefile.AppealByAccount, Decision: d.ID, DecisionHash: casefile.EntryHash(entry), Case: d.Case,
		Platform: d.Platform, Account: d.Account, Outcome: casefile.OutcomeUpheld, Person: "p-rita0000", Role: casefile.RoleReviewer,
		At: decidedAt.Add(time.Hour), Form: "address", Digest: "form-digest",
	}
}

func writeRuling(t *testing.T, l *testLog, r casefile.AppealRuling, event casefile.EventID, salts testSalts) int64 {
	t.Helper()
	f, err := casefile.FixEntry(casefile.Draft{Type: casefile.EntryAppealRuling, Actor: casefile.Actor{Person: r.Person, Role: r.Role}, Ruling: &r},
		casefile.Position{Event: event, Prev: "", At: decidedAt.Add(time.Hour)}, salts, account)
	require.NoError(t, err)
	return l.add(f.Data)
}

// TestPromise04And08Ruling: acts are taken back only for exactly the ruling that the log holds, on
// exactly this decision, by somebody who took no part in it.
func TestPromise04And08Ruling(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	const salts = testSalts("content key of the account")
	d := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L5, casefile.VE08)))
	at := write(t, l, d, account, salts)
	other := d
	other.ID = "DECISION-2"
	otherAt := write(t, l, other, account, salts)
	right := ruling(d, l.data[at])
	event := casefile.NewEventID(casefile.AppealChain("APPEAL-1"), 2)
	rightAt := writeRuling(t, l, right, event, salts)
	g, err := enforce.NewGuard(l.vkey)
	require.NoError(t, err)
	db := l.proveNow(at)
	require.NoError(t, g.CheckRuling(d, db, right, l.proveNow(rightAt), account, salts))

	// What the log holds is not what is asked for.
	for name, change := range map[string]func(*casefile.AppealRuling){
		"another outcome":  func(r *casefile.AppealRuling) { r.Outcome = casefile.OutcomeRejected },
		"another decision": func(r *casefile.AppealRuling) { r.Decision = other.ID },
		"another person":   func(r *casefile.AppealRuling) { r.Person = "p-carl0000" },
		"other words":      func(r *casefile.AppealRuling) { r.Digest = "other" },
		"another appeal":   func(r *casefile.AppealRuling) { r.Appeal = "APPEAL-2" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := right
			change(&r)
			requireRefused(t, g.CheckRuling(d, db, r, l.proveNow(rightAt), account, salts), "not that of this ruling")
		})
	}
	requireRefused(t, g.CheckRuling(d, db, right, db, account, salts), "not of a ruling")
	requireRefused(t, g.CheckRuling(d, casefile.Bundle{}, right, l.proveNow(rightAt), account, salts), "proof does not hold")
	requireRefused(t, g.CheckRuling(other, l.proveNow(otherAt), right, l.proveNow(rightAt), account, salts), "another decision")
	requireRefused(t, g.CheckRuling(d, db, right, l.proveNow(rightAt), casefile.AccountRef{Platform: "synthetic", ID: "a-18"}, salts), "not that of this")

	// The log may hold a ruling that the house's rules do not allow.
	for name, c := range map[string]struct {
		change func(*casefile.AppealRuling)
		event  casefile.EventID
		says   string
	}{
		"by its own author":         {func(r *casefile.AppealRuling) { r.Person = "p-anna0000" }, event, "took part"},
		"by a service":              {func(r *casefile.AppealRuling) { r.Role = casefile.RoleService }, event, "not a person's"},
		"by nobody":                 {func(r *casefile.AppealRuling) { r.Person = "" }, event, "not a person's"},
		"about another entry":       {func(r *casefile.AppealRuling) { r.DecisionHash = casefile.EntryHash([]byte("x")) }, event, "another entry"},
		"on another appeal's chain": {func(*casefile.AppealRuling) {}, casefile.NewEventID(casefile.AppealChain("APPEAL-9"), 1), "appeal's chain"},
		"without an outcome":        {func(r *casefile.AppealRuling) { r.Outcome = "" }, event, "outcome"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := newLog(t)
			dAt := write(t, own, d, account, salts)
			r := ruling(d, own.data[dAt])
			c.change(&r)
			rAt := writeRuling(t, own, r, c.event, salts)
			mine, err := enforce.NewGuard(own.vkey)
			require.NoError(t, err)
			requireRefused(t, mine.CheckRuling(d, own.proveNow(dAt), r, own.proveNow(rAt), account, salts), c.says)
		})
	}
}

// TestGuardOtherChain: a decision's entry on a chain that is not the case's proves nothing.
func TestGuardOtherChain(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	d := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L3, casefile.VE08)))
	f, err := casefile.FixEntry(casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d},
		casefile.Position{Event: casefile.NewEventID(casefile.SystemChain, 7), At: decidedAt}, testSalts("key"), account)
	require.NoError(t, err)
	requireRefused(t, check(t, l.vkey, d, l.proveNow(l.add(f.Data)), account, "key"), "the entry is not of the case's chain")
}

func TestNewGuardRefusesAKeyThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := enforce.NewGuard("log+1+none")
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}

func TestCheckActs(t *testing.T) {
	t.Parallel()
	removal := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L4, casefile.VE08)))
	suspension := decision(casefile.ByOneOpinion, opinion("p-anna0000", judgement(casefile.L5, casefile.VE08)))
	for _, act := range casefile.PlanActs(removal, 3) {
		require.NoError(t, enforce.CheckActs(removal, 3, act))
		requireRefused(t, enforce.CheckActs(removal, 0, act), "not one of")
	}
	for _, act := range casefile.PlanActs(suspension, 0) {
		elsewhere := act.Until.In(time.FixedZone("east", 3600))
		act.Until = &elsewhere
		require.NoError(t, enforce.CheckActs(suspension, 0, act))
	}
	good := casefile.PlanActs(suspension, 0)[0]
	later := good.Until.Add(time.Second)
	changes := map[string]func(*casefile.Act){
		"other kind":     func(a *casefile.Act) { a.Kind = casefile.ActTerminate },
		"other number":   func(a *casefile.Act) { a.Number = 2 },
		"other target":   func(a *casefile.Act) { a.Target = 0 },
		"other decision": func(a *casefile.Act) { a.Decision = "other" },
		"longer":         func(a *casefile.Act) { a.Until = &later },
		"for ever":       func(a *casefile.Act) { a.Until = nil },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			act := good
			change(&act)
			requireRefused(t, enforce.CheckActs(suspension, 0, act), "not one of")
		})
	}
	requireRefused(t, enforce.CheckActs(removal, -1, casefile.Act{}), "relies on")
	requireRefused(t, enforce.CheckActs(removal, 1<<40, casefile.Act{}), "relies on")
}
