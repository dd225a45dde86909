package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/enforcetest"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

// TestExercise: the suite on a platform that keeps keys apart, and on one that does not.
func TestExercise(t *testing.T) {
	t.Parallel()
	for name, idempotent := range map[string]bool{"keys kept apart": true, "keys not kept apart": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enforcetest.Exercise(t, func(t *testing.T) enforcetest.Subject {
				b := newBed(t, idempotent)
				return enforcetest.Subject{
					Platform: b.platform,
					SetDown: func(down bool) {
						b.receiver.Clear()
						if down {
							b.inject(receiver.Fault{Kind: receiver.Down})
						}
					},
					LoseAnswer: func(*testing.T) { b.inject(receiver.Fault{Kind: receiver.DropAfter, Times: 1}) },
					Reopen: func(t *testing.T) enforce.Platform {
						require.NoError(t, b.receiver.Close())
						server, caFile := serve(t, b.newReceiver(idempotent))
						c := b.config
						c.URL, c.CAFile = server.URL, caFile
						return open(t, c)
					},
					Count: func(*testing.T) int { return len(b.lines()) },
				}
			})
		})
	}
}

// TestCapabilitiesAreTheConfigurations: what a platform is stated not to do it is never asked for.
func TestCapabilitiesAreTheConfigurations(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	c := b.config
	c.Acts, c.Undo = []casefile.ActKind{casefile.ActWarn, casefile.ActSuspend}, []casefile.ActKind{casefile.ActSuspend}
	c.Lookup, c.Notify, c.Idempotent = false, false, false
	p := open(t, c)
	require.Equal(t, webhook.Name, p.Name())
	require.Equal(t, enforce.Capabilities{Acts: c.Acts, Undo: c.Undo}, p.Capabilities())
	asked := 0
	b.inject(receiver.Fault{Kind: receiver.Garbage, Hit: func() { asked++ }})

	warn, label := enforcetest.Request("D-1", casefile.ActWarn), enforcetest.Request("D-1", casefile.ActLabel)
	_, err := p.Do(t.Context(), label)
	requireCode(t, casefile.CodeState, err)
	_, err = p.Prepare(t.Context(), label)
	requireCode(t, casefile.CodeState, err)
	_, err = p.Undo(t.Context(), enforcetest.Reverse("D-1", warn), enforce.UndoRecord{Kind: casefile.ActWarn, Before: map[string]string{}, At: testNow})
	requireCode(t, casefile.CodeState, err)
	_, _, err = p.Lookup(t.Context(), warn)
	requireCode(t, casefile.CodeUnavailable, err)
	requireCode(t, casefile.CodeState, p.Notify(t.Context(), warn.Account, notice()))
	require.Zero(t, asked)
}

