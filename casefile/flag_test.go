package casefile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

const soundFlag = `{
	"id": "f-1", "platform": "synthetic",
	"account": {"id": "a-17", "handle": "grey_gull", "created_at": "2020-01-01T02:00:00+02:00", "followers": 0},
	"detector": {"name": "docket", "version": "1"},
	"reasons": [{"rule": "praise-en", "policy": "VE-08", "weight": 7.5, "detail": "7.5 >= 6", "terms": [{"post": "p1", "term": "glory", "start": 0, "end": 5}]}],
	"evidence": [
		{"id": "p1", "text": "[praise of a designated group]", "at": "2026-03-02T10:00:00+02:00", "new_field": {"x": 1}},
		{"kind": "account", "platform": "synthetic", "account": {"id": "a-17", "bio": "[a bio]"}, "at": "2026-03-02T08:00:00Z"}
	],
	"at": "2026-03-02T10:00:00+02:00"
}`

func TestDecodeFlag(t *testing.T) {
	t.Parallel()
	f, err := casefile.DecodeFlag([]byte(soundFlag))
	require.NoError(t, err)
	at, created, none := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), int64(0)
	require.Equal(t, casefile.Flag{
		ID: "f-1", Platform: "synthetic",
		Account:  casefile.Account{ID: "a-17", Handle: "grey_gull", CreatedAt: &created, Followers: &none},
		Detector: casefile.Detector{Name: "docket", Version: "1"},
		Reasons: []casefile.Reason{{Rule: "praise-en", Policy: casefile.VE08, Weight: 7.5, Detail: "7.5 >= 6",
			Terms: []casefile.Match{{Post: "p1", Term: "glory", Start: 0, End: 5}}}},
		Evidence: []casefile.Event{
			{Kind: casefile.EventPost, Platform: "synthetic", ID: "p1", Account: casefile.Account{ID: "a-17"}, Text: "[praise of a designated group]", At: at},
			{Kind: casefile.EventAccount, Platform: "synthetic", Account: casefile.Account{ID: "a-17", Bio: "[a bio]"}, At: at},
		},
		At: at,
	}, f)
	require.Equal(t, casefile.AccountRef{Platform: "synthetic", ID: "a-17"}, f.Ref())
	require.Nil(t, f.Account.Following, "what the stream did not tell is not zero")
}

