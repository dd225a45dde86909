package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// FuzzOpinionBody decodes a body as every route does: what is accepted holds nothing that an
// OpinionBody does not, and a refusal is a coded one.
func FuzzOpinionBody(f *testing.F) {
	f.Add([]byte(`{"action":"L3","days":7,"policies":["VE-08"],"entity_tier":"E1","mitigations":{"M1":"no"},"rationale":"r","relied":["p"],"claim":1,"evidence_revision":2,"preview":"t"}`))
	f.Add([]byte(`{"action":"L3","colour":1}`))
	f.Add([]byte(`{"claim":"one"}`))
	f.Add([]byte(`{} {}`))
	f.Add([]byte(`{"claim":1`))
	f.Add([]byte(` `))
	f.Fuzz(func(t *testing.T, data []byte) {
		var body OpinionBody
		err := decodeBody(data, &body)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		again, err := json.Marshal(body)
		require.NoError(t, err)
		var back OpinionBody
		require.NoError(t, decodeBody(again, &back))
		second, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(again), string(second))
	})
}