// TestRequestsAsSent: what goes out, header by header and byte by byte, and that it is the same bytes
// at every attempt.
func TestRequestsAsSent(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	var seen []http.Header
	var bodies []string
	p := openOn(t, recorded(b.receiver, &seen, &bodies, b.secret), true)
	r := enforcetest.Request("D-1", casefile.ActSuspend)
	account := "a-17"
	u, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), r)
	require.NoError(t, err)
	elsewhere := r.Until.In(time.FixedZone("east", 3600)) // the same time, as another process may have read it
	r.Until, u.At = &elsewhere, u.At.In(elsewhere.Location())
	_, err = p.Do(t.Context(), r)
	require.NoError(t, err)
	_, _, err = p.Lookup(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Undo(t.Context(), enforcetest.Reverse("D-1", r), u)
	require.NoError(t, err)
	require.NoError(t, p.Notify(t.Context(), r.Account, notice()))

	act := `"account":{"platform":"synthetic","id":"a-17"},"act":{"kind":"suspend","until":"2027-01-31T12:00:00Z","policy":"VE-08","case":"7K2QX-9MDT4"}`
	require.Equal(t, []string{
		`{"v":1,"type":"act.prepare","key":"D-1/1/do",` + act + `}`,
		`{"v":1,"type":"act.do","key":"D-1/1/do",` + act + `}`,
		`{"v":1,"type":"act.do","key":"D-1/1/do",` + act + `}`,
		`{"v":1,"type":"act.lookup","key":"D-1/1/do",` + act + `}`,
		`{"v":1,"type":"act.undo","key":"D-1/1/undo",` + act + `,"undo":{"kind":"suspend","before":{"suspend":""},"at":"2026-11-23T10:00:00Z"}}`,
		`{"v":1,"type":"notice.deliver","key":"N-1/notice","account":{"platform":"synthetic","id":"a-17"},"notice":{"case":"7K2QX-9MDT4","lang":"en","text":"[text]"}}`,
	}, bodies)
	ids := make([]string, len(seen))
	for i, h := range seen {
		ids[i] = h.Get("webhook-id")
		require.Equal(t, "1795428000", h.Get("webhook-timestamp"))
		require.Equal(t, "application/json", h.Get("Content-Type"))
		require.Empty(t, h.Get("Idempotency-Key"), "the transport would send again by itself")
		for name, values := range h {
			require.NotContains(t, values, account, name)
		}
	}
	require.Equal(t, []string{"D-1/1/do", "D-1/1/do"}, ids[1:3])
	require.Equal(t, []string{"D-1/1/undo", "N-1/notice"}, ids[4:])
	for _, question := range []string{ids[0], ids[3]} {
		require.Len(t, question, 26, "random: an answer must be fresh")
	}
	require.NotEqual(t, ids[0], ids[3])
}

// TestKeyThatIsNoHeader: a key that would blur what is signed never goes out.
func TestKeyThatIsNoHeader(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	for _, key := range []string{"D.1/1/do", "D-1/1.0/do", "D-1/01/do", "D-1/0/do", "D\n/1/do", "D 1/1/do", "/1/do", "D-1/do", "Ü/1/do", "D-1/1/do/do", "D-1/1/undo"} {
		r := enforcetest.Request("D-1", casefile.ActWarn)
		r.Key = key
		_, err := b.platform.Do(t.Context(), r)
		requireCode(t, casefile.CodeInvalid, err)
	}
	n := notice()
	n.Number = "N.1"
	requireCode(t, casefile.CodeInvalid, b.platform.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a-17"}, n))
	require.Empty(t, b.lines())
}

// TestTextThatJSONWouldChange: what would arrive as another text is not sent.
func TestTextThatJSONWouldChange(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	for name, change := range map[string]func(*enforce.Request){
		"account": func(r *enforce.Request) { r.Account.ID = "a\xff" },
		"post":    func(r *enforce.Request) { r.Post = "p\xff" },
		"policy":  func(r *enforce.Request) { r.Policy = "VE-99" },
		"case":    func(r *enforce.Request) { r.Case = "someone" },
	} {
		r := enforcetest.Request("D-1", casefile.ActRemovePost)
		change(&r)
		_, err := b.platform.Do(t.Context(), r)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	n := notice()
	n.Text = "[text]\xff"
	requireCode(t, casefile.CodeInvalid, b.platform.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a-17"}, n))
	u := enforce.UndoRecord{Kind: casefile.ActWarn, Before: map[string]string{"warn": "\xff"}, At: testNow}
	_, err := b.platform.Undo(t.Context(), enforcetest.Reverse("D-1", enforcetest.Request("D-1", casefile.ActWarn)), u)
	requireCode(t, casefile.CodeInvalid, err)
	require.Empty(t, b.lines())
}

// TestNoticeTooLong is refused before it is sent.
func TestNoticeTooLong(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	n := notice()
	n.Text = string(make([]byte, webhook.MaxMessage))
	requireCode(t, casefile.CodeTooLarge, b.platform.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a-17"}, n))
	require.Empty(t, b.lines())
}
