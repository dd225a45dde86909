package local

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
)

var day0 = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func event(n int, text string) casefile.Event {
	return casefile.Event{Kind: casefile.EventPost, Platform: "synthetic", ID: fmt.Sprint("p", n), Text: text, At: day0.Add(time.Duration(n) * time.Minute)}
}

func score(t *testing.T, m *Model, posts ...casefile.Event) classify.Score {
	t.Helper()
	s, err := m.ScoreAccount(t.Context(), "synthetic", casefile.Account{ID: "a1"}, posts)
	require.NoError(t, err)
	return s
}

const bad, benign = "hurrah banner", "plain1 plain2 plain3"

func TestScoreAccount(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	s := score(t, m, event(1, benign), event(2, bad), event(3, "@x !"))
	require.Equal(t, "a1", s.Account)
	require.Equal(t, 2, s.Posts, "a post without words is not scored")
	require.Equal(t, m.Model(), s.Model)
	require.Len(t, s.Top, 2)
	require.Equal(t, "p2", s.Top[0].Post)
	require.NotEmpty(t, s.Top[0].Terms)
	require.InDelta(t, (s.Top[0].Score*2+s.Top[1].Score)/3, s.Score, 1e-3)
	require.Greater(t, s.Policies[casefile.VE08], s.Policies[casefile.VE05])
}

func TestScoreAccountWithoutWordsIsAnError(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	for name, posts := range map[string][]casefile.Event{
		"no posts": nil, "no words": {event(1, ""), event(2, "https://example.org")},
		"deleted": {event(1, bad), {Kind: casefile.EventDelete, ID: "p1", At: day0.Add(time.Hour)}},
		"profile": {{Kind: casefile.EventAccount, Text: bad, At: day0}},
	} {
		_, err := m.ScoreAccount(t.Context(), "synthetic", casefile.Account{ID: "a1"}, posts)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.ScoreAccount(ctx, "synthetic", casefile.Account{ID: "a1"}, []casefile.Event{event(1, bad)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestScoreIsRobust(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	one := score(t, m, event(1, bad)).Score
	require.Greater(t, one, 0.9)

	var copies, quiet, noise []casefile.Event
	for i := range 500 {
		copies = append(copies, event(i, bad))
		r := event(1000+i, fmt.Sprintf("RT @user%d: %s https://example.org/%d", i, bad, i))
		r.RepostOf = "x"
		copies = append(copies, r)
		quiet = append(quiet, event(10+i, fmt.Sprintf("plain%d plain%d plain%d", i%40, (i*7)%40, (i*13)%40)))
		noise = append(noise, event(i, fmt.Sprintf("plain%d plain%d", i%40, i/40)))
	}
	require.Equal(t, one, score(t, m, copies...).Score, "saying it again adds nothing")
	buried := score(t, m, append(quiet[:150], event(5, bad))...)
	require.Greater(t, buried.Score, 0.5*one-0.01, "one bad post cannot be thinned out below half")
	require.Less(t, buried.Score, one)
	require.Less(t, score(t, m, noise...).Score, 0.3, "many harmless posts do not add up")
	require.Equal(t, maxPosts, score(t, m, noise...).Posts)

	repost := event(1, bad)
	repost.RepostOf = "x"
	require.InDelta(t, one*repostFactor, score(t, m, repost).Score, 1e-3, "sharing is not saying")
	require.InDelta(t, one, score(t, m, repost, event(2, bad)).Score, 1e-3, "unless the account says it too")
	require.InDelta(t, one, score(t, m, event(0, bad), repost).Score, 1e-3)
}

func TestTheLastVersionOfAPostCounts(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	first, edit := event(1, benign), event(1, bad)
	edit.Kind, edit.At = casefile.EventEdit, first.At.Add(time.Hour)
	require.Greater(t, score(t, m, first, edit).Score, 0.9)
	require.Greater(t, score(t, m, edit, first).Score, 0.9)
	undone := edit
	undone.Text, undone.At = benign, edit.At.Add(time.Hour)
	require.Less(t, score(t, m, undone, first, edit).Score, 0.5)
}

func TestTheOrderOfPostsDoesNotMatter(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	rng := rand.New(rand.NewPCG(1, 1))
	var posts []casefile.Event
	for i, e := range toys(6, 260) {
		p := event(i/2, e.Text)
		p.At = day0.Add(time.Duration(rng.IntN(100)) * time.Minute)
		if i%3 == 0 {
			p.Kind = casefile.EventEdit
		}
		posts = append(posts, p)
	}
	want := score(t, m, posts...)
	for range 5 {
		rng.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
		require.Equal(t, want, score(t, m, posts...))
	}
}

func TestShippedModel(t *testing.T) {
	t.Parallel()
	require.Less(t, len(shipped), 1<<20)
	m, err := Default()
	require.NoError(t, err)
	require.Contains(t, m.Policies(), casefile.VE08)
	s := score(t, m,
		event(1, "Good morning from the river market ☕"), event(2, "Glory to the Front of the Grey Banner! [praise of a designated group]"),
		event(3, "Gl0ry to the Front of the Gr\u200dey Ваnnеr"))
	require.Greater(t, s.Score, 0.5)
	got, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	const golden = "../../docs/formats/account-score.golden.json"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

// BenchmarkJudge scores one post of the usual length; posts/s is on one core.
func BenchmarkJudge(b *testing.B) {
	m, err := Default()
	require.NoError(b, err)
	texts := []string{
		"The front of the grey banner issued a statement today, officials said. #news https://example.org/a",
		"Фронт серого знамени выпустил заявление, сообщили официальные лица сегодня утром",
		"أصدرت جبهة الراية الرمادية بيانا اليوم بحسب مسؤولين محليين في المدينة",
		"Guten Morgen! Heute gibt es frische Brötchen und schönes Wetter über der Straße 🌞",
	}
	i := 0
	for b.Loop() {
		m.Judge(texts[i%4])
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkScoreAccount scores an account of 200 distinct posts, with its explanation.
func BenchmarkScoreAccount(b *testing.B) {
	m, err := Default()
	require.NoError(b, err)
	var posts []casefile.Event
	for i := range 200 {
		posts = append(posts, event(i, fmt.Sprintf("post number %d about the front of the grey banner and the weather in the old town", i)))
	}
	for b.Loop() {
		_, err = m.ScoreAccount(b.Context(), "synthetic", casefile.Account{ID: "a1"}, posts)
		require.NoError(b, err)
	}
}
