package detector

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

const smallRules = `
version: 1
settings: {threshold: 4, cool_down: 2h, window: 24h, half_life: 12h, max_posts: 5, max_accounts: 4}
rules:
  - id: names
    policy: VE-12
    group: names
    weight: 0.5
    max_total: 1
    where: [post, bio]
    terms: [grey banner, {text: الراية الرمادية, whole: false}]
  - id: context
    policy: VE-00
    group: reporting
    terms: [police said]
  - id: praise
    policy: VE-08
    requires: [names]
    unless: [reporting]
    terms:
      - {text: glory to, weight: 3}
      - {text: our heroes, weight: 2}
      - {text: Ruhm der Straße, weight: 4}
  - id: money
    policy: VE-04
    requires: [names]
    within: window
    terms: [{text: send money, weight: 4}]
  - id: threat
    policy: VE-01
    urgent: true
    max_post: 6
    terms: [{text: we will attack, weight: 4}, {text: tonight, weight: 4}]
  - id: entity
    policy: VE-03
    where: [bio, display_name, handle]
    requires: [names]
    terms: [{text: official account, weight: 4}]
  - id: german
    policy: VE-08
    language: de
    terms: [{text: hallo welt, weight: 4}]
`

func load(t testing.TB, text string) *Rules {
	t.Helper()
	r, err := LoadRules(strings.NewReader(text))
	require.NoError(t, err)
	return r
}

func TestLoadRulesReadsEverything(t *testing.T) {
	t.Parallel()
	r := load(t, smallRules)
	require.Equal(t, Settings{
		Threshold: 4, CoolDown: 2 * time.Hour, Window: 24 * time.Hour, HalfLife: 12 * time.Hour, MaxPosts: 5, MaxAccounts: 4,
		LeetFactor: 0.6, RepostFactor: 0.5, Watch: WatchHits,
	}, r.Settings)
	require.Len(t, r.Rules, 7)
	i := 0
	for r.Rules[i].ID != "praise" {
		i++
	}
	require.Equal(t, Rule{
		ID: "praise", Policy: casefile.VE08, Where: []Field{FieldPost}, Requires: []string{"names"}, Within: WithinPost,
		Unless: []string{"reporting"}, MaxPost: 1000, MaxTotal: 1000,
		Terms: []Term{{"Ruhm der Straße", 4, true}, {"glory to", 3, true}, {"our heroes", 2, true}},
	}, r.Rules[i])
}

func TestRulesVersionIsThatOfTheContent(t *testing.T) {
	t.Parallel()
	base := load(t, smallRules).Version
	require.Len(t, base, 16)
	for name, tc := range map[string]struct {
		from, to string
		same     bool
	}{
		"a comment":          {"version: 1", "# note\nversion: 1", true},
		"another weight":     {"glory to, weight: 3", "glory to, weight: 3.1", false},
		"another term":       {"our heroes", "our hero", false},
		"another threshold":  {"threshold: 4", "threshold: 5", false},
		"a default in words": {"max_accounts: 4", "max_accounts: 4, watch: hits", true},
		"order of terms":     {"[{text: we will attack, weight: 4}, {text: tonight, weight: 4}]", "[{text: tonight, weight: 4}, {text: we will attack, weight: 4}]", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(smallRules, tc.from, tc.to, 1)
			require.NotEqual(t, smallRules, changed)
			require.Equal(t, tc.same, base == load(t, changed).Version)
		})
	}
}

