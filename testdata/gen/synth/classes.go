package synth

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// class is a kind of account: how many there are in each language, what they write, and what the
// truth about them is.
type class struct {
	name     string
	accounts map[string]int
	posts    [2]int             // least and most in all
	topic    map[string]phrases // what makes the class, beside everyday posts
	share    float64            // of the posts that are on the topic; 0: topicPosts
	worst    [2]int             // least and most posts on the topic when share is 0
	bios     []string
	disguise func(*rand.Rand, string) string
	edited   bool // the topic comes in by edits of everyday posts
	flag     bool
	policies []casefile.PolicyCode
}

func (c class) langs() []string { return slices.Sorted(maps.Keys(c.accounts)) }

func codes(c ...casefile.PolicyCode) []casefile.PolicyCode { return c }

// classes are all kinds of account but the cluster and the returning ones, which act together.
var classes = []class{
	// Benign, some of them on the very same topics.
	{name: "everyday", accounts: map[string]int{"en": 62, "de": 26, "ru": 22, "ar": 22}, posts: [2]int{12, 24}, bios: plainBios},
	{name: "games", accounts: map[string]int{"en": 18}, posts: [2]int{12, 22}, topic: games, share: 0.6, bios: plainBios},
	{name: "news", accounts: map[string]int{"en": 10, "de": 4, "ru": 3, "ar": 4}, posts: [2]int{24, 36}, topic: news, share: 0.95, bios: professionBios["news"]},
	{name: "research", accounts: map[string]int{"en": 8, "de": 2, "ru": 1, "ar": 1}, posts: [2]int{10, 20}, topic: research, share: 0.6, bios: professionBios["research"]},
	{name: "counter-speech", accounts: map[string]int{"en": 11, "de": 3, "ru": 2, "ar": 3}, posts: [2]int{10, 20}, topic: counter, share: 0.6, bios: professionBios["counter"]},
	{name: "victims", accounts: map[string]int{"en": 8, "de": 2, "ru": 2, "ar": 2}, posts: [2]int{8, 16}, topic: victims, share: 0.5, bios: professionBios["victims"]},
	{name: "polemic", accounts: map[string]int{"en": 14}, posts: [2]int{10, 22}, topic: polemic, share: 0.5, bios: plainBios},
	{name: "satire", accounts: map[string]int{"en": 6}, posts: [2]int{8, 16}, topic: satire, share: 0.6, bios: plainBios},
	{name: "namesake", accounts: map[string]int{"en": 5}, posts: [2]int{10, 18}, topic: namesakes, share: 0.7, bios: professionBios["namesakes"]},
	{name: "silent", accounts: map[string]int{"en": 20, "de": 5}, bios: plainBios},

	// To be flagged.
	{name: "supporter", accounts: map[string]int{"en": 16, "de": 8, "ru": 7, "ar": 9}, posts: [2]int{8, 20}, topic: praise, worst: [2]int{2, 5}, bios: plainBios, flag: true, policies: codes(casefile.VE08)},
	{name: "recruiter", accounts: map[string]int{"en": 5, "de": 2, "ru": 2, "ar": 2}, posts: [2]int{6, 14}, topic: recruitment, worst: [2]int{2, 4}, bios: plainBios, flag: true, policies: codes(casefile.VE05)},
	{name: "distributor", accounts: map[string]int{"en": 8}, posts: [2]int{8, 16}, topic: distribution, worst: [2]int{2, 5}, bios: plainBios, flag: true, policies: codes(casefile.VE09)},
	{name: "fundraiser", accounts: map[string]int{"en": 6}, posts: [2]int{6, 14}, topic: funding, worst: [2]int{1, 3}, bios: plainBios, flag: true, policies: codes(casefile.VE04)},
	{name: "threat", accounts: map[string]int{"en": 6}, posts: [2]int{4, 12}, topic: threats, worst: [2]int{1, 2}, bios: plainBios, flag: true, policies: codes(casefile.VE01)},
	{name: "incitement", accounts: map[string]int{"en": 5}, posts: [2]int{6, 14}, topic: incitement, worst: [2]int{2, 4}, bios: plainBios, flag: true, policies: codes(casefile.VE07)},
	{name: "instruction", accounts: map[string]int{"en": 4}, posts: [2]int{4, 10}, topic: instruction, worst: [2]int{1, 3}, bios: plainBios, flag: true, policies: codes(casefile.VE06)},
	{name: "entity-silent", accounts: map[string]int{"en": 6, "de": 2, "ru": 1, "ar": 2}, flag: true, policies: codes(casefile.VE03)},
	{name: "entity", accounts: map[string]int{"en": 4}, posts: [2]int{6, 12}, topic: distribution, worst: [2]int{2, 4}, flag: true, policies: codes(casefile.VE03, casefile.VE09)},
	{name: "leet", accounts: map[string]int{"en": 8}, posts: [2]int{6, 14}, topic: praise, worst: [2]int{3, 5}, bios: plainBios, disguise: leet, flag: true, policies: codes(casefile.VE08)},
	{name: "confusable", accounts: map[string]int{"en": 8}, posts: [2]int{6, 14}, topic: praise, worst: [2]int{2, 4}, bios: plainBios, disguise: confusable, flag: true, policies: codes(casefile.VE08)},
	{name: "edited", accounts: map[string]int{"en": 3}, posts: [2]int{6, 12}, topic: praise, worst: [2]int{2, 3}, bios: plainBios, edited: true, flag: true, policies: codes(casefile.VE08)},
	{name: "spaced", accounts: map[string]int{"en": 3}, posts: [2]int{6, 12}, topic: praise, worst: [2]int{2, 4}, bios: plainBios, disguise: spaced, flag: true, policies: codes(casefile.VE08)},
	{name: "coded", accounts: map[string]int{"en": 4}, posts: [2]int{6, 12}, topic: coded, worst: [2]int{2, 4}, bios: plainBios, flag: true, policies: codes(casefile.VE08)},
}

