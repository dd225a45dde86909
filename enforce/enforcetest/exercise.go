// Package enforcetest holds the suite that every platform adapter answers. What only a platform that
// keeps keys apart can promise is asked only of one that states it.
package enforcetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// Subject is a platform under test with what the test may do to it.
type Subject struct {
	Platform enforce.Platform
	// Reopen gives the same platform as a new process would see it, with everything that was done
	// so far; nil where the adapter keeps nothing of its own.
	Reopen func(t *testing.T) enforce.Platform
	// SetDown makes the platform fail and recover; nil where that cannot be played.
	SetDown func(down bool)
	// LoseAnswer lets the next request be carried out and its answer be lost; nil where that cannot be
	// played.
	LoseAnswer func(t *testing.T)
	// Count says how many acts, reverses and notices really happened on the platform; nil where that
	// cannot be seen.
	Count func(t *testing.T) int
}

// Exercise runs the suite. open gives a fresh subject, on which nothing was done, for each test.
func Exercise(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := map[string]func(t *testing.T, s Subject){
		"capabilities":                testCapabilities,
		"an act happens once":         testOnce,
		"racing callers act once":     testRace,
		"lookup before and after":     testLookup,
		"undo restores":               testUndo,
		"undo lifts only its own":     testUndoLeavesOthers,
		"undo of what was never done": testUndoNothing,
		"other request, same key":     testConflict,
		"malformed requests":          testMalformed,
		"a notice is delivered once":  testNotify,
		"down and up again":           testDown,
		"a lost answer":               testLostAnswer,
		"a new process":               testReopen,
		"a context that ended":        testContext,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var until = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// Request makes a well-formed request of the kind, for a decision, to do.
func Request(decision string, kind casefile.ActKind) enforce.Request {
	r := enforce.Request{
		Key:     decision + "/1/do",
		Account: casefile.AccountRef{Platform: "synthetic", ID: "a-17"}, Kind: kind, Direction: casefile.Do,
		Policy: casefile.VE08, Case: "7K2QX-9MDT4",
	}
	switch kind {
	case casefile.ActRemovePost:
		r.Post = "p-1"
	case casefile.ActLimit, casefile.ActSuspend:
		end := until
		r.Until = &end
	}
	return r
}

// Reverse is the request that takes r back.
func Reverse(decision string, r enforce.Request) enforce.Request {
	r.Key, r.Direction = decision+"/1/undo", casefile.Undo
	return r
}

func do(t *testing.T, p enforce.Platform, r enforce.Request) (enforce.UndoRecord, string) {
	t.Helper()
	u, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, r.Kind, u.Kind)
	require.False(t, u.At.IsZero())
	reference, err := p.Do(t.Context(), r)
	require.NoError(t, err)
	require.NotEmpty(t, reference)
	return u, reference
}

// before reads the state of what r would change, as the platform tells it now.
func before(t *testing.T, p enforce.Platform, r enforce.Request) map[string]string {
	t.Helper()
	r.Key, r.Direction = "ASKED/1/do", casefile.Do
	u, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	require.NotEmpty(t, u.Before)
	return u.Before
}

func (s Subject) requireCount(t *testing.T, want int) {
	t.Helper()
	if s.Count != nil {
		require.Equal(t, want, s.Count(t), "what really happened on the platform")
	}
}

// repeats is how often a request that was carried out is sent again: never where the platform does not
// keep keys apart.
func (s Subject) repeats() int {
	if s.Platform.Capabilities().Idempotent {
		return 3
	}
	return 0
}

func (s Subject) needsKeysApart(t *testing.T) {
	t.Helper()
	if !s.Platform.Capabilities().Idempotent {
		t.Skip("the platform does not keep keys apart")
	}
}

func testCapabilities(t *testing.T, s Subject) {
	require.NotEmpty(t, s.Platform.Name())
	c := s.Platform.Capabilities()
	require.NotEmpty(t, c.Acts)
	require.Subset(t, c.Acts, c.Undo, "what cannot be done cannot be taken back")
	c.Acts[0] = "altered"
	require.NotContains(t, s.Platform.Capabilities().Acts, c.Acts[0], "the caller has a copy")
}

func testOnce(t *testing.T, s Subject) {
	n := 0
	for _, kind := range s.Platform.Capabilities().Acts {
		r := Request("D-"+string(kind), kind)
		was := before(t, s.Platform, r)
		_, first := do(t, s.Platform, r)
		n++
		is := before(t, s.Platform, r)
		require.NotEqual(t, was, is, "%s changes nothing", kind)
		for range s.repeats() {
			again, err := s.Platform.Do(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, first, again)
		}
		require.Equal(t, is, before(t, s.Platform, r))
		s.requireCount(t, n)
	}
}

func testRace(t *testing.T, s Subject) {
	s.needsKeysApart(t)
	r := Request("D-1", s.Platform.Capabilities().Acts[0])
	const callers = 16
	references := make([]string, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() { references[i], errs[i] = s.Platform.Do(t.Context(), r) })
	}
	wg.Wait()
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, references[0], references[i])
	}
	s.requireCount(t, 1)
}

