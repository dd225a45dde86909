package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/worker/codec"
)

// kept are marks in what is kept: the page of the case shows each of them to whoever may see it.
var kept = []string{
	"account id", "handle", "display name", "bio", "post id", "text", "URL", "media URL", "mention", "detector", "detector version", "rule", "detail",
	"comment", "hand-over", "escalation", "deadline", "forced release", "referral", "rationale",
}

// passing are marks in what comes by: it goes into a seal, or nowhere.
var passing = []string{
	"flag id", "language", "reply", "history", "withdrawn rationale", "complaint", "ruling", "broken glass", "pause", "resume", "automation", "hold", "settling",
	"query", "bad query", "purpose", "verb's key", "user agent", "referer", "forwarded", "baggage", "cookie", "query string", "path", "queue", "method", "token", "login",
	"malformed flag", "malformed verb", "unknown field", "wrong type", "other account",
}

// marksOf gives each place a word of its own.
func marksOf(places ...[]string) map[string]string {
	out := map[string]string{}
	for _, where := range slices.Concat(places...) {
		out[where] = markStem + strings.NewReplacer(" ", "", "-", "", "'", "").Replace(strings.ToLower(where)) + "kea"
	}
	return out
}

// hunt is a whole Docket of which everything that it writes and says is kept.
type hunt struct {
	*bed
	t     *testing.T
	marks map[string]string
	log   safeBuffer
	told  told
	mails mailSink
	spans *tracetest.InMemoryExporter

	indexDown, scorerPanics, scorerFails atomic.Bool
	platformFails                        atomic.Int32

	mu      sync.Mutex
	answers map[string][]byte // what people without the right were told, by what they asked
}

// TestPromise10Canaries takes an account through everything that may happen to it, with failures that quote
// it all along the way, and then looks for its words, its names and its handles, and those of everybody who
// wrote about it, in every byte that Docket wrote or said outside the sealed store and the index.
func TestPromise10Canaries(t *testing.T) {
	t.Parallel()
	h := startHunt(t)
	ref := h.live()

	var view json.RawMessage
	require.Equal(t, http.StatusOK, h.call("lead", http.MethodGet, "/v1/cases/"+string(ref), nil, &view))
	shown := newFinder(h.marks).find(view)
	require.Subset(t, shown, kept, "what the case's page does not show was not kept, and its absence elsewhere proves nothing")
	files := readAll(t, h.folder.path("index.sqlite"))
	for path, data := range readAll(t, h.folder.path("index.sqlite-wal")) {
		files[path] = data
	}
	require.Subset(t, h.found(files), []string{"handle", "display name", "text"})

	require.Empty(t, h.found(h.places()), "words outside the sealed store and the index")
	t.Run("planted", h.plant)
	require.NoError(t, h.stop(context.WithoutCancel(t.Context())))
	require.Empty(t, slices.DeleteFunc(h.found(h.folderFiles()), func(name string) bool { return name == "verb's key" }), "after a stop, but for what was planted")
}

// startHunt starts a Docket on whose every side somebody listens, or fails aloud.
func startHunt(t *testing.T) *hunt {
	h := &hunt{t: t, marks: marksOf(kept, passing), spans: tracetest.NewInMemoryExporter(), answers: map[string][]byte{}}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(h.spans), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })

	cfg := testConfig(filepath.Join(t.TempDir(), "data"))
	require.NoError(t, os.Mkdir(cfg.Data, 0o700))
	cfg.LogWriter = &h.log
	cfg.Routing = rulesFile(t, "48h", "")
	cfg.Settings.Grace = 4 * time.Second
	conf, _, _ := platform(t, false, false)
	cfg.Platforms = []config.Platform{h.quotingPlatform(conf)}
	cfg.Telling = h.listen(h.told.listen(t))
	cfg.Prepare = func(p *assembly.Process) {
		p.Seams.Index = func(x indexing.Index) indexing.Index { return quotingIndex{x, &h.indexDown} }
		p.Seams.Scorer = func(s classify.Scorer) classify.Scorer { return quotingScorer{s, h} }
	}
	h.bed = start(t, cfg)
	h.via = marked{h}
	return h
}

