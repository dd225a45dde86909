package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// TestHoldAndErase: a hold keeps the account; without one it is erased, and asked for again it is the same.
func TestHoldAndErase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, _ := b.Open(1)
	f := b.Flag(1, "flag-1")
	require.Equal(t, "no holds\n", b.as("policy", "hold", "list").good(t))
	added := b.typed("policy", "[an order of a court]\n", "hold", "add", string(ref), "--for", "48h").good(t)
	require.Contains(t, added, "[an order of a court]")
	require.Contains(t, b.as("auditor", "hold", "list").good(t), "yes")

	refused := b.as("policy", "erase", string(ref), "--reason", "[a request]").bad(t)
	require.Contains(t, refused, "a legal hold stands until")
	b.as("lead", "erase", string(ref), "--reason", "[a request]").bad(t)
	ended := b.as("policy", "hold", "end", strings.ToLower(string(ref)), "--reason", "[lifted]").good(t)
	require.Regexp(t, `(?m) no +p-`, ended)
	require.Contains(t, b.as("policy", "hold", "end", string(ref), "--reason", "[lifted]").bad(t), "no hold stands")
	require.Contains(t, b.as("policy", "hold", "list", "--case", string(ref)).good(t), "[an order of a court]")

	var e review.ErasureView
	b.as("policy", "erase", f.Platform+"/"+f.Account.ID, "--reason", "[a request]", "--json").decode(t, &e)
	require.Equal(t, casefile.ErasureClosing, e.State)
	again := b.as("policy", "erase", string(ref), "--reason", "[another]").good(t)
	require.Contains(t, again, e.Erasure)
	require.Contains(t, again, "[a request]")
	require.Contains(t, b.as("auditor", "erasure", "list").good(t), e.Erasure)
	require.Contains(t, b.as("auditor", "erasure", "show", e.Erasure).good(t), "closing")
	require.Contains(t, b.as("policy", "erase", "nonsense", "--reason", "x").bad(t), "neither a case number nor PLATFORM/ID")
	require.Contains(t, b.as("policy", "erase", "/x", "--reason", "x").bad(t), "PLATFORM/ID")
	require.Contains(t, b.as("policy", "erase", string(ref)).bad(t), "a reason is needed")
}
