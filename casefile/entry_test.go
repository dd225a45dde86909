package casefile_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	then    = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.FixedZone("east", 2*3600))
	account = casefile.AccountRef{Platform: "synthetic", ID: "a-17"}
)

const ref = casefile.CaseRef("7K2QX-9MDT4")

// salts are an account's salts under one content key.
type salts string

func (k salts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte(k))
	fmt.Fprintf(mac, "%s\n%s", event, label)
	return mac.Sum(nil)
}

func answers(yes ...casefile.Mitigation) map[casefile.Mitigation]casefile.Answer {
	out := map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		out[m] = casefile.AnswerNo
	}
	for _, m := range yes {
		out[m] = casefile.AnswerYes
	}
	return out
}

func judgement(a casefile.Action) casefile.Judgement {
	j := casefile.Judgement{Action: a, Policies: []casefile.PolicyCode{casefile.VE08, casefile.VE09}, EntityTier: casefile.E2, Mitigations: answers()}
	if a.Timed() {
		j.Days = 14
	}
	return j
}

func opinion(person casefile.Person) casefile.Opinion {
	return casefile.Opinion{
		ID: "OPINION-" + string(person), Person: person, Role: casefile.RoleReviewer, At: then, Judgement: judgement(casefile.L5), Claim: 3,
		EvidenceRevision: 4, Relied: 2, Form: "address-of-the-form", Digest: "digest-of-the-form",
		Notice: &casefile.NoticeRef{Number: "N1", Text: "address-of-the-notice", Digest: "digest-of-the-notice"},
	}
}

func decision() casefile.Decision {
	second := opinion("p-two22222")
	second.Notice = nil
	return casefile.Decision{
		ID: "DECISION-1", Case: ref, Platform: account.Platform, Account: "keyed-hash", Judgement: judgement(casefile.L5),
		DecidedBy: casefile.ByTwoOpinions, DecidedAt: then, EvidenceRevision: 4, RuleSet: "sha256:rules",
		Opinions: []casefile.Opinion{opinion("p-one11111"), second}, OpinionEvents: []casefile.EventID{"case.7K2QX-9MDT4/3", "case.7K2QX-9MDT4/4"},
	}
}

