package docket_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/examples"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/stream"
	"github.com/docket-triage/docket/workflows"
)

const formatsDir = "docs/formats"

// format is a documented JSON format whose Go type other packages can see.
type format struct {
	formatstest.Reader
	golden []string // from the module's root
	each   bool     // the golden file is a list of values
	sample any      // a zero value of the Go type
	mode   formatstest.Mode
}

// written is a format that Docket alone writes, and reads by encoding/json.
func written[T any](schema string, golden ...string) format {
	var zero T
	return format{golden: golden, sample: zero, mode: formatstest.Written, Reader: formatstest.Reader{
		Schema: schema, Decode: func(data []byte) (any, error) { return formatstest.Strict[T](data) },
	}}
}

// read is a format with a decoder of its own.
func read[T any](schema string, decode func([]byte) (T, error), golden ...string) format {
	f := written[T](schema, golden...)
	f.mode = formatstest.Read
	f.Decode = func(data []byte) (any, error) { return decode(data) }
	return f
}

func validated(f format) format {
	f.Validates = true
	return f
}

func formats() []format {
	acts := written[casefile.Act]("act", "enforce/testdata/acts.json")
	acts.each = true
	bundle := read("proof-bundle", verify.ParseBundle, "ledger/testdata/proof-bundle.golden.json")
	bundle.mode = formatstest.Written
	entry := validated(read("ledger-entry", parseEntry, append(entryGoldens(), "ledger/testdata/ledger-entry.golden.ndjson")...))
	entry.mode = formatstest.Written
	entry.Skip = []string{"body"}
	post := written[indexing.Post]("post-document", "docs/formats/post-document.golden.json")
	post.mode = formatstest.Read
	post.Decode = func(data []byte) (any, error) { // as the index reads it back
		var p indexing.Post
		err := json.Unmarshal(data, &p)
		return p, err
	}
	return []format{
		validated(read("event", casefile.ParseEvent, "docs/formats/event.golden.ndjson")),
		validated(read("flag", casefile.DecodeFlag, "docs/formats/flag.golden.json")),
		read("backup-manifest", backup.ParseManifest, "docs/formats/backup-manifest.golden.json"),
		read("backup-file", backup.ParseFile, "docs/formats/backup-file.golden.ndjson"),
		validated(read("opinion-form", decodeForm, "docs/formats/opinion-form.golden.json")),
		bundle,
		entry,
		acts,
		written[classify.Score]("account-score", "docs/formats/account-score.golden.json"),
		written[casefile.Finding]("finding", "docs/formats/finding.golden.ndjson"),
		written[casefile.Route]("route", "policy/testdata/route.json"),
		written[casefile.Opinion]("opinion", "docs/formats/opinion.golden.json"),
		written[casefile.Decision]("decision", "enforce/testdata/decision.json"),
		written[review.ProvenDecision]("proven-decision", "docs/formats/proven-decision.golden.ndjson"),
		written[casefile.ActOutcome]("act-outcome", "enforce/testdata/act-outcome.json"),
		written[enforce.UndoRecord]("undo-record", "docs/formats/undo-record.golden.json"),
		written[casefile.Notice]("notice", "docs/formats/notice.golden.json"),
		written[casefile.Receipt]("receipt", "ledger/testdata/receipt.golden.json"),
		written[activities.CaseFile]("case-file", "activities/testdata/case-file.json"),
		written[evidence.Profile]("profile", "docs/formats/profile.golden.json"),
		written[indexing.CaseDoc]("case-document", "docs/formats/case-document.golden.json"),
		post,
	}
}