func testLookup(t *testing.T, s Subject) {
	if !s.Platform.Capabilities().Lookup {
		t.Skip("the platform cannot be asked")
	}
	for _, kind := range s.Platform.Capabilities().Acts {
		r := Request("D-"+string(kind), kind)
		done, _, err := s.Platform.Lookup(t.Context(), r)
		require.NoError(t, err)
		require.False(t, done, "%s before it was done", kind)
		_, reference := do(t, s.Platform, r)
		done, found, err := s.Platform.Lookup(t.Context(), r)
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, reference, found)
		done, _, err = s.Platform.Lookup(t.Context(), Reverse("D-"+string(kind), r))
		require.NoError(t, err)
		require.False(t, done, "the reverse of %s", kind)
	}
}

func testUndo(t *testing.T, s Subject) {
	n := 0
	for _, kind := range s.Platform.Capabilities().Undo {
		decision := "D-" + string(kind)
		r := Request(decision, kind)
		was := before(t, s.Platform, r)
		u, reference := do(t, s.Platform, r)
		require.Equal(t, was, u.Before)
		back := Reverse(decision, r)
		undone, err := s.Platform.Undo(t.Context(), back, u)
		require.NoError(t, err)
		require.NotEmpty(t, undone)
		require.NotEqual(t, reference, undone)
		require.Equal(t, was, before(t, s.Platform, r), "%s was not taken back", kind)
		for range s.repeats() {
			again, err := s.Platform.Undo(t.Context(), back, u)
			require.NoError(t, err)
			require.Equal(t, undone, again)
			// A late retry of the act must not bring it back.
			late, err := s.Platform.Do(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, reference, late)
			require.Equal(t, was, before(t, s.Platform, r))
		}
		n += 2
		s.requireCount(t, n)
	}
}

func testUndoLeavesOthers(t *testing.T, s Subject) {
	for _, kind := range s.Platform.Capabilities().Undo {
		first, second := Request("D-1-"+string(kind), kind), Request("D-2-"+string(kind), kind)
		if second.Until != nil {
			longer := second.Until.AddDate(0, 1, 0)
			second.Until = &longer
		}
		clean := before(t, s.Platform, first)
		u1, _ := do(t, s.Platform, first)
		u2, _ := do(t, s.Platform, second)
		both := before(t, s.Platform, first)
		_, err := s.Platform.Undo(t.Context(), Reverse("D-1-"+string(kind), first), u1)
		require.NoError(t, err)
		require.Equal(t, both, before(t, s.Platform, first), "another decision's %s was lifted", kind)
		_, err = s.Platform.Undo(t.Context(), Reverse("D-2-"+string(kind), second), u2)
		require.NoError(t, err)
		require.Equal(t, clean, before(t, s.Platform, first), "the %s came back", kind)
	}
}