// drafts are one of each type that FixEntry builds.
func drafts() []casefile.Draft {
	o, d, until := opinion("p-one11111"), decision(), then.AddDate(0, 0, 14)
	person := casefile.Actor{Person: "p-one11111", Role: casefile.RoleReviewer}
	return []casefile.Draft{
		{Type: casefile.EntryFlagAccepted, Actor: casefile.System, Flag: &casefile.FlagBody{Flag: "keyed-flag", Digest: "digest-of-the-flag", EvidenceRevision: 1}},
		{Type: casefile.EntryRoute, Actor: casefile.System, Route: &casefile.RouteBody{
			Route: casefile.Route{Queue: "urgent", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent, DueAt: then.Add(time.Hour), Rule: "praise", RuleSet: "sha256:rules", Values: map[string]string{"flags.weight": "7.5"}},
			Findings: []casefile.FindingCode{
				{Kind: casefile.FindingScore, Source: "local", Version: "1", Status: casefile.StatusKnown, Values: map[string]float64{"score": 0.25}},
				{Kind: casefile.FindingHistory, Source: "history index", Version: "1", Status: casefile.StatusFailed},
			},
			Digest: "digest-of-the-findings",
		}},
		{Type: casefile.EntryOpinion, Actor: person, Opinion: &o},
		{Type: casefile.EntryWithdrawn, Actor: person, Withdraw: &casefile.WithdrawBody{Decision: "DECISION-1", Event: "case.7K2QX-9MDT4/3"}},
		{Type: casefile.EntryDecision, Actor: person, Decision: &d},
		{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: casefile.CloseDecided, Decision: "DECISION-1", File: "digest-of-the-file"}},
		{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: &casefile.PlannedBody{Decision: "DECISION-1", Platform: "synthetic", Acts: []casefile.PlannedAct{
			{Number: 1, Kind: casefile.ActSuspend, Until: &until, Undo: "digest-of-undo-1"},
			{Number: 2, Kind: casefile.ActBlockIdentifiers, Undo: "digest-of-undo-2"},
		}}},
		{Type: casefile.EntryActsOutcome, Actor: casefile.System, Outcome: &casefile.OutcomeBody{Decision: "DECISION-1", Direction: casefile.Do, Outcomes: []casefile.ActOutcome{
			{Act: casefile.Act{Decision: "DECISION-1", Number: 1, Kind: casefile.ActSuspend, Target: -1, Until: &until}, State: casefile.ActDone, At: then, Reference: "R1"},
			{Act: casefile.Act{Decision: "DECISION-1", Number: 2, Kind: casefile.ActBlockIdentifiers, Target: -1}, State: casefile.ActUncertain, At: then, Why: "no_lookup"},
		}}},
		{Type: casefile.EntryNotice, Actor: casefile.System, Notice: &casefile.NoticeBody{Number: "N1", Decision: "DECISION-1", State: casefile.NoticeSent, Digest: "digest-of-the-notice"}},
		{Type: casefile.EntryHandled, Actor: person, Handled: &casefile.HandledBody{What: casefile.HandlingThreat, Queue: "lead", Until: &until, Digest: "digest-of-the-reason"}},
		{Type: casefile.EntryDeadline, Actor: casefile.System, Deadline: &casefile.DeadlineBody{Deadline: casefile.DeadlineTouch, Mark: casefile.MarkMissed, DueAt: then, Queue: "lead"}},
		{Type: casefile.EntryReferred, Actor: person, Referral: &casefile.Referral{ID: "REFERRAL-1", Kind: casefile.ReferChildSafety, Person: "p-one11111", At: then, Note: "address", Digest: "digest-of-the-reason"}},
		{Type: casefile.EntryRestarted, Actor: casefile.System, Restarted: &casefile.RestartedBody{Revision: 7}},
		{Type: casefile.EntryActSettled, Actor: person, Settled: &casefile.SettledBody{Decision: "DECISION-1", Number: 2, Direction: casefile.Do, State: casefile.ActDone, Digest: "digest-of-the-reason"}},
		{Type: casefile.EntryAppealOpened, Actor: person, Appeal: &casefile.AppealBody{Appeal: "APPEAL-1", Kind: casefile.AppealByAccount, Decision: "DECISION-1", DueAt: then, Digest: "digest-of-the-complaint"}},
		{Type: casefile.EntryAppealRuling, Actor: person, Ruling: &casefile.AppealRuling{
			ID: "RULING-1", Appeal: "APPEAL-1", Kind: casefile.AppealByAccount, Decision: "DECISION-1", DecisionHash: strings.Repeat("ef", 32), Case: ref,
			Platform: "synthetic", Account: "keyed-hash", Outcome: casefile.OutcomeUpheld, Person: "p-one11111", Role: casefile.RoleReviewer, At: then,
			Form: "address", Digest: "digest-of-the-form", Notice: &casefile.NoticeRef{Number: "N2", Text: "address", Digest: "digest-of-the-notice"},
		}},
	}
}

func position(d casefile.Draft) casefile.Position {
	pos := casefile.Position{Event: "case.7K2QX-9MDT4/7", Prev: strings.Repeat("ab", 32), At: then}
	if d.Type == casefile.EntryActsPlanned {
		pos = casefile.Position{Event: "takedown.DECISION-1/1", Cause: strings.Repeat("cd", 32), At: then}
	}
	return pos
}

func fix(t *testing.T, d casefile.Draft) casefile.FixedEntry {
	t.Helper()
	f, err := casefile.FixEntry(d, position(d), salts("content key"), account)
	require.NoError(t, err)
	return f
}

