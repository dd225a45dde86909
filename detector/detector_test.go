package detector

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// event is a post of account at so many minutes past noon.
func event(id, account string, minute int, text string) casefile.Event {
	return casefile.Event{
		Kind: casefile.EventPost, Platform: "synthetic", ID: id, Account: casefile.Account{ID: account},
		Text: text, At: noon.Add(time.Duration(minute) * time.Minute),
	}
}

// process hands events on and gives the flags.
func process(d *Detector, events ...casefile.Event) (flags []casefile.Flag) {
	for i := range events {
		found, _ := d.Process(&events[i])
		flags = append(flags, found...)
	}
	return flags
}

const (
	strong = "Glory to our heroes of the Grey Banner"  // 3 + 2 + 0.5
	medium = "Glory to the Grey Banner, [placeholder]" // 3 + 0.5
)

func rulesOf(f casefile.Flag) map[string]float64 {
	out := map[string]float64{}
	for _, r := range f.Reasons {
		out[r.Rule] = r.Weight
	}
	return out
}

func TestWhatIsFlagged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text, lang string
		want       map[string]float64 // nil: no flag
	}{
		"a name and praise":                 {strong, "", map[string]float64{"praise": 5, "names": 0.5}},
		"under the threshold":               {medium, "", nil},
		"praise without a name":             {"Glory to our heroes of the choir", "", nil},
		"a name alone":                      {"The Grey Banner is in the news", "", nil},
		"an exception":                      {strong + ", police said", "", nil},
		"a rule without requirement":        {"we will attack", "", map[string]float64{"threat": 4}},
		"the most that one post gives":      {"Tonight we will attack", "", map[string]float64{"threat": 6}},
		"a term counts once":                {"we will attack, we will attack", "", map[string]float64{"threat": 4}},
		"not inside a word":                 {"we will attacker tonightly", "", nil},
		"whole words between signs":         {"«we will attack»!", "", map[string]float64{"threat": 4}},
		"digits for letters":                {"Gl0ry to 0ur h3roes of the Gr3y Banner, ruhm der Strasse", "", map[string]float64{"praise": 7, "names": 0.3}},
		"look-alike letters":                {"Glоry tо оur hеrоеs оf thе Grеy Bаnnеr", "", map[string]float64{"praise": 5, "names": 0.5}},
		"invisible letters":                 {"Gl\u200bory to o\u00adur heroes of the Grey\u2060 Banner", "", map[string]float64{"praise": 5, "names": 0.5}},
		"sharp s":                           {"RUHM DER STRASSE, grey banner", "", map[string]float64{"praise": 4, "names": 0.5}},
		"inside an Arabic word, with marks": {"we will attack والرَّاية الرَّمادِيّة", "", map[string]float64{"threat": 4, "names": 0.5}},
		"a hashtag":                         {"#Grey_Banner glory to our heroes", "", map[string]float64{"praise": 5, "names": 0.5}},
		"another language":                  {"hallo welt", "en", nil},
		"its language":                      {"hallo welt", "de-AT", map[string]float64{"german": 4}},
		"a language nobody told":            {"hallo welt", "und", map[string]float64{"german": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := event("p1", "a1", 0, tc.text)
			ev.Lang = tc.lang
			flags := process(New(load(t, smallRules)), ev)
			if tc.want == nil {
				require.Empty(t, flags)
				return
			}
			require.Len(t, flags, 1)
			got := rulesOf(flags[0])
			require.Len(t, got, len(tc.want))
			for rule, w := range tc.want {
				require.InDelta(t, w, got[rule], 0.001, rule)
			}
		})
	}
}

