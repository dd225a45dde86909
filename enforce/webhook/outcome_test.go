package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/enforcetest"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

func requireCode(t *testing.T, code casefile.Code, err error) {
	t.Helper()
	require.Equal(t, code, casefile.ErrorCode(err), "got %v", err)
}

func notice() casefile.Notice {
	return casefile.Notice{Number: "N-1", Case: "7K2QX-9MDT4", Lang: "en", Text: "[text]"}
}

// recorded signs nothing anew: it keeps what came in and hands it to a receiver under the receiver's
// own secret.
func recorded(to http.Handler, seen *[]http.Header, bodies *[]string, secret string) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		*seen, *bodies = append(*seen, r.Header.Clone()), append(*bodies, string(body))
		mu.Unlock()
		key, err := webhook.ParseSecret(secret)
		if err != nil {
			panic(err)
		}
		signature, err := key.Sign(r.Header.Get(webhook.HeaderID), testNow, body)
		if err != nil {
			panic(err)
		}
		r.Header.Set(webhook.HeaderSignature, signature)
		r.Body = io.NopCloser(bytes.NewReader(body))
		to.ServeHTTP(w, r)
	}
}

// private is what an answer may hold and no error may tell.
const private = "@handle.of.somebody"

// calls are the five requests that a platform can be sent.
func calls(p enforce.Platform) map[webhook.Type]func(context.Context) error {
	r := enforcetest.Request("D-1", casefile.ActSuspend)
	u := enforce.UndoRecord{Kind: r.Kind, Before: map[string]string{"suspend": ""}, At: testNow}
	return map[webhook.Type]func(context.Context) error{
		webhook.TypePrepare: func(ctx context.Context) error { _, err := p.Prepare(ctx, r); return err },
		webhook.TypeDo:      func(ctx context.Context) error { _, err := p.Do(ctx, r); return err },
		webhook.TypeUndo:    func(ctx context.Context) error { _, err := p.Undo(ctx, enforcetest.Reverse("D-1", r), u); return err },
		webhook.TypeLookup:  func(ctx context.Context) error { _, _, err := p.Lookup(ctx, r); return err },
		webhook.TypeDeliver: func(ctx context.Context) error { return p.Notify(ctx, r.Account, notice()) },
	}
}

// requireLost: the platform may have acted.
func requireLost(t *testing.T, typ webhook.Type, idempotent bool, err error) {
	t.Helper()
	want := casefile.CodeUnavailable
	if typ.Acts() && !idempotent {
		want = casefile.CodeUncertain
	}
	require.Equal(t, want, casefile.ErrorCode(err), "%s, keys apart %t: got %v", typ, idempotent, err)
}

// requireDiscreet: an error tells nothing of the answer, of the message or of the address's path.
func requireDiscreet(t *testing.T, err error) {
	t.Helper()
	for _, word := range []string{private, "handle", "a-17", "D-1", "7K2QX", "/docket", "[text]"} {
		require.NotContains(t, err.Error(), word)
		require.NotContains(t, fmt.Sprintf("%+v", err), word)
	}
}

// TestStatuses: every status from 200 to 599, for each request, on a platform that keeps keys apart
// and on one that does not.
func TestStatuses(t *testing.T) {
	t.Parallel()
	invalid := []int{400, 405, 406, 411, 413, 414, 415, 417, 422, 431}
	var status atomic.Int64
	script := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", "/elsewhere?account="+private)
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, private)
	})
	for _, idempotent := range []bool{true, false} {
		p := openPlain(t, script, idempotent)
		for s := 200; s < 600; s++ {
			status.Store(int64(s))
			for typ, call := range calls(p) {
				err := call(t.Context())
				require.Error(t, err, "%d: its body is no answer", s)
				requireDiscreet(t, err)
				switch {
				case s == 409:
					requireCode(t, casefile.CodeConflict, err)
				case s == 401 || s == 408 || s == 425 || s == 429:
					requireCode(t, casefile.CodeUnavailable, err)
				case slices.Contains(invalid, s):
					requireCode(t, casefile.CodeInvalid, err)
				case s >= 400 && s < 500:
					requireCode(t, casefile.CodeState, err)
				default:
					requireLost(t, typ, idempotent, err)
				}
				_, told := enforce.RetryAfter(err)
				require.False(t, told)
			}
		}
	}
}

