package synth

import (
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// cluster adds twelve accounts with like handles that post the same few texts within minutes of
// one another.
func (g *generator) cluster() {
	c := class{name: "cluster", flag: true, policies: codes(casefile.VE09, casefile.VE11)}
	var members []casefile.Account
	for i := range 12 {
		members = append(members, g.person(c, "en", fmt.Sprintf("daily_beacon_%02d", i+1), "News that others hide", g.at(0, 0.05)))
	}
	for i := range 6 {
		text := write(g.rng, "en", distribution["en"][i%len(distribution["en"])])
		start := g.at(0.3+0.1*float64(i), 0.35+0.1*float64(i))
		for _, m := range members {
			if g.rng.IntN(6) == 0 {
				continue // not all of them every time
			}
			g.post(m, "en", text, start.Add(time.Duration(g.rng.IntN(240))*time.Second))
		}
	}
	for _, m := range members {
		for range 3 + g.rng.IntN(4) {
			g.post(m, "en", write(g.rng, "en", pick(g.rng, everyday["en"])), g.at(0.3, 1))
		}
	}
}

// returns adds four accounts that the platform takes down, and the four that their holders open
// afterwards under handles that look alike.
func (g *generator) returns() {
	alike := []func(string) string{
		func(h string) string { return h + "_2" },
		func(h string) string { return strings.Replace(h, "o", "0", 1) },
		func(h string) string { return "real_" + h },
		func(h string) string { return strings.Replace(h, "_", "__", 1) },
	}
	handles := []string{"lantern_voice71", "banner_choir18", "hollow_morning33", "iron_postbox52"}
	first := class{name: "taken-down", flag: true, policies: codes(casefile.VE08)}
	second := class{name: "returning", flag: true, policies: codes(casefile.VE11, casefile.VE08)}
	for i, handle := range handles {
		a := g.person(first, "en", handle, write(g.rng, "en", pick(g.rng, plainBios)), g.at(0, 0.1))
		for range 3 + g.rng.IntN(3) {
			g.post(a, "en", write(g.rng, "en", pick(g.rng, praise["en"])), g.at(0.1, 0.4))
		}
		g.events = append(g.events, casefile.Event{
			Kind: casefile.EventAccountGone, Platform: Platform, Account: casefile.Account{ID: a.ID, Handle: handle}, At: g.at(0.42, 0.45),
		})
		b := g.person(second, "en", alike[i](handle), "Back again after they suspended me", g.at(0.5, 0.55))
		g.truth[g.index(b.ID)].Returns = a.ID
		g.post(b, "en", "This is my new account after the last one was closed, spread the word I am back "+pick(g.rng, slots[""]["tag"]), g.at(0.56, 0.6))
		for range 1 + g.rng.IntN(3) {
			g.post(b, "en", write(g.rng, "en", pick(g.rng, praise["en"])), g.at(0.6, 1))
		}
		for range 2 + g.rng.IntN(3) {
			g.post(b, "en", write(g.rng, "en", pick(g.rng, everyday["en"])), g.at(0.6, 1))
		}
	}
}

// echo adds reposts: everyday accounts repost news and one another, supporters repost the cluster.
func (g *generator) echo() {
	by := map[string][]casefile.Event{}
	class := map[string]string{}
	for _, a := range g.truth {
		class[a.ID] = a.Class
	}
	for _, e := range g.events {
		if e.Kind == casefile.EventPost {
			by[class[e.Account.ID]] = append(by[class[e.Account.ID]], e)
		}
	}
	repost := func(from, of string, n int) {
		for range n {
			author, original := pick(g.rng, by[from]), pick(g.rng, by[of])
			if author.Account.ID == original.Account.ID {
				continue
			}
			at := original.At.Add(time.Duration(1+g.rng.IntN(300)) * time.Minute)
			e := g.post(author.Account, original.Lang, "RT @"+original.Account.Handle+": "+original.Text, at)
			e.RepostOf = original.ID
			e.Mentions = []string{original.Account.Handle}
		}
	}
	repost("everyday", "news", 160)
	repost("everyday", "everyday", 120)
	repost("counter-speech", "victims", 20)
	repost("research", "news", 15)
	repost("supporter", "cluster", 40)
	repost("supporter", "supporter", 30)
}

// regret deletes a few everyday posts some minutes after they were written.
func (g *generator) regret() {
	everydays := g.everydays()
	for _, e := range g.events {
		if e.Kind == casefile.EventPost && everydays[e.Account.ID] && g.rng.IntN(60) == 0 {
			at := e.At.Add(time.Duration(1+g.rng.IntN(120)) * time.Minute)
			g.events = append(g.events, casefile.Event{Kind: casefile.EventDelete, Platform: Platform, ID: e.ID, Account: e.Account, At: at})
		}
	}
}

func (g *generator) everydays() map[string]bool {
	out := map[string]bool{}
	for _, a := range g.truth {
		out[a.ID] = a.Class == "everyday"
	}
	return out
}

// refer makes some posts of the sorted stream answers to earlier ones.
func (g *generator) refer() {
	everydays := g.everydays()
	var earlier []casefile.Event
	for i := range g.events {
		e := &g.events[i]
		if e.Kind != casefile.EventPost || e.RepostOf != "" || !everydays[e.Account.ID] {
			continue
		}
		if len(earlier) > 0 && g.rng.IntN(6) == 0 {
			to := pick(g.rng, earlier)
			e.ReplyTo, e.Mentions = to.ID, []string{to.Account.Handle}
			e.Text = "@" + to.Account.Handle + " " + e.Text
		}
		earlier = append(earlier, *e)
	}
}
