package casefile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func form() casefile.OpinionForm {
	return casefile.OpinionForm{Judgement: judgement(casefile.L4), Rationale: "[why this breaks the rule]", Relied: []string{"p1"}}
}

func TestOpinionValidation(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*casefile.OpinionForm)
		fields []string // of the faults, in order
	}{
		"sound":                     {func(*casefile.OpinionForm) {}, nil},
		"no action":                 {func(f *casefile.OpinionForm) { f.Action = "" }, []string{"action"}},
		"no such action":            {func(f *casefile.OpinionForm) { f.Action = "L7" }, []string{"action"}},
		"no such action, with days": {func(f *casefile.OpinionForm) { f.Action, f.Days = "L7", 3 }, []string{"action"}},
		"a legal order":             {func(f *casefile.OpinionForm) { f.Action = casefile.LX }, []string{"action"}},

		"L3 for a day":          {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L3, 1 }, nil},
		"L3 for 30 days":        {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L3, 30 }, nil},
		"L3 for ever":           {func(f *casefile.OpinionForm) { f.Action = casefile.L3 }, []string{"days"}},
		"L3 for 31 days":        {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L3, 31 }, []string{"days"}},
		"L5 for a day":          {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L5, 1 }, nil},
		"L5 for a year":         {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L5, 365 }, nil},
		"L5 for ever":           {func(f *casefile.OpinionForm) { f.Action = casefile.L5 }, []string{"days"}},
		"L5 for longer":         {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L5, 366 }, []string{"days"}},
		"L5 for a day before":   {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L5, -1 }, []string{"days"}},
		"L4 with days":          {func(f *casefile.OpinionForm) { f.Days = 3 }, []string{"days"}},
		"L6 with negative days": {func(f *casefile.OpinionForm) { f.Action, f.Days = casefile.L6, -1 }, []string{"days"}},

		"no policy":             {func(f *casefile.OpinionForm) { f.Policies = nil }, []string{"policies"}},
		"no such policy":        {func(f *casefile.OpinionForm) { f.Policies[1] = "VE-13" }, []string{"policies[1]"}},
		"an empty policy first": {func(f *casefile.OpinionForm) { f.Policies[0] = "" }, []string{"policies[0]"}},
		"a policy twice":        {func(f *casefile.OpinionForm) { f.Policies[1] = f.Policies[0] }, []string{"policies[1]"}},
		"VE-00 and another":     {func(f *casefile.OpinionForm) { f.Policies[1] = casefile.VE00 }, []string{"policies[1]"}},
		"VE-00 and an action":   {func(f *casefile.OpinionForm) { f.Policies = []casefile.PolicyCode{casefile.VE00} }, []string{"action"}},
		"VE-00 and L0": {func(f *casefile.OpinionForm) {
			f.Policies, f.Action = []casefile.PolicyCode{casefile.VE00}, casefile.L0
		}, nil},
		"L0 on a violation":   {func(f *casefile.OpinionForm) { f.Action = casefile.L0 }, []string{"action"}},
		"L0 for a mitigation": {func(f *casefile.OpinionForm) { f.Action, f.Mitigations = casefile.L0, answers(casefile.M3) }, nil},
		"VE-12 alone with L2": {func(f *casefile.OpinionForm) {
			f.Policies, f.Action = []casefile.PolicyCode{casefile.VE12}, casefile.L2
		}, nil},
		"VE-12 alone with L4":      {func(f *casefile.OpinionForm) { f.Policies = []casefile.PolicyCode{casefile.VE12} }, []string{"action"}},
		"VE-12 beside a violation": {func(f *casefile.OpinionForm) { f.Policies = []casefile.PolicyCode{casefile.VE08, casefile.VE12} }, nil},

		"no tier":                    {func(f *casefile.OpinionForm) { f.EntityTier = "" }, []string{"entity_tier"}},
		"no such tier":               {func(f *casefile.OpinionForm) { f.EntityTier = "E5" }, []string{"entity_tier"}},
		"representation of nobody":   {func(f *casefile.OpinionForm) { f.Policies[1], f.EntityTier = casefile.VE03, casefile.E0 }, []string{"entity_tier"}},
		"representation of somebody": {func(f *casefile.OpinionForm) { f.Policies[1], f.EntityTier = casefile.VE03, casefile.E4 }, nil},
		"no entity":                  {func(f *casefile.OpinionForm) { f.EntityTier = casefile.E0 }, nil},

		"a mitigation left out":     {func(f *casefile.OpinionForm) { delete(f.Mitigations, casefile.M3) }, []string{"mitigations.M3"}},
		"a mitigation left empty":   {func(f *casefile.OpinionForm) { f.Mitigations[casefile.M8] = "" }, []string{"mitigations.M8"}},
		"a mitigation not assessed": {func(f *casefile.OpinionForm) { f.Mitigations[casefile.M1] = casefile.AnswerNotAssessed }, []string{"mitigations.M1"}},
		"two that say maybe": {func(f *casefile.OpinionForm) {
			f.Mitigations[casefile.M2], f.Mitigations[casefile.M5] = "maybe", "maybe"
		}, []string{"mitigations.M2", "mitigations.M5"}},
		"a ninth mitigation": {func(f *casefile.OpinionForm) { f.Mitigations["M9"] = casefile.AnswerNo }, []string{"mitigations"}},
		"a ninth in place of one": {func(f *casefile.OpinionForm) {
			delete(f.Mitigations, casefile.M8)
			f.Mitigations["M9"] = casefile.AnswerNo
		}, []string{"mitigations.M8", "mitigations"}},

		"no rationale":                {func(f *casefile.OpinionForm) { f.Rationale = "" }, []string{"rationale"}},
		"a rationale of spaces":       {func(f *casefile.OpinionForm) { f.Rationale = strings.Repeat(" \n", 40) }, []string{"rationale"}},
		"a rationale too short":       {func(f *casefile.OpinionForm) { f.Rationale = "  123456789  " }, []string{"rationale"}},
		"the shortest rationale":      {func(f *casefile.OpinionForm) { f.Rationale = "1234567890" }, nil},
		"characters count, not bytes": {func(f *casefile.OpinionForm) { f.Rationale = strings.Repeat("д", casefile.MaxRationale) }, nil},
		"short in characters":         {func(f *casefile.OpinionForm) { f.Rationale = strings.Repeat("𝄞", 9) }, []string{"rationale"}},
		"a rationale too long":        {func(f *casefile.OpinionForm) { f.Rationale = strings.Repeat("x", casefile.MaxRationale+1) }, []string{"rationale"}},
		"relies on nothing":           {func(f *casefile.OpinionForm) { f.Relied = nil }, []string{"relied"}},
		"relies on the profile":       {func(f *casefile.OpinionForm) { f.Relied = []string{casefile.EvidenceProfile} }, nil},
		"L0 relies on nothing": {func(f *casefile.OpinionForm) {
			f.Policies, f.Action, f.Relied = []casefile.PolicyCode{casefile.VE00}, casefile.L0, nil
		}, nil},
		"relies on as much as is taken": {func(f *casefile.OpinionForm) { f.Relied = make([]string, casefile.MaxRelied) }, nil},
		"relies on more than is taken":  {func(f *casefile.OpinionForm) { f.Relied = make([]string, casefile.MaxRelied+1) }, []string{"relied"}},

		"everything at once": {func(f *casefile.OpinionForm) { *f = casefile.OpinionForm{} }, []string{
			"action", "policies", "entity_tier", "mitigations.M1", "mitigations.M2", "mitigations.M3", "mitigations.M4",
			"mitigations.M5", "mitigations.M6", "mitigations.M7", "mitigations.M8", "rationale",
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := form()
			c.change(&f)
			faults := f.Validate()
			var fields []string
			for _, fault := range faults {
				require.Equal(t, casefile.CodeInvalid, fault.Code)
				require.NotEmpty(t, fault.Message)
				fields = append(fields, fault.Field)
			}
			require.Equal(t, c.fields, fields)
			if c.fields == nil {
				require.NoError(t, faults.Err())
			} else {
				require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(fmt.Errorf("check the form: %w", faults.Err())))
			}
		})
	}
}