// TestRetryAfter: what a platform says of when to come back is handed on, in its bounds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		header string
		after  time.Duration
		told   bool
	}{
		"seconds":            {"120", 2 * time.Minute, true},
		"none":               {"0", 0, true},
		"with spaces":        {" 5 ", 5 * time.Second, true},
		"a date":             {testNow.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, true},
		"a date gone by":     {testNow.Add(-time.Hour).Format(http.TimeFormat), 0, true},
		"a date far off":     {testNow.AddDate(10, 0, 0).Format(http.TimeFormat), webhook.MaxRetryAfter, true},
		"a year":             {"31536000", webhook.MaxRetryAfter, true},
		"more than a number": {strings.Repeat("9", 40), webhook.MaxRetryAfter, true},
		"negative":           {"-5", 0, false},
		"a fraction":         {"1.5", 0, false},
		"words":              {"soon, says " + private, 0, false},
		"missing":            {"", 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if c.header != "" {
				header.Set("Retry-After", c.header)
			}
			for _, status := range []int{408, 425, 429, 503} {
				p := openOn(t, handler(status, header, private), false)
				for typ, call := range calls(p) {
					err := call(t.Context())
					requireDiscreet(t, err)
					if status == 503 && !c.told {
						requireLost(t, typ, false, err) // it does not say that nothing was begun
					} else {
						requireCode(t, casefile.CodeUnavailable, err)
					}
					after, told := enforce.RetryAfter(err)
					require.Equal(t, c.told, told)
					require.Equal(t, c.after, after)
				}
			}
		})
	}
}

// TestAnswersThatAreNotSound: a 2xx counts only with an answer to this very message.
func TestAnswersThatAreNotSound(t *testing.T) {
	t.Parallel()
	right := map[webhook.Type]string{
		webhook.TypePrepare: `{"v":1,"type":"act.prepare","key":"D-1/1/do","before":{"suspend":""}}`,
		webhook.TypeDo:      `{"v":1,"type":"act.do","key":"D-1/1/do","reference":"R-1"}`,
		webhook.TypeUndo:    `{"v":1,"type":"act.undo","key":"D-1/1/undo","reference":"R-1"}`,
		webhook.TypeLookup:  `{"v":1,"type":"act.lookup","key":"D-1/1/do","done":true,"reference":"R-1"}`,
		webhook.TypeDeliver: `{"v":1,"type":"notice.deliver","key":"N-1/notice","reference":"R-1"}`,
	}
	type change func(typ webhook.Type, answer map[string]any) string
	altered := func(field string, value any) change {
		return func(_ webhook.Type, answer map[string]any) string {
			answer[field] = value
			if value == nil {
				delete(answer, field)
			}
			data, err := json.Marshal(answer)
			require.NoError(t, err)
			return string(data)
		}
	}
	whole := func(text string) change { return func(webhook.Type, map[string]any) string { return text } }
	bad := map[string]change{
		"nothing":          whole(""),
		"a page":           whole("<html>" + private + "</html>"),
		"a word":           whole("OK"),
		"null":             whole("null"),
		"a list":           whole("[]"),
		"an empty object":  whole("{}"),
		"half":             func(typ webhook.Type, _ map[string]any) string { return right[typ][:20] },
		"two":              func(typ webhook.Type, _ map[string]any) string { return right[typ] + right[typ] },
		"a page behind it": func(typ webhook.Type, _ map[string]any) string { return right[typ] + private },
		"too long": func(typ webhook.Type, _ map[string]any) string {
			return right[typ] + strings.Repeat(" ", webhook.MaxAnswer)
		},
		"another version":         altered("v", 2),
		"no version":              altered("v", nil),
		"another key":             altered("key", "D-2/1/do"),
		"no key":                  altered("key", nil),
		"a key of words":          altered("key", private),
		"no type":                 altered("type", nil),
		"an unknown type":         altered("type", private),
		"a reference of words":    altered("reference", "done for "+private),
		"a reference that is one": altered("reference", 7),
		"a reference too long":    altered("reference", strings.Repeat("R", 65)),
		"the account's id":        altered("reference", "a-17"),
		"done in words":           altered("done", "yes"),
		"another's answer": func(typ webhook.Type, _ map[string]any) string {
			if typ == webhook.TypeLookup {
				return right[webhook.TypeDo]
			}
			return right[webhook.TypeLookup]
		},
		"what belongs elsewhere": func(typ webhook.Type, answer map[string]any) string {
			if typ == webhook.TypePrepare {
				return altered("done", false)(typ, answer)
			}
			return altered("before", map[string]string{"x": "y"})(typ, answer)
		},
		"what it must hold is missing": func(typ webhook.Type, answer map[string]any) string {
			field := map[webhook.Type]string{webhook.TypePrepare: "before", webhook.TypeLookup: "done"}[typ]
			if field == "" {
				field = "reference"
			}
			return altered(field, nil)(typ, answer)
		},
	}
	for _, idempotent := range []bool{true, false} {
		var answer atomic.Pointer[string]
		p := openOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, *answer.Load())
		}), idempotent)
		for typ, call := range calls(p) {
			text := right[typ]
			answer.Store(&text)
			require.NoError(t, call(t.Context()), typ)
			text = strings.Replace(right[typ], `{"v"`, `{"took_ms":3,"v"`, 1)
			answer.Store(&text)
			require.NoError(t, call(t.Context()), "%s: fields that are not known are passed over", typ)
			for name, change := range bad {
				var tree map[string]any
				require.NoError(t, json.Unmarshal([]byte(right[typ]), &tree))
				text := change(typ, tree)
				answer.Store(&text)
				err := call(t.Context())
				require.Error(t, err, "%s: %s", typ, name)
				requireLost(t, typ, idempotent, err)
				requireDiscreet(t, err)
			}
		}
	}
}

