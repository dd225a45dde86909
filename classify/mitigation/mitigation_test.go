package mitigation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/testdata/gen/synth"
)

var day0 = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func event(id, text string, minute int) casefile.Event {
	return casefile.Event{Kind: casefile.EventPost, ID: id, Text: text, At: day0.Add(time.Duration(minute) * time.Minute)}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bio, text string
		want      map[casefile.Mitigation]int
	}{
		"nothing":              {"Baker", "Good morning", map[casefile.Mitigation]int{}},
		"news in profile":      {"Court REPORTER, views my own", "Good morning", map[casefile.Mitigation]int{casefile.M1: 1}},
		"profile term in post": {"", "the reporter asked", map[casefile.Mitigation]int{}},
		"post term in profile": {"police said", "", map[casefile.Mitigation]int{}},
		"news in post":         {"", "Police  said that it rained", map[casefile.Mitigation]int{casefile.M1: 1}},
		"words apart":          {"", "Police have said", map[casefile.Mitigation]int{}},
		"two kinds":            {"PhD student", "we condemn it, never again", map[casefile.Mitigation]int{casefile.M2: 1, casefile.M3: 1}},
		"any place":            {"Survivor", "for all victims", map[casefile.Mitigation]int{casefile.M4: 2}},
		"any ending":           {"", "they condemned it", map[casefile.Mitigation]int{casefile.M3: 1}},
		"inside a word":        {"", "sunstudie", map[casefile.Mitigation]int{}},
		"german":               {"", "Laut Polizei wurden drei Mutmaßliche gesehen", map[casefile.Mitigation]int{casefile.M1: 1}},
		"russian":              {"Журналистка", "Мы ОСУЖДАЕМ это", map[casefile.Mitigation]int{casefile.M1: 1, casefile.M3: 1}},
		"arabic with marks":    {"بَاحِثٌ في الجامعة", "نُدين ذلك", map[casefile.Mitigation]int{casefile.M2: 1, casefile.M3: 1}},
		"french":               {"Journaliste", "selon la police", map[casefile.Mitigation]int{casefile.M1: 2}},
		"spanish":              {"Investigadora", "nunca mas", map[casefile.Mitigation]int{casefile.M2: 1, casefile.M3: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[casefile.Mitigation]int{casefile.M1: 0, casefile.M2: 0, casefile.M3: 0, casefile.M4: 0}
			for m, n := range tc.want {
				want[m] = n
			}
			require.Equal(t, want, Signs(casefile.Account{Bio: tc.bio}, []casefile.Event{event("1", tc.text, 0)}))
		})
	}
}

func TestFindGivesPlacesInTheOriginal(t *testing.T) {
	t.Parallel()
	text := "Опять: ПО ДАННЫМ полиции, и we con\u200ddemn this"
	r := Find(casefile.Account{DisplayName: "Newsroom X"}, []casefile.Event{event("p1", text, 0)})
	require.Len(t, r.Items, 3)
	require.Equal(t, casefile.FindingItem{Label: "M1", Text: "Newsroom X", Spans: []casefile.Span{{Start: 0, End: 8, Term: "newsroom"}}}, r.Items[0])
	at := day0
	require.Equal(t, &at, r.Items[1].At)
	require.Equal(t, "p1", r.Items[1].Post)
	got := []string{}
	for _, i := range r.Items[1:] {
		for _, s := range i.Spans {
			got = append(got, i.Label+" "+text[s.Start:s.End])
		}
	}
	require.Equal(t, []string{"M1 ПО ДАННЫМ полиции", "M3 con\u200ddemn"}, got, "the longer of two that begin alike")
	require.Equal(t, map[string]float64{"M1": 2, "M2": 0, "M3": 1, "M4": 0}, r.Values())
}