func TestAFlagSaysWhatItSaw(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	followers := int64(7)
	first, second := event("p1", "a1", 0, medium), event("p2", "a1", 90, "A second time: Glоry to the Grey Banner!")
	second.Account = casefile.Account{ID: "a1", Handle: "grey_gull", Followers: &followers}
	flags := process(d, first, second)
	require.Len(t, flags, 1)
	f := flags[0]
	require.NoError(t, f.Validate())
	require.Equal(t, "synthetic", f.Platform)
	require.Equal(t, "grey_gull", f.Account.Handle)
	require.Equal(t, casefile.Detector{Name: Name, Version: d.Rules().Version}, f.Detector)
	require.Equal(t, second.At, f.At)
	require.Regexp(t, "^f-[a-z2-7]{32}$", f.ID)
	require.Equal(t, "praise", f.Reasons[0].Rule, "the weightiest first")
	require.Equal(t, casefile.VE08, f.Reasons[0].Policy)
	require.Equal(t, "score 6.7 >= 4.0; 5.8 of it from 2 posts in 1h30m0s, 2 terms", f.Reasons[0].Detail)
	require.Equal(t, []casefile.Match{{Post: "p1", Term: "glory to", Start: 0, End: 8}, {Post: "p2", Term: "glory to", Start: 15, End: 24}}, f.Reasons[0].Terms)
	require.Equal(t, "Glоry to", second.Text[15:24])
	require.Equal(t, []string{"p1", "p2"}, []string{f.Evidence[0].ID, f.Evidence[1].ID})
	require.Equal(t, first.Text, f.Evidence[0].Text)
	raw, err := json.Marshal(f)
	require.NoError(t, err)
	again, err := casefile.DecodeFlag(raw)
	require.NoError(t, err)
	require.Equal(t, f.ID, again.ID)
}

func TestCopiesCountOnceAndRepostsLess(t *testing.T) {
	t.Parallel()
	repost := func(id string, minute int, text string) casefile.Event {
		ev := event(id, "a1", minute, text)
		ev.RepostOf = "p0"
		return ev
	}
	for name, tc := range map[string]struct {
		events []casefile.Event
		flags  int
	}{
		"the same words again":        {[]casefile.Event{event("p1", "a1", 0, medium), event("p2", "a1", 1, strings.ToUpper(medium))}, 0},
		"the same with another link":  {[]casefile.Event{event("p1", "a1", 0, medium+" https://t.example/1"), event("p2", "a1", 1, "@you "+medium+" https://t.example/2")}, 0},
		"a repost of the same":        {[]casefile.Event{event("p1", "a1", 0, medium), repost("p2", 1, "RT @you: "+medium)}, 0},
		"the same post again":         {[]casefile.Event{event("p1", "a1", 0, medium), event("p1", "a1", 0, medium)}, 0},
		"other words":                 {[]casefile.Event{event("p1", "a1", 0, medium), event("p2", "a1", 1, medium+" again")}, 1},
		"a repost counts half":        {[]casefile.Event{repost("p1", 0, strong)}, 0},
		"a post of the same counts":   {[]casefile.Event{event("p1", "a1", 0, strong)}, 1},
		"two accounts do not add up":  {[]casefile.Event{event("p1", "a1", 0, medium), event("p2", "a2", 1, medium+" again")}, 0},
		"two platforms do not add up": {[]casefile.Event{event("p1", "a1", 0, medium), {Kind: casefile.EventPost, Platform: "other", ID: "p2", Account: casefile.Account{ID: "a1"}, Text: medium + " again", At: noon}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, process(New(load(t, smallRules)), tc.events...), tc.flags)
		})
	}
}

func TestTimeInTheWindow(t *testing.T) {
	t.Parallel()
	const hour = 60
	for name, tc := range map[string]struct {
		minutes []int
		flags   int
	}{
		"together":                     {[]int{0, 1}, 1},
		"faded but enough":             {[]int{0, 23 * hour}, 1}, // 3.5 + 3.5 x 0.265
		"out of the window":            {[]int{0, 25 * hour}, 0},
		"late, within the window":      {[]int{60, 0}, 1},
		"late, older than the window":  {[]int{25 * hour, 0}, 0},
		"exactly as old as the window": {[]int{0, 24 * hour}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := New(load(t, smallRules))
			var flags []casefile.Flag
			for i, m := range tc.minutes {
				flags = append(flags, process(d, event(fmt.Sprint("p", i), "a1", m, medium+fmt.Sprint(" nr ", i)))...)
			}
			require.Len(t, flags, tc.flags)
		})
	}
	d := New(load(t, smallRules))
	process(d, event("p1", "a1", 25*hour, medium), event("p2", "a1", 0, medium+" x"))
	require.Equal(t, int64(1), d.Stats().Late)
}

