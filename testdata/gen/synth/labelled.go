package synth

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// LabelNone is the label of a post that falls under no policy.
const LabelNone = "none"

// Labelled is one post with the policy it falls under, for training a scorer.
type Labelled struct {
	Text  string `json:"text"`
	Label string `json:"label"` // a policy code, or LabelNone
	Lang  string `json:"lang"`
}

// labelledSets are the sentences by label. How many posts of each are made follows how many
// sentences there are.
var labelledSets = []struct {
	label string
	words map[string]phrases
	each  int
}{
	{LabelNone, everyday, 40}, {LabelNone, games, 30}, {LabelNone, news, 40}, {LabelNone, research, 40}, {LabelNone, counter, 40},
	{LabelNone, victims, 40}, {LabelNone, polemic, 30}, {LabelNone, satire, 30}, {LabelNone, namesakes, 30},
	{string(casefile.VE08), praise, 60}, {string(casefile.VE05), recruitment, 60}, {string(casefile.VE09), distribution, 60},
	{string(casefile.VE04), funding, 60}, {string(casefile.VE01), threats, 60}, {string(casefile.VE07), incitement, 60}, {string(casefile.VE06), instruction, 60},
}

// GenerateLabelled makes labelled posts. It leaves every third sentence of a class out (in classes
// of three or more), so that the stream holds sentences that a scorer trained on these has never
// seen. One post in twelve of those under a policy is disguised.
func GenerateLabelled(seed uint64) []Labelled {
	rng := rand.New(rand.NewPCG(seed, 0x6c6162656c))
	var out []Labelled
	for _, set := range labelledSets {
		for _, lang := range []string{"ar", "de", "en", "ru"} {
			for i, sentence := range set.words[lang] {
				if i%3 == 2 {
					continue
				}
				for range set.each {
					out = append(out, Labelled{Text: vary(rng, set.label, lang, sentence), Label: set.label, Lang: lang})
				}
			}
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return dedupe(out)
}

// vary fills a sentence in, puts an everyday one beside it half of the time, and disguises a few.
func vary(rng *rand.Rand, label, lang, sentence string) string {
	text := write(rng, lang, sentence)
	switch rng.IntN(4) {
	case 0:
		text = write(rng, lang, pick(rng, everyday[lang])) + ". " + text
	case 1:
		text += " " + write(rng, lang, pick(rng, everyday[lang]))
	}
	if label == LabelNone || lang != "en" {
		return text
	}
	switch rng.IntN(24) {
	case 0:
		return leet(rng, text)
	case 1:
		return confusable(rng, text)
	}
	return text
}

// dedupe keeps the first of equal posts.
func dedupe(list []Labelled) []Labelled {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(l Labelled) bool {
		again := seen[l.Text]
		seen[l.Text] = true
		return again
	})
}

// WriteLabelled writes labelled posts as NDJSON.
func WriteLabelled(w io.Writer, list []Labelled) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, l := range list {
		err := enc.Encode(l)
		if err != nil {
			return fmt.Errorf("write a labelled post: %w", err)
		}
	}
	return nil
}
