package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/reviewtest"
)

// notOnThePage are the fields of a flag that the case's page leaves out; all others stand on it as text.
var notOnThePage = map[string]string{
	"id":                            "nobody's but the detector's",
	"evidence.account.display_name": "the account's own stands above", "evidence.account.bio": "as above",
	"evidence.lang": "an attribute, and only where it is a tag of a language",
}

// TestPromise11HostileContent hands in, through the door, an attack in every field that a stream or a detector
// can set, and takes it through a whole Docket: pages, answers, searches, notices, log, metrics and tellings.
func TestPromise11HostileContent(t *testing.T) {
	t.Parallel()
	var log safeBuffer
	var told told
	cfg := testConfig(t.TempDir())
	cfg.LogWriter, cfg.Telling, cfg.Routing = &log, told.listen(t), rulesFile(t, "48h", "")
	b := start(t, cfg)
	who, err := b.process.Access(t.Context())
	require.NoError(t, err)
	code, err := who.NewLoginLink(t.Context(), "rev1")
	require.NoError(t, err)
	session, err := who.UseLogin(t.Context(), code)
	require.NoError(t, err)
	page := func(path string) (*html.Node, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.baseURL+path, nil)
		require.NoError(t, err)
		req.AddCookie(&http.Cookie{Name: "docket_session", Value: session.Session})
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		root, err := html.Parse(strings.NewReader(string(text)))
		require.NoError(t, err)
		return root, string(text)
	}
	var refs []casefile.CaseRef
	for n, a := range reviewtest.Attacks {
		f, fields := reviewtest.HostileFlag(n, a)
		data, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, b.call(detectorLogin, http.MethodPost, "/v1/flags", append(reviewtest.Wire(data), '\n'), nil))
		key := b.keyring.Identity().Flag(f.Platform, fields["id"])
		var ref casefile.CaseRef
		b.await(func() bool {
			row, err := b.records.Flag(t.Context(), key)
			require.NoError(t, err)
			ref = row.Case
			return ref != ""
		})
		b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })
		refs = append(refs, ref)

		var view review.CaseView
		require.Equal(t, http.StatusOK, b.call("rev1", http.MethodGet, "/v1/cases/"+string(ref), nil, &view))
		require.Equal(t, fields["account.handle"], view.Handle)
		require.Equal(t, fields["evidence.text"], view.Evidence[0].Event.Text)
		root, source := page("/cases/" + string(ref))
		text := inert(t, a.Name, root)
		for path := range fields {
			_, left := notOnThePage[path]
			require.Equal(t, !left, strings.Contains(text, reviewtest.FieldMark(n, path)), "%s: %s", a.Name, path)
		}
		require.False(t, strings.ContainsAny(source, "\x00\x07\x1b\u202e\u2066\u200b\u2028"), a.Name)
	}
	root, _ := page("/queues/general")
	inert(t, "the queue", root)

	for _, a := range reviewtest.Attacks {
		text := a.Shown()
		var answer review.CasePage
		status := b.call("rev1", http.MethodPost, "/v1/cases/search", review.Query{Text: text[:min(len(text), 900)]}, &answer)
		require.Contains(t, []int{http.StatusOK, http.StatusUnprocessableEntity}, status, a.Name)
		require.Less(t, len(answer.Cases), len(refs), "%s: a query finds what holds its words, not everything", a.Name)
	}

	for n, a := range reviewtest.Attacks {
		_, fields := reviewtest.HostileFlag(n, a)
		ref := refs[n]
		b.post("rev2", "/v1/cases/"+string(ref)+"/escalate", api.EscalateBody{ThreatToLife: true, Reason: a.Shown()}, nil, http.StatusOK)
		claimed := b.claim("lead", ref)
		opinion := form(casefile.L5, casefile.VE08, fields["evidence.id"])
		opinion.Rationale = "[a rationale] " + a.Shown()
		var preview review.Preview
		b.post("lead", "/v1/cases/"+string(ref)+"/preview", opinion, &preview, http.StatusOK)
		require.Empty(t, preview.Faults, a.Name)
		for _, r := range preview.Notice {
			// The two joiners are letters' business in some scripts.
			require.False(t, !strings.ContainsRune("\n\u200c\u200d", r) && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)), "%s: %U in the notice", a.Name, r)
		}
		require.Equal(t, 1, strings.Count("\n"+preview.Notice, "\nWHAT WE DECIDED\n"), a.Name)
		var given review.VerbAnswer
		b.post("lead", "/v1/cases/"+string(ref)+"/opinion", opinionBody{
			OpinionForm: opinion, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Preview: preview.Token,
		}, &given, http.StatusOK)
		b.awaitDecision(given.Decision, casefile.DecisionDone)
		b.awaitNotice(given.Decision)
		_, notices := platformFile(t, b.folder.path("dryrun.ndjson"))
		require.Equal(t, preview.Notice, notices[n], "%s: the notice sent is the one previewed", a.Name)
	}
	b.await(func() bool { return told.of("case.threat") })
	b.verifyLog()

	res, err := http.Get(b.baseURL + "/metrics")
	require.NoError(t, err)
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotContains(t, families, "owned_total")
	var labels strings.Builder
	for _, family := range families {
		for _, m := range family.Metric {
			for _, l := range m.Label {
				labels.WriteString(l.GetValue() + "\n")
			}
		}
	}
	lines := 0
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry), "a line of the log is one object: %s", line)
		require.NotEqual(t, "owned", entry["msg"])
		lines++
	}
	require.Greater(t, lines, 100)
	for what, text := range map[string]string{"log": log.String(), "labels": labels.String(), "tellings": strings.Join(told.all(), "\n")} {
		for _, words := range []string{"owned", "evil.example", "(evidence.", "(account.", "(reasons.", "(detector."} {
			require.NotContains(t, text, words, what)
		}
	}
}

// inert requires that a page runs, loads and sends nothing but its own, and gives its text.
func inert(t *testing.T, what string, root *html.Node) string {
	t.Helper()
	var text strings.Builder
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.TextNode {
			text.WriteString(n.Data)
		}
		require.NotEqual(t, html.CommentNode, n.Type, what)
		if n.Type == html.ElementNode {
			require.NotContains(t, []string{"iframe", "object", "embed", "base", "svg", "math", "style"}, n.Data, what)
			for _, attr := range n.Attr {
				require.False(t, strings.HasPrefix(attr.Key, "on") || attr.Key == "style" || attr.Key == "http-equiv", "%s: %s", what, attr.Key)
				if attr.Key == "href" || attr.Key == "src" || attr.Key == "action" || attr.Key == "formaction" {
					at, err := url.Parse(attr.Val)
					require.NoError(t, err, what)
					require.Empty(t, at.Scheme+at.Host, "%s: %s=%q", what, attr.Key, attr.Val)
				}
			}
			if n.Data == "script" {
				require.Nil(t, n.FirstChild, "%s: a script in the page", what)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(root)
	return text.String()
}