// live is a life with every verb, every failure and every refusal in it; it gives the case that it was about.
func (h *hunt) live() casefile.CaseRef {
	t := h.t
	h.malformedFlags()
	f := h.flagOf("flag id")
	index, err := h.process.Index(t.Context())
	require.NoError(t, err)
	old := f.Evidence[0]
	old.ID, old.Text = "old-post", "[words] "+h.marks["history"]
	_, err = index.PutPosts(t.Context(), []indexing.Post{{Event: old, Account: h.keyring.Identity().Account(f.Ref())}})
	require.NoError(t, err)

	// The case is looked into while the index is down, and by a scorer that panics and then fails, quoting.
	h.indexDown.Store(true)
	h.scorerPanics.Store(true)
	h.scorerFails.Store(true)
	var res struct{ Case casefile.CaseRef }
	require.Equal(t, http.StatusAccepted, h.call(detectorLogin, http.MethodPost, "/v1/flags?"+h.marks["query string"]+"=1", f, &res))
	h.await(func() bool { return !h.scorerPanics.Load() })
	h.search("query", http.StatusServiceUnavailable)
	ref := h.flag(f)
	h.indexDown.Store(false)
	h.await(func() bool {
		left, err := h.records.IndexChanges(t.Context(), 1)
		require.NoError(t, err)
		return len(left) == 0
	})
	h.search("query", http.StatusOK)
	h.search("handle", http.StatusOK)
	h.search("bad query", http.StatusOK)

	address := "/v1/cases/" + string(ref)
	h.verbs(ref, address)
	h.malformedVerbs(ref, address)
	decision := h.decided(ref, address)
	h.unauthorised(ref, decision)
	h.appealed(decision)
	h.commandLine(ref)
	h.await(func() bool { return h.told.of("case.threat") && h.told.of("act.uncertain") && h.mails.count() > 1 })
	return ref
}

// flagOf is a flag with a mark in every field that takes words.
func (h *hunt) flagOf(id string) casefile.Flag {
	m := h.marks
	f := testFlag("acct-handle-"+m[id], 1)
	f.Account = casefile.Account{ID: m["account id"], Handle: m["handle"], DisplayName: m["display name"], Bio: m["bio"]}
	f.Detector = casefile.Detector{Name: m["detector"], Version: m["detector version"]}
	f.Reasons[0].Rule, f.Reasons[0].Detail = m["rule"], m["detail"]
	e := &f.Evidence[0]
	e.ID, e.Account, e.Text, e.Lang = m["post id"], f.Account, "[praise of a designated group] "+m["text"], m["language"]
	e.URLs, e.Mentions, e.ReplyTo = []string{"https://example.org/" + m["URL"]}, []string{m["mention"]}, m["reply"]
	e.Media = []casefile.Media{{Type: "image", URL: "https://example.org/" + m["media URL"] + ".png", MIME: "image/png"}}
	f.Reasons[0].Terms = []casefile.Match{{Post: e.ID, Term: m["text"], Start: 0, End: 4}}
	return f
}

// malformedFlags hands in what is no flag, alone and as lines.
func (h *hunt) malformedFlags() {
	good, err := json.Marshal(h.flagOf("flag id"))
	require.NoError(h.t, err)
	swap := func(old, with string) []byte { return bytes.Replace(good, []byte(old), []byte(with), 1) }
	bad := [][]byte{
		good[:len(good)/2], []byte(`"` + h.marks["malformed flag"] + `"`), []byte(h.marks["malformed flag"]),
		swap(`"id":`, `"is `+h.marks["unknown field"]+`":1,"id":`), swap(`"weight":7`, `"weight":"`+h.marks["wrong type"]+`"`), swap(`"at":"2026`, `"at":"`+h.marks["malformed flag"]),
		swap(`"policy":"VE-08"`, `"policy":"`+h.marks["malformed flag"]+`"`), swap(`"kind":"post"`, `"kind":"`+h.marks["malformed flag"]+`"`),
		swap(`"platform":"synthetic"`, `"platform":"`+h.marks["malformed flag"]+` x"`), swap(`"evidence":[{`, `"evidence":[{"account":{"id":"`+h.marks["other account"]+`"}},{`),
	}
	for i, data := range bad {
		status := h.answered(fmt.Sprintf("malformed flag %d", i), detectorLogin, http.MethodPost, "/v1/flags", json.RawMessage(data), nil)
		require.GreaterOrEqual(h.t, status, 400, "%d: %s", i, data)
	}
	h.answered("malformed lines", detectorLogin, http.MethodPost, "/v1/flags", bytes.Join(bad, []byte("\n")), nil)
}

func (h *hunt) search(mark string, status int) {
	h.t.Helper()
	require.Equal(h.t, status, h.call("rev1", http.MethodPost, "/v1/cases/search?q="+h.marks["query string"], review.Query{Text: h.marks[mark] + ` "* AND (`}, nil))
}

