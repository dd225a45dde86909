package webhook_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/enforce/webhook"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		formatstest.Reader
		sample any
		mode   formatstest.Mode
		golden string
	}{
		{
			Reader: formatstest.Reader{Schema: "webhook-message", Validates: true, Decode: func(data []byte) (any, error) { return webhook.DecodeMessage(data) }},
			sample: webhook.Message{}, mode: formatstest.Written, golden: "docs/formats/webhook-message.golden.ndjson",
		},
		{
			Reader: formatstest.Reader{Schema: "webhook-answer", Validates: true, Decode: func(data []byte) (any, error) { return webhook.DecodeAnswer(data) }},
			sample: webhook.Answer{}, mode: formatstest.Read, golden: "docs/formats/webhook-answer.golden.ndjson",
		},
		{
			// That undo is part of acts no schema can say.
			Reader: formatstest.Reader{Schema: "webhook-config", Demands: true, Decode: func(data []byte) (any, error) { return webhook.ParseConfig(data) }},
			sample: webhook.Config{}, mode: formatstest.Read, golden: "docs/formats/webhook-config.golden.json",
		},
	} {
		t.Run(c.Schema, func(t *testing.T) {
			t.Parallel()
			formatstest.SameFields(t, c.Schema, c.sample, c.mode)
			for _, value := range formatstest.Values(t, c.golden, false) {
				c.Agrees(t, value)
			}
		})
	}
}

// TestMessagesAndAnswersBetweenFields: where a rule between fields stands in a schema, the decoder has
// the same, and the other way round.
func TestMessagesAndAnswersBetweenFields(t *testing.T) {
	t.Parallel()
	messages := formatstest.Values(t, "docs/formats/webhook-message.golden.ndjson", false)
	answers := formatstest.Values(t, "docs/formats/webhook-answer.golden.ndjson", false)
	prepare, do, remove, lookup, undo, deliver := string(messages[0]), string(messages[1]), string(messages[2]), string(messages[3]), string(messages[4]), string(messages[5])
	replace := func(text, old, new string) string {
		require.Contains(t, text, old)
		return strings.Replace(text, old, new, 1)
	}
	until := `"until":"2027-01-31T12:00:00Z",`
	for name, text := range map[string]string{
		"preparing an undo":           replace(prepare, `/1/do"`, `/1/undo"`),
		"doing an undo":               replace(do, `/1/do"`, `/1/undo"`),
		"undoing a do":                replace(undo, `/1/undo"`, `/1/do"`),
		"delivering an act":           replace(deliver, `/notice"`, `/1/do"`),
		"looking a notice up":         replace(lookup, `/1/do"`, `/notice"`),
		"a key of another form":       replace(do, `/1/do"`, `/0/do"`),
		"a key with a full stop":      replace(do, `"4T9Q`, `"4.T9Q`),
		"a suspension for ever":       replace(do, until, ""),
		"a removal with an end":       replace(remove, `"post":"p-1",`, `"post":"p-1",`+until),
		"a removal of no post":        replace(remove, `"post":"p-1",`, ""),
		"a suspension of a post":      replace(do, until, until+`"post":"p-1",`),
		"an unknown act":              replace(do, "suspend", "pillory"),
		"an unknown policy":           replace(do, "VE-08", "VE-13"),
		"a case of words":             replace(do, "7K2QX-9MDT4", "someone"),
		"a platform of words":         replace(do, "synthetic", "Some Platform"),
		"nobody's account":            replace(do, "a-17", ""),
		"an act with an undo record":  replace(do, `"act":`, `"undo":{"kind":"suspend","before":{},"at":"2026-11-23T10:00:00Z"},"act":`),
		"an act with a notice":        replace(do, `"act":`, `"notice":{"case":"7K2QX-9MDT4","lang":"en","text":"[text]"},"act":`),
		"a notice with an act":        replace(deliver, `"notice":{`, `"act":{"kind":"warn","policy":"VE-08","case":"7K2QX-9MDT4"},"notice":{`),
		"a notice that says nothing":  replace(deliver, `"text":"`, `"text":"","x":"`),
		"a time in words":             replace(do, "2027-01-31T12:00:00Z", "next year"),
		"another version":             replace(do, `"v":1`, `"v":2`),
		"another type":                replace(do, "act.do", "act.redo"),
		"an undo record of no kind":   replace(undo, `"undo":{"kind":"suspend"`, `"undo":{"kind":""`),
		"an undo record without time": replace(undo, `,"at":"2026-11-23T10:00:00Z"`, ""),
	} {
		require.Error(t, formatstest.Check(formatstest.Schema(t, "webhook-message"), []byte(text)), "schema: %s", name)
		_, err := webhook.DecodeMessage([]byte(text))
		require.Error(t, err, "decoder: %s", name)
	}
	told, done, found, missed := string(answers[0]), string(answers[1]), string(answers[2]), string(answers[3])
	for name, text := range map[string]string{
		"a state of nothing":                  replace(told, `{"suspended_until":""}`, `{}`),
		"a state with a reference":            replace(told, `"before"`, `"reference":"R","before"`),
		"an act with done":                    replace(done, `"reference"`, `"done":true,"reference"`),
		"an act with a state":                 replace(done, `"reference"`, `"before":{"x":""},"reference"`),
		"an act without a reference":          replace(done, `"reference":"3B7M2C8N5V1D6F0GHJ4T9QW0XK"`, `"x":1`),
		"a reference of words":                replace(done, "3B7M2C8N5V1D6F0GHJ4T9QW0XK", "done for you"),
		"found without a reference":           replace(found, `"reference":"3B7M2C8N5V1D6F0GHJ4T9QW0XK",`, ""),
		"not found with a reference":          replace(missed, `"done"`, `"reference":"R","done"`),
		"a look-up that does not say":         replace(missed, `,"done":false`, ""),
		"a look-up that says it is undecided": replace(missed, `"done":false`, `"done":null`),
		"another version":                     replace(done, `"v":1`, `"v":0`),
	} {
		require.Error(t, formatstest.Check(formatstest.Schema(t, "webhook-answer"), []byte(text)), "schema: %s", name)
		_, err := webhook.DecodeAnswer([]byte(text))
		require.Error(t, err, "decoder: %s", name)
	}
}

