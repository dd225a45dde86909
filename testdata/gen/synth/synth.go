// Package synth makes Docket's synthetic stream: accounts and posts that nobody wrote, with the
// truth about each account beside them. The same seed always gives the same bytes.
package synth

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Platform is the platform of all synthetic events.
const Platform = "synthetic"

// begin and length are the event times that the stream covers.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const length = 72 * time.Hour

// Truth is what is known about the accounts of a stream because we made them.
type Truth struct {
	Synthetic bool      `json:"synthetic"` // always true: nobody wrote these posts
	Seed      uint64    `json:"seed"`
	Accounts  []Account `json:"accounts"`
}

// Account is the truth about one account.
type Account struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Class  string `json:"class"`
	Lang   string `json:"lang"`
	Posts  int    `json:"posts"`
	// Flag says whether the account should be brought before a person.
	Flag bool `json:"flag"`
	// Policies are those its worst posts or its profile fall under.
	Policies []casefile.PolicyCode `json:"policies,omitempty"`
	// Returns names the account, taken down before, whose holder opened this one.
	Returns string `json:"returns,omitempty"`
}

// Corpus is a stream in order of time, and its truth.
type Corpus struct {
	Events []casefile.Event
	Truth  Truth
}

// Generate makes the stream of a seed.
func Generate(seed uint64) Corpus {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x646f636b6574)), handles: map[string]bool{}}
	for _, c := range classes {
		for _, lang := range c.langs() {
			for range c.accounts[lang] {
				g.account(c, lang)
			}
		}
	}
	g.cluster()
	g.returns()
	g.echo()
	g.regret()
	slices.SortStableFunc(g.events, func(a, b casefile.Event) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Account.ID, b.Account.ID), strings.Compare(a.ID, b.ID))
	})
	g.refer()
	return Corpus{Events: g.events, Truth: Truth{Synthetic: true, Seed: seed, Accounts: g.truth}}
}

// generator builds a corpus.
type generator struct {
	rng     *rand.Rand
	handles map[string]bool
	events  []casefile.Event
	truth   []Account
	posts   int
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// write fills the slots of a sentence.
func write(rng *rand.Rand, lang, sentence string) string {
	for {
		open := strings.IndexByte(sentence, '{')
		if open < 0 {
			return strings.TrimSpace(sentence)
		}
		end := open + strings.IndexByte(sentence[open:], '}')
		slot := sentence[open+1 : end]
		list := slots[lang][slot]
		if list == nil {
			list = slots[""][slot]
		}
		sentence = sentence[:open] + pick(rng, list) + sentence[end+1:]
	}
}

// handle makes one that no other account of the stream has.
func (g *generator) handle() string {
	for {
		h := fmt.Sprintf("%s_%s%d", pick(g.rng, handleWords[0]), pick(g.rng, handleWords[1]), 10+g.rng.IntN(90))
		if !g.handles[h] {
			g.handles[h] = true
			return h
		}
	}
}

// at gives a time within the stream, in whole seconds, from and to being shares of it.
func (g *generator) at(from, to float64) time.Time {
	share := from + (to-from)*g.rng.Float64()
	return begin.Add(time.Duration(share * float64(length))).Truncate(time.Second)
}

// person makes an account of a class: its profile event at the beginning, and its truth.
func (g *generator) person(c class, lang, handle, bio string, at time.Time) casefile.Account {
	a := casefile.Account{ID: fmt.Sprintf("s%04d", len(g.truth)+1), Handle: handle, DisplayName: displayName(handle), Bio: bio}
	created := begin.AddDate(0, 0, -1-g.rng.IntN(2500)).Add(time.Duration(g.rng.IntN(86400)) * time.Second)
	followers, following, posts := int64(g.rng.IntN(900)), int64(g.rng.IntN(700)), int64(g.rng.IntN(4000))
	a.CreatedAt, a.Followers, a.Following, a.Posts = &created, &followers, &following, &posts
	g.events = append(g.events, casefile.Event{Kind: casefile.EventAccount, Platform: Platform, Account: a, At: at})
	g.truth = append(g.truth, Account{ID: a.ID, Handle: handle, Class: c.name, Lang: lang, Flag: c.flag, Policies: c.policies})
	return a
}

func displayName(handle string) string {
	first, _, _ := strings.Cut(handle, "_")
	return strings.ToUpper(first[:1]) + first[1:]
}

// post adds one post. Only the id and handle of the account go with it, as in most streams.
func (g *generator) post(a casefile.Account, lang, text string, at time.Time) *casefile.Event {
	g.posts++
	e := casefile.Event{
		Kind: casefile.EventPost, Platform: Platform, ID: fmt.Sprintf("p%05d", g.posts),
		Account: casefile.Account{ID: a.ID, Handle: a.Handle}, Text: text, Lang: lang, At: at,
	}
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "https://") {
			e.URLs = append(e.URLs, word)
		}
	}
	g.truth[g.index(a.ID)].Posts++
	g.events = append(g.events, e)
	return &g.events[len(g.events)-1]
}

func (g *generator) index(id string) int {
	i := slices.IndexFunc(g.truth, func(a Account) bool { return a.ID == id })
	return i
}

func (g *generator) photo() casefile.Media {
	sum := make([]byte, 32)
	for i := range sum {
		sum[i] = byte(g.rng.IntN(256))
	}
	digest := hex.EncodeToString(sum)
	return casefile.Media{
		Type: "photo", URL: "https://img.example/" + digest[:12] + ".jpg", MIME: "image/jpeg",
		SizeBytes: int64(20_000 + g.rng.IntN(400_000)), SHA256: digest,
	}
}

// WriteEvents writes the stream as NDJSON in the event format.
func (c Corpus) WriteEvents(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, e := range c.Events {
		err := enc.Encode(e)
		if err != nil {
			return fmt.Errorf("write an event: %w", err)
		}
	}
	return nil
}

// WriteTruth writes the truth as one JSON object.
func (c Corpus) WriteTruth(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(c.Truth)
	if err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return nil
}
