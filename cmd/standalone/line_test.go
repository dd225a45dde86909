package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/workflows"
)

// TestLine goes the whole way once: flag, queue, claim, a refused and a good opinion, proof,
// takedown, notice, closed case.
func TestLine(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-line", 1)
	ref := b.flag(f)

	var next struct{ Claimed *review.VerbAnswer }
	queue := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued }).Route.Queue
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, "/v1/queues/"+queue+"/next", nil, &next))
	require.Equal(t, ref, next.Claimed.Case)

	var view review.CaseView
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodGet, "/v1/cases/"+string(ref), nil, &view))
	require.Equal(t, "invented_handle_1", view.Handle)
	require.Empty(t, view.Missing)
	require.Len(t, view.Evidence, 1)
	require.True(t, view.Mine)
	require.Len(t, view.Findings, 6)

	post := f.Evidence[0].ID
	body := opinionBody{OpinionForm: form(casefile.L5, casefile.VE08, post), Claim: view.Claim.Number, EvidenceRevision: view.EvidenceRevision}
	delete(body.Mitigations, casefile.M3)
	var bad problem
	require.Equal(t, http.StatusUnprocessableEntity, b.call("rev1", http.MethodPost, "/v1/cases/"+string(ref)+"/opinion", body, &bad))
	require.Equal(t, "mitigations.M3", bad.Field)
	body.Mitigations[casefile.M3] = casefile.AnswerNo

	var preview review.Preview
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, "/v1/cases/"+string(ref)+"/preview", body.OpinionForm, &preview))
	require.Empty(t, preview.Faults)
	require.Contains(t, preview.Notice, string(ref), "the case number stands on the notice")
	body.Preview = preview.Token
	var given review.VerbAnswer
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, "/v1/cases/"+string(ref)+"/opinion", body, &given))
	require.NotEmpty(t, given.Decision)

	d := b.awaitDecision(given.Decision, casefile.DecisionDone)
	closed := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	require.Equal(t, casefile.CloseDecided, closed.CloseReason)

	key, err := b.keyring.LogVerifierKey()
	require.NoError(t, err)
	entry, err := verify.Bundle(*d.Bundle, key)
	require.NoError(t, err)
	require.Equal(t, casefile.EntryDecision, entry.Type)
	report, err := verify.Log(t.Context(), verify.Dir(b.folder.path("ledger")), key, verify.Options{})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Faults)

	b.awaitNotice(given.Decision)
	acts, notices := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{"suspend"}, acts)
	require.Equal(t, []string{preview.Notice}, notices, "the notice sent is the one previewed, byte for byte")

	strikes, err := b.records.Strikes(t.Context(), closed.Account, closed.OpenedAt)
	require.NoError(t, err)
	require.Len(t, strikes, 1)

	for _, q := range []string{string(ref), strings.ToLower(strings.ReplaceAll(string(ref), "-", "")), f.Account.ID, f.Account.Handle} {
		var page review.CasePage
		b.await(func() bool {
			require.Equal(t, http.StatusOK, b.call("rev2", http.MethodPost, "/v1/cases/search", review.Query{Text: q}, &page))
			return len(page.Cases) == 1
		})
		require.Equal(t, ref, page.Cases[0].Case, q)
	}
	noWords(t, b, f)
}

// platformFile reads what the dry-run platform did: the kinds of acts and the texts of notices.
func platformFile(t *testing.T, path string) (acts, notices []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range bytes.Lines(data) {
		var row struct {
			Act    *struct{ Kind string }
			Notice *struct{ Text string }
		}
		require.NoError(t, json.Unmarshal(line, &row))
		if row.Act != nil {
			acts = append(acts, row.Act.Kind)
		}
		if row.Notice != nil {
			notices = append(notices, row.Notice.Text)
		}
	}
	return acts, notices
}

// noWords checks promise 10 on the files of a run: nobody's words, handle or id outside the sealed
// store, the index and the platform's own file.
func noWords(t *testing.T, b *bed, f casefile.Flag) {
	t.Helper()
	for _, name := range []string{"records.sqlite", "records.sqlite-wal", "ledger", "temporal", "detector.snapshot", "evidence", "docket.log"} {
		for path, data := range readAll(t, b.folder.path(name)) {
			for _, word := range []string{f.Account.Handle, f.Account.ID, f.Evidence[0].Text, f.Evidence[0].ID, "rationale of a test opinion"} {
				require.NotContains(t, string(data), word, path)
			}
		}
	}
}

