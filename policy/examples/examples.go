// Package examples holds the rule files that ship as examples, as they stand in this folder.
package examples

import _ "embed"

//go:embed detector.yaml
var detector []byte

// Detector is the example rule set of the detector (docs/formats/detector-rules.md): public names
// of designated organisations at low weight, which count only with words of praise, recruitment or
// threat, and the invented names of the synthetic stream.
func Detector() []byte { return detector }

//go:embed automatic.yaml
var automatic []byte

// Automatic is an example of routing rules with automatic rules in them
// (docs/formats/routing-rules.md). Docket ships none: this is how a house would write its own.
func Automatic() []byte { return automatic }