// testedInPackage are the schemas of what only a package of its own sees, with the test that holds
// them to code, and their golden files.
var testedInPackage = map[string][]string{
	"webhook-message":   {"enforce/webhook/formats_test.go", "docs/formats/webhook-message.golden.ndjson"},
	"webhook-answer":    {"enforce/webhook/formats_test.go", "docs/formats/webhook-answer.golden.ndjson"},
	"webhook-config":    {"enforce/webhook/formats_test.go", "docs/formats/webhook-config.golden.json"},
	"webhook-line":      {"enforce/webhook/receiver/formats_test.go", "enforce/webhook/receiver/testdata/receiver.ndjson"},
	"assertion":         {"access/formats_test.go", "docs/formats/assertion.golden.json"},
	"twitter1":          {"stream/formats_test.go", "stream/testdata/twitter1.ndjson"},
	"resume-token":      {"stream/formats_test.go", "docs/formats/resume-token.golden.json"},
	"detector-snapshot": {"detector/formats_test.go", "detector/testdata/snapshot.golden.ndjson"},
	"dryrun-line":       {"enforce/dryrun/formats_test.go", "enforce/dryrun/testdata/dryrun.ndjson"},
	"credentials":       {"cmd/standalone/formats_test.go", "docs/formats/credentials.golden.json"},
	"summary":           {"cmd/standalone/formats_test.go", "docs/formats/summary.golden.json"},
	"data-folder":       {"cmd/standalone/formats_test.go", "docs/formats/data-folder.golden.json"},
	"telling":           {"telling/formats_test.go", "docs/formats/telling.golden.ndjson"},
	"reject":            {"formats_test.go", "docs/formats/reject.golden.ndjson"},
	"detector-rules":    {"formats_test.go", "policy/examples/detector.yaml"},
	"routing-rules":     {"formats_test.go", "policy/rules/routing.yaml"},
	"common":            {"docs/formats/README.md"},
}

// parseEntry reads an entry however its JSON is laid out: only the decoder's other demands are
// looked at here.
func parseEntry(data []byte) (casefile.Entry, error) {
	canonical, err := casefile.Canonical(json.RawMessage(data))
	if err != nil {
		return casefile.Entry{}, err
	}
	return casefile.ParseEntry(canonical)
}

// decodeForm reads an opinion form as the API does: strictly, and validated whole.
func decodeForm(data []byte) (casefile.OpinionForm, error) {
	form, err := formatstest.Strict[casefile.OpinionForm](data)
	if err != nil {
		return form, err
	}
	return form, form.Validate().Err()
}

func entryGoldens() []string {
	var out []string
	for _, typ := range entryTypes {
		out = append(out, "casefile/testdata/entry-"+typ+".json")
	}
	return out
}

var entryTypes = []string{
	"flag_accepted", "flag_dropped", "route", "opinion", "withdrawn", "decision", "closed", "acts_planned", "acts_outcome", "notice", "views", "policy", "people",
	"handled", "deadline", "referred", "restarted", "act_settled", "appeal_opened", "appeal_ruling", "switch", "breaker", "break_glass", "refused_start", "hold", "erased",
	"log_restarted",
}

// TestFormats holds each format's schema, golden files, Go type and decoder to each other.
func TestFormats(t *testing.T) {
	t.Parallel()
	for _, f := range formats() {
		t.Run(f.Schema, func(t *testing.T) {
			t.Parallel()
			formatstest.SameFields(t, f.Schema, f.sample, f.mode)
			for _, file := range f.golden {
				for i, value := range formatstest.Values(t, file, f.each) {
					t.Run(fmt.Sprintf("%s %d", filepath.Base(file), i), func(t *testing.T) {
						t.Parallel()
						f.Agrees(t, value)
					})
				}
			}
		})
	}
}

// at sets the value at a place of a decoded JSON tree.
func at(tree any, value any, place ...any) {
	last := len(place) - 1
	for _, p := range place[:last] {
		switch p := p.(type) {
		case string:
			tree = tree.(map[string]any)[p]
		case int:
			tree = tree.([]any)[p]
		}
	}
	switch p := place[last].(type) {
	case string:
		tree.(map[string]any)[p] = value
	case int:
		tree.([]any)[p] = value
	}
}

