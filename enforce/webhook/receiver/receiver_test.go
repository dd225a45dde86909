package receiver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

var testNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// testClock is a clock that the test sets.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bed is a receiver that is asked directly, without the adapter.
type bed struct {
	t        *testing.T
	path     string
	secret   string
	clock    *testClock
	receiver *receiver.Receiver
	asked    int
}

func newBed(t *testing.T, forgetful bool) *bed {
	t.Helper()
	b := &bed{t: t, path: filepath.Join(t.TempDir(), "receiver.ndjson"), secret: webhook.NewSecret(), clock: &testClock{now: testNow}}
	b.open(forgetful)
	return b
}

func (b *bed) open(forgetful bool) {
	b.t.Helper()
	r, err := receiver.New(receiver.Options{File: b.path, Secrets: []string{b.secret}, Forgetful: forgetful, Now: b.clock.Now})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { require.NoError(b.t, r.Close()) })
	b.receiver = r
}

func act(typ webhook.Type, decision string) webhook.Message {
	until := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	m := webhook.Message{
		V: webhook.Version, Type: typ, Key: decision + "/1/do", Account: casefile.AccountRef{Platform: "synthetic", ID: "a-17"},
		Act: &webhook.Act{Kind: casefile.ActSuspend, Until: &until, Policy: casefile.VE08, Case: "7K2QX-9MDT4"},
	}
	if typ == webhook.TypeUndo {
		m.Key = decision + "/1/undo"
		m.Undo = &enforce.UndoRecord{Kind: casefile.ActSuspend, Before: map[string]string{"suspend": ""}, At: testNow}
	}
	return m
}

// request is a message as a sound request of this time.
func (b *bed) request(m webhook.Message) *http.Request {
	b.t.Helper()
	id := m.Key
	if !m.Type.Acts() {
		b.asked++
		id = "question-" + strconv.Itoa(b.asked)
	}
	return b.signed(m, id, b.clock.Now())
}

func (b *bed) signed(m webhook.Message, id string, at time.Time) *http.Request {
	b.t.Helper()
	body, err := json.Marshal(m)
	require.NoError(b.t, err)
	return b.raw(body, id, at)
}

