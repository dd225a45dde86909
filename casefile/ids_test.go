package casefile_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestParseCaseRef(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // typed: read, "" for refused
		"7K2QX-9MDT4":       "7K2QX-9MDT4",
		"7k2qx-9mdt4":       "7K2QX-9MDT4",
		"7k2qx9mdt4":        "7K2QX-9MDT4",
		"  7k2 qx-9m dt4\n": "7K2QX-9MDT4",
		"oO0iI-1lLab":       "00011-111AB",
		"-7K2QX9MDT4-":      "7K2QX-9MDT4",
		"ABCDE-FGHJK":       "ABCDE-FGHJK",
		"":                  "",
		"-":                 "",
		"7K2QX-9MDT":        "",
		"7K2QX-9MDT44":      "",
		"7K2QX-9MDTU":       "", // U is in no number
		"7K2QX/9MDT4":       "",
		"7K2QX_9MDT4":       "",
		"7K2QX\t9MDT4":      "",
		"7К2QX-9MDT4":       "", // a Cyrillic letter
		"٧K2QX-9MD":         "", // ten bytes, not ten characters
		"case 7K2QX-9MDT4":  "",
		"7K2QX-9MDT4 (new)": "",
	}
	for typed, want := range cases {
		got, err := casefile.ParseCaseRef(typed)
		require.Equal(t, casefile.CaseRef(want), got, "%q", typed)
		if want != "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%q", typed)
		require.NotContains(t, err.Error(), "case 7K2QX", "what was typed is not said again")
	}
}

var caseRefForm = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`)

func FuzzParseCaseRef(f *testing.F) {
	for _, seed := range []string{"7K2QX-9MDT4", "oil", " 7k2 qx9 mdt4", "ßſıİKÅ-----", "0000000000", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		ref, err := casefile.ParseCaseRef(typed)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			require.Empty(t, ref)
			return
		}
		require.Regexp(t, caseRefForm, string(ref))
		for _, again := range []string{string(ref), strings.ToLower(string(ref)), strings.ReplaceAll(string(ref), "-", ""), strings.ReplaceAll(string(ref), "0", "o")} {
			got, err := casefile.ParseCaseRef(again)
			require.NoError(t, err)
			require.Equal(t, ref, got)
		}
	})
}

func TestNewIDs(t *testing.T) {
	t.Parallel()
	refs, ids := map[casefile.CaseRef]bool{}, map[string]bool{}
	letters := map[rune]bool{}
	for range 1000 {
		ref, id := casefile.NewCaseRef(), casefile.NewID()
		require.Regexp(t, caseRefForm, string(ref))
		require.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{26}$`, id)
		refs[ref], ids[id] = true, true
		for _, r := range id {
			letters[r] = true
		}
		got, err := casefile.ParseCaseRef(string(ref))
		require.NoError(t, err)
		require.Equal(t, ref, got)
	}
	require.Len(t, refs, 1000)
	require.Len(t, ids, 1000)
	require.Len(t, letters, 32, "all 32 characters are used")
}

func TestEventID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chain string
		seq   int
	}{{casefile.SystemChain, 1}, {casefile.CaseChain("7K2QX-9MDT4"), 12345}, {casefile.TakedownChain("D/1"), 7}} {
		chain, seq, err := casefile.NewEventID(c.chain, c.seq).Split()
		require.NoError(t, err)
		require.Equal(t, c.chain, chain)
		require.Equal(t, c.seq, seq)
	}
	for _, bad := range []casefile.EventID{"", "1", "/1", "system", "system/", "system/0", "system/-1", "system/+1", "system/01", "system/1 ", "system/1.0", "system/٣", "system/99999999999999999999"} {
		chain, seq, err := bad.Split()
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%q", bad)
		require.Empty(t, chain)
		require.Zero(t, seq)
	}
}

func TestWorkflowIDs(t *testing.T) {
	t.Parallel()
	id := casefile.CaseWorkflowID("synthetic", "keyedhash")
	require.Equal(t, "case/synthetic/keyedhash", id)
	platform, key, err := casefile.ParseCaseWorkflowID(id)
	require.NoError(t, err)
	require.Equal(t, "synthetic", platform)
	require.Equal(t, casefile.AccountKey("keyedhash"), key)
	for _, bad := range []string{"", "case", "case/synthetic", "case//k", "case/synthetic/", "takedown/synthetic/k", "case/synthetic/k/1"} {
		_, _, err = casefile.ParseCaseWorkflowID(bad)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%q", bad)
	}
	require.Equal(t, "takedown/7K2QX-9MDT4/D", casefile.TakedownWorkflowID("7K2QX-9MDT4", "D"))
}

func TestValidPlatform(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"synthetic": true, "twitter-1_1": true, "x": true, strings.Repeat("a", 32): true,
		"": false, strings.Repeat("a", 33): false, "1x": false, "-x": false, "X": false, "x/y": false, "x y": false, "bsky.app": false, "é": false, "x\n": false,
	} {
		require.Equal(t, want, casefile.ValidPlatform(name), "%q", name)
	}
}