func TestLoadRulesNamesFieldAndLine(t *testing.T) {
	t.Parallel()
	head := "version: 1\nrules:\n"
	rule := "- {id: a, policy: VE-08, terms: [grey]}\n"
	for name, tc := range map[string]struct{ text, field, says string }{
		"unknown top field":       {head + rule + "extra: 1\n", "extra", "line 4: unknown field"},
		"unknown rule field":      {head + "- {id: a, policy: VE-08, weigth: 2, terms: [grey]}\n", "rules[0].weigth", "line 3: unknown field"},
		"unknown term field":      {head + "- id: a\n  policy: VE-08\n  terms:\n  - {txt: grey}\n", "rules[0].terms[0].txt", "line 6: unknown field"},
		"unknown setting":         {"version: 1\nsettings:\n  treshold: 2\nrules:\n" + rule, "settings.treshold", "line 3: unknown field"},
		"field twice":             {head + "- {id: a, id: b, policy: VE-08, terms: [grey]}\n", "rules[0].id", "line 3: given twice"},
		"no version":              {"rules:\n" + rule, "version", "required"},
		"another version":         {"version: 2\nrules:\n" + rule, "version", "line 1"},
		"version as text":         {"version: \"1\"\nrules:\n" + rule, "version", "line 1"},
		"no rules":                {"version: 1\n", "rules", "required"},
		"empty rules":             {"version: 1\nrules: []\n", "rules", "there must be 1"},
		"rules as mapping":        {"version: 1\nrules: {}\n", "rules", "must be a list"},
		"no id":                   {head + "- {policy: VE-08, terms: [grey]}\n", "rules[0].id", "required"},
		"odd id":                  {head + "- {id: A b, policy: VE-08, terms: [grey]}\n", "rules[0].id", "a-z"},
		"id twice":                {head + rule + rule, "rules[1].id", "line 4"},
		"no policy":               {head + "- {id: a, terms: [grey]}\n", "rules[0].policy", "required"},
		"unknown policy":          {head + "- {id: a, policy: VE-13, terms: [grey]}\n", "rules[0].policy", "VE-00 to VE-12"},
		"no terms":                {head + "- {id: a, policy: VE-08}\n", "rules[0].terms", "required"},
		"empty terms":             {head + "- {id: a, policy: VE-08, terms: []}\n", "rules[0].terms", "at least one"},
		"term of nothing":         {head + "- {id: a, policy: VE-08, terms: [\"\\u200b-\"]}\n", "rules[0].terms[0]", "once folded"},
		"term too long":           {head + "- {id: a, policy: VE-08, terms: [" + strings.Repeat("x", 201) + "]}\n", "rules[0].terms[0]", "once folded"},
		"term as number":          {head + "- {id: a, policy: VE-08, terms: [1488]}\n", "rules[0].terms[0]", "must be a text"},
		"weight too high":         {head + "- {id: a, policy: VE-08, terms: [{text: grey, weight: 1001}]}\n", "rules[0].terms[0].weight", "0 to 1000"},
		"weight not a number":     {head + "- {id: a, policy: VE-08, terms: [{text: grey, weight: .nan}]}\n", "rules[0].terms[0].weight", "0 to 1000"},
		"weight as text":          {head + "- {id: a, policy: VE-08, weight: much, terms: [grey]}\n", "rules[0].weight", "must be a number"},
		"weight of context":       {head + "- {id: a, policy: VE-00, terms: [{text: grey, weight: 1}]}\n", "rules[0].terms[0].weight", "context"},
		"unknown place":           {head + "- {id: a, policy: VE-08, where: [mail], terms: [grey]}\n", "rules[0].where[0]", "post, handle"},
		"place twice":             {head + "- {id: a, policy: VE-08, where: [bio, bio], terms: [grey]}\n", "rules[0].where[1]", "each once"},
		"unknown reach":           {head + "- {id: a, policy: VE-08, within: year, terms: [grey]}\n", "rules[0].within", "post or window"},
		"group of nobody":         {head + "- {id: a, policy: VE-08, requires: [names], terms: [grey]}\n", "rules[0].requires", "no rule has this group"},
		"exception of nobody":     {head + "- {id: a, policy: VE-08, unless: [names], terms: [grey]}\n", "rules[0].unless", "no rule has this group"},
		"context from the window": {head + "- {id: a, policy: VE-08, within: window, requires: [c], terms: [grey]}\n- {id: b, policy: VE-00, group: c, terms: [x1]}\n", "rules[0].requires", "not kept in the window"},
		"odd language":            {head + "- {id: a, policy: VE-08, language: German, terms: [grey]}\n", "rules[0].language", "two or three letters"},
		"threshold of nothing":    {"version: 1\nsettings: {threshold: 0}\nrules:\n" + rule, "settings.threshold", "line 2"},
		"window as number":        {"version: 1\nsettings: {window: 5}\nrules:\n" + rule, "settings.window", "such as 30m"},
		"too many posts":          {"version: 1\nsettings: {max_posts: 101}\nrules:\n" + rule, "settings.max_posts", "1 to 100"},
		"unknown watch":           {"version: 1\nsettings: {watch: some}\nrules:\n" + rule, "settings.watch", "hits, all or none"},
		"urgent as text":          {head + "- {id: a, policy: VE-08, urgent: maybe, terms: [grey]}\n", "rules[0].urgent", "true or false"},
		"an alias":                {"version: 1\nrules:\n- &r {id: a, policy: VE-08, terms: [grey]}\n- *r\n", "rules[1]", "must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadRules(strings.NewReader(tc.text))
			var faults casefile.Faults
			require.ErrorAs(t, err, &faults)
			found := false
			for _, f := range faults {
				require.Equal(t, casefile.CodeInvalid, f.Code)
				found = found || f.Field == tc.field && strings.Contains(f.Message, tc.says)
			}
			require.True(t, found, "%v", err)
		})
	}
}

func TestLoadRulesNamesAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := LoadRules(strings.NewReader("version: 1\nsettings: {threshold: -1, window: x}\nrules: [{id: a, policy: VE-99, terms: [grey]}]\n"))
	var faults casefile.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 3)
}

func TestLoadRulesRefusesWhatIsNotYAML(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":         "",
		"broken":        "a: [",
		"two documents": "version: 1\nrules: [{id: a, policy: VE-08, terms: [grey]}]\n---\nversion: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadRules(strings.NewReader(text))
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		})
	}
	_, err := LoadRules(strings.NewReader(strings.Repeat("#", MaxRulesBytes+1)))
	require.Equal(t, casefile.CodeTooLarge, casefile.ErrorCode(err))
	broken := errors.New("disk")
	_, err = LoadRules(failingReader{broken})
	require.ErrorIs(t, err, broken)
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func FuzzLoadRules(f *testing.F) {
	f.Add(smallRules)
	f.Add("version: 1\nrules: [{id: a, policy: VE-00, terms: [ab]}]")
	f.Add("&a [*a, {<<: *a}]")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := LoadRules(strings.NewReader(text))
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err), "%v", err)
			return
		}
		d := New(r)
		ev := event("p1", "a1", 0, text)
		d.Process(&ev)
	})
}