func testUndoNothing(t *testing.T, s Subject) {
	for _, kind := range s.Platform.Capabilities().Undo {
		r := Request("D-"+string(kind), kind)
		u, err := s.Platform.Prepare(t.Context(), r)
		require.NoError(t, err)
		_, err = s.Platform.Undo(t.Context(), Reverse("D-"+string(kind), r), u)
		require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	}
	s.requireCount(t, 0)
}

func testConflict(t *testing.T, s Subject) {
	s.needsKeysApart(t)
	r := Request("D-1", s.Platform.Capabilities().Acts[0])
	do(t, s.Platform, r)
	r.Account.ID = "a-18"
	_, err := s.Platform.Do(t.Context(), r)
	require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(err))
	s.requireCount(t, 1)
}

func testMalformed(t *testing.T, s Subject) {
	good := Request("D-1", s.Platform.Capabilities().Acts[0])
	for name, change := range map[string]func(*enforce.Request){
		"no key":          func(r *enforce.Request) { r.Key = "" },
		"no account":      func(r *enforce.Request) { r.Account.ID = "" },
		"no platform":     func(r *enforce.Request) { r.Account.Platform = "" },
		"no such kind":    func(r *enforce.Request) { r.Kind = "pillory" },
		"other direction": func(r *enforce.Request) { r.Direction = casefile.Undo },
		"no direction":    func(r *enforce.Request) { r.Direction = "" },
		"post missing":    func(r *enforce.Request) { r.Kind, r.Post, r.Until = casefile.ActRemovePost, "", nil },
		"end missing":     func(r *enforce.Request) { r.Kind, r.Post, r.Until = casefile.ActSuspend, "", nil },
	} {
		r := good
		change(&r)
		_, err := s.Platform.Do(t.Context(), r)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
		_, err = s.Platform.Prepare(t.Context(), r)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	u, err := s.Platform.Prepare(t.Context(), good)
	require.NoError(t, err)
	_, err = s.Platform.Undo(t.Context(), good, u)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "an undo that says do")
	u.Kind = "pillory"
	_, err = s.Platform.Undo(t.Context(), Reverse("D-1", good), u)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "an undo record of another kind")
	s.requireCount(t, 0)
}

func testNotify(t *testing.T, s Subject) {
	if !s.Platform.Capabilities().Notify {
		t.Skip("the platform delivers no notices")
	}
	account := casefile.AccountRef{Platform: "synthetic", ID: "a-17"}
	n := casefile.Notice{Number: "N-1", Decision: "D-1", Case: "7K2QX-9MDT4", Lang: "en", Text: "Notice N-1\n[what it says]\n"}
	require.NoError(t, s.Platform.Notify(t.Context(), account, n))
	for range s.repeats() {
		require.NoError(t, s.Platform.Notify(t.Context(), account, n))
		other := n
		other.Text += "more"
		require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(s.Platform.Notify(t.Context(), account, other)))
	}
	s.requireCount(t, 1)
	other := n
	other.Text = ""
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(s.Platform.Notify(t.Context(), account, other)))
	other = n
	other.Number = ""
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(s.Platform.Notify(t.Context(), account, other)))
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(s.Platform.Notify(t.Context(), casefile.AccountRef{}, n)))
	s.requireCount(t, 1)
}

func testDown(t *testing.T, s Subject) {
	if s.SetDown == nil {
		t.Skip("an outage cannot be played")
	}
	r := Request("D-1", s.Platform.Capabilities().Acts[0])
	u, err := s.Platform.Prepare(t.Context(), r)
	require.NoError(t, err)
	s.SetDown(true)
	_, err = s.Platform.Prepare(t.Context(), r)
	requireUnavailable(t, err)
	_, err = s.Platform.Do(t.Context(), r)
	requireUnavailable(t, err)
	_, err = s.Platform.Undo(t.Context(), Reverse("D-1", r), u)
	requireUnavailable(t, err)
	_, _, err = s.Platform.Lookup(t.Context(), r)
	requireUnavailable(t, err)
	if s.Platform.Capabilities().Notify {
		requireUnavailable(t, s.Platform.Notify(t.Context(), r.Account, casefile.Notice{Number: "N-1", Case: "7K2QX-9MDT4", Lang: "en", Text: "[text]"}))
	}
	s.SetDown(false)
	s.requireCount(t, 0)
	if s.Platform.Capabilities().Lookup {
		done, _, err := s.Platform.Lookup(t.Context(), r)
		require.NoError(t, err)
		require.False(t, done, "done while it was down")
	}
	do(t, s.Platform, r)
	s.requireCount(t, 1)
}