// checkGolden compares an entry, made readable, with its file, and reads it back.
func checkGolden(t *testing.T, typ casefile.EntryType, f casefile.FixedEntry) casefile.Entry {
	t.Helper()
	file := filepath.Join("testdata", "entry-"+string(typ)+".json")
	if *update {
		require.NoError(t, os.WriteFile(file, append(bytes.Clone(f.Data), '\n'), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(f.Data)+"\n", "run go test ./casefile -update and read the difference")

	e, err := casefile.ParseEntry(f.Data)
	require.NoError(t, err)
	require.Equal(t, typ, e.Type)
	require.Equal(t, f.Event, e.Event)
	sum := sha256.Sum256(f.Data)
	require.Equal(t, hex.EncodeToString(sum[:]), f.Hash())
	return e
}

func TestFixEntryGolden(t *testing.T) {
	t.Parallel()
	for _, d := range drafts() {
		t.Run(string(d.Type), func(t *testing.T) {
			t.Parallel()
			e := checkGolden(t, d.Type, fix(t, d))
			pos := position(d)
			require.Equal(t, casefile.Entry{
				V: 1, Event: pos.Event, Type: d.Type, At: "2026-03-02T08:00:00.123456Z", Actor: d.Actor, Prev: pos.Prev, Cause: pos.Cause, Body: e.Body,
			}, e)
		})
	}
}

func TestFixBodyGolden(t *testing.T) {
	t.Parallel()
	bodies := map[casefile.EntryType]string{
		casefile.EntryFlagDropped:  `{"why":"other", "flag":"keyed-flag", "platform":"synthetic"}`,
		casefile.EntryViews:        `{"views":12,"refusals":3,"digest":"` + strings.Repeat("ab", 32) + `"}`,
		casefile.EntryPolicy:       `{"version":"sha256:rules","file":"routing.yaml"}`,
		casefile.EntryPeople:       `{"person":"p-one11111","roles":["reviewer","lead"],"active":true}`,
		casefile.EntrySwitch:       `{"switch":"acts/synthetic","on":false}`,
		casefile.EntryBreaker:      `{"rule":"weak-propaganda","breaker":"tripped","why":"count"}`,
		casefile.EntryBreakGlass:   `{"break_glass":"GLASS-1","what":"opened","person":"p-anna0000","case":"7K2QX-9MDT4","until":"2026-03-02T09:00:00.000000Z","justified":false}`,
		casefile.EntryHold:         `{"hold":"HOLD-1","what":"added","until":"2026-09-01T00:00:00.000000Z"}`,
		casefile.EntryErased:       `{"erasure":"ERASURE-1","account":"` + strings.Repeat("ab", 32) + `","cases":2,"flags":3,"objects":17}`,
		casefile.EntryRefusedStart: `{"kind":"Takedown","platform":"synthetic","thing":"DECISION-1","why":"mismatch"}`,
	}
	for typ, body := range bodies {
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			f, err := casefile.FixBody(typ, casefile.System, casefile.Position{Event: casefile.NewEventID(casefile.SystemChain, 9), Prev: strings.Repeat("ef", 32), At: then}, json.RawMessage(body))
			require.NoError(t, err)
			e := checkGolden(t, typ, f)
			require.JSONEq(t, body, string(e.Body))
		})
	}
	_, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{Event: "system/1"}, json.RawMessage(`{"weight":0.5}`))
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}