func TestDecodeFlagNamesTheField(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) string {
		require.Contains(t, soundFlag, old)
		return strings.Replace(soundFlag, old, with, 1)
	}
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	reason := `{"rule":"r","policy":"VE-08","weight":1}`
	var whole struct{ Evidence, Reasons json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(soundFlag), &whole))
	invalid, large := casefile.CodeInvalid, casefile.CodeTooLarge
	cases := map[string]struct {
		data  string
		code  casefile.Code
		field string
	}{
		"nothing":                 {"", invalid, ""},
		"cut off":                 {soundFlag[:200], invalid, ""},
		"a list":                  {`[]`, invalid, ""},
		"two at once":             {soundFlag + soundFlag, invalid, ""},
		"something behind":        {soundFlag + "x", invalid, ""},
		"an unknown field":        {replace(`"id": "f-1"`, `"id": "f-1", "case": "x"`), invalid, "case"},
		"an unknown field inside": {replace(`"rule": "praise-en"`, `"rule": "praise-en", "color": 1`), invalid, "color"},
		"an unknown field with a name that may be words": {replace(`"id": "f-1"`, `"id": "f-1", "words of a person": "x"`), invalid, ""},
		"an unknown field with a long name":              {replace(`"id": "f-1"`, `"id": "f-1", "`+strings.Repeat("x", 65)+`": "x"`), invalid, ""},

		"no id":                  {replace(`"f-1"`, `""`), invalid, "id"},
		"an id with a space":     {replace(`"f-1"`, `"f 1"`), invalid, "id"},
		"an id with a line feed": {replace(`"f-1"`, `"f\n1"`), invalid, "id"},
		"an id with a delete":    {replace(`"f-1"`, `"f\u007f"`), invalid, "id"},
		"an id too long":         {replace(`"f-1"`, `"`+strings.Repeat("x", 201)+`"`), invalid, "id"},
		"an id that is a number": {replace(`"f-1"`, `1`), invalid, "id"},
		"no platform":            {replace(`"platform": "synthetic",`, ``), invalid, "platform"},
		"a platform in capitals": {replace(`"synthetic"`, `"Synthetic"`), invalid, "platform"},

		"no account":                  {replace(`"a-17"`, `""`), invalid, "account.id"},
		"an account that is a text":   {replace(soundFlag[strings.Index(soundFlag, `{"id": "a-17"`):strings.Index(soundFlag, `"detector"`)], `"a-17", `), invalid, "account"},
		"an account's unknown field":  {replace(`"handle"`, `"handel"`), invalid, "handel"},
		"an account's bad time":       {replace(`"2020-01-01T02:00:00+02:00"`, `"last year"`), invalid, "account.created_at"},
		"an account's time, a number": {replace(`"2020-01-01T02:00:00+02:00"`, `17`), invalid, "account.created_at"},
		"half a follower":             {replace(`"followers": 0`, `"followers": 0.5`), invalid, "account.followers"},

		"no detector's name":    {replace(`"docket"`, `""`), invalid, "detector.name"},
		"no detector's version": {replace(`"version": "1"`, `"version": ""`), invalid, "detector.version"},

		"no reason":               {replace(string(whole.Reasons), `[]`), invalid, "reasons"},
		"a reason without rule":   {replace(`"praise-en"`, `""`), invalid, "reasons[0].rule"},
		"a reason without policy": {replace(`"VE-08"`, `"VE-99"`), invalid, "reasons[0].policy"},
		"a negative weight":       {replace(`7.5,`, `-0.1,`), invalid, "reasons[0].weight"},
		"a weight too large":      {replace(`7.5,`, `1000.1,`), invalid, "reasons[0].weight"},
		"the second reason":       {replace(string(whole.Reasons), `[`+reason+`,{"rule":"r","policy":"VE-08","weight":-1}]`), invalid, "reasons[1].weight"},
		"too many reasons":        {replace(string(whole.Reasons), `[`+many(201, reason)+`]`), large, "reasons"},

		"evidence that is a text":      {replace(string(whole.Evidence), `"p1"`), invalid, "evidence"},
		"a post that is a text":        {replace(string(whole.Evidence), `["p1"]`), invalid, "evidence[0]"},
		"a post without id":            {replace(`"id": "p1"`, `"id": ""`), invalid, "evidence[0].id"},
		"a post's id that is a number": {replace(`"id": "p1"`, `"id": 1`), invalid, "evidence[0].id"},
		"a post without time":          {replace(`"at": "2026-03-02T10:00:00+02:00", "new_field"`, `"new_field"`), invalid, "evidence[0].at"},
		"a post with a bad time":       {replace(`"at": "2026-03-02T10:00:00+02:00", "new_field"`, `"at": "yesterday", "new_field"`), invalid, "evidence[0].at"},
		"a post of an unknown kind":    {replace(`"kind": "account"`, `"kind": "like"`), invalid, "evidence[1].kind"},
		"a post of another platform":   {replace(`"platform": "synthetic", "account": {"id": "a-17", "bio"`, `"platform": "other", "account": {"id": "a-17", "bio"`), invalid, "evidence[1].platform"},
		"a post of another account":    {replace(`{"id": "a-17", "bio"`, `{"id": "a-18", "bio"`), invalid, "evidence[1].account.id"},
		"a post's account is a text":   {replace(`{"id": "a-17", "bio": "[a bio]"}`, `"a-17"`), invalid, "evidence[1].account"},
		"too many posts":               {replace(string(whole.Evidence), `[`+many(101, `{}`)+`]`), large, "evidence"},

		"no time":                  {replace(`"at": "2026-03-02T10:00:00+02:00"`+"\n}", `"at": null }`), invalid, "at"},
		"a bad time":               {replace(`"at": "2026-03-02T10:00:00+02:00"`+"\n}", `"at": "2026-03-02 10:00" }`), invalid, "at"},
		"a time that is a number":  {replace(`"at": "2026-03-02T10:00:00+02:00"`+"\n}", `"at": 1772438400 }`), invalid, "at"},
		"more bytes than are read": {strings.Repeat(" ", casefile.MaxFlagBytes) + soundFlag, large, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := casefile.DecodeFlag([]byte(c.data))
			var e *casefile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.code, e.Code)
			require.Equal(t, c.field, e.Field, e.Message)
			require.Zero(t, f)
			for _, content := range []string{"words of a person", "last year", "yesterday", "0.5", "1772438400", "like", "Synthetic"} {
				require.NotContains(t, err.Error(), content, "an error repeats what was sent")
			}
		})
	}
}

func TestDecodeFlagAtTheLimits(t *testing.T) {
	t.Parallel()
	f := casefile.Flag{ID: strings.Repeat("x", 200), Platform: "synthetic", Account: casefile.Account{ID: "a"}, Detector: casefile.Detector{Name: "d", Version: "1"}, At: then}
	for i := range casefile.MaxFlagReasons {
		f.Reasons = append(f.Reasons, casefile.Reason{Rule: "r", Policy: casefile.VE12, Weight: float64(i%2) * 1000})
	}
	for i := range casefile.MaxFlagEvidence {
		f.Evidence = append(f.Evidence, casefile.Event{ID: fmt.Sprint(i), At: then})
	}
	raw, err := json.Marshal(f)
	require.NoError(t, err)
	// Evidence may leave account and platform out; encoding/json cannot, so they are taken out.
	raw = []byte(strings.ReplaceAll(strings.ReplaceAll(string(raw), `"kind":"","platform":"",`, ``), `"account":{"id":""},`, ``))
	got, err := casefile.DecodeFlag(append(raw, strings.Repeat(" ", casefile.MaxFlagBytes-len(raw))...))
	require.NoError(t, err)
	require.Len(t, got.Reasons, casefile.MaxFlagReasons)
	require.Len(t, got.Evidence, casefile.MaxFlagEvidence)
	require.Equal(t, casefile.Account{ID: "a"}, got.Evidence[99].Account)
	require.Equal(t, casefile.EventPost, got.Evidence[99].Kind)

	none := f
	none.Evidence = nil
	require.NoError(t, none.Validate(), "a flag without evidence is allowed")
}