// TestLimits: where a limit or a rule between fields stands in a schema, the decoder has the same.
func TestLimits(t *testing.T) {
	t.Parallel()
	many := func(n int, of any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = of
		}
		return out
	}
	ids := func(n int) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = fmt.Sprint("p", i)
		}
		return out
	}
	reason := map[string]any{"rule": "r", "policy": "VE-08"}
	post := map[string]any{"id": "p1", "at": "2026-03-02T12:00:00Z"}
	answers := map[string]any{}
	for _, m := range casefile.Mitigations {
		answers[string(m)] = "no"
	}
	set := func(pairs ...any) func(any) {
		return func(tree any) {
			for i := 0; i < len(pairs); i += 2 {
				at(tree, pairs[i+1], pairs[i].(string))
			}
		}
	}
	none := map[string]any{"action": "L0", "policies": []any{"VE-00"}, "relied": []any{}}
	judged := func(change map[string]any) func(any) {
		return func(tree any) {
			delete(tree.(map[string]any), "days")
			for k, v := range change {
				at(tree, v, k)
			}
		}
	}
	for name, c := range map[string]struct {
		schema string
		change func(tree any)
		good   bool
	}{
		"the longest id of a flag":      {"flag", set("id", strings.Repeat("x", 200)), true},
		"an id too long":                {"flag", set("id", strings.Repeat("x", 201)), false},
		"an id with a space":            {"flag", set("id", "f 1"), false},
		"an empty id":                   {"flag", set("id", ""), false},
		"a platform that is a sentence": {"flag", set("platform", "Some platform"), false},
		"the most reasons":              {"flag", set("reasons", many(casefile.MaxFlagReasons, reason)), true},
		"too many reasons":              {"flag", set("reasons", many(casefile.MaxFlagReasons+1, reason)), false},
		"no reasons":                    {"flag", set("reasons", []any{}), false},
		"the most posts":                {"flag", set("evidence", many(casefile.MaxFlagEvidence, post)), true},
		"too many posts":                {"flag", set("evidence", many(casefile.MaxFlagEvidence+1, post)), false},
		"no posts":                      {"flag", set("evidence", []any{}), true},
		"the greatest weight":           {"flag", func(tree any) { at(tree, 1000, "reasons", 0, "weight") }, true},
		"a weight too great":            {"flag", func(tree any) { at(tree, 1000.5, "reasons", 0, "weight") }, false},
		"a negative weight":             {"flag", func(tree any) { at(tree, -1, "reasons", 0, "weight") }, false},
		"an unknown policy":             {"flag", func(tree any) { at(tree, "VE-13", "reasons", 0, "policy") }, false},
		"a rule without a name":         {"flag", func(tree any) { at(tree, "", "reasons", 0, "rule") }, false},
		"no account":                    {"flag", func(tree any) { at(tree, "", "account", "id") }, false},
		"a time in words":               {"flag", set("at", "yesterday"), false},
		"an unknown kind of event":      {"event", set("kind", "like"), false},
		"an event of nobody":            {"event", func(tree any) { at(tree, "", "account", "id") }, false},
		"the longest limit":             {"opinion-form", set("action", "L3", "days", 30), true},
		"a limit too long":              {"opinion-form", set("action", "L3", "days", 31), false},
		"a limit of no days":            {"opinion-form", set("action", "L3", "days", 0), false},
		"the longest suspension":        {"opinion-form", set("action", "L5", "days", 365), true},
		"a suspension too long":         {"opinion-form", set("action", "L5", "days", 366), false},
		"a warning with days":           {"opinion-form", set("action", "L1", "days", 7), false},
		"a legal order":                 {"opinion-form", judged(map[string]any{"action": "LX"}), false},
		"no violation":                  {"opinion-form", judged(none), true},
		"no violation with an action":   {"opinion-form", judged(map[string]any{"action": "L1", "policies": []any{"VE-00"}}), false},
		"no violation and another":      {"opinion-form", judged(map[string]any{"action": "L0", "policies": []any{"VE-00", "VE-08"}}), false},
		"nothing done, mitigated":       {"opinion-form", judged(map[string]any{"action": "L0"}), true},
		"nothing done, unmitigated":     {"opinion-form", judged(map[string]any{"action": "L0", "mitigations": answers}), false},
		"unclear, labelled":             {"opinion-form", judged(map[string]any{"action": "L2", "policies": []any{"VE-12"}}), true},
		"unclear, removed":              {"opinion-form", judged(map[string]any{"action": "L4", "policies": []any{"VE-12"}}), false},
		"an entity without an entity":   {"opinion-form", set("entity_tier", "E0", "policies", []any{"VE-03"}), false},
		"one code twice":                {"opinion-form", set("policies", []any{"VE-08", "VE-08"}), false},
		"no code":                       {"opinion-form", set("policies", []any{}), false},
		"an answer of a machine":        {"opinion-form", func(tree any) { at(tree, "not_assessed", "mitigations", "M1") }, false},
		"a ninth mitigation":            {"opinion-form", func(tree any) { at(tree, "no", "mitigations", "M9") }, false},
		"the longest rationale":         {"opinion-form", set("rationale", strings.Repeat("я", casefile.MaxRationale)), true},
		"a rationale too long":          {"opinion-form", set("rationale", strings.Repeat("я", casefile.MaxRationale+1)), false},
		"a rationale too short":         {"opinion-form", set("rationale", strings.Repeat("я", casefile.MinRationale-1)), false},
		"the most posts relied on":      {"opinion-form", set("relied", ids(casefile.MaxRelied)), true},
		"too many posts relied on":      {"opinion-form", set("relied", ids(casefile.MaxRelied+1)), false},
		"relied on nothing":             {"opinion-form", set("relied", []any{}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(formats(), func(f format) bool { return f.Schema == c.schema })
			f := formats()[i]
			var tree any
			require.NoError(t, json.Unmarshal(formatstest.Values(t, f.golden[0], false)[0], &tree))
			c.change(tree)
			value, err := json.Marshal(tree)
			require.NoError(t, err)
			err = formatstest.Check(formatstest.Schema(t, c.schema), value)
			require.Equal(t, c.good, err == nil, "schema: %v", err)
			_, err = f.Decode(value)
			require.Equal(t, c.good, err == nil, "decoder: %v", err)
		})
	}
}

