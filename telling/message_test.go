package telling_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

func TestID(t *testing.T) {
	t.Parallel()
	// Receivers keep ids: these may never change.
	require.Equal(t, "9AYNXJJB7AQ0VKNNM5MVD35N9E", telling.ID(telling.KindThreat, "7K2QX-9MDT4", "1"))
	require.Len(t, telling.ID(telling.KindBreakerTripped), 26)
	made := map[string]string{}
	for name, id := range map[string]string{
		"one":                 telling.ID(telling.KindThreat, "7K2QX-9MDT4", "1"),
		"another kind":        telling.ID(telling.KindHalfDue, "7K2QX-9MDT4", "1"),
		"another part":        telling.ID(telling.KindThreat, "7K2QX-9MDT4", "2"),
		"one part less":       telling.ID(telling.KindThreat, "7K2QX-9MDT4"),
		"an empty part":       telling.ID(telling.KindThreat, "7K2QX-9MDT4", "1", ""),
		"parts run together":  telling.ID(telling.KindThreat, "7K2QX-9MDT41"),
		"cut somewhere else":  telling.ID(telling.KindThreat, "7K2QX-9MDT", "41"),
		"in the other order":  telling.ID(telling.KindThreat, "1", "7K2QX-9MDT4"),
		"the kind is no part": telling.ID("", string(telling.KindThreat), "7K2QX-9MDT4", "1"),
	} {
		require.NotContains(t, made, id, "%s and %s", name, made[id])
		made[id] = name
	}
}

func TestWordings(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, w := range telling.Wordings() {
		kinds = append(kinds, string(w.Kind))
		require.NotEmpty(t, w.Title)
		require.NotEmpty(t, w.Text)
		for _, r := range w.Title + w.Text {
			require.True(t, r >= ' ' && r < 0x7f && r != '%', "%s: %q", w.Kind, r)
		}
	}
	require.ElementsMatch(t, formatstest.Constants(t, reflect.TypeFor[telling.Kind]()), kinds)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, w := range telling.Wordings() {
		require.NoError(t, tellingtest.Example(w.Kind, 1).Validate(), w.Kind)
	}
	type change = func(m *telling.Message)
	zero, far := time.Time{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		kind   telling.Kind
		change change
		field  string
	}{
		"nothing more than it needs": {telling.KindHalfDue, func(m *telling.Message) { m.Team, m.Queue, m.Platform, m.DueAt = "", "", "", nil }, ""},
		"a notice as a page":         {telling.KindDeadlineMissed, func(m *telling.Message) { m.Urgency = telling.Page }, ""},
		"no id":                      {telling.KindHalfDue, func(m *telling.Message) { m.ID = "" }, "id"},
		"an id with a full stop":     {telling.KindHalfDue, func(m *telling.Message) { m.ID = "a.b" }, "id"},
		"an id with a line break":    {telling.KindHalfDue, func(m *telling.Message) { m.ID = "a\r\nBcc: b@example.org" }, "id"},
		"an id too long":             {telling.KindHalfDue, func(m *telling.Message) { m.ID = strings.Repeat("a", 65) }, "id"},
		"no kind":                    {telling.KindHalfDue, func(m *telling.Message) { m.Kind = "" }, "kind"},
		"a kind of a newer version":  {telling.KindHalfDue, func(m *telling.Message) { m.Kind = "case.slept" }, "kind"},
		"no urgency":                 {telling.KindHalfDue, func(m *telling.Message) { m.Urgency = "" }, "urgency"},
		"a threat as a notice":       {telling.KindThreat, func(m *telling.Message) { m.Urgency = telling.Notice }, "urgency"},
		"a team too long":            {telling.KindHalfDue, func(m *telling.Message) { m.Team = strings.Repeat("n", 65) }, "team"},
		"words for a queue":          {telling.KindHalfDue, func(m *telling.Message) { m.Queue = "glory to the lighthouse" }, "queue"},
		"words for a platform":       {telling.KindHalfDue, func(m *telling.Message) { m.Platform = "Some Platform" }, "platform"},
		"no case":                    {telling.KindHalfDue, func(m *telling.Message) { m.Case = "" }, "case"},
		"a handle for a case":        {telling.KindHalfDue, func(m *telling.Message) { m.Case = "@gull1" }, "case"},
		"a case as people type it":   {telling.KindHalfDue, func(m *telling.Message) { m.Case = "7k2qx 9mdt4" }, "case"},
		"an act of no decision":      {telling.KindActUncertain, func(m *telling.Message) { m.Subject = "" }, "subject"},
		"words for a subject":        {telling.KindAppealReceived, func(m *telling.Message) { m.Subject = "give it back" }, "subject"},
		"no time":                    {telling.KindHalfDue, func(m *telling.Message) { m.At = zero }, "at"},
		"a time nobody can write":    {telling.KindHalfDue, func(m *telling.Message) { m.At = far }, "at"},
		"a deadline at no time":      {telling.KindHalfDue, func(m *telling.Message) { m.DueAt = &zero }, "due_at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := tellingtest.Example(c.kind, 1)
			c.change(&m)
			err := m.Validate()
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			var f casefile.Faults
			require.True(t, errors.As(err, &f), "%v", err)
			require.Len(t, f, 1)
			require.Equal(t, c.field, f[0].Field)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		})
	}
}
