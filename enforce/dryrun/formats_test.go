package dryrun

import (
	"testing"

	"github.com/docket-triage/docket/docs/formats/formatstest"
)

func TestLinesFitTheirSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "dryrun-line", line{}, formatstest.Written)
	r := formatstest.Reader{Schema: "dryrun-line", Decode: func(data []byte) (any, error) { return decodeLine(data) }}
	for _, value := range formatstest.Values(t, "enforce/dryrun/testdata/dryrun.ndjson", false) {
		r.Agrees(t, value)
	}
}