// TestFixEntryBindsEverything: whatever is changed of a draft, a position, the salts or the account,
// the entry is another. What it must not depend on leaves it as it is.
func TestFixEntryBindsEverything(t *testing.T) {
	t.Parallel()
	base := func() (casefile.Draft, casefile.Position, salts, casefile.AccountRef) {
		d := decision()
		draft := casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.Actor{Person: "p-one11111", Role: casefile.RoleReviewer}, Decision: &d}
		return draft, position(draft), "content key", account
	}
	build := func(t *testing.T, change func(*casefile.Draft, *casefile.Position, *salts, *casefile.AccountRef)) string {
		draft, pos, key, who := base()
		change(&draft, &pos, &key, &who)
		f, err := casefile.FixEntry(draft, pos, key, who)
		require.NoError(t, err)
		return f.Hash()
	}
	same := func(*casefile.Draft, *casefile.Position, *salts, *casefile.AccountRef) {}
	of := func(change func(*casefile.Decision)) func(*casefile.Draft, *casefile.Position, *salts, *casefile.AccountRef) {
		return func(d *casefile.Draft, _ *casefile.Position, _ *salts, _ *casefile.AccountRef) { change(d.Decision) }
	}
	changes := map[string]func(*casefile.Draft, *casefile.Position, *salts, *casefile.AccountRef){
		"actor": func(d *casefile.Draft, _ *casefile.Position, _ *salts, _ *casefile.AccountRef) {
			d.Actor.Person = "p-two22222"
		},
		"role": func(d *casefile.Draft, _ *casefile.Position, _ *salts, _ *casefile.AccountRef) {
			d.Actor.Role = casefile.RoleLead
		},
		"event": func(_ *casefile.Draft, p *casefile.Position, _ *salts, _ *casefile.AccountRef) {
			p.Event = "case.7K2QX-9MDT4/8"
		},
		"prev":  func(_ *casefile.Draft, p *casefile.Position, _ *salts, _ *casefile.AccountRef) { p.Prev = "" },
		"cause": func(_ *casefile.Draft, p *casefile.Position, _ *salts, _ *casefile.AccountRef) { p.Cause = "cd" },
		"time": func(_ *casefile.Draft, p *casefile.Position, _ *salts, _ *casefile.AccountRef) {
			p.At = p.At.Add(time.Microsecond)
		},
		"salts":                    func(_ *casefile.Draft, _ *casefile.Position, k *salts, _ *casefile.AccountRef) { *k = "another's" },
		"name":                     func(_ *casefile.Draft, _ *casefile.Position, _ *salts, a *casefile.AccountRef) { a.ID = "a-18" },
		"other platform's account": func(_ *casefile.Draft, _ *casefile.Position, _ *salts, a *casefile.AccountRef) { a.Platform = "x" },

		"decision":          of(func(d *casefile.Decision) { d.ID += "x" }),
		"case":              of(func(d *casefile.Decision) { d.Case = "00000-00000" }),
		"platform":          of(func(d *casefile.Decision) { d.Platform = "x" }),
		"action":            of(func(d *casefile.Decision) { d.Action = casefile.L6 }),
		"days":              of(func(d *casefile.Decision) { d.Days++ }),
		"policies":          of(func(d *casefile.Decision) { d.Policies = d.Policies[:1] }),
		"tier":              of(func(d *casefile.Decision) { d.EntityTier = casefile.E1 }),
		"mitigations":       of(func(d *casefile.Decision) { d.Mitigations = answers(casefile.M1) }),
		"by":                of(func(d *casefile.Decision) { d.DecidedBy = casefile.ByAdjudication }),
		"decided at":        of(func(d *casefile.Decision) { d.DecidedAt = d.DecidedAt.Add(time.Microsecond) }),
		"evidence revision": of(func(d *casefile.Decision) { d.EvidenceRevision++ }),
		"rule set":          of(func(d *casefile.Decision) { d.RuleSet = "" }),
		"fewer opinions":    of(func(d *casefile.Decision) { d.Opinions, d.OpinionEvents = d.Opinions[:1], d.OpinionEvents[:1] }),
		"opinions' order":   of(func(d *casefile.Decision) { d.Opinions[0], d.Opinions[1] = d.Opinions[1], d.Opinions[0] }),
		"opinion's event":   of(func(d *casefile.Decision) { d.OpinionEvents[0] = "case.7K2QX-9MDT4/2" }),
		"opinion's id":      of(func(d *casefile.Decision) { d.Opinions[0].ID += "x" }),
		"opinion's person":  of(func(d *casefile.Decision) { d.Opinions[0].Person = "p-three333" }),
		"opinion's role":    of(func(d *casefile.Decision) { d.Opinions[0].Role = casefile.RoleSenior }),
		"opinion's time":    of(func(d *casefile.Decision) { d.Opinions[0].At = then.Add(time.Microsecond) }),
		"opinion's action":  of(func(d *casefile.Decision) { d.Opinions[0].Action = casefile.L3 }),
		"opinion's days":    of(func(d *casefile.Decision) { d.Opinions[0].Days = 1 }),
		"opinion's policy":  of(func(d *casefile.Decision) { d.Opinions[0].Policies = []casefile.PolicyCode{casefile.VE01} }),
		"opinion's tier":    of(func(d *casefile.Decision) { d.Opinions[0].EntityTier = casefile.E4 }),
		"opinion's answers": of(func(d *casefile.Decision) { d.Opinions[0].Mitigations = answers(casefile.M8) }),
		"opinion's look":    of(func(d *casefile.Decision) { d.Opinions[0].EvidenceRevision = 1 }),
		"opinion's posts":   of(func(d *casefile.Decision) { d.Opinions[0].Relied = 1 }),
		"opinion's words":   of(func(d *casefile.Decision) { d.Opinions[0].Digest = "other" }),
		"opinion's notice":  of(func(d *casefile.Decision) { d.Opinions[0].Notice.Digest = "other" }),
		"no notice":         of(func(d *casefile.Decision) { d.Opinions[0].Notice = nil }),
	}
	want := build(t, same)
	seen := map[string]string{want: "nothing"}
	for name, change := range changes {
		got := build(t, change)
		require.NotContains(t, seen, got, "%s gives the entry of %s", name, seen[got])
		seen[got] = name
	}
	for name, change := range map[string]func(*casefile.Decision){
		"nanoseconds": func(d *casefile.Decision) { d.DecidedAt = d.DecidedAt.Truncate(time.Microsecond) },
		"time zone":   func(d *casefile.Decision) { d.DecidedAt = d.DecidedAt.UTC() },
		"keyed hash":  func(d *casefile.Decision) { d.Account = "rebuilt from the account itself" },
	} {
		require.Equal(t, want, build(t, of(change)), name)
	}
}

