package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/ledger/verify"
)

// entriesAsDocumented holds every entry of a log to its schema: what the roles write, not what a golden
// file says that they do.
func entriesAsDocumented(t testing.TB, src verify.Source, key string) {
	t.Helper()
	schema := formatstest.Schema(t, "ledger-entry")
	report, err := verify.Log(t.Context(), src, key, verify.Options{Entry: func(e verify.TailEntry) {
		data, err := json.Marshal(e.Entry)
		require.NoError(t, err)
		require.NoError(t, formatstest.Check(schema, data), string(e.Entry.Event))
	}})
	require.NoError(t, err)
	require.True(t, report.OK(), report.Faults)
}