// TestEveryEntryTypeHasABody: no type of entry without a definition of its body and a golden file.
func TestEveryEntryTypeHasABody(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, formatstest.Constants(t, reflect.TypeFor[casefile.EntryType]()), entryTypes)
	for _, typ := range entryTypes {
		body := formatstest.Schema(t, "ledger-entry#/$defs/"+typ)
		require.Equal(t, slices.Sorted(maps.Keys(body.Properties)), slices.Sorted(slices.Values(body.Required)), "%s: entries have no optional fields", typ)
		require.Error(t, formatstest.Check(body, []byte(`{}`)), typ)
		for _, value := range formatstest.Values(t, "casefile/testdata/entry-"+typ+".json", false) {
			e, err := casefile.ParseEntry(value)
			require.NoError(t, err)
			require.Equal(t, typ, string(e.Type))
		}
	}
}

// TestBodiesOfTheSystemChain: these bodies are made where the thing itself happens, so the real
// makers are asked for them.
func TestBodiesOfTheSystemChain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "records.sqlite"), Fast: true, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })

	require.NoError(t, store.PutPerson(t.Context(), records.PersonRow{Person: "p-anna0000", Login: "anna", Name: "Anna", Roles: []casefile.Role{casefile.RoleReviewer}, Active: true}, now))
	work := &activities.Work{Records: store, Log: quiet, Now: func() time.Time { return now }}
	forged := casefile.FlagKey(strings.Repeat("a", 32))
	_, err = work.TakeIn(t.Context(), workflows.TakeInAsk{Platform: "synthetic", Account: "k", Flags: []casefile.FlagKey{forged, "[no key at all]"}})
	require.NoError(t, err)
	require.NoError(t, store.PutRefusal(t.Context(), records.Refusal{Verb: "claim", Code: casefile.CodeForbidden, At: now}))
	chain := &systemchain.Writer{Records: store, Logger: quiet}
	require.NoError(t, chain.Watch(t.Context()))

	rows, err := store.Unappended(t.Context(), 10)
	require.NoError(t, err)
	made := map[casefile.EntryType]int{}
	for i, row := range rows {
		made[row.Type]++
		require.NoError(t, formatstest.Check(formatstest.Schema(t, "ledger-entry#/$defs/"+string(row.Type)), row.Body), row.Type)
		fixed, err := casefile.FixBody(row.Type, row.Actor, casefile.Position{Event: casefile.NewEventID(casefile.SystemChain, i+1), At: row.At}, row.Body)
		require.NoError(t, err)
		require.NoError(t, formatstest.Check(formatstest.Schema(t, "ledger-entry"), fixed.Data), row.Type)
	}
	require.Equal(t, map[casefile.EntryType]int{casefile.EntryPeople: 1, casefile.EntryFlagDropped: 2, casefile.EntryViews: 1}, made)
}