// TestDecodersQuoteNothing: what a message or an answer holds never stands in an error.
func TestDecodersQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"v":"` + private + `"}`, `{"` + private + `":1}`, private, `{"v":1,"type":"` + private + `","key":"` + private + `"}`,
		`{"v":1,"type":"act.do","key":"D/1/do","account":{"platform":"` + private + `","id":"x"}}`,
		`{"v":1,"type":"act.do","key":"D/1/do","account":{"platform":"p","id":"x"},"act":{"kind":"` + private + `"}}`,
		`{"url":"` + private + `","secrets":[{"env":"whsec_` + private + `"}],"acts":["` + private + `"],"timeout":"` + private + `"}`,
		`{"url":"https://` + private + `:x@h/","secrets":[{"file":"` + private + `","env":"` + private + `"}]}`,
	} {
		_, err := webhook.DecodeMessage([]byte(text))
		require.NotContains(t, err.Error(), private)
		_, err = webhook.DecodeAnswer([]byte(text))
		require.NotContains(t, err.Error(), private)
		_, err = webhook.ParseConfig([]byte(text))
		require.NotContains(t, err.Error(), private)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, value := range formatstest.Values(f, "docs/formats/webhook-message.golden.ndjson", false) {
		f.Add([]byte(value))
	}
	f.Add([]byte(`{"v":1,"type":"act.undo","key":"D/1/undo","account":{"platform":"p","id":"x"},"act":{"kind":"warn","policy":"VE-08","case":"7K2QX-9MDT4"},"undo":{"kind":"warn","before":null,"at":"2026-11-23T10:00:00Z"}}`))
	schema := formatstest.Schema(f, "webhook-message")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := webhook.DecodeMessage(data)
		if err != nil {
			return
		}
		back, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, formatstest.Check(schema, back))
		again, err := webhook.DecodeMessage(back)
		require.NoError(t, err)
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(back), string(twice), "the same message, the same bytes")
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	for _, value := range formatstest.Values(f, "docs/formats/webhook-answer.golden.ndjson", false) {
		f.Add([]byte(value))
	}
	f.Add([]byte(`<html></html>`))
	f.Add([]byte(`{"v":1,"type":"act.lookup","key":"D/1/do","done":true,"reference":"R","x":{"y":[null]}}`))
	schema := formatstest.Schema(f, "webhook-answer")
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := webhook.DecodeAnswer(data)
		if err != nil {
			return
		}
		back, err := json.Marshal(a)
		require.NoError(t, err)
		require.NoError(t, formatstest.Check(schema, back))
		require.Equal(t, a.Type.Acts(), a.Reference != "" && a.Done == nil, "what acts always has a reference")
	})
}

func FuzzParseConfig(f *testing.F) {
	for _, value := range formatstest.Values(f, "docs/formats/webhook-config.golden.json", false) {
		f.Add([]byte(value))
	}
	f.Add([]byte(`{"url":"http://[::1]:80/","secrets":[{"env":"A"}],"acts":["warn"]}`))
	f.Add([]byte(`{"url":"http://127.1/","secrets":[{"env":"A"}],"acts":["warn"]}`))
	schema := formatstest.Schema(f, "webhook-config")
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := webhook.ParseConfig(data)
		if err != nil {
			return
		}
		require.Empty(t, c.Validate())
		back, err := json.Marshal(c)
		require.NoError(t, err)
		require.NoError(t, formatstest.Check(schema, back))
		again, err := webhook.ParseConfig(back)
		require.NoError(t, err)
		require.Equal(t, c.URL, again.URL)
	})
}