// verbs does everything to a case that may be done to it beside judging it.
func (h *hunt) verbs(ref casefile.CaseRef, address string) {
	m := h.marks
	say := func(mark string) string { return "[why, and at length] " + m[mark] }
	number := func() int { return h.claim("rev1", ref).Claim.Number }
	h.post("rev1", address+"/comment?x="+m["query string"], api.CommentBody{Text: say("comment")}, nil, http.StatusOK)
	h.post("rev1", address+"/hand-over", api.HandOverBody{Claim: number(), To: "senior", Reason: say("hand-over")}, nil, http.StatusOK)
	h.claim("senior", ref)
	h.post("lead", address+"/force-release", api.ReasonBody{Reason: say("forced release")}, nil, http.StatusOK)
	h.post("lead", address+"/deadline", api.DeadlineBody{Deadline: casefile.DeadlineDecision, To: time.Now().Add(24 * time.Hour), Reason: say("deadline")}, nil, http.StatusOK)
	h.post("rev2", address+"/escalate", api.EscalateBody{ThreatToLife: true, Reason: say("escalation")}, nil, http.StatusOK)
	h.post("admin", "/v1/acts/pause", api.ActsBody{Reason: say("pause")}, nil, http.StatusOK)
	h.post("admin", "/v1/acts/resume", api.ActsBody{Reason: say("resume")}, nil, http.StatusOK)
	on := true
	h.post("admin", "/v1/automation", api.AutomationBody{On: &on, Reason: say("automation")}, nil, http.StatusOK)
	h.post("policy", address+"/glass", api.GlassBody{Minutes: 5, Reason: say("broken glass")}, nil, http.StatusOK)
	h.post("policy", "/v1/holds", api.HoldBody{AccountBody: api.AccountBody{Case: ref}, Basis: say("hold"), Until: time.Now().Add(time.Hour)}, nil, http.StatusOK)
	h.post("policy", "/v1/erasures", api.EraseBody{AccountBody: api.AccountBody{Case: ref}, Reason: say("hold")}, nil, http.StatusConflict)
	h.post("policy", "/v1/holds/end", api.EndHoldBody{AccountBody: api.AccountBody{Case: ref}, Reason: say("hold")}, nil, http.StatusOK)
}

// malformedVerbs sends verbs that are none, or in a state that does not allow them.
func (h *hunt) malformedVerbs(ref casefile.CaseRef, address string) {
	m := h.marks
	for what, body := range map[string]string{
		"no JSON":            `{"claim":1,"` + m["malformed verb"],
		"unknown field":      `{"claim":1,"` + m["unknown field"] + `":1}`,
		"wrong type":         `{"claim":"` + m["wrong type"] + `"}`,
		"unknown action":     `{"claim":1,"action":"` + m["malformed verb"] + `","policies":["` + m["malformed verb"] + `"],"rationale":"` + m["malformed verb"] + `"}`,
		"unknown mitigation": `{"claim":1,"mitigations":{"` + m["malformed verb"] + `":"` + m["malformed verb"] + `"}}`,
		"unknown post":       `{"claim":1,"evidence_revision":1,"action":"L1","entity_tier":"E1","policies":["VE-08"],"relied":["` + m["malformed verb"] + `"],"rationale":"[words]"}`,
	} {
		h.sent(what, "rev1", http.MethodPost, address+"/opinion", json.RawMessage(body))
	}
	for path, body := range map[string]string{
		"/hand-over": `{"claim":1,"to":"` + m["login"] + `","queue":"` + m["queue"] + `","reason":"` + m["malformed verb"] + `"}`,
		"/refer":     `{"claim":1,"kind":"` + m["malformed verb"] + `","reason":"` + m["malformed verb"] + `"}`,
		"/deadline":  `{"deadline":"` + m["malformed verb"] + `","to":"2026` + m["malformed verb"] + `","reason":"` + m["malformed verb"] + `"}`,
		"/close":     `{"claim":99,"reason":"` + m["malformed verb"] + `"}`,
		"/withdraw":  `{"decision":"` + m["malformed verb"] + `"}`,
	} {
		h.sent(path, "rev1", http.MethodPost, address+path, json.RawMessage(body))
	}
	for path, body := range map[string]string{
		"/v1/cases/search":                          `{"q":"` + m["bad query"] + `","state":"` + m["bad query"] + `","queue":"` + m["bad query"] + `","cursor":"` + m["bad query"] + `"}`,
		"/v1/breakers/" + m["path"] + "/arm":        ``,
		"/v1/appeals":                               `{"notice":"` + m["malformed verb"] + `","words":"` + m["complaint"] + `"}`,
		"/v1/acts/settle":                           `{"decision":"` + m["malformed verb"] + `","number":1,"direction":"` + m["malformed verb"] + `","outcome":"done","reason":"` + m["settling"] + `"}`,
		"/v1/cases/" + m["path"] + "/claim":         ``,
		"/v1/appeals/" + m["path"] + "/claim":       ``,
		"/v1/glass/" + m["path"] + "/review":        `{"justified":true}`,
		"/v1/holds":                                 `{"case":"` + m["path"] + `","basis":"` + m["hold"] + `","until":"` + m["malformed verb"] + `"}`,
		"/v1/people":                                `{"login":"` + m["login"] + `","roles":["` + m["login"] + `"]}`,
		"/v1/people/disable?" + m["query string"]:   `{"person":"` + m["login"] + `"}`,
		"/v1/acts/pause?platform=" + m["path"] + "": `{"platform":"` + m["path"] + ` x","reason":"` + m["pause"] + `"}`,
	} {
		for _, login := range []string{"lead", "admin", "policy"} {
			h.sent(path, login, http.MethodPost, path, json.RawMessage(body))
		}
	}
	require.Equal(h.t, http.StatusForbidden, h.call("rev1", http.MethodGet, address+"?purpose="+m["purpose"], nil, nil))
}