func TestFindTakesTheLastVersionAndNewestFirst(t *testing.T) {
	t.Parallel()
	edit := event("1", "nothing here", 9)
	edit.Kind = casefile.EventEdit
	gone := event("2", "", 9)
	gone.Kind = casefile.EventDelete
	posts := []casefile.Event{edit, event("1", "never again", 0), event("2", "never again", 1), gone}
	for i := range 30 {
		posts = append(posts, event(string(rune('A'+i)), "never again", 20+i))
	}
	r := Find(casefile.Account{}, posts)
	require.Equal(t, 30, r.Counts[casefile.M3])
	require.Len(t, r.Items, maxItems)
	require.Equal(t, string(rune('A'+29)), r.Items[0].Post)
}

// TestSyntheticStream holds the shipped lists to the generator's truth.
func TestSyntheticStream(t *testing.T) {
	t.Parallel()
	c := synth.Generate(1)
	posts := map[string][]casefile.Event{}
	profile := map[string]casefile.Account{}
	for _, e := range c.Events {
		if e.RepostOf == "" { // many share the news
			posts[e.Account.ID] = append(posts[e.Account.ID], e)
		}
		profile[e.Account.ID] = profile[e.Account.ID].Merge(e.Account)
	}
	wants := map[string]casefile.Mitigation{"news": casefile.M1, "research": casefile.M2, "counter-speech": casefile.M3, "victims": casefile.M4}
	found, all, stray, plain := map[string]int{}, map[string]int{}, 0, 0
	for _, a := range c.Truth.Accounts {
		signs := Signs(profile[a.ID], posts[a.ID])
		if m, ok := wants[a.Class]; ok {
			all[a.Class]++
			if signs[m] > 0 {
				found[a.Class]++
			}
		}
		if a.Class == "everyday" {
			plain++
			if signs[casefile.M1]+signs[casefile.M2]+signs[casefile.M3]+signs[casefile.M4] > 0 {
				stray++
			}
		}
	}
	for class := range wants {
		require.GreaterOrEqual(t, float64(found[class]), 0.9*float64(all[class]), "%s: %d of %d", class, found[class], all[class])
	}
	require.LessOrEqual(t, float64(stray), 0.1*float64(plain), "%d of %d everyday accounts", stray, plain)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":        "",
		"no YAML":        "{",
		"version":        "version: 2\nsigns: []",
		"unknown field":  "version: 1\nsings: []",
		"mitigation":     "version: 1\nsigns: [{mitigation: M9, in: post, terms: [a]}]",
		"place":          "version: 1\nsigns: [{mitigation: M1, in: street, terms: [a]}]",
		"no word":        "version: 1\nsigns: [{mitigation: M1, in: post, terms: ['!']}]",
		"too short star": "version: 1\nsigns: [{mitigation: M1, in: post, terms: ['a*']}]",
	} {
		_, err := Parse([]byte(data))
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	l, err := Parse([]byte("version: 1\nsigns: [{mitigation: M5, in: any, lang: en, terms: ['satire']}]"))
	require.NoError(t, err)
	require.Equal(t, map[casefile.Mitigation]int{casefile.M5: 1}, l.Find(casefile.Account{Bio: "Satire."}, nil).Counts)
}

// TestVersionPinsTheLists fails when the lists change: then Version must change too.
func TestVersionPinsTheLists(t *testing.T) {
	t.Parallel()
	_, err := Default()
	require.NoError(t, err)
	sum := sha256.Sum256(shipped)
	require.Equal(t, "signs-1", strings.Split(Version, "/")[0])
	require.Equal(t, "7f868a3fb733", hex.EncodeToString(sum[:6]))
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"police said", "Journalist", "never again never", "PO\u0301LICE said", "\xff condemn", "ندين"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := Find(casefile.Account{Bio: text}, []casefile.Event{event("1", text, 0)})
		for _, i := range r.Items {
			require.NotEmpty(t, i.Spans)
			end := 0
			for _, s := range i.Spans {
				require.True(t, end <= s.Start && s.Start < s.End && s.End <= len(text))
				end = s.End
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(shipped[:600])
	f.Add([]byte("version: 1\nsigns: [{mitigation: M1, in: post, terms: ['abc*']}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Parse(data)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		}
	})
}
