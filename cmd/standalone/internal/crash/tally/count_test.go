package tally

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/ledger/verify"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	caseA = casefile.CaseRef("AAAAA-00001")
	caseB = casefile.CaseRef("BBBBB-00001")
)

// world is a whole and quiet run in small: one case decided by two acts, appealed and taken back, one
// closed without a decision, one withdrawn.
type world struct {
	Facts
	t    *testing.T
	seqs map[string]int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, seqs: map[string]int{}}
	w.accept("f1", "acct-1", caseA)
	w.accept("f2", "acct-1", caseA)
	w.accept("f3", "acct-2", caseB)
	w.entry(casefile.CaseChain(caseA), casefile.EntryFlagAccepted, map[string]any{"flag": "key-f1"})
	w.entry(casefile.CaseChain(caseA), casefile.EntryFlagAccepted, map[string]any{"flag": "key-f2"})
	w.entry(casefile.CaseChain(caseB), casefile.EntryFlagAccepted, map[string]any{"flag": "key-f3"})
	w.entry(casefile.CaseChain(caseA), casefile.EntryOpinion, map[string]any{"commitment": "c1"})
	w.entry(casefile.CaseChain(caseA), casefile.EntryOpinion, map[string]any{"commitment": "c2"})
	w.Verbs = append(w.Verbs,
		Verb{Verb: VerbOpinion, Case: caseA, Decision: "D0"}, Verb{Verb: VerbWithdraw, Case: caseA, Decision: "D0"},
		Verb{Verb: VerbOpinion, Case: caseA, Decision: "D1", Action: casefile.L6})
	w.entry(casefile.CaseChain(caseA), casefile.EntryDecision, map[string]any{
		"decision": "D1", "case": caseA, "platform": "keeps", "action": casefile.L6,
	})
	w.entry(casefile.CaseChain(caseA), casefile.EntryClosed, map[string]any{"reason": "decided"})
	plan := []map[string]any{{"number": 1, "kind": "terminate", "until": nil}, {"number": 2, "kind": "block_identifiers", "until": nil}}
	w.entry(casefile.TakedownChain("D1"), casefile.EntryActsPlanned, map[string]any{"decision": "D1", "acts": plan})
	w.act("D1/1/do", webhook.TypeDo, casefile.ActTerminate)
	w.act("D1/2/do", webhook.TypeDo, casefile.ActBlockIdentifiers)
	w.entry(casefile.TakedownChain("D1"), casefile.EntryActsOutcome, outcomes(casefile.Do))
	w.notice("N1")
	w.entry(casefile.TakedownChain("D1"), casefile.EntryNotice, map[string]any{"number": "N1", "decision": "D1", "state": "sent"})
	w.entry(casefile.CaseChain(caseB), casefile.EntryClosed, map[string]any{"reason": "out_of_scope"})
	w.Verbs = append(w.Verbs, Verb{Verb: VerbClose, Case: caseB}, Verb{Verb: VerbAppeal, Appeal: "A1"},
		Verb{Verb: VerbRule, Appeal: "A1", Outcome: casefile.OutcomeUpheld})
	w.entry(casefile.AppealChain("A1"), casefile.EntryAppealOpened, map[string]any{"appeal": "A1", "decision": "D1"})
	w.entry(casefile.AppealChain("A1"), casefile.EntryAppealRuling, map[string]any{"appeal": "A1", "decision": "D1", "outcome": "upheld"})
	slices.Reverse(plan)
	w.entry(casefile.ReinstatementChain("A1"), casefile.EntryActsPlanned, map[string]any{"decision": "D1", "acts": plan})
	w.act("D1/2/undo", webhook.TypeUndo, casefile.ActBlockIdentifiers)
	w.act("D1/1/undo", webhook.TypeUndo, casefile.ActTerminate)
	w.entry(casefile.ReinstatementChain("A1"), casefile.EntryActsOutcome, outcomes(casefile.Undo))
	w.notice("N2")
	w.entry(casefile.ReinstatementChain("A1"), casefile.EntryNotice, map[string]any{"number": "N2", "decision": "D1", "state": "sent"})
	return w
}