// TestEntriesHoldNobody: names and digests of an account's things stand in no entry, only
// commitments that its content key opens.
func TestEntriesHoldNobody(t *testing.T) {
	t.Parallel()
	for _, d := range drafts() {
		data := string(fix(t, d).Data)
		for _, word := range []string{account.ID, "digest-of", "address-of", "keyed-hash"} {
			require.NotContains(t, data, word, d.Type)
		}
	}
}

// TestOpinionsCommitmentOpens: the decision's entry holds what opens the opinion's entry.
func TestOpinionsCommitmentOpens(t *testing.T) {
	t.Parallel()
	d := decision()
	o := d.Opinions[0]
	opinionEntry, err := casefile.FixEntry(casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.System, Opinion: &o},
		casefile.Position{Event: d.OpinionEvents[0], At: then}, salts("content key"), account)
	require.NoError(t, err)
	var committed struct{ Body struct{ Commitment string } }
	require.NoError(t, json.Unmarshal(opinionEntry.Data, &committed))
	var opened struct {
		Body struct {
			Opinions []struct {
				Salt  []byte
				Codes json.RawMessage
			}
		}
	}
	require.NoError(t, json.Unmarshal(fix(t, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d}).Data, &opened))
	require.Len(t, opened.Body.Opinions, 2)
	first := opened.Body.Opinions[0]
	require.Equal(t, committed.Body.Commitment, casefile.Commit(first.Salt, first.Codes))
	require.NotEqual(t, committed.Body.Commitment, casefile.Commit(opened.Body.Opinions[1].Salt, first.Codes))
}

func TestFixEntryRefusesDraftsWithoutABody(t *testing.T) {
	t.Parallel()
	types := []casefile.EntryType{"", "unheard_of", casefile.EntryPolicy}
	for _, d := range drafts() {
		types = append(types, d.Type)
	}
	for _, typ := range types {
		_, err := casefile.FixEntry(casefile.Draft{Type: typ, Actor: casefile.System}, casefile.Position{Event: "system/1", At: then}, salts("k"), account)
		require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(err), "type %q", typ)
	}
	d := decision()
	d.OpinionEvents = d.OpinionEvents[:1]
	_, err := casefile.FixEntry(casefile.Draft{Type: casefile.EntryDecision, Decision: &d}, casefile.Position{Event: "system/1", At: then}, salts("k"), account)
	require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(err))
}

