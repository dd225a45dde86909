package recordstest

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

var leadOne = casefile.Actor{Person: "p-lead", Role: casefile.RoleLead}

func switchTo(name string, on bool, minutes int) records.SwitchRow {
	return records.SwitchRow{Name: name, On: on, By: leadOne, At: at(minutes), Reason: []byte("sealed reason")}
}

// entries are the ledger outbox rows so far but for those of people and policy, oldest first.
func (b bench) entries() (out []records.OutboxEntry) {
	b.t.Helper()
	for _, e := range b.unappended(1000) {
		e.ID = 0
		out = append(out, e)
	}
	return out
}

func requireEntry(t *testing.T, e records.OutboxEntry, kind casefile.EntryType, by casefile.Actor, when time.Time, body string) {
	t.Helper()
	require.Equal(t, records.OutboxEntry{Type: kind, Actor: by, Body: e.Body, At: when}, e)
	require.JSONEq(t, body, string(e.Body))
	var codes map[string]any
	require.NoError(t, json.Unmarshal(e.Body, &codes))
	require.NotContains(t, string(e.Body), "reason", "the reason's words, sealed or not, stay out of the ledger")
}

func switchSet(t *testing.T, b bench) {
	list, err := b.Switches(b.ctx())
	require.NoError(t, err)
	require.Empty(t, list)
	acts, of, auto := switchTo(records.SwitchActs, false, 1), switchTo(records.ActsOf(platform), true, 2), switchTo(records.SwitchAutomation, true, 3)
	for _, x := range []records.SwitchRow{acts, of, auto} {
		require.NoError(t, b.SetSwitch(b.ctx(), x))
	}
	list, err = b.Switches(b.ctx())
	require.NoError(t, err)
	require.Equal(t, []records.SwitchRow{acts, of, auto}, list)

	again := switchTo(records.SwitchActs, false, 9)
	again.By.Person = "p-other"
	require.NoError(t, b.SetSwitch(b.ctx(), again))
	list, err = b.Switches(b.ctx())
	require.NoError(t, err)
	require.Equal(t, acts, list[0], "a switch that stands so is left as it is")
	on := switchTo(records.SwitchActs, true, 10)
	on.Reason = nil
	require.NoError(t, b.SetSwitch(b.ctx(), on))
	list, err = b.Switches(b.ctx())
	require.NoError(t, err)
	require.Equal(t, on, list[0])

	entries := b.entries()
	require.Len(t, entries, 4, "nothing goes on the ledger twice")
	requireEntry(t, entries[0], casefile.EntrySwitch, leadOne, at(1), `{"switch":"acts","on":false}`)
	requireEntry(t, entries[1], casefile.EntrySwitch, leadOne, at(2), `{"switch":"acts/example","on":true}`)
	requireEntry(t, entries[2], casefile.EntrySwitch, leadOne, at(3), `{"switch":"automation","on":true}`)
	requireEntry(t, entries[3], casefile.EntrySwitch, leadOne, at(10), `{"switch":"acts","on":true}`)

	for _, name := range []string{"", "act", "acts/", "acts/Not A Platform", "acts/x/y", "automation/example"} {
		b.code(casefile.CodeInvalid, b.SetSwitch(b.ctx(), switchTo(name, false, 1)))
	}
	b.code(casefile.CodeInvalid, b.SetSwitch(b.ctx(), records.SwitchRow{Name: records.SwitchActs}))
}

func promise06Paused(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	one, two := plannedAct(1, casefile.Do), plannedAct(2, casefile.Do)
	b.plan(one, two)
	begin := func(row records.ActRow) error {
		_, _, err := b.BeginAct(b.ctx(), row.Act, casefile.Do, at(7))
		return err
	}
	paused := func(row records.ActRow) {
		t.Helper()
		before, err := b.Acts(b.ctx(), "d1")
		require.NoError(t, err)
		b.code(casefile.CodePaused, begin(row))
		after, err := b.Acts(b.ctx(), "d1")
		require.NoError(t, err)
		require.Equal(t, before, after, "nothing is written")
	}
	set := func(name string, on bool) {
		t.Helper()
		require.NoError(t, b.SetSwitch(b.ctx(), switchTo(name, on, 1)))
	}
	set(records.ActsOf("elsewhere"), false)
	set(records.SwitchAutomation, false)
	require.NoError(t, begin(one), "another platform's switch and that of automation stop no act here")
	list, err := b.Switches(b.ctx())
	require.NoError(t, err)
	require.Len(t, list, 2, "what nobody set is not listed, locked or not")
	set(records.ActsOf(platform), false)
	paused(two)
	paused(one) // begun before, its outcome not known: it waits as well
	undo := plannedAct(1, casefile.Undo)
	b.plan(undo)
	_, _, err = b.BeginAct(b.ctx(), undo.Act, casefile.Undo, at(7))
	b.code(casefile.CodePaused, err) // nor is anything taken back
	set(records.SwitchActs, false)
	set(records.ActsOf(platform), true)
	paused(two)
	set(records.SwitchActs, true)
	require.NoError(t, begin(two))
	set(records.SwitchActs, false)
	_, err = b.EndAct(b.ctx(), casefile.ActOutcome{Act: two.Act, Direction: casefile.Do, State: casefile.ActDone, At: at(9)})
	require.NoError(t, err, "what was begun may come to its end")
	b.code(casefile.CodeState, begin(two))
	missing := plannedAct(3, casefile.Do)
	b.code(casefile.CodeNotFound, begin(missing))
}

// promise06RacingPause pauses acts while many are being begun. Once the pause has answered, those that
// are begun are all that will be.
func promise06RacingPause(t *testing.T, b bench) {
	const callers, each, rounds = 8, 40, 4
	b.decided(1, case1, "d1")
	begun := func() (list []casefile.Act) {
		rows, err := b.Acts(b.ctx(), "d1")
		require.NoError(t, err)
		for _, a := range rows {
			if a.StartedAt != nil {
				list = append(list, a.Act)
			}
		}
		return list
	}
	refused := 0
	for round := range rounds {
		var rows []records.ActRow
		for n := range callers * each {
			rows = append(rows, plannedAct(round*callers*each+n+1, casefile.Do))
		}
		b.plan(rows...)
		errs, first := make([]error, callers), make(chan struct{}, callers*each)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				for n := 0; n < each && errs[i] == nil; n++ {
					_, _, errs[i] = b.BeginAct(b.ctx(), rows[i*each+n].Act, casefile.Do, at(7))
					first <- struct{}{}
				}
			})
		}
		for range callers {
			<-first // acts are being begun
		}
		name := []string{records.SwitchActs, records.ActsOf(platform)}[round%2]
		require.NoError(t, b.SetSwitch(b.ctx(), switchTo(name, false, round)))
		stands := begun()
		all.Wait()
		require.Equal(t, stands, begun(), "an act was begun after the pause had answered")
		for _, err := range errs {
			if err != nil {
				b.code(casefile.CodePaused, err)
				refused++
			}
		}
		require.NoError(t, b.SetSwitch(b.ctx(), switchTo(name, true, round)))
	}
	require.NotZero(t, refused, "every act was begun before the pause: the test says nothing")
}
