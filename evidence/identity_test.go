package evidence

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func testIdentity() *identity { return &identity{key: fixedKey("identity"), skeleton: lookalike} }

// The identity key is never rotated, so what is made with it may never change either.
func TestIdentityGolden(t *testing.T) {
	t.Parallel()
	id := testIdentity()
	require.Equal(t, casefile.AccountKey("doxrgdh7lioekaxlfdog7owg4dwz45uh"), id.Account(casefile.AccountRef{Platform: "twitter", ID: "12345"}))
	require.Equal(t, casefile.FlagKey("lvwd2ibwaha2wi7d74t3iape6ymsfgpz"), id.Flag("twitter", "flag-1"))
	require.Equal(t, "015e414f7ebe18f60900e49bc52dd31d49a65589fd82b7d98c4e0ea80cb7fb63", id.Digest([]byte("content")))
	require.Equal(t, "xqhivhgi3l7t5asafz6m2loala3sm5rp", id.Fingerprint())
	require.Equal(t, []string{"wt7flzieeu2pn2lsofc3goq6nmm5z3co"}, id.HandleHashes("twitter", "@Abc"))
	require.Equal(t, "zc6ogr7zycoig4c5xwi5tlvksgl5a4pk", id.Item("twitter", "p1", "text"))
	require.Equal(t, "xw5cdebihwdogg2xhgntydawtpxkomqs", id.HandleHash("twitter", "@Placeholder"))
}

func TestIdentityKeepsThingsApart(t *testing.T) {
	t.Parallel()
	id := testIdentity()
	other := &identity{key: fixedKey("other"), skeleton: lookalike}
	ref := casefile.AccountRef{Platform: "ab", ID: "cd"}
	require.NotEqual(t, id.Account(ref), other.Account(ref))
	require.NotEqual(t, id.Account(ref), id.Account(casefile.AccountRef{Platform: "abc", ID: "d"}), "parts run together")
	require.NotEqual(t, string(id.Account(ref)), string(id.Flag("ab", "cd")), "uses run together")
	require.NotEqual(t, id.Digest([]byte("a")), other.Digest([]byte("a")))
	require.NotEqual(t, id.Fingerprint(), other.Fingerprint())
	require.NotEqual(t, id.Item("a", "b", "c"), other.Item("a", "b", "c"))
	require.NotEqual(t, id.Item("a", "b", "c"), id.Item("a", "bc", ""), "parts run together")
	require.NotEqual(t, id.Item("a", "b", "c"), id.Item("a", "b", "c "), "an edited post is another item")
	require.NotEqual(t, id.HandleHash("a", "placeholder"), other.HandleHash("a", "placeholder"))
	require.Len(t, id.Item("", "", ""), 32)
	require.Len(t, string(id.Account(ref)), 32)
	require.Len(t, string(id.Flag("ab", "cd")), 32)
	require.Len(t, id.Digest(nil), 64)
}

func TestHandleHashes(t *testing.T) {
	t.Parallel()
	const platform = "twitter"
	for name, tc := range map[string]struct {
		a, b string
		want bool
	}{
		"same":                                 {"placeholder", "placeholder", true},
		"case and at sign":                     {"@PlaceHolder", "placeholder", true},
		"confusable":                           {"plac\u0435h0lder", "placeholder", true},
		"substitution":                         {"placeholder", "plazeholder", true},
		"insertion in front":                   {"placeholder", "xplaceholder", true},
		"deletion at the end":                  {"placeholder", "placeholde", true},
		"swap of neighbours":                   {"placeholder", "plcaeholder", true},
		"digits at the end":                    {"placeholder", "placeholder1984", true},
		"digits on both":                       {"placeholder_77", "placeholder2024", true},
		"returns":                              {"placeholder", "placeholder_returns2", true},
		"two words":                            {"placeholder", "Placeholder_new_account__3", true},
		"digits and one edit":                  {"placeholder", "plaseholder_99", true},
		"back without a separator":             {"placeholder", "placeholderback", false},
		"another word":                         {"placeholder", "placeholder_press", false},
		"three edits":                          {"placeholder", "pxacexoldex", false},
		"another handle":                       {"placeholder", "somebodyelse", false},
		"short, same":                          {"abcd", "ABCD", true},
		"short, one edit":                      {"abcd", "abce", false},
		"short against longer":                 {"abcd", "abcde", false},
		"five runes, one edit":                 {"abcde", "abcdf", true},
		"short stem says nothing":              {"abc_1", "abc_22", false},
		"name before a domain":                 {"placeholder.example.social", "placeholder_returns2.example.social", true},
		"runes, not bytes: three Arabic words": {"\u0645\u062b\u0627\u0644\u0627\u062b", "\u0645\u062b\u0627\u0644\u0627\u0628", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := testIdentity()
			require.Equal(t, tc.want, shareHash(id.HandleHashes(platform, tc.a), id.HandleHashes(platform, tc.b)))
			require.False(t, shareHash(id.HandleHashes(platform, tc.a), id.HandleHashes("mastodon", tc.a)), "platforms are apart")
		})
	}
	id := testIdentity()
	for _, empty := range []string{"", "@", "  "} {
		require.Empty(t, id.HandleHashes(platform, empty))
	}
	require.LessOrEqual(t, len(id.HandleHashes(platform, strings.Repeat("abcdefg", 100_000)+"_2")), 2*(maxHandleRunes+1))
	require.NotEmpty(t, id.HandleHashes(platform, "\xff\xfe\xfd\xfc\xfb\xfa"))
}

