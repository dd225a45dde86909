package main

import (
	"regexp"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/testdata/gen/synth"
)

// placeholder is what stands for the worst words. It would give the label away, so the model learns
// from what stands around it.
var placeholder = regexp.MustCompile(`\[[^\]]*\]`)

// synthetic gives the labelled posts of the generator.
func synthetic(seed uint64) []local.Example {
	var examples []local.Example
	for _, l := range synth.GenerateLabelled(seed) {
		e := local.Example{Text: placeholder.ReplaceAllString(l.Text, " "), Lang: l.Lang}
		if l.Label != synth.LabelNone {
			e.Label = casefile.PolicyCode(l.Label)
		}
		examples = append(examples, e)
	}
	return examples
}