// decided judges the case twice: what was withdrawn first, and then what stands and is carried out by a
// platform that fails with all that it was sent, so that a person settles the act. It gives the decision.
func (h *hunt) decided(ref casefile.CaseRef, address string) string {
	opinion := form(casefile.L5, casefile.VE08, h.marks["post id"])
	opinion.Rationale = "[a rationale] " + h.marks["withdrawn rationale"]
	given := h.give("lead", ref, h.claim("lead", ref), opinion)
	h.post("lead", address+"/withdraw", api.WithdrawBody{Decision: given.Decision}, nil, http.StatusOK)
	claimed := h.claim("lead", ref)
	h.post("lead", address+"/refer", api.ReferBody{Claim: claimed.Claim.Number, Kind: casefile.ReferLegal, Reason: "[to know] " + h.marks["referral"]}, nil, http.StatusOK)
	h.platformFails.Store(1)
	opinion.Rationale = "[a rationale] " + h.marks["rationale"]
	given = h.give("lead", ref, claimed, opinion)
	h.awaitDecision(given.Decision, casefile.DecisionUncertain)
	h.post("lead", "/v1/acts/settle", api.SettleBody{Decision: given.Decision, Number: 1, Direction: casefile.Do, Outcome: api.OutcomeDone, Reason: "[seen] " + h.marks["settling"]}, nil, http.StatusOK)
	h.awaitDecision(given.Decision, casefile.DecisionDone)
	h.awaitNotice(given.Decision)
	h.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	return given.Decision
}

// appealed appeals against the decision, with success.
func (h *hunt) appealed(decision string) {
	told, err := h.records.Notice(h.t.Context(), decision)
	require.NoError(h.t, err)
	var opened review.AppealOpened
	h.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint] " + h.marks["complaint"]}, &opened, http.StatusOK)
	h.await(func() bool {
		a, err := h.records.Appeal(h.t.Context(), opened.Appeal)
		require.NoError(h.t, err)
		return a.Revision > 0
	})
	h.answered("an appeal against one's own", "lead", http.MethodGet, "/v1/appeals/"+opened.Appeal, nil, nil)
	var claimed review.AppealAnswer
	h.post("rev3", "/v1/appeals/"+opened.Appeal+"/claim", nil, &claimed, http.StatusOK)
	h.post("rev3", "/v1/appeals/"+opened.Appeal+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[a rationale] " + h.marks["ruling"]}, Claim: claimed.Claim.Number,
	}, nil, http.StatusOK)
	h.await(func() bool {
		a, err := h.records.Appeal(h.t.Context(), opened.Appeal)
		require.NoError(h.t, err)
		return a.State == casefile.AppealReinstated
	})
}