func TestRejects(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	reject := stream.RejectWriter(&got, func(err error) { require.NoError(t, err) })
	reject(stream.Reject{File: "posts.ndjson", Line: 3, Err: casefile.Invalid("account.id", "required")})
	reject(stream.Reject{File: "posts.ndjson", Line: 9, Err: casefile.Errorf(casefile.CodeInvalid, "not valid JSON at byte 17")})
	want, err := os.ReadFile("docs/formats/reject.golden.ndjson")
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
	schema := formatstest.Schema(t, "reject")
	require.ElementsMatch(t, []string{"file", "line", "code", "field", "error"}, slices.Collect(maps.Keys(schema.Properties)))
	for _, value := range formatstest.Values(t, "docs/formats/reject.golden.ndjson", false) {
		require.NoError(t, formatstest.Check(schema, value))
	}
	codes := formatstest.Schema(t, "common#/$defs/code")
	for _, code := range formatstest.Constants(t, reflect.TypeFor[casefile.Code]()) {
		require.NoError(t, formatstest.Check(codes, []byte(`"`+code+`"`)))
	}
}

// asJSON gives the JSON value that a YAML document stands for.
func asJSON(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal(text, &v))
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// example is the first block of YAML of a page.
func example(t *testing.T, page string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(formatsDir, page))
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(data)
	require.NotNil(t, found, "%s has no example", page)
	return found[1]
}

// rulesReader reads rules and gives the value itself back: a loaded set is not written again. What
// holds between rules the schema cannot say, so a field left out may be refused by the loader alone.
func rulesReader(schema string, load func([]byte) error) formatstest.Reader {
	return formatstest.Reader{Schema: schema, Demands: true, Decode: func(data []byte) (any, error) {
		return json.RawMessage(data), load(data)
	}}
}

func TestDetectorRules(t *testing.T) {
	t.Parallel()
	load := func(data []byte) error {
		_, err := detector.LoadRules(bytes.NewReader(data))
		return err
	}
	require.NoError(t, formatstest.Check(formatstest.Schema(t, "detector-rules"), asJSON(t, examples.Detector())))
	rulesReader("detector-rules", load).Agrees(t, asJSON(t, example(t, "detector-rules.md")))

	schema := formatstest.Schema(t, "detector-rules")
	settings := schema.Properties["settings"]
	rule := schema.Properties["rules"].Items2020
	term := rule.Properties["terms"].Items2020.AnyOf[1]
	require.ElementsMatch(t, tags(reflect.TypeFor[detector.Settings]()), slices.Collect(maps.Keys(settings.Properties)))
	require.ElementsMatch(t, append(tags(reflect.TypeFor[detector.Rule]()), "weight", "whole"), slices.Collect(maps.Keys(rule.Properties)), "a rule, and what holds for its terms")
	require.ElementsMatch(t, tags(reflect.TypeFor[detector.Term]()), slices.Collect(maps.Keys(term.Properties)))
}