func TestParseEntryRefuses(t *testing.T) {
	t.Parallel()
	good := string(fix(t, drafts()[0]).Data)
	cases := map[string]string{
		"nothing":                       "",
		"not JSON":                      "{",
		"another kind":                  `[1]`,
		"a space":                       strings.Replace(good, `,"at"`, `, "at"`, 1),
		"a line feed behind":            good + "\n",
		"a second one behind":           good + good,
		"another order":                 strings.Replace(`{"v":1,`+good[1:], `,"v":1}`, `}`, 1),
		"an unknown field":              strings.Replace(good, `"v":1}`, `"v":1,"w":1}`, 1),
		"an unknown field of the actor": strings.Replace(good, `"role":"service"`, `"role":"service","x":1`, 1),
		"a field twice":                 strings.Replace(good, `"v":1}`, `"v":1,"v":1}`, 1),
		"a name in capitals":            strings.Replace(good, `"type"`, `"Type"`, 1),
		"an escape too many":            strings.Replace(good, `"service"`, `"s\u0065rvice"`, 1),
		"an empty cause":                strings.Replace(good, `,"event"`, `,"cause":"","event"`, 1),
		"no body":                       strings.Replace(good, good[strings.Index(good, `"body":`):strings.Index(good, `"event"`)], "", 1),
		"a fraction inside":             strings.Replace(good, `"evidence_revision":1`, `"evidence_revision":1.5`, 1),
		"an exponent inside":            strings.Replace(good, `"evidence_revision":1`, `"evidence_revision":1e0`, 1),
		"minus zero inside":             strings.Replace(good, `"evidence_revision":1`, `"evidence_revision":-0`, 1),
		"no UTF-8":                      strings.Replace(good, "keyed-flag", "keyed-\xfflag", 1),
		"half a surrogate":              strings.Replace(good, "keyed-flag", `keyed-\ud800`, 1),
		"another version":               strings.Replace(good, `"v":1}`, `"v":2}`, 1),
		"no chain":                      strings.Replace(good, `"event":"case.7K2QX-9MDT4/7"`, `"event":"7"`, 1),
		"a chain without name":          strings.Replace(good, `"event":"case.7K2QX-9MDT4/7"`, `"event":"/7"`, 1),
		"number zero":                   strings.Replace(good, `MDT4/7"`, `MDT4/0"`, 1),
		"a negative number":             strings.Replace(good, `MDT4/7"`, `MDT4/-7"`, 1),
		"a signed number":               strings.Replace(good, `MDT4/7"`, `MDT4/+7"`, 1),
		"a leading zero":                strings.Replace(good, `MDT4/7"`, `MDT4/07"`, 1),
		"a number too large":            strings.Replace(good, `MDT4/7"`, `MDT4/99999999999999999999"`, 1),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, good, data, "the case changes nothing")
			e, err := casefile.ParseEntry([]byte(data))
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			require.Zero(t, e)
		})
	}
}

// FuzzParseEntry: what is taken has one form only, and its event id too.
func FuzzParseEntry(f *testing.F) {
	for _, d := range drafts() {
		fixed, err := casefile.FixEntry(d, position(d), salts("content key"), account)
		require.NoError(f, err)
		f.Add(fixed.Data)
	}
	f.Add([]byte(`{"actor":{"role":""},"at":"","body":null,"event":"a/1","prev":"","type":"","v":1}`))
	f.Add([]byte(`{"actor":{"role":"x"},"at":"","body":{"\u00e9":"\ud800"},"event":"a/01","prev":"","type":"","v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := casefile.ParseEntry(data)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		again, err := casefile.Canonical(e)
		require.NoError(t, err)
		require.Equal(t, string(data), string(again))
		chain, seq, err := e.Event.Split()
		require.NoError(t, err)
		require.Equal(t, e.Event, casefile.NewEventID(chain, seq))
	})
}

// TestLogRestartedEntry: the entry that a log begins with which took another's place.
func TestLogRestartedEntry(t *testing.T) {
	t.Parallel()
	f, err := casefile.FixLogRestarted("RESTART-1", casefile.LogRestartedBody{
		Origin: "docket.example/log", Size: 1234, Root: strings.Repeat("cd", 32), Carried: 1200, CarriedRoot: strings.Repeat("ef", 32),
	}, then)
	require.NoError(t, err)
	e := checkGolden(t, casefile.EntryLogRestarted, f)
	require.Equal(t, casefile.EventID("log.RESTART-1/1"), e.Event)
	require.Equal(t, casefile.System, e.Actor)
	require.Empty(t, e.Prev)
}