// TestReferenceWithTheAccountInIt: a reference goes on record, where nobody's id may stand.
func TestReferenceWithTheAccountInIt(t *testing.T) {
	t.Parallel()
	p := openOn(t, handler(200, nil, `{"v":1,"type":"act.do","key":"D-1/1/do","reference":"REF-account-1234567-x"}`), false)
	r := enforcetest.Request("D-1", casefile.ActRemovePost)
	_, err := p.Do(t.Context(), r)
	require.NoError(t, err)
	r.Account.ID = "account-1234567"
	_, err = p.Do(t.Context(), r)
	requireCode(t, casefile.CodeUncertain, err)
	require.NotContains(t, err.Error(), r.Account.ID)
	r.Account.ID, r.Post = "a-17", "account-1234567"
	_, err = p.Do(t.Context(), r)
	requireCode(t, casefile.CodeUncertain, err)
	require.NotContains(t, err.Error(), r.Post)
}

// TestNothingWasSent: where the request cannot have left, nothing was begun, whatever the platform
// keeps apart.
func TestNothingWasSent(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	good, caFile := serve(t, http.NotFoundHandler())
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never a handshake
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	cases := map[string]struct {
		url, caFile, timeout string
		says                 string
	}{
		"nobody listens":            {gone.URL + "/docket?token=" + private, "", "", "connection refused"},
		"no such host":              {"https://platform.invalid/docket", "", "", "lookup platform.invalid"},
		"not the platform's":        {good.URL, "", "", "certificate"}, // signed by an authority of its own
		"no TLS there":              {strings.Replace(plain.URL, "http:", "https:", 1), "", "", ""},
		"the handshake breaks":      {brokenTLS(t), "", "", ""},
		"the handshake never ends":  {"https://" + silent.Addr().String(), "", "50ms", ""},
		"the right authority, gone": {gone.URL, caFile, "", "connection refused"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := configFor(t, c.url, c.caFile, webhook.NewSecret(), false)
			config.ConnectTimeout = c.timeout
			p := open(t, config)
			for _, call := range calls(p) {
				err := call(t.Context())
				requireCode(t, casefile.CodeUnavailable, err)
				require.ErrorContains(t, err, "nothing was sent")
				require.ErrorContains(t, err, c.says)
				requireDiscreet(t, err)
			}
		})
	}
	t.Run("given up before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, call := range calls(open(t, configFor(t, good.URL, caFile, webhook.NewSecret(), false))) {
			err := call(ctx)
			requireCode(t, casefile.CodeUnavailable, err)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "nothing was sent")
		}
	})
}

// TestSentAndLost: from when a request went out, nothing but an answer says what became of it.
func TestSentAndLost(t *testing.T) {
	t.Parallel()
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"dropped":                drop,
		"no HTTP":                raw(private + "\r\n\r\n"),
		"a malformed status":     raw("HTTP/1.1 " + private + "\r\n\r\n"),
		"a malformed header":     raw("HTTP/1.1 200 OK\r\n" + private + "\r\n\r\n"),
		"headers without an end": raw("HTTP/1.1 200 OK\r\nX-Account: " + private + "\r\n"),
		"headers too long":       raw("HTTP/1.1 200 OK\r\nX-Account: " + strings.Repeat(private, webhook.MaxAnswer/10) + "\r\n\r\n"),
		"half an answer":         raw("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"v\":1,\"type\":\"act.do\""),
		"a broken chunk":         raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz" + private),
		"another protocol":       raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, idempotent := range []bool{true, false} {
				for typ, call := range calls(openOn(t, h, idempotent)) {
					err := call(t.Context())
					requireLost(t, typ, idempotent, err)
					requireDiscreet(t, err)
				}
			}
		})
	}
}