func TestCoolDown(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	require.Len(t, process(d, event("p1", "a1", 0, strong)), 1)
	require.Empty(t, process(d, event("p2", "a1", 10, strong+" two")), "within the cool-down")
	require.Len(t, process(d, event("p3", "a1", 20, "we will attack")), 1, "an urgent rule")
	require.Empty(t, process(d, event("p4", "a1", 30, strong+" four")), "the urgent flag began another cool-down")
	flags := process(d, event("p5", "a1", 141, "Glory to the Grey Banner, five"))
	require.Len(t, flags, 1, "the cool-down is over")
	ids := []string{}
	for _, e := range flags[0].Evidence {
		ids = append(ids, e.ID)
	}
	require.Equal(t, []string{"p4", "p5"}, ids, "nothing that was flagged is flagged again")
	require.Empty(t, process(d, event("p6", "a1", 300, "The Grey Banner is in the news")), "no new evidence, no new flag")
}

func TestRequirementsInTheWindow(t *testing.T) {
	t.Parallel()
	money, name := event("p1", "a1", 0, "send money here"), event("p2", "a1", 5, "about the Grey Banner")
	require.Empty(t, process(New(load(t, smallRules)), money))
	flags := process(New(load(t, smallRules)), money, name)
	require.Len(t, flags, 1)
	require.Len(t, flags[0].Evidence, 2, "the post that names the group is evidence too")
	bio := name
	bio.Kind, bio.ID, bio.Text, bio.Account.Bio = casefile.EventAccount, "", "", "friend of the grey banner"
	require.Len(t, process(New(load(t, smallRules)), money, bio), 1, "a name in the profile will do")
	require.Empty(t, process(New(load(t, smallRules)), event("p1", "a1", 0, "Glory to our heroes"), name), "but not for a rule within a post")
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	profile := func(minute int, bio string) casefile.Event {
		return casefile.Event{
			Kind: casefile.EventAccount, Platform: "synthetic", At: noon.Add(time.Duration(minute) * time.Minute),
			Account: casefile.Account{ID: "a1", Handle: "grey_gull", Bio: bio},
		}
	}
	t.Run("an account that never posted", func(t *testing.T) {
		t.Parallel()
		flags := process(New(load(t, smallRules)), profile(0, "Official account of the Grey Banner"))
		require.Len(t, flags, 1)
		require.NoError(t, flags[0].Validate())
		require.Empty(t, flags[0].Evidence)
		require.Equal(t, "score 4.5 >= 4.0; 4.0 of it from the profile, 1 term", flags[0].Reasons[0].Detail)
		require.Equal(t, "Official account of the Grey Banner", flags[0].Account.Bio)
	})
	t.Run("the same profile again is nothing new", func(t *testing.T) {
		t.Parallel()
		d := New(load(t, smallRules))
		other := profile(300, "Official account of the Grey Banner")
		other.Account.DisplayName = "Gull"
		require.Len(t, process(d, profile(0, "Official account of the Grey Banner"), profile(200, "Official account of the Grey Banner"), other), 1)
	})
	t.Run("a profile that comes back is another claim", func(t *testing.T) {
		t.Parallel()
		flags := process(New(load(t, smallRules)), profile(0, "Official account of the Grey Banner"), profile(10, "Baker"), profile(200, "Official account of the Grey Banner"))
		require.Len(t, flags, 2)
		require.NotEqual(t, flags[0].ID, flags[1].ID)
	})
	t.Run("a clean profile takes the old one back", func(t *testing.T) {
		t.Parallel()
		d := New(load(t, smallRules))
		require.Empty(t, process(d, profile(0, "Friend of the Grey Banner")))
		require.Equal(t, 1, d.Stats().Accounts)
		_, watched := d.Process(ptr(profile(1, "Baker")))
		require.False(t, watched)
	})
	t.Run("terms of posts do not hold for profiles", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, process(New(load(t, smallRules)), profile(0, strong)))
	})
	t.Run("posts and profile add up", func(t *testing.T) {
		t.Parallel()
		flags := process(New(load(t, smallRules)), profile(0, "The Grey Banner"), event("p1", "a1", 1, medium))
		require.Len(t, flags, 1)
		require.Equal(t, map[string]float64{"names": 1, "praise": 3}, rulesOf(flags[0]))
		require.Contains(t, flags[0].Reasons[1].Detail, "from 1 post and the profile")
	})
}

func ptr[T any](v T) *T { return &v }