func outcomes(dir casefile.Direction) map[string]any {
	return map[string]any{"decision": "D1", "direction": dir, "outcomes": []map[string]any{
		{"number": 1, "kind": "terminate", "state": "done", "reference": "r1"},
		{"number": 2, "kind": "block_identifiers", "state": "done", "reference": "r2"},
	}}
}

func (w *world) accept(id, account string, ref casefile.CaseRef) {
	w.Accepted = append(w.Accepted, Accepted{Platform: "keeps", ID: id, Key: casefile.FlagKey("key-" + id), Account: account, Case: ref})
}

func (w *world) entry(chain string, typ casefile.EntryType, body any) {
	data, err := json.Marshal(body)
	require.NoError(w.t, err)
	w.seqs[chain]++
	w.Entries = append(w.Entries, verify.TailEntry{
		Index: uint64(len(w.Entries)), Hash: fmt.Sprint(len(w.Entries)),
		Entry: casefile.Entry{Event: casefile.NewEventID(chain, w.seqs[chain]), Type: typ, At: at.Format(casefile.TimeFormat), Body: data},
	})
}

func (w *world) line(m webhook.Message) {
	w.Platform = append(w.Platform, receiver.Line{At: at.Add(time.Second), Reference: fmt.Sprint("r", len(w.Platform)), Message: m})
}

func (w *world) act(key string, typ webhook.Type, kind casefile.ActKind) {
	w.line(webhook.Message{Type: typ, Key: key, Account: casefile.AccountRef{Platform: "keeps", ID: "acct-1"}, Act: &webhook.Act{Kind: kind, Case: caseA}})
}

func (w *world) notice(number string) {
	w.line(webhook.Message{Type: webhook.TypeDeliver, Key: number + "/notice", Notice: &webhook.Notice{Case: caseA}})
}

// drop takes the entries of a type away from a chain.
func (w *world) drop(chain string, typ casefile.EntryType) {
	before := len(w.Entries)
	w.Entries = slices.DeleteFunc(w.Entries, func(e verify.TailEntry) bool {
		in, _, err := e.Entry.Event.Split()
		return err == nil && in == chain && e.Entry.Type == typ
	})
	require.Less(w.t, len(w.Entries), before)
}

func (w *world) undone(key string) {
	before := len(w.Platform)
	w.Platform = slices.DeleteFunc(w.Platform, func(l receiver.Line) bool { return l.Message.Key == key })
	require.Less(w.t, len(w.Platform), before)
}