// unauthorised asks for everything about a case as people who may have none of it, and as nobody.
func (h *hunt) unauthorised(ref casefile.CaseRef, decision string) {
	m, address := h.marks, "/v1/cases/"+string(ref)
	for _, login := range []string{detectorLogin, "admin", ""} {
		for _, path := range []string{
			address, address + "?purpose=" + m["purpose"], address + "/views", address + "/proof", address + "/takers", "/v1/cases?state=" + m["query string"], "/v1/views",
			"/v1/refusals?after=" + m["query string"], "/v1/acts", "/v1/decisions?after=" + m["query string"], "/v1/appeals", "/v1/nothing/" + m["path"], "/v1/cases/" + m["path"],
		} {
			h.answered(login+" asks "+path, login, http.MethodGet, path, nil, nil)
		}
		for _, path := range []string{address + "/claim", address + "/comment", address + "/opinion", address + "/glass", address + "/reopen", "/v1/queues/" + m["queue"] + "/next", "/v1/cases/search", "/v1/erasures", "/v1/acts/settle"} {
			h.answered(login+" sends "+path, login, http.MethodPost, path, map[string]any{"text": m["comment"], "q": m["handle"], "reason": m["hold"], "decision": decision}, nil)
		}
		h.answered(login+" looks for a flag", login, http.MethodGet, "/v1/flags/"+m["flag id"]+"?platform="+m["path"], nil, nil)
	}
	for _, path := range []string{"/", "/cases/" + string(ref), "/cases/" + m["path"], "/queues/" + m["queue"] + "?cursor=" + m["query string"], "/find?q=" + m["query"], "/login?code=" + m["token"], "/log/" + m["path"], "/" + m["path"]} {
		_, said := h.ask("", http.MethodGet, path, nil, nil)
		for _, own := range []string{"path", "queue", "token", "query string"} { // the address that they gave leads back there after a login
			said = bytes.ReplaceAll(said, []byte(m[own]), nil)
		}
		h.keep("the console's "+path, said)
	}
	h.answered("a method of one's own", "", "GET"+m["method"], "/queues", nil, nil)
	h.answered("another method of one's own", "rev1", "GET"+m["method"], address, nil, nil)
	h.answered("a token of one's own", "", http.MethodGet, address, nil, http.Header{"Authorization": {"Bearer " + m["token"]}})
	h.answered("another scheme", "", http.MethodGet, address, nil, http.Header{"Authorization": {m["token"] + " " + m["token"]}})
	// What net/http itself refuses, it may log.
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.baseURL, "http://"))
	require.NoError(h.t, err)
	_, err = fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: x\r\n%s: \x01\r\nbad %s\r\n\r\n", m["path"], m["method"], m["method"])
	require.NoError(h.t, err)
	said, err := io.ReadAll(conn)
	require.NoError(h.t, err)
	require.NoError(h.t, conn.Close())
	h.keep("no HTTP", said)
}

// commandLine asks by the command line, as somebody without the right to it.
func (h *hunt) commandLine(ref casefile.CaseRef) {
	t := h.t
	path := filepath.Join(t.TempDir(), "docket")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/docket")
	build.Dir = moduleRoot(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	bad, err := json.Marshal(h.flagOf("flag id"))
	require.NoError(t, err)
	for _, c := range [][]string{
		{"case", "show", string(ref)}, {"case", "claim", string(ref)}, {"case", "find", "something"}, {"audit", "views"}, {"hold", "list"}, {"appeal", "list"},
		{"case", "comment", string(ref)}, {"flag", "submit", "-"}, {"glass", "list"}, {"acts", "pause"},
	} {
		for _, more := range [][]string{nil, {"--json"}} {
			args := slices.Concat([]string{"--data", h.folder.dir, "--as", detectorLogin}, more, c)
			cmd := exec.CommandContext(t.Context(), path, args...)
			cmd.Stdin = bytes.NewReader(bad[:len(bad)-20])
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Run(), &exit, "%s: %s", c, said.String())
			require.NotEmpty(t, said.String())
			h.keep("docket "+strings.Join(c, " ")+strings.Join(more, " "), said.Bytes())
		}
	}
}

// sent sends something that must be refused, by somebody who may hear why in their own words.
func (h *hunt) sent(what, login, method, path string, body any) {
	h.t.Helper()
	status, said := h.ask(login, method, path, body, nil)
	require.GreaterOrEqual(h.t, status, 400, "%s: %s", what, said)
	require.NotEqual(h.t, http.StatusInternalServerError, status, "%s: %s", what, said)
}

// answered asks as somebody without the right (as nobody for "") and keeps the answer; nothing of it may be
// anybody's words.
func (h *hunt) answered(what, login, method, path string, body any, header http.Header) (status int) {
	h.t.Helper()
	status, said := h.ask(login, method, path, body, header)
	h.keep(what, said)
	return status
}