func (b *bed) raw(body []byte, id string, at time.Time) *http.Request {
	b.t.Helper()
	secret, err := webhook.ParseSecret(b.secret)
	require.NoError(b.t, err)
	signature, err := secret.Sign(id, at, body)
	require.NoError(b.t, err)
	r := httptest.NewRequest(http.MethodPost, "/docket", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(webhook.HeaderSignature, signature)
	return r
}

func (b *bed) status(r *http.Request) int {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.receiver.ServeHTTP(w, r)
	return w.Code
}

func (b *bed) answer(m webhook.Message) webhook.Answer {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.receiver.ServeHTTP(w, b.request(m))
	require.Equal(b.t, http.StatusOK, w.Code)
	a, err := webhook.DecodeAnswer(w.Body.Bytes())
	require.NoError(b.t, err)
	require.Equal(b.t, m.Type, a.Type)
	require.Equal(b.t, m.Key, a.Key)
	return a
}

func (b *bed) lines() []receiver.Line {
	b.t.Helper()
	lines, err := receiver.Read(b.path)
	require.NoError(b.t, err)
	return lines
}

// TestUnsound: what is not a sound request of ours is refused before anything else, by status.
func TestUnsound(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	do := act(webhook.TypeDo, "D-1")
	with := func(change func(*http.Request)) *http.Request {
		r := b.request(do)
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"another method":        {with(func(r *http.Request) { r.Method = http.MethodPut }), 405},
		"another kind of body":  {with(func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 415},
		"no kind of body":       {with(func(r *http.Request) { r.Header.Del("Content-Type") }), 415},
		"no signature":          {with(func(r *http.Request) { r.Header.Del(webhook.HeaderSignature) }), 401},
		"no id":                 {with(func(r *http.Request) { r.Header.Del(webhook.HeaderID) }), 401},
		"no time":               {with(func(r *http.Request) { r.Header.Del(webhook.HeaderTimestamp) }), 401},
		"a time in words":       {with(func(r *http.Request) { r.Header.Set(webhook.HeaderTimestamp, "now") }), 401},
		"another's signature":   {with(func(r *http.Request) { r.Header.Set(webhook.HeaderSignature, "v1,AAAA") }), 401},
		"another body":          {with(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")) }), 401},
		"another id":            {with(func(r *http.Request) { r.Header.Set(webhook.HeaderID, "D-2/1/do") }), 401},
		"six minutes old":       {b.signed(do, do.Key, testNow.Add(-6*time.Minute)), 401},
		"six minutes ahead":     {b.signed(do, do.Key, testNow.Add(6*time.Minute)), 401},
		"another key than id":   {b.signed(do, "D-2/1/do", testNow), 400},
		"no message":            {b.raw([]byte("{}"), "D-1/1/do", testNow), 400},
		"a message and more":    {b.raw([]byte(`{"v":1}{}`), "D-1/1/do", testNow), 400},
		"too long":              {b.raw(bytes.Repeat([]byte(" "), webhook.MaxMessage+1), "D-1/1/do", testNow), 413},
		"nothing to take back":  {b.request(act(webhook.TypeUndo, "D-9")), 412},
		"within four minutes":   {b.signed(do, do.Key, testNow.Add(-4*time.Minute)), 200},
		"four minutes ahead":    {b.signed(act(webhook.TypeDo, "D-2"), "D-2/1/do", testNow.Add(4*time.Minute)), 200},
		"another message by it": {b.raw([]byte(`{"v":2}`), "D-1/1/do", testNow), 400},
	} {
		require.Equal(t, c.status, b.status(c.request), name)
	}
	require.Equal(t, 2, b.receiver.Count())
	require.Len(t, b.lines(), 2)
}

// TestReplays: an act that is sent again by anybody is not done again, and a question that is sent
// again gets no answer; both only within the tolerance, after it nothing old is taken at all.
func TestReplays(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	do, undo := act(webhook.TypeDo, "D-1"), act(webhook.TypeUndo, "D-1")
	captured, question := b.signed(do, do.Key, testNow), b.signed(act(webhook.TypeLookup, "D-1"), "Q-1", testNow)
	again := func(r *http.Request) *http.Request {
		copied := r.Clone(t.Context())
		body, err := json.Marshal(do)
		require.NoError(t, err)
		if r == question {
			body, err = json.Marshal(act(webhook.TypeLookup, "D-1"))
			require.NoError(t, err)
		}
		copied.Body = io.NopCloser(bytes.NewReader(body))
		return copied
	}
	require.Equal(t, 200, b.status(again(captured)))
	require.Equal(t, 200, b.status(again(question)))
	b.answer(undo)
	for range 3 {
		b.clock.pass(time.Minute)
		require.Equal(t, 200, b.status(again(captured)), "its old answer")
		require.Equal(t, 409, b.status(again(question)))
	}
	require.Equal(t, 2, b.receiver.Count(), "the act and its reverse")
	require.Equal(t, map[string]string{"suspend": ""}, b.answer(act(webhook.TypePrepare, "D-2")).Before)
	b.clock.pass(3 * time.Minute)
	require.Equal(t, 401, b.status(again(captured)))
	require.Equal(t, 401, b.status(again(question)))
	b.clock.pass(time.Hour)
	require.Equal(t, 401, b.status(again(question)), "also when its id is forgotten")
	require.Equal(t, 2, b.receiver.Count())
}

// TestKeysApart: a key stands for one thing, also after the process was started anew.
func TestKeysApart(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	do := act(webhook.TypeDo, "D-1")
	first := b.answer(do)
	other := act(webhook.TypeDo, "D-1")
	other.Account.ID = "a-18"
	lookup, strange := act(webhook.TypeLookup, "D-1"), act(webhook.TypeLookup, "D-1")
	strange.Account.ID = "a-18"
	for range 2 {
		require.Equal(t, first, b.answer(do))
		require.Equal(t, 409, b.status(b.request(other)))
		found := b.answer(lookup)
		require.True(t, *found.Done)
		require.Equal(t, first.Reference, found.Reference)
		require.Equal(t, 409, b.status(b.request(strange)), "another's act under this key")
		require.False(t, *b.answer(act(webhook.TypeLookup, "D-2")).Done)
		require.NoError(t, b.receiver.Close())
		require.Equal(t, 503, b.status(b.request(do)))
		b.open(false)
	}
	require.Len(t, b.lines(), 1)
}

// TestStateBefore: whenever it is asked, it is the state before the act of this key, with what others
// imposed: of several ends the latest.
func TestStateBefore(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	longer := act(webhook.TypeDo, "D-2")
	later := longer.Act.Until.AddDate(0, 1, 0)
	longer.Act.Until = &later
	tells := func(decision, want string) {
		t.Helper()
		require.Equal(t, map[string]string{"suspend": want}, b.answer(act(webhook.TypePrepare, decision)).Before)
	}
	tells("D-1", "")
	b.answer(act(webhook.TypeDo, "D-1"))
	tells("D-1", "")
	tells("D-2", "2027-01-31T12:00:00Z")
	b.answer(longer)
	tells("D-1", "2027-03-03T12:00:00Z")
	tells("D-2", "2027-01-31T12:00:00Z")
	tells("D-3", "2027-03-03T12:00:00Z")
	b.answer(act(webhook.TypeUndo, "D-2"))
	tells("D-3", "2027-01-31T12:00:00Z")
}

// TestForgetful: without it, what comes twice happens twice, and the file shows it.
func TestForgetful(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	do := act(webhook.TypeDo, "D-1")
	first := b.answer(do)
	b.answer(act(webhook.TypeDo, "D-2"))
	require.NotEqual(t, first.Reference, b.answer(do).Reference)
	require.Equal(t, first.Reference, b.answer(act(webhook.TypeLookup, "D-1")).Reference, "the first")
	require.Equal(t, []string{"D-1/1/do"}, receiver.Doubles(b.lines()))
	b.answer(act(webhook.TypeUndo, "D-1"))
	b.answer(act(webhook.TypeUndo, "D-2"))
	require.Equal(t, map[string]string{"suspend": ""}, b.answer(act(webhook.TypePrepare, "D-3")).Before)
	require.Equal(t, 412, b.status(b.request(act(webhook.TypeUndo, "D-1"))))
	require.Equal(t, 5, b.receiver.Count())
}

// TestAtOnce: attempts that overlap do one act, and what is answered is on disk before.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	const callers = 16
	requests := make([]*http.Request, callers)
	for i := range requests {
		requests[i] = b.request(act(webhook.TypeDo, "D-"+strconv.Itoa(i%4)))
	}
	answers := make([]webhook.Answer, callers)
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() {
			w := httptest.NewRecorder()
			b.receiver.ServeHTTP(w, r)
			err := json.Unmarshal(w.Body.Bytes(), &answers[i])
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range answers {
		require.Equal(t, answers[i%4].Reference, answers[i].Reference)
	}
	require.Len(t, b.lines(), 4)
	require.Empty(t, receiver.Doubles(b.lines()))
}

// TestFaults: what each does to the platform, and what the caller is told.
func TestFaults(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	close(closed)
	for _, c := range []struct {
		fault      receiver.Fault
		status     int // 0: the connection breaks
		retryAfter string
		acts       bool
	}{
		{receiver.Fault{Kind: receiver.Down}, 503, "1", false},
		{receiver.Fault{Kind: receiver.Down, RetryAfter: 1500 * time.Millisecond}, 503, "2", false},
		{receiver.Fault{Kind: receiver.Throttled}, 429, "", false},
		{receiver.Fault{Kind: receiver.Throttled, RetryAfter: time.Minute}, 429, "60", false},
		{receiver.Fault{Kind: receiver.Broken}, 500, "", false},
		{receiver.Fault{Kind: receiver.DropBefore}, 0, "", false},
		{receiver.Fault{Kind: receiver.SlowBefore, Hold: closed}, 200, "", true},
		{receiver.Fault{Kind: receiver.SlowAfter, Wait: time.Nanosecond}, 200, "", true},
		{receiver.Fault{Kind: receiver.ErrorAfter}, 500, "", true},
		{receiver.Fault{Kind: receiver.DropAfter}, 0, "", true},
		{receiver.Fault{Kind: receiver.Garbage}, 200, "", true},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, false)
			hits := 0
			c.fault.Hit = func() { hits++ }
			require.NoError(t, b.receiver.Inject(c.fault))
			w := httptest.NewRecorder()
			ask := func() { b.receiver.ServeHTTP(w, b.request(act(webhook.TypeDo, "D-1"))) }
			if c.status == 0 {
				require.PanicsWithValue(t, http.ErrAbortHandler, ask)
			} else {
				ask()
				require.Equal(t, c.status, w.Code)
			}
			require.Equal(t, c.retryAfter, w.Header().Get("Retry-After"))
			require.Equal(t, 1, hits)
			require.Len(t, b.lines(), map[bool]int{true: 1}[c.acts])
			_, err := webhook.DecodeAnswer(w.Body.Bytes())
			sound := c.fault.Kind == receiver.SlowBefore || c.fault.Kind == receiver.SlowAfter
			require.Equal(t, sound, err == nil)
			b.receiver.Clear()
			b.answer(act(webhook.TypeDo, "D-1"))
			require.Equal(t, 1, hits)
			require.Len(t, b.lines(), 1, "once, whatever came before")
		})
	}
}

// TestWhichRequestsAFaultHits: by type, each so-manieth, so many times, the first of several.
func TestWhichRequestsAFaultHits(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	require.NoError(t, b.receiver.Inject(receiver.Fault{Kind: receiver.Broken, Types: []webhook.Type{webhook.TypeDo}, Every: 3, Times: 2}))
	require.NoError(t, b.receiver.Inject(receiver.Fault{Kind: receiver.Throttled, Types: []webhook.Type{webhook.TypePrepare}, Times: 1}))
	var got []int
	for i := range 10 {
		got = append(got, b.status(b.request(act(webhook.TypeDo, "D-"+strconv.Itoa(i)))))
	}
	require.Equal(t, []int{200, 200, 500, 200, 200, 500, 200, 200, 200, 200}, got)
	require.Equal(t, 200, b.status(b.request(act(webhook.TypeLookup, "D-1"))))
	require.Equal(t, 429, b.status(b.request(act(webhook.TypePrepare, "D-1"))))
	require.Equal(t, 200, b.status(b.request(act(webhook.TypePrepare, "D-1"))))
	for _, bad := range []receiver.Fault{{}, {Kind: "sulk"}, {Kind: receiver.Down, Every: -1}, {Kind: receiver.Down, Times: -1}, {Kind: receiver.Down, Wait: -1}, {Kind: receiver.Down, RetryAfter: -1}} {
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(b.receiver.Inject(bad)))
	}
}