func tags(typ reflect.Type) []string {
	var out []string
	for _, f := range reflect.VisibleFields(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}

func TestRoutingRules(t *testing.T) {
	t.Parallel()
	load := func(data []byte) error {
		_, err := policy.Load(bytes.NewReader(data), "rules.yaml")
		return err
	}
	schema := formatstest.Schema(t, "routing-rules")
	require.NoError(t, formatstest.Check(schema, asJSON(t, policy.DefaultRules())))
	rulesReader("routing-rules", load).Agrees(t, asJSON(t, []byte(`
version: 1
queues: [{name: main, title: Main, deadline: 48h, roles: [reviewer], team: night}]
on_unknown: {queue: main, severity: 3, confidence: 0, tier: alert, due: 24h}
rules:
  - {id: one, when: known("score"), queue: main, severity: 5, confidence: 'flags.count > 1 ? 2 : 1', tier: urgent, due: 15m}
  - {id: rest, when: "true", queue: main, severity: 1, confidence: 0, tier: routine}
`)))

	// The loader names the fields it knows when it meets another.
	for place, want := range map[string][]string{
		`{"x": 1}`:                 slices.Collect(maps.Keys(schema.Properties)),
		`{"queues": [{"x": 1}]}`:   slices.Collect(maps.Keys(schema.Properties["queues"].Items2020.Properties)),
		`{"on_unknown": {"x": 1}}`: slices.Collect(maps.Keys(schema.Properties["on_unknown"].Properties)),
		`{"rules": [{"x": 1}]}`:    slices.Collect(maps.Keys(schema.Properties["rules"].Items2020.Properties)),
	} {
		var faults casefile.Faults
		require.ErrorAs(t, load([]byte(place)), &faults)
		told := ""
		for _, f := range faults {
			if strings.HasSuffix("."+f.Field, ".x") {
				_, told, _ = strings.Cut(f.Message, "the fields are ")
			}
		}
		require.ElementsMatch(t, want, strings.Split(told, ", "), place)
	}
}

// TestOpenAPI: every schema of the golden API description is sound; the golden file itself is held
// to the code by a test of package api.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("docs/formats/openapi.json")
	require.NoError(t, err)
	var doc struct {
		OpenAPI    string `json:"openapi"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(data, &doc))
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"), "schemas of OpenAPI 3.1 are JSON Schemas")
	require.NotEmpty(t, doc.Components.Schemas)
	for name := range doc.Components.Schemas {
		formatstest.Compile(t, "docs/formats/openapi.json#/components/schemas/"+name)
	}
	flags := formatstest.Values(t, "docs/formats/flag.golden.json", false)
	require.NoError(t, formatstest.Check(formatstest.Compile(t, "docs/formats/openapi.json#/components/schemas/Flag"), flags[0]))
}

// TestSchemasExplainThemselves: every schema names its draft and title, and every field of every
// object says what it means.
func TestSchemasExplainThemselves(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(formatsDir + "/schema/*")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var top map[string]any
		require.NoError(t, json.Unmarshal(data, &top), file)
		require.Equal(t, "https://json-schema.org/draft/2020-12/schema", top["$schema"], file)
		require.NotEmpty(t, top["title"], file)
		formatstest.Compile(t, file)
		explained(t, file, top)
	}
}

// explained looks at what an object's schema names; schemas that only narrow another one (behind if,
// then, else, or with a $ref beside) explain nothing anew.
func explained(t *testing.T, at string, schema map[string]any) {
	t.Helper()
	defs, _ := schema["$defs"].(map[string]any)
	for name, d := range defs {
		require.NotEmpty(t, d.(map[string]any)["description"], "%s: %s", at, name)
		explained(t, at+" "+name, d.(map[string]any))
	}
	items, ok := schema["items"].(map[string]any)
	if ok {
		explained(t, at+"[]", items)
	}
	props, _ := schema["properties"].(map[string]any)
	if schema["type"] == nil {
		return
	}
	_, narrows := schema["allOf"]
	for name, p := range props {
		field, ok := p.(map[string]any)
		if !ok {
			continue // false: it must not be there
		}
		said := field["description"] != nil || field["$ref"] != nil || field["const"] != nil
		require.True(t, said || narrows, "%s.%s says nothing", at, name)
		explained(t, at+"."+name, field)
	}
}

// row is a line of the index of formats.
type row struct {
	name, page, schema, golden, types, decoder, unknown string
}

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

// readIndex reads the table of docs/formats/README.md.
func readIndex(t *testing.T) (rows []row, links []string) {
	t.Helper()
	data, err := os.ReadFile(formatsDir + "/README.md")
	require.NoError(t, err)
	for _, line := range strings.Split(string(data), "\n") {
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			links = append(links, path.Join(formatsDir, m[1]))
		}
		cells := strings.Split(line, "|")
		if len(cells) != 9 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "format" {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, row{name: cells[1], page: cells[2], schema: cells[3], golden: cells[4], types: cells[5], decoder: cells[6], unknown: cells[7]})
	}
	require.NotEmpty(t, rows)
	return rows, links
}

// TestIndexOfFormats: the index and the folder hold the same, and what the index names exists.
func TestIndexOfFormats(t *testing.T) {
	t.Parallel()
	rows, links := readIndex(t)
	for _, l := range links {
		_, err := os.Stat(l)
		require.NoError(t, err, "the index names what is not there")
	}
	err := filepath.WalkDir(formatsDir, func(file string, d fs.DirEntry, err error) error {
		if d.IsDir() || filepath.Ext(file) == ".go" || file == formatsDir+"/README.md" {
			return err
		}
		require.Contains(t, links, filepath.ToSlash(file), "the index does not name it")
		return err
	})
	require.NoError(t, err)

	goldens := map[string][]string{}
	for _, f := range formats() {
		goldens[f.Schema] = f.golden
	}
	for schema, files := range testedInPackage {
		goldens[schema] = files[1:]
		text, err := os.ReadFile(files[0])
		require.NoError(t, err)
		require.Contains(t, string(text), schema, "%s does not hold %s to code", files[0], schema)
	}
	files, err := filepath.Glob(formatsDir + "/schema/*")
	require.NoError(t, err)
	for _, file := range files {
		require.Contains(t, goldens, strings.TrimSuffix(filepath.Base(file), ".schema.json"), "no test holds this schema to code")
	}
	for _, r := range rows {
		require.NotEmpty(t, link.FindString(r.page), "%s has no page", r.name)
		schema := link.FindStringSubmatch(r.schema)
		if schema == nil {
			continue
		}
		name := strings.TrimSuffix(path.Base(schema[1]), ".schema.json")
		for _, file := range goldens[name] {
			named := false
			for _, m := range link.FindAllStringSubmatch(r.golden, -1) {
				target := path.Join(formatsDir, m[1])
				named = named || target == file || target == path.Dir(file)
			}
			require.True(t, named, "%s: the index does not name the golden file %s", r.name, file)
		}
	}
}

// TestIndexNamesCode: each type and decoder of the index is declared where it says.
func TestIndexNamesCode(t *testing.T) {
	t.Parallel()
	rows, _ := readIndex(t)
	quoted := regexp.MustCompile("`([a-z0-9/]+)\\.([A-Za-z0-9]+)`")
	for _, r := range rows {
		found := quoted.FindAllStringSubmatch(r.types+r.decoder, -1)
		require.NotEmpty(t, found, r.name)
		for _, m := range found {
			require.True(t, declared(t, m[1], m[2]), "%s: %s declares no %s", r.name, m[1], m[2])
		}
	}
}

func declared(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == name {
					return true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					typ, ok := spec.(*ast.TypeSpec)
					if ok && typ.Name.Name == name {
						return true
					}
				}
			}
		}
	}
	return false
}