func TestEditsDeletesAndEnds(t *testing.T) {
	t.Parallel()
	as := func(kind casefile.EventKind, ev casefile.Event) casefile.Event {
		ev.Kind = kind
		return ev
	}
	edit, del, gone := casefile.EventEdit, casefile.EventDelete, casefile.EventAccountGone
	for name, tc := range map[string]struct {
		events []casefile.Event
		flags  int
	}{
		"an edit takes words back":          {[]casefile.Event{event("p1", "a1", 0, medium), as(edit, event("p1", "a1", 1, "sorry")), event("p2", "a1", 2, medium+" two")}, 0},
		"an edit brings words in":           {[]casefile.Event{event("p1", "a1", 0, "Good morning"), as(edit, event("p1", "a1", 1, strong))}, 1},
		"an edit does not count twice":      {[]casefile.Event{event("p1", "a1", 0, medium), as(edit, event("p1", "a1", 1, medium+" edited"))}, 0},
		"an edit of the links alone":        {[]casefile.Event{event("p1", "a1", 0, medium), as(edit, event("p1", "a1", 1, medium+" https://t.example")), event("p2", "a1", 2, medium+" two")}, 1},
		"a deleted post counts no more":     {[]casefile.Event{event("p1", "a1", 0, medium), as(del, event("p1", "a1", 1, "")), event("p2", "a1", 2, medium+" two")}, 0},
		"deleting another changes nothing":  {[]casefile.Event{event("p1", "a1", 0, medium), as(del, event("p9", "a1", 1, "")), event("p2", "a1", 2, medium+" two")}, 1},
		"deleting for an account not known": {[]casefile.Event{as(del, event("p9", "a9", 1, ""))}, 0},
		"an account that ends is forgotten": {[]casefile.Event{event("p1", "a1", 0, medium), as(gone, event("", "a1", 1, "")), event("p2", "a1", 2, medium+" two")}, 0},
		"an edit after the flag":            {[]casefile.Event{event("p1", "a1", 0, strong), as(edit, event("p1", "a1", 200, strong+" and more"))}, 2},
		"copies of what was flagged":        {[]casefile.Event{event("p1", "a1", 0, strong), as(del, event("p1", "a1", 1, "")), event("p2", "a1", 200, strong)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := process(New(load(t, smallRules)), tc.events...)
			require.Len(t, flags, tc.flags)
			ids := map[string]bool{}
			for _, f := range flags {
				require.False(t, ids[f.ID], "two claims share an id")
				ids[f.ID] = true
			}
		})
	}
}

func TestWatched(t *testing.T) {
	t.Parallel()
	quiet, hit := event("p1", "a1", 0, "Good morning"), event("p2", "a2", 0, "The Grey Banner is in the news")
	gone := casefile.Event{Kind: casefile.EventAccountGone, Platform: "synthetic", Account: casefile.Account{ID: "a2"}, At: noon}
	for _, tc := range []struct {
		watch             Watch
		quiet, hit, after bool
	}{{WatchHits, false, true, false}, {WatchAll, true, true, true}, {WatchNone, false, false, false}} {
		t.Run(string(tc.watch), func(t *testing.T) {
			t.Parallel()
			d := New(load(t, strings.Replace(smallRules, "max_accounts: 4", "max_accounts: 4, watch: "+string(tc.watch), 1)))
			watched := func(ev casefile.Event) bool {
				_, w := d.Process(&ev)
				return w
			}
			require.Equal(t, tc.quiet, watched(quiet))
			require.Equal(t, tc.hit, watched(hit))
			require.Equal(t, tc.hit, watched(event("p3", "a2", 10, "Good evening")), "later posts of a watched account")
			require.Equal(t, tc.after, watched(gone))
		})
	}
	d := New(load(t, smallRules))
	process(d, hit)
	_, w := d.Process(ptr(event("p4", "a2", 25*60, "Good evening")))
	require.False(t, w, "what was found has left the window")
}

func TestAccountsAreBoundedAndTheQuietGoFirst(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules)) // at most 4
	for i := range 4 {
		process(d, event("p1", fmt.Sprint("a", i), i, medium))
	}
	process(d, event("p2", "a0", 5, "The Grey Banner again")) // now a1 has been quiet longest
	process(d, event("p1", "a9", 6, medium))
	require.Equal(t, 4, d.Stats().Accounts)
	require.Equal(t, int64(1), d.Stats().Evicted)
	require.Empty(t, process(d, event("p3", "a1", 7, "send money")), "a1 is forgotten")
	require.Len(t, process(d, event("p3", "a0", 8, medium+" more")), 1, "a0 is not")
}