// TestOpinionFaultsQuoteNothing: what was typed into a form stands in no message.
func TestOpinionFaultsQuoteNothing(t *testing.T) {
	t.Parallel()
	const word = "[words of a person]"
	f := casefile.OpinionForm{Judgement: casefile.Judgement{
		Action: word, Days: 3, Policies: []casefile.PolicyCode{word}, EntityTier: word,
		Mitigations: map[casefile.Mitigation]casefile.Answer{casefile.M1: word, word: casefile.AnswerNo},
	}, Rationale: word[:9], Relied: []string{word}}
	require.NotEmpty(t, f.Validate())
	require.NotContains(t, f.Validate().Error(), word[:9])
}

// TestEveryActionOfTheLadder: each step is sound with some form, and only LX with none.
func TestEveryActionOfTheLadder(t *testing.T) {
	t.Parallel()
	for i, a := range casefile.Actions {
		f := form()
		f.Judgement = judgement(a)
		if a == casefile.L0 {
			f.Mitigations = answers(casefile.M1)
		}
		require.Equal(t, a == casefile.LX, len(f.Validate()) > 0, a)
		require.True(t, a.Valid())
		want := i
		if a == casefile.LX {
			want = -1
		}
		require.Equal(t, want, a.Severity(), a)
		require.Equal(t, a == casefile.L3 || a == casefile.L5, a.Timed(), a)
		due := 1
		if a == casefile.L6 {
			due = 2
		}
		require.Equal(t, due, a.PeopleDue(), a)
	}
	require.False(t, casefile.Action("").Valid())
	require.Equal(t, -1, casefile.Action("").Severity())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	require.NoError(t, casefile.Faults(nil).Err())
	require.NoError(t, casefile.Faults{}.Err())
	err := casefile.Faults{casefile.Invalid("a", "first"), casefile.Errorf(casefile.CodeNeedsSecond, "second")}.Err()
	require.EqualError(t, err, "a: first; second")
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	var e *casefile.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "a", e.Field)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("the disk is full")
	err := &casefile.Error{Code: casefile.CodeUnavailable, Op: "write", Field: "file", Message: "try again", Err: cause}
	require.EqualError(t, err, "write: file: try again: the disk is full")
	require.ErrorIs(t, err, cause)
	require.Equal(t, casefile.Code(""), casefile.ErrorCode(nil))
	require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(cause))
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(fmt.Errorf("keep: %w", err)))
	outer := &casefile.Error{Code: casefile.CodeState, Message: "outer", Err: err}
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(outer), "the outermost code counts")
}