func TestParseEvent(t *testing.T) {
	t.Parallel()
	e, err := casefile.ParseEvent([]byte(`{"platform":"synthetic","id":"p1","account":{"id":"a-17","created_at":"2020-01-01T02:00:00+02:00"},"text":"[a post]","at":"2026-03-02T10:00:00+02:00","likes":3}`))
	require.NoError(t, err)
	created := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, casefile.Event{
		Kind: casefile.EventPost, Platform: "synthetic", ID: "p1", Account: casefile.Account{ID: "a-17", CreatedAt: &created},
		Text: "[a post]", At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
	}, e)

	cases := map[string]struct {
		line  string
		code  casefile.Code
		field string
	}{
		"nothing":                   {``, casefile.CodeInvalid, ""},
		"not JSON":                  {`{"id":`, casefile.CodeInvalid, ""},
		"a text":                    {`"p1"`, casefile.CodeInvalid, ""},
		"a post without id":         {`{"platform":"x","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "id"},
		"an edit without id":        {`{"kind":"edit","platform":"x","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "id"},
		"a deletion without id":     {`{"kind":"delete","platform":"x","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "id"},
		"an unknown kind":           {`{"kind":"like","platform":"x","id":"1","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "kind"},
		"no platform":               {`{"id":"1","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "platform"},
		"no account":                {`{"id":"1","platform":"x","at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "account.id"},
		"an account that is a text": {`{"id":"1","platform":"x","account":"a","at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "account"},
		"no time":                   {`{"id":"1","platform":"x","account":{"id":"a"}}`, casefile.CodeInvalid, "at"},
		"a bad time":                {`{"id":"1","platform":"x","account":{"id":"a"},"at":"now"}`, casefile.CodeInvalid, "at"},
		"two bad times":             {`{"id":"1","platform":"x","account":{"id":"a","created_at":"then"},"at":"now"}`, casefile.CodeInvalid, "account.created_at"},
		"a time that is a list":     {`{"id":"1","platform":"x","account":{"id":"a"},"at":[]}`, casefile.CodeInvalid, "at"},
		"followers in words":        {`{"id":"1","platform":"x","account":{"id":"a","followers":"many"},"at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "account.followers"},
		"links that are a text":     {`{"id":"1","platform":"x","account":{"id":"a"},"urls":"u","at":"2026-03-02T08:00:00Z"}`, casefile.CodeInvalid, "urls"},
		"a line too long":           {strings.Repeat(" ", casefile.MaxEventBytes+1), casefile.CodeTooLarge, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := casefile.ParseEvent([]byte(c.line))
			var fault *casefile.Error
			require.ErrorAs(t, err, &fault)
			require.Equal(t, c.code, fault.Code)
			require.Equal(t, c.field, fault.Field, fault.Message)
			require.Zero(t, e)
		})
	}
	for _, kind := range []casefile.EventKind{casefile.EventAccount, casefile.EventAccountGone} {
		_, err = casefile.ParseEvent([]byte(`{"kind":"` + string(kind) + `","platform":"x","account":{"id":"a"},"at":"2026-03-02T08:00:00Z"}`))
		require.NoError(t, err, "an account's events have no id of their own")
	}
}

func TestAccountMerge(t *testing.T) {
	t.Parallel()
	zero, one, created := int64(0), int64(1), then
	old := casefile.Account{ID: "a", Handle: "old", DisplayName: "Old", Bio: "[bio]", CreatedAt: &created, Followers: &one, Following: &one, Posts: &one}
	require.Equal(t, old, old.Merge(casefile.Account{}), "what is not told changes nothing")
	require.Equal(t, old, casefile.Account{}.Merge(old))
	newer := casefile.Account{ID: "a", Handle: "new", Followers: &zero}
	got := old.Merge(newer)
	require.Equal(t, "new", got.Handle)
	require.Equal(t, "Old", got.DisplayName)
	require.Equal(t, int64(0), *got.Followers, "a told zero counts")
	require.Equal(t, "old", old.Handle, "the receiver is left as it was")
}

func TestFindingCodeHasNoWords(t *testing.T) {
	t.Parallel()
	f := casefile.Finding{Kind: casefile.FindingScore, Source: "local", Version: "1", At: then, Status: casefile.StatusKnown, Why: "[words]",
		Values: map[string]float64{"score": 0.5}, Items: []casefile.FindingItem{{Label: "post", Text: "[words]"}}}
	raw, err := json.Marshal(f.CodeOf())
	require.NoError(t, err)
	require.JSONEq(t, `{"kind":"score","source":"local","version":"1","status":"known","values":{"score":0.5}}`, string(raw))
}