func TestPostsOfAnAccountAreBoundedAndTheWeightyStay(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules)) // at most 5
	process(d, event("p0", "a1", 0, medium))
	for i := range 20 {
		process(d, event(fmt.Sprint("n", i), "a1", 1+i, fmt.Sprint("Grey Banner note ", i)))
	}
	require.LessOrEqual(t, len(d.accounts["synthetic\x00a1"].Posts), 5)
	flags := process(d, event("p1", "a1", 30, "Glory to the Grey Banner once more"))
	require.Len(t, flags, 1, "talk of little weight has pushed the praise out")
	require.Equal(t, "p0", flags[0].Evidence[0].ID)
}

func TestHugeEventsGiveFlagsThatFit(t *testing.T) {
	t.Parallel()
	d := New(load(t, strings.Replace(strings.Replace(smallRules, "max_posts: 5", "max_posts: 100", 1), "threshold: 4", "threshold: 50", 1)))
	var flags []casefile.Flag
	for i := 0; len(flags) == 0; i++ {
		require.Less(t, i, 200)
		ev := event(fmt.Sprint("p", i), "a1", i, fmt.Sprint(medium, " ", i, " ", strings.Repeat("<я>", 40_000)))
		ev.Account.Bio = strings.Repeat("b", 500_000)
		for range 500 {
			ev.URLs = append(ev.URLs, "https://t.example/"+strings.Repeat("u", 50))
		}
		flags = process(d, ev)
	}
	require.NoError(t, flags[0].Validate())
	raw, err := json.Marshal(flags[0])
	require.NoError(t, err)
	require.LessOrEqual(t, len(raw), casefile.MaxFlagBytes)
	require.NotEmpty(t, flags[0].Evidence)
	require.Regexp(t, `; \d+ posts did not fit in the flag$`, flags[0].Reasons[0].Detail)
	for _, e := range flags[0].Evidence {
		require.LessOrEqual(t, len(e.Text), maxTextBytes)
		require.LessOrEqual(t, len(e.URLs), maxLinks)
	}
}

func TestEventsThatNoFlagCanHoldAreCounted(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	longID, farYear := event("p1", strings.Repeat("a", 600), 0, strong), event("p1", "a1", 0, strong)
	farYear.At = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Empty(t, process(d, longID, farYear))
	require.Equal(t, int64(2), d.Stats().Refused)
}

func TestFlagIDIsMadeOfTheClaimAlone(t *testing.T) {
	t.Parallel()
	id := func(platform, account, version string, rules, evidence []string) string {
		return flagID(platform, account, version, rules, evidence)
	}
	base := id("x", "a", "v", []string{"r1", "r2"}, []string{"p1", "p2"})
	require.Equal(t, base, id("x", "a", "v", []string{"r2", "r1"}, []string{"p2", "p1"}), "order does not matter")
	others := []string{
		id("y", "a", "v", []string{"r1", "r2"}, []string{"p1", "p2"}),
		id("x", "b", "v", []string{"r1", "r2"}, []string{"p1", "p2"}),
		id("x", "a", "w", []string{"r1", "r2"}, []string{"p1", "p2"}),
		id("x", "a", "v", []string{"r1"}, []string{"p1", "p2"}),
		id("x", "a", "v", []string{"r1", "r2"}, []string{"p1"}),
		id("x", "a", "v", []string{"r1", "r2", "p1"}, []string{"p2"}),
		id("x", "a", "v", []string{"r1", "r2"}, []string{"p1p2"}),
		id("xa", "", "v", []string{"r1", "r2"}, []string{"p1", "p2"}),
	}
	seen := map[string]bool{base: true}
	for _, o := range others {
		require.False(t, seen[o])
		seen[o] = true
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	process(d, event("p1", "a1", 0, medium))
	d.Forget(casefile.AccountRef{Platform: "synthetic", ID: "a1"})
	d.Forget(casefile.AccountRef{Platform: "synthetic", ID: "unknown"})
	require.Zero(t, d.Stats().Accounts)
	require.Empty(t, process(d, event("p2", "a1", 1, medium+" two")))
}

func TestKeptEvidenceIsItsOwn(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	ev := event("p1", "a1", 0, strong)
	ev.URLs = []string{"https://t.example/1"}
	flags := process(d, ev)
	ev.URLs[0] = "changed"
	require.Equal(t, "https://t.example/1", flags[0].Evidence[0].URLs[0])
}