func shareHash(a, b []string) bool {
	in := map[string]bool{}
	for _, h := range a {
		in[h] = true
	}
	for _, h := range b {
		if in[h] {
			return true
		}
	}
	return false
}

func TestHandleHash(t *testing.T) {
	t.Parallel()
	id := testIdentity()
	const handle = "placeholder_2"
	for _, same := range []string{"@Placeholder_2", " placeholder_2 ", "plac\u0435h0lder_2"} {
		require.Equal(t, id.HandleHash("twitter", handle), id.HandleHash("twitter", same), same)
	}
	for _, other := range []string{"placeholder", "placeholder_3", "plaseholder_2", "placeholder2"} {
		require.NotEqual(t, id.HandleHash("twitter", handle), id.HandleHash("twitter", other), other)
	}
	require.NotEqual(t, id.HandleHash("twitter", handle), id.HandleHash("mastodon", handle))
	for _, h := range []string{handle, "abc"} {
		require.NotContains(t, id.HandleHashes("twitter", h), id.HandleHash("twitter", h), "what finds look-alikes does not find cases")
	}
	for _, empty := range []string{"", "@", "  "} {
		require.Empty(t, id.HandleHash("twitter", empty))
	}
}

// Any single edit of any long enough handle is found.
func TestHandleHashesFindEveryEdit(t *testing.T) {
	t.Parallel()
	id := testIdentity()
	r := rand.New(rand.NewPCG(1, 2))
	const letters = "abcdefghijkmnpqrstuvwxyz_"
	for range 300 {
		n := 6 + r.IntN(10)
		h := make([]byte, n)
		for i := range h {
			h[i] = letters[r.IntN(len(letters))]
		}
		at, c := r.IntN(n), letters[r.IntN(len(letters))]
		edits := []string{
			string(h[:at]) + string(h[at+1:]),
			string(h[:at]) + string(c) + string(h[at:]),
			string(h[:at]) + string(c) + string(h[at+1:]),
		}
		for _, e := range edits {
			require.True(t, shareHash(id.HandleHashes("p", string(h)), id.HandleHashes("p", e)), "%s %s", h, e)
		}
	}
}

func BenchmarkHandleHashes(b *testing.B) {
	id := testIdentity()
	for b.Loop() {
		id.HandleHashes("twitter", "placeholder_returns2")
	}
}

func FuzzHandleHashes(f *testing.F) {
	for _, s := range []string{"@Placeholder_returns2", "_", "a.b@c", "\xff\xfe\u0645", strings.Repeat("_back", 60)} {
		f.Add(s)
	}
	id := testIdentity()
	f.Fuzz(func(t *testing.T, handle string) {
		hashes := id.HandleHashes("p", handle)
		require.LessOrEqual(t, len(hashes), 2*(maxHandleRunes+1))
		require.Equal(t, len(hashes) == 0, id.HandleHash("p", handle) == "")
		require.Equal(t, hashes, id.HandleHashes("p", "@"+strings.TrimPrefix(strings.TrimSpace(handle), "@")))
	})
}