// account makes one account of a class with all its posts.
func (g *generator) account(c class, lang string) {
	bios := c.bios
	if bios == nil {
		bios = entityBios[lang]
	}
	a := g.person(c, lang, g.handle(), write(g.rng, lang, pick(g.rng, bios)), g.at(0, 0.3))
	if c.posts[1] == 0 {
		return
	}
	n := c.posts[0] + g.rng.IntN(c.posts[1]-c.posts[0]+1)
	onTopic := int(float64(n) * c.share)
	if c.share == 0 && c.topic != nil {
		onTopic = c.worst[0] + g.rng.IntN(c.worst[1]-c.worst[0]+1)
	}
	for i := range n {
		if i < onTopic {
			g.topicPost(c, a, lang)
		} else {
			e := g.post(a, lang, write(g.rng, lang, pick(g.rng, everyday[lang])), g.at(0.3, 1))
			if g.rng.IntN(12) == 0 {
				e.Media = append(e.Media, g.photo())
			}
		}
	}
}

func (g *generator) topicPost(c class, a casefile.Account, lang string) {
	text := write(g.rng, lang, pick(g.rng, c.topic[lang]))
	if c.disguise != nil {
		text = c.disguise(g.rng, text)
	}
	if !c.edited {
		e := g.post(a, lang, text, g.at(0.3, 1))
		if g.rng.IntN(8) == 0 {
			e.Media = append(e.Media, g.photo())
		}
		return
	}
	first := *g.post(a, lang, write(g.rng, lang, pick(g.rng, everyday[lang])), g.at(0.3, 0.9))
	first.Kind, first.Text, first.URLs = casefile.EventEdit, text, nil
	first.At = first.At.Add(time.Duration(5+g.rng.IntN(90)) * time.Minute)
	g.events = append(g.events, first)
}