// TestTornEnd: what a crash left of a line, wherever it cut, was never answered: it is cut off, and
// the act can be done.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.answer(act(webhook.TypeDo, "D-1"))
	first, err := os.ReadFile(b.path)
	require.NoError(t, err)
	b.answer(act(webhook.TypeDo, "D-2"))
	whole, err := os.ReadFile(b.path)
	require.NoError(t, err)
	for cut := len(first); cut < len(whole); cut += 13 {
		torn := newBed(t, false)
		require.NoError(t, torn.receiver.Close())
		require.NoError(t, os.WriteFile(torn.path, whole[:cut], 0o644))
		require.Len(t, torn.lines(), 1)
		torn.open(false)
		require.True(t, *torn.answer(act(webhook.TypeLookup, "D-1")).Done)
		require.False(t, *torn.answer(act(webhook.TypeLookup, "D-2")).Done)
		torn.answer(act(webhook.TypeDo, "D-2"))
		require.Len(t, torn.lines(), 2)
		info, err := os.Stat(torn.path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

// TestNewRefuses: a file that cannot be read says so and stays as it is.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.answer(act(webhook.TypeDo, "D-1"))
	good, err := os.ReadFile(b.path)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"not JSON":          "x\n" + string(good),
		"an empty line":     "\n" + string(good),
		"another version":   strings.Replace(string(good), `"v":1`, `"v":2`, 1),
		"an unknown field":  strings.Replace(string(good), `"v":1`, `"v":1,"w":1`, 1),
		"two on a line":     strings.Replace(string(good), "}\n", "}{}\n", 1),
		"no time":           strings.Replace(string(good), `"at":"2026-11-23T10:00:00Z",`, "", 1),
		"no reference":      strings.Replace(string(good), `"reference":"`, `"reference":" `, 1),
		"a message of none": strings.Replace(string(good), `"act.do"`, `"act.redo"`, 1),
		"a question":        strings.Replace(string(good), `"act.do"`, `"act.prepare"`, 1),
		"too long":          strings.Repeat(" ", 5<<20) + "\n",
	} {
		path := filepath.Join(t.TempDir(), "bad.ndjson")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := receiver.New(receiver.Options{File: path, Secrets: []string{b.secret}})
		require.ErrorContains(t, err, "line 1", name)
		require.NotContains(t, err.Error(), "a-17", name)
		_, err = receiver.Read(path)
		require.ErrorContains(t, err, "line 1", name)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(kept), name)
	}
	for name, o := range map[string]receiver.Options{
		"no secret":  {File: b.path},
		"a bad one":  {File: b.path, Secrets: []string{"hunter2"}},
		"no folder":  {File: filepath.Join(t.TempDir(), "no", "such"), Secrets: []string{b.secret}},
		"no file":    {Secrets: []string{b.secret}},
		"a folder":   {File: t.TempDir(), Secrets: []string{b.secret}},
		"two of one": {File: b.path, Secrets: []string{b.secret, ""}},
	} {
		_, err := receiver.New(o)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = receiver.Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