// TestCount: a run as it should be counts nothing, and each thing that must not be is counted as what it
// is.
func TestCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doctor func(w *world)
		want   func(r Report) int
	}{
		"a flag's entry is lost":      {func(w *world) { w.drop(casefile.CaseChain(caseB), casefile.EntryFlagAccepted) }, func(r Report) int { return r.FlagsLost }},
		"an accepted flag is nowhere": {func(w *world) { w.accept("f9", "acct-9", "") }, func(r Report) int { return r.FlagsLost }},
		"a flag in two cases": {func(w *world) {
			w.entry(casefile.CaseChain(caseB), casefile.EntryFlagAccepted, map[string]any{"flag": "key-f1"})
		}, func(r Report) int { return r.CasesDoubled }},
		"a flag in another case than was answered": {func(w *world) { w.Accepted[0].Case = caseB }, func(r Report) int { return r.CasesDoubled }},
		"two open cases of an account":             {func(w *world) { w.Accepted[2].Account = "acct-1" }, func(r Report) int { return r.CasesDoubled }},
		"a decision's entry is lost":               {func(w *world) { w.drop(casefile.CaseChain(caseA), casefile.EntryDecision) }, func(r Report) int { return r.DecisionsLost }},
		"a decision is nowhere":                    {func(w *world) { w.Verbs = append(w.Verbs, Verb{Verb: VerbSeen, Case: caseA, Decision: "D9"}) }, func(r Report) int { return r.DecisionsLost }},
		"a withdrawn decision is carried on": {func(w *world) {
			w.entry(casefile.CaseChain(caseA), casefile.EntryDecision, map[string]any{"decision": "D0", "case": caseA, "platform": "keeps", "action": casefile.L0})
		}, func(r Report) int { return r.DecisionsRevived }},
		"an opinion is lost": {func(w *world) { w.drop(casefile.CaseChain(caseA), casefile.EntryOpinion) }, func(r Report) int { return r.VerbsLost }},
		"a closing is lost":  {func(w *world) { w.drop(casefile.CaseChain(caseB), casefile.EntryClosed) }, func(r Report) int { return r.VerbsLost }},
		"an appeal is lost":  {func(w *world) { w.drop(casefile.AppealChain("A1"), casefile.EntryAppealOpened) }, func(r Report) int { return r.VerbsLost }},
		"a ruling is lost":   {func(w *world) { w.drop(casefile.AppealChain("A1"), casefile.EntryAppealRuling) }, func(r Report) int { return r.VerbsLost }},
		"a settlement is lost": {func(w *world) {
			w.Verbs = append(w.Verbs, Verb{Verb: VerbSettle, Decision: "D1", Number: 2, Direction: casefile.Do, State: casefile.ActFailed})
		}, func(r Report) int { return r.VerbsLost }},
		"an act twice":                {func(w *world) { w.act("D1/1/do", webhook.TypeDo, casefile.ActTerminate) }, func(r Report) int { return r.ActsDoubled }},
		"an act twice, by other keys": {func(w *world) { w.act("D1/3/do", webhook.TypeDo, casefile.ActTerminate) }, func(r Report) int { return r.ActsDoubled }},
		"a notice twice":              {func(w *world) { w.notice("N1") }, func(r Report) int { return r.ActsDoubled }},
		"an act of no decision":       {func(w *world) { w.act("D7/1/do", webhook.TypeDo, casefile.ActWarn) }, func(r Report) int { return r.ActsWithoutEntry }},
		"an act of another case":      {func(w *world) { w.Platform[0].Message.Act.Case = caseB }, func(r Report) int { return r.ActsWithoutEntry }},
		"an act before its decision":  {func(w *world) { w.Platform[0].At = at.Add(-time.Second) }, func(r Report) int { return r.ActsWithoutEntry }},
		"an act of another kind":      {func(w *world) { w.Platform[0].Message.Act.Kind = casefile.ActSuspend }, func(r Report) int { return r.ActsWithoutEntry }},
		"a plan's entry is lost":      {func(w *world) { w.drop(casefile.TakedownChain("D1"), casefile.EntryActsPlanned) }, func(r Report) int { return r.ActsWithoutEntry }},
		"an outcome's entry is lost":  {func(w *world) { w.drop(casefile.TakedownChain("D1"), casefile.EntryActsOutcome) }, func(r Report) int { return r.ActsWithoutEntry }},
		"a reverse that nobody ruled": {func(w *world) { w.drop(casefile.AppealChain("A1"), casefile.EntryAppealRuling) }, func(r Report) int { return r.ActsWithoutEntry }},
		"a notice of no entry":        {func(w *world) { w.notice("N9") }, func(r Report) int { return r.ActsWithoutEntry }},
		"a done act that was not":     {func(w *world) { w.undone("D1/2/do") }, func(r Report) int { return r.EntriesWithoutAct }},
		"a sent notice that was not":  {func(w *world) { w.undone("N1/notice") }, func(r Report) int { return r.EntriesWithoutAct }},
		"a receipt of no entry":       {func(w *world) { w.Verbs = append(w.Verbs, Verb{Verb: VerbRefer, Event: "case.AAAAA-00001/99"}) }, func(r Report) int { return r.ReceiptsUnproven }},
		"a proof that does not hold":  {func(w *world) { w.Verbs = append(w.Verbs, Verb{Verb: VerbProof, Bundle: &casefile.Bundle{}}) }, func(r Report) int { return r.ReceiptsUnproven }},
		"a fault of the ledger":       {func(w *world) { w.Faults = []string{"checkpoint: not signed"} }, func(r Report) int { return r.LedgerFaults }},
		"a takedown without its end":  {func(w *world) { w.drop(casefile.TakedownChain("D1"), casefile.EntryNotice) }, func(r Report) int { return r.Unfinished }},
		"a reinstatement without it":  {func(w *world) { w.drop(casefile.ReinstatementChain("A1"), casefile.EntryActsOutcome) }, func(r Report) int { return r.Unfinished }},
		"a decided case without it":   {func(w *world) { w.drop(casefile.CaseChain(caseA), casefile.EntryClosed) }, func(r Report) int { return r.Unfinished }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r, err := Count(w.Facts)
			require.NoError(t, err)
			require.True(t, r.Clean(), r.Findings)
			require.Equal(t, 3, r.FlagsAccepted)
			c.doctor(w)
			r, err = Count(w.Facts)
			require.NoError(t, err)
			require.Positive(t, c.want(r), r.Findings)
			require.False(t, r.Clean())
			require.NotEmpty(t, r.Findings)
		})
	}
}

