package telling_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

// TestFormat holds docs/formats/telling.md's schema and golden file to what webhooks carry.
func TestFormat(t *testing.T) {
	t.Parallel()
	const schema = "telling"
	formatstest.SameFields(t, schema, telling.Payload{}, formatstest.Written)
	values := formatstest.Values(t, "docs/formats/telling.golden.ndjson", false)
	require.Len(t, values, len(telling.Wordings()))
	r := formatstest.Reader{Schema: schema, Decode: func(data []byte) (any, error) { return formatstest.Strict[telling.Payload](data) }}
	for i, w := range telling.Wordings() {
		m := tellingtest.Example(w.Kind, i+1)
		link := console + "/cases/" + string(m.Case)
		if m.Case == "" {
			link = console + "/queues/" + m.Queue
		}
		made, err := m.Body(link)
		require.NoError(t, err)
		require.Equal(t, string(values[i]), string(made))
		r.Agrees(t, values[i])
	}
	// What belongs to no case may leave everything else out too.
	bare, err := telling.Message{ID: "a", Kind: telling.KindBreakerTripped, Urgency: telling.Page, Team: "desk", At: now}.Body(console + "/")
	require.NoError(t, err)
	require.NoError(t, formatstest.Check(formatstest.Schema(t, schema), bare))
}