// TestNoAnswerInTime: a request whose time is up may have been carried out: that of the configuration,
// that of the caller, and when the caller gives up.
func TestNoAnswerInTime(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{true, false} {
		held := make(chan struct{})
		h, arrived := arrivals(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
		server, caFile := serve(t, h)
		t.Cleanup(func() { close(held) })
		config := configFor(t, server.URL, caFile, webhook.NewSecret(), idempotent)
		p := open(t, config)
		for typ, call := range calls(p) {
			err := call(expireOn(t.Context(), arrived))
			requireLost(t, typ, idempotent, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			requireDiscreet(t, err)

			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-arrived; cancel() }()
			err = call(ctx)
			requireLost(t, typ, idempotent, err)
			require.ErrorIs(t, err, context.Canceled)
			requireDiscreet(t, err)
		}
		config.Timeout = "50ms"
		for typ, call := range calls(open(t, config)) {
			err := call(t.Context())
			for len(arrived) == 0 { // on a busy machine the time may be up before anything was sent
				requireCode(t, casefile.CodeUnavailable, err)
				err = call(t.Context())
			}
			<-arrived
			requireLost(t, typ, idempotent, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			requireDiscreet(t, err)
		}
	}
}

// TestRedirectsAreNotFollowed: an act goes to the configured address and nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other, _ := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{other.URL, "/again", "http://[::1", ""} {
			var here atomic.Int64
			p := openPlain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				here.Add(1)
				handler(status, http.Header{"Location": {to}}, "")(w, r)
			}), false)
			for typ, call := range calls(p) {
				requireLost(t, typ, false, call(t.Context()))
			}
			require.EqualValues(t, 5, here.Load(), "each was sent once")
		}
	}
	require.Zero(t, elsewhere.Load())
}

// TestOneCallIsOneRequest: also on a kept connection that breaks nothing is sent a second time behind
// the caller's back.
func TestOneCallIsOneRequest(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	var requests atomic.Int64
	server, caFile := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		b.receiver.ServeHTTP(w, r)
	}))
	config := b.config
	config.URL, config.CAFile = server.URL, caFile
	p := open(t, config)
	_, err := p.Prepare(t.Context(), enforcetest.Request("D-1", casefile.ActWarn)) // the connection is kept
	require.NoError(t, err)
	b.inject(receiver.Fault{Kind: receiver.DropBefore, Times: 1})
	_, err = p.Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
	requireCode(t, casefile.CodeUnavailable, err)
	require.EqualValues(t, 2, requests.Load())
	require.Empty(t, b.lines())
}

// TestConnectionsAreKept only where a request that was lost on a dead one can be sent again.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{true, false} {
		var connections atomic.Int64
		server := httptest.NewUnstartedServer(handler(500, nil, ""))
		server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		for typ, call := range calls(open(t, configFor(t, server.URL, "", webhook.NewSecret(), idempotent))) {
			requireLost(t, typ, idempotent, call(t.Context()))
		}
		require.EqualValues(t, map[bool]int{true: 1, false: 5}[idempotent], connections.Load())
	}
}

// TestLateAttempt: an attempt that timed out in flight and is carried out later. A platform that keeps
// keys apart acts once; on one that does not, sending again acts twice, which is why such an attempt is
// uncertain there.
func TestLateAttempt(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{true, false} {
		t.Run(strconv.FormatBool(idempotent), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, idempotent)
			hold, hit := make(chan struct{}), make(chan struct{}, 1)
			b.inject(receiver.Fault{
				Kind: receiver.SlowBefore, Types: []webhook.Type{webhook.TypeDo}, Times: 1,
				Hold: hold, Hit: func() { hit <- struct{}{} },
			})
			r := enforcetest.Request("D-1", casefile.ActSuspend)
			_, err := b.platform.Do(expireOn(t.Context(), hit), r)
			requireLost(t, webhook.TypeDo, idempotent, err)
			done, _, err := b.platform.Lookup(t.Context(), r)
			require.NoError(t, err)
			require.False(t, done, "the look-up cannot know of what is under way")
			first, err := b.platform.Do(t.Context(), r)
			require.NoError(t, err)
			close(hold)
			b.server.Close() // waits for what is under way
			lines := b.lines()
			require.Equal(t, first, lines[0].Reference)
			if idempotent {
				require.Len(t, lines, 1)
				require.Empty(t, receiver.Doubles(lines))
			} else {
				require.Len(t, lines, 2)
				require.Equal(t, []string{"D-1/1/do"}, receiver.Doubles(lines))
			}
		})
	}
}
