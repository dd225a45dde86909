package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/dryrun"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/workflows"
)

// patience bounds every wait of these tests; it is not a timing claim.
const patience = 60 * time.Second

// bed is a running standalone process inside the test.
type bed struct {
	*app
	t        testing.TB
	client   temporal.Client
	ledger   *ledger.Log
	platform *dryrun.Platform
	via      http.RoundTripper // for send; nil for the default
}

// testConfig is that of a start with short deadlines and files in dir.
func testConfig(dir string) options {
	return options{
		Data: dir, Listen: "127.0.0.1:0", Format: "auto", NoReplay: true, Fast: true, Out: io.Discard, LogWriter: io.Discard,
		Settings: workflows.Settings{Lease: time.Minute, Grace: 300 * time.Millisecond}, Routing: unsampled,
	}
}

func start(t *testing.T, cfg options) *bed {
	t.Helper()
	a, err := startApp(t.Context(), cfg)
	require.NoError(t, err)
	b := newBed(t, a)
	t.Cleanup(func() { require.NoError(t, a.stop(context.WithoutCancel(t.Context()))) })
	return b
}

func newBed(t testing.TB, a *app) *bed {
	t.Helper()
	cl, err := a.process.Temporal(t.Context())
	require.NoError(t, err)
	platform, err := a.process.Platform("")
	require.NoError(t, err)
	dry, _ := platform.(*dryrun.Platform) // nil where the test has another platform
	return &bed{app: a, t: t, client: cl, ledger: a.process.Ledger(), platform: dry}
}

// call sends a request as a person and decodes the answer; it returns the status.
func (b *bed) call(login, method, path string, body, out any) int {
	b.t.Helper()
	res := b.send(login, method, path, body)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	if out != nil {
		require.NoError(b.t, json.Unmarshal(data, out), "%s %s: %s", method, path, data)
	}
	return res.StatusCode
}

func (b *bed) send(login, method, path string, body any) *http.Response {
	b.t.Helper()
	var r io.Reader
	contentType := "application/json"
	switch x := body.(type) {
	case nil:
	case []byte:
		r, contentType = bytes.NewReader(x), "application/x-ndjson"
	default:
		data, err := json.Marshal(x)
		require.NoError(b.t, err)
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.baseURL+path, r)
	require.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer "+b.creds.token(login))
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := (&http.Client{Transport: b.via}).Do(req)
	require.NoError(b.t, err)
	return res
}

// testFlag is a mild, invented flag about account n.
func testFlag(id string, n int) casefile.Flag {
	return inventedFlag(id, fmt.Sprintf("acct-%d", n), fmt.Sprintf("invented_handle_%d", n), n)
}

// flag hands a flag in and waits for its case.
func (b *bed) flag(f casefile.Flag) casefile.CaseRef {
	b.t.Helper()
	var res intake.Result
	require.Equal(b.t, http.StatusAccepted, b.call(detectorLogin, http.MethodPost, "/v1/flags", f, &res))
	if res.Case == "" {
		key := b.keyring.Identity().Flag(f.Platform, f.ID)
		b.await(func() bool {
			row, err := b.records.Flag(b.t.Context(), key)
			require.NoError(b.t, err)
			res.Case = row.Case
			return row.Case != ""
		})
	}
	b.awaitCase(res.Case, func(c records.Case) bool { return c.State != casefile.StateNew })
	return res.Case
}

// await follows the change feed until ok.
func (b *bed) await(ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	changes := b.records.Changes(ctx)
	for !ok() {
		// The pause covers what the feed does not tell: it is a hint.
		if !records.WaitChange(ctx, changes, 100*time.Millisecond, records.ChangeCase, records.ChangeFlag, records.ChangeDecision, records.ChangeIndex) {
			require.Fail(b.t, "waited in vain")
		}
	}
}

func (b *bed) awaitCase(ref casefile.CaseRef, ok func(records.Case) bool) records.Case {
	b.t.Helper()
	var c records.Case
	b.await(func() bool {
		var err error
		c, err = b.records.Case(b.t.Context(), ref)
		require.NoError(b.t, err)
		return ok(c)
	})
	return c
}

func (b *bed) awaitDecision(id string, state casefile.DecisionState) records.DecisionRow {
	b.t.Helper()
	var d records.DecisionRow
	b.await(func() bool {
		var err error
		d, err = b.records.Decision(b.t.Context(), id)
		require.NoError(b.t, err)
		require.NotEqual(b.t, casefile.DecisionFailed, d.State, d.Why)
		return d.State == state
	})
	return d
}

// awaitNotice waits until the person concerned was told.
func (b *bed) awaitNotice(decision string) {
	b.t.Helper()
	b.await(func() bool {
		n, err := b.records.Notice(b.t.Context(), decision)
		require.NoError(b.t, err)
		return n.State == casefile.NoticeSent
	})
}

// form is a complete opinion.
func form(action casefile.Action, policy casefile.PolicyCode, relied ...string) casefile.OpinionForm {
	f := casefile.OpinionForm{Rationale: "[rationale of a test opinion]", Relied: relied}
	f.Action, f.Policies, f.EntityTier = action, []casefile.PolicyCode{policy}, casefile.E2
	f.Mitigations = map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		f.Mitigations[m] = casefile.AnswerNo
	}
	if action == casefile.L5 {
		f.Days = 30
	}
	return f
}

type opinionBody struct {
	casefile.OpinionForm
	Claim            int    `json:"claim"`
	EvidenceRevision int    `json:"evidence_revision"`
	Preview          string `json:"preview,omitempty"`
}

type problem struct {
	Status int            `json:"status"`
	Code   casefile.Code  `json:"code"`
	Field  string         `json:"field"`
	Detail string         `json:"detail"`
	Faults []review.Fault `json:"faults"`
}

// decide claims a case and gives an opinion.
func (b *bed) decide(login string, ref casefile.CaseRef, f casefile.OpinionForm) review.VerbAnswer {
	b.t.Helper()
	var claimed, given review.VerbAnswer
	require.Equal(b.t, http.StatusOK, b.call(login, http.MethodPost, "/v1/cases/"+string(ref)+"/claim", nil, &claimed))
	body := opinionBody{OpinionForm: f, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision}
	require.Equal(b.t, http.StatusOK, b.call(login, http.MethodPost, "/v1/cases/"+string(ref)+"/opinion", body, &given))
	return given
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		_, err = os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
}
