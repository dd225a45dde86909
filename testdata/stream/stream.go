// Package stream holds the synthetic stream that testdata/gen makes, for a first start without any
// file at hand. All of it is invented and mild.
package stream

import _ "embed"

//go:embed synthetic.ndjson.gz
var events []byte

// Events is the stream as gzipped event lines.
func Events() []byte { return events }