// TestPromise02SameFlagAgain: the same id again changes nothing, ever; the same id with other
// content is refused.
func TestPromise02SameFlagAgain(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-same", 1)
	ref := b.flag(f)
	require.Equal(t, ref, b.flag(f))
	other := f
	other.Reasons = []casefile.Reason{{Rule: "another", Policy: casefile.VE07, Weight: 1}}
	var p problem
	require.Equal(t, http.StatusConflict, b.call(detectorLogin, http.MethodPost, "/v1/flags", other, &p))

	second := testFlag("f-second", 1)
	require.Equal(t, ref, b.flag(second), "a new flag of the account joins its open case")
	c := b.awaitCase(ref, func(c records.Case) bool { return c.EvidenceRevision == 2 })
	require.Equal(t, 2, c.Flags)

	given := b.decide("rev1", ref, form(casefile.L0, casefile.VE00))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	require.Equal(t, ref, b.flag(f), "after the case closed, the same flag still gets the same answer")
	cases, err := b.records.AccountCases(t.Context(), c.Account)
	require.NoError(t, err)
	require.Len(t, cases, 1)

	third := b.flag(testFlag("f-third", 1))
	require.NotEqual(t, ref, third, "a new claim opens the account's next case")
	again, err := b.records.Case(t.Context(), third)
	require.NoError(t, err)
	require.Equal(t, 2, again.Ordinal)
	require.Equal(t, ref, again.Previous)
}

// TestPromise03FiftyCallers: fifty callers at once get fifty different cases.
func TestPromise03FiftyCallers(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	const callers = 50
	var lines bytes.Buffer
	for n := range callers {
		data, err := json.Marshal(testFlag(fmt.Sprintf("f-%d", n), n))
		require.NoError(t, err)
		lines.Write(append(data, '\n'))
	}
	lines.WriteString("not a flag\n")
	res := b.send(detectorLogin, http.MethodPost, "/v1/flags", lines.Bytes())
	var answers bytes.Buffer
	_, err := answers.ReadFrom(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, callers+1, strings.Count(answers.String(), "\n"), "one answer a line")
	require.Equal(t, 1, strings.Count(answers.String(), `"error"`), "the bad line spoils no other")

	var queue string
	b.await(func() bool {
		queues, err := b.records.Queues(t.Context())
		require.NoError(t, err)
		for _, q := range queues {
			if q.Waiting == callers {
				queue = q.Queue
			}
		}
		return queue != ""
	})
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[casefile.CaseRef]bool{}
	for n := range callers {
		wg.Go(func() {
			caller := client.Client{Base: b.baseURL, Token: b.creds.token([]string{"rev1", "rev2", "rev3"}[n%3])}
			var next review.VerbAnswer
			b.await(func() bool {
				// A call that took too long on a busy machine is asked again under its key: what came of the
				// first is the answer.
				a, ok, err := caller.Next(t.Context(), queue, fmt.Sprintf("caller-%d", n))
				next = a
				return !assert.NoError(t, unlessUnknown(err)) || err == nil && assert.True(t, ok)
			})
			mu.Lock()
			defer mu.Unlock()
			got[next.Case] = true
		})
	}
	wg.Wait()
	require.Len(t, got, callers)
}

// unlessUnknown is the error, unless it says that what came of the call is not known.
func unlessUnknown(err error) error {
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return nil
	}
	return err
}

// TestContinueAsNewOnTheServer: verbs go on after a drained continue-as-new, and their ids still count once.
func TestContinueAsNewOnTheServer(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-can", 1)
	ref := b.flag(f)
	id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	first, err := b.client.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	require.NoError(t, b.client.SignalWorkflow(t.Context(), id, "", workflows.SignalContinue, nil))
	b.await(func() bool {
		now, err := b.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		return now.WorkflowExecutionInfo.Execution.RunId != first.WorkflowExecutionInfo.Execution.RunId
	})
	given := b.decide("rev1", ref, form(casefile.L1, casefile.VE12, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	require.Equal(t, casefile.StateClosed, b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed }).State)
}

// TestPlatformDownHoldsUpNobody: the case closes and reviewers go on while the platform is down.
func TestPlatformDownHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	b.platform.SetDown(true)
	f := testFlag("f-down", 1)
	ref := b.flag(f)
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	second := testFlag("f-other", 2)
	other := b.flag(second)
	done := b.decide("rev1", other, form(casefile.L0, casefile.VE00))
	b.awaitDecision(done.Decision, casefile.DecisionDone)
	d, err := b.records.Decision(t.Context(), given.Decision)
	require.NoError(t, err)
	require.Contains(t, []casefile.DecisionState{casefile.DecisionRecorded, casefile.DecisionExecuting}, d.State)
	b.platform.SetDown(false)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
}