// TestTimedActsEnd: a timed act may be taken back when its time has come, and not before.
func TestTimedActsEnd(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"in time": false, "too early": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			until := at.Add(time.Second)
			if early {
				until = at.Add(time.Hour)
			}
			w.entry(casefile.CaseChain(caseB), casefile.EntryDecision, map[string]any{"decision": "D2", "case": caseB, "platform": "keeps", "action": casefile.L3})
			w.entry(casefile.TakedownChain("D2"), casefile.EntryActsPlanned, map[string]any{"decision": "D2", "acts": []map[string]any{{"number": 1, "kind": "limit", "until": until}}})
			for _, dir := range []casefile.Direction{casefile.Do, casefile.Undo} {
				typ := webhook.TypeDo
				if dir == casefile.Undo {
					typ = webhook.TypeUndo
				}
				w.line(webhook.Message{Type: typ, Key: "D2/1/" + string(dir), Account: casefile.AccountRef{Platform: "keeps"}, Act: &webhook.Act{Kind: casefile.ActLimit, Case: caseB}})
				w.entry(casefile.TakedownChain("D2"), casefile.EntryActsOutcome, map[string]any{"decision": "D2", "direction": dir, "outcomes": []map[string]any{{"number": 1, "kind": "limit", "state": "done"}}})
			}
			w.notice("N3")
			w.entry(casefile.TakedownChain("D2"), casefile.EntryNotice, map[string]any{"number": "N3", "decision": "D2", "state": "sent"})
			r, err := Count(w.Facts)
			require.NoError(t, err)
			require.Equal(t, early, r.ActsWithoutEntry == 1, r.Findings)
			require.Equal(t, !early, r.Clean(), r.Findings)
		})
	}
}

// TestReadLines: a line that was cut off was never answered for; one that is damaged is not passed over.
func TestReadLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accepted.ndjson")
	require.NoError(t, os.WriteFile(path, []byte(`{"platform":"keeps","id":"f1","key":"k1","account":"a1"}`+"\n"+`{"platform":"keeps","i`), 0o600))
	lines, err := readLines[Accepted](path)
	require.NoError(t, err)
	require.Equal(t, []Accepted{{Platform: "keeps", ID: "f1", Key: "k1", Account: "a1"}}, lines)
	require.NoError(t, os.WriteFile(path, []byte("{\n"), 0o600))
	_, err = readLines[Accepted](path)
	require.ErrorContains(t, err, "line 1")
	_, err = readLines[Accepted](path + ".none")
	require.Error(t, err)
}