// testLostAnswer: what happened and was not heard of is told from what may be sent again, and nothing
// happens twice.
func testLostAnswer(t *testing.T, s Subject) {
	if s.LoseAnswer == nil {
		t.Skip("a lost answer cannot be played")
	}
	c := s.Platform.Capabilities()
	code := casefile.CodeUncertain
	if c.Idempotent {
		code = casefile.CodeUnavailable
	}
	r := Request("D-1", c.Acts[0])
	lost := func(ask func() (string, error)) {
		t.Helper()
		s.LoseAnswer(t)
		_, err := ask()
		require.Equal(t, code, casefile.ErrorCode(err), "got %v", err)
	}
	established := func(r enforce.Request, again func() (string, error)) {
		t.Helper()
		reference := ""
		if c.Lookup {
			done, found, err := s.Platform.Lookup(t.Context(), r)
			require.NoError(t, err)
			require.True(t, done)
			require.NotEmpty(t, found)
			reference = found
		}
		for range s.repeats() {
			told, err := again()
			require.NoError(t, err)
			if reference != "" {
				require.Equal(t, reference, told)
			}
		}
	}
	u, err := s.Platform.Prepare(t.Context(), r)
	require.NoError(t, err)
	act := func() (string, error) { return s.Platform.Do(t.Context(), r) }
	lost(act)
	s.requireCount(t, 1)
	established(r, act)
	s.requireCount(t, 1)
	n := 1
	if len(c.Undo) > 0 && c.Undo[0] == r.Kind {
		back := Reverse("D-1", r)
		reverse := func() (string, error) { return s.Platform.Undo(t.Context(), back, u) }
		lost(reverse)
		established(back, reverse)
		n++
		s.requireCount(t, n)
	}
	if c.Notify {
		notice := casefile.Notice{Number: "N-1", Case: "7K2QX-9MDT4", Lang: "en", Text: "[text]"}
		tell := func() (string, error) { return "told", s.Platform.Notify(t.Context(), r.Account, notice) }
		lost(tell)
		for range s.repeats() {
			_, err := tell()
			require.NoError(t, err)
		}
		s.requireCount(t, n+1)
	}
}

func requireUnavailable(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "got %v", err)
}

func testReopen(t *testing.T, s Subject) {
	if s.Reopen == nil {
		t.Skip("the adapter keeps nothing")
	}
	kinds := s.Platform.Capabilities().Undo
	type stood struct {
		undo      enforce.UndoRecord
		reference string
		state     map[string]string
	}
	var all []stood
	for _, kind := range kinds {
		u, reference := do(t, s.Platform, Request("D-"+string(kind), kind))
		all = append(all, stood{u, reference, before(t, s.Platform, Request("D-"+string(kind), kind))})
	}
	p := s.Reopen(t)
	for i, kind := range kinds {
		r := Request("D-"+string(kind), kind)
		require.Equal(t, all[i].state, before(t, p, r), kind)
		for range s.repeats() {
			again, err := p.Do(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, all[i].reference, again, "%s was done again", kind)
		}
		_, err := p.Undo(t.Context(), Reverse("D-"+string(kind), r), all[i].undo)
		require.NoError(t, err)
		require.Equal(t, all[i].undo.Before, before(t, p, r), kind)
	}
}

func testContext(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Platform.Do(ctx, Request("D-1", s.Platform.Capabilities().Acts[0]))
	require.Error(t, err)
	s.requireCount(t, 0)
}