// ask sends a request and gives the whole answer, with its header.
func (h *hunt) ask(login, method, path string, body any, header http.Header) (status int, said []byte) {
	h.t.Helper()
	var send io.Reader
	contentType := "application/json"
	switch x := body.(type) {
	case nil:
	case []byte:
		send, contentType = bytes.NewReader(x), "application/x-ndjson"
	case json.RawMessage:
		send = bytes.NewReader(x)
	default:
		data, err := json.Marshal(x)
		require.NoError(h.t, err)
		send = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.baseURL+path, send)
	require.NoError(h.t, err)
	if send != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if login != "" {
		req.Header.Set("Authorization", "Bearer "+h.creds.token(login))
	}
	for name, values := range header {
		req.Header[name] = values
	}
	client := &http.Client{Transport: h.via, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(h.t, err)
	said, err = httputil.DumpResponse(res, true)
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	return res.StatusCode, said
}

func (h *hunt) keep(what string, said []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers["answer: "+what] = said
}

// places is everything that Docket wrote and said outside the sealed store's seals and the index.
func (h *hunt) places() map[string][]byte {
	out := h.folderFiles()
	h.mu.Lock()
	for what, said := range h.answers {
		out[what] = said
	}
	h.mu.Unlock()
	out["log"] = []byte(h.log.String())
	res, err := http.Get(h.baseURL + "/metrics")
	require.NoError(h.t, err)
	out["metrics"], err = io.ReadAll(res.Body)
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	out["tellings"] = []byte(strings.Join(h.told.all(), "\n"))
	out["mails"] = []byte(h.mails.String())
	spans, err := json.Marshal(h.spans.GetSpans())
	require.NoError(h.t, err)
	out["traces"] = spans
	h.payloads(out)
	return out
}

// folderFiles are the files of the data folder but the index. What the sealed store has is among them.
func (h *hunt) folderFiles() map[string][]byte {
	out, count := map[string][]byte{}, map[string]int{}
	for path, data := range readAll(h.t, h.folder.dir) {
		name, err := filepath.Rel(h.folder.dir, path)
		require.NoError(h.t, err)
		place, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		count[place]++
		if !strings.HasPrefix(place, "index.sqlite") {
			out[name] = data
		}
	}
	for place, least := range map[string]int{"records.sqlite": 1, "ledger": 3, "temporal": 1, "evidence": 10, "keys": 5, "index.sqlite": 1} {
		require.GreaterOrEqual(h.t, count[place], least, place)
	}
	return out
}

// payloads opens what the engine keeps sealed: workflows hold codes, counts and addresses, and no words
// that a key of the engine's would open.
func (h *hunt) payloads(out map[string][]byte) {
	active, keys := h.keyring.CodecKeys()
	byID := map[string][]byte{}
	for id, k := range keys {
		byID[id] = k[:]
	}
	c, err := codec.New(codec.Keys{Active: active, ByID: byID}, codec.Options{AllowPlain: true})
	require.NoError(h.t, err)
	opened := 0
	open := proxy.VisitPayloadsOptions{Visitor: func(_ *proxy.VisitPayloadsContext, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
		opened += len(p)
		return c.Decode(p)
	}}
	var page []byte
	for {
		list, err := h.client.ListWorkflow(h.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: worker.Namespace, NextPageToken: page})
		require.NoError(h.t, err)
		for _, run := range list.Executions {
			text, err := protojson.Marshal(run)
			require.NoError(h.t, err)
			name := "workflow " + run.Execution.WorkflowId + " " + run.Execution.RunId
			out[name] = text
			events := h.client.GetWorkflowHistory(h.t.Context(), run.Execution.WorkflowId, run.Execution.RunId, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for events.HasNext() {
				event, err := events.Next()
				require.NoError(h.t, err)
				err = proxy.VisitPayloads(h.t.Context(), event, open)
				require.NoError(h.t, err)
				text, err := protojson.Marshal(event)
				require.NoError(h.t, err)
				out[name] = append(append(out[name], '\n'), text...)
			}
		}
		page = list.NextPageToken
		if len(page) == 0 {
			break
		}
	}
	require.Greater(h.t, opened, 50, "what was to be opened")
}

// found says what was found where; nothing but the names of the places and of the marks.
func (h *hunt) found(places map[string][]byte) []string {
	f := newFinder(h.marks)
	var names []string
	for place, data := range places {
		for _, name := range f.find(data) {
			names = append(names, name)
			h.t.Logf("%s in %s", name, place)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