// TestReopen: a senior reopens a closed case; the new one brings the evidence of the old file.
func TestReopen(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-reopen", 1)
	ref := b.flag(f)
	given := b.decide("rev1", ref, form(casefile.L0, casefile.VE00))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	var p problem
	require.Equal(t, http.StatusForbidden, b.call("rev1", http.MethodPost, "/v1/cases/"+string(ref)+"/reopen", nil, &p))
	require.Less(t, b.call("senior", http.MethodPost, "/v1/cases/"+string(ref)+"/reopen", nil, nil), 300)
	row, err := b.records.Case(t.Context(), ref)
	require.NoError(t, err)
	var fresh records.Case
	b.await(func() bool {
		cases, err := b.records.AccountCases(t.Context(), row.Account)
		require.NoError(t, err)
		if len(cases) == 2 {
			fresh = cases[0]
		}
		return fresh.State == casefile.StateQueued
	})
	require.Equal(t, 2, fresh.Ordinal)
	var view review.CaseView
	require.Equal(t, http.StatusOK, b.call("rev2", http.MethodGet, "/v1/cases/"+string(fresh.Ref), nil, &view))
	require.Len(t, view.Evidence, 1)
	require.Equal(t, f.Evidence[0].Text, view.Evidence[0].Event.Text)
}

// TestLostRunGoesOn: a case whose workflow was terminated is taken up again by the account's next
// flag: the same case, the chain on the ledger unbroken.
func TestLostRunGoesOn(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-lost", 1)
	ref := b.flag(f)
	b.awaitEntries(casefile.CaseChain(ref), 2)
	id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	require.NoError(t, b.client.TerminateWorkflow(t.Context(), id, "", "a test"))
	require.Equal(t, ref, b.flag(testFlag("f-found", 1)))
	b.awaitCase(ref, func(c records.Case) bool { return c.EvidenceRevision == 2 })
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	key, err := b.keyring.LogVerifierKey()
	require.NoError(t, err)
	report, err := verify.Log(t.Context(), verify.Dir(b.folder.path("ledger")), key, verify.Options{})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Faults)
}

// awaitEntries waits until a chain has so many entries on the ledger.
func (b *bed) awaitEntries(chain string, n int) {
	b.t.Helper()
	b.await(func() bool {
		_, err := b.ledger.Receipt(b.t.Context(), casefile.NewEventID(chain, n))
		return err == nil
	})
}

// TestFloodOfOneAccount: hundreds of flags of one account at once all come to stand in its one case.
func TestFloodOfOneAccount(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	const flags = 300
	var lines bytes.Buffer
	for n := range flags {
		data, err := json.Marshal(testFlag(fmt.Sprintf("f-flood-%d", n), 1))
		require.NoError(t, err)
		lines.Write(append(data, '\n'))
	}
	began := time.Now().Add(-time.Minute)
	res := b.send(detectorLogin, http.MethodPost, "/v1/flags", lines.Bytes())
	_, err := io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	stats, err := b.awaitQueued(t.Context(), began)
	require.NoError(t, err)
	require.Equal(t, flags, stats.Flags)
	require.Equal(t, 1, stats.Cases)
	account := b.keyring.Identity().Account(casefile.AccountRef{Platform: "synthetic", ID: "acct-1"})
	cases, err := b.records.AccountCases(t.Context(), account)
	require.NoError(t, err)
	require.Len(t, cases, 1)
	b.awaitCase(cases[0].Ref, func(c records.Case) bool { return c.EvidenceRevision == flags && c.Flags == flags })
}

// TestTemporalDown: 503 with Retry-After while the engine is away, and nothing accepted is lost.
func TestTemporalDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := startApp(t.Context(), testConfig(dir))
	require.NoError(t, err)
	b := newBed(t, a)
	require.NoError(t, b.temporal.Stop())
	f := testFlag("f-away", 1)
	res := b.send(detectorLogin, http.MethodPost, "/v1/flags", f)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, b.call(detectorLogin, http.MethodGet, "/readyz", nil, nil))
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))

	again := start(t, testConfig(dir))
	ref := again.flag(f)
	require.NotEmpty(t, ref)
}
