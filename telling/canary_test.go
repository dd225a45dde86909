package telling_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

// TestNothingElseIsTold: taken away what may be told, nothing is left of any mail or webhook.
func TestNothingElseIsTold(t *testing.T) {
	t.Parallel()
	receiver, server := newReceiver(t), newMailServer(t, mailOptions{})
	hook := openOne(t, hooked(t, receiver), "pager")
	mail := openOne(t, server.config(telling.TLSNone), "mail")
	for i, w := range telling.Wordings() {
		t.Run(string(w.Kind), func(t *testing.T) {
			m := tellingtest.Example(w.Kind, i)
			_, err := hook.Tell(t.Context(), m)
			require.NoError(t, err)
			_, err = mail.Tell(t.Context(), m)
			require.NoError(t, err)

			var body struct {
				Type, Timestamp string
				Data            map[string]string
			}
			require.NoError(t, json.Unmarshal(receiver.all()[i].body, &body), "everything in it is text")
			allowed := map[string]string{
				"id": m.ID, "urgency": string(m.Urgency), "text": w.Text, "team": m.Team, "queue": m.Queue, "platform": m.Platform,
				"case": string(m.Case), "subject": m.Subject, "link": body.Data["link"],
			}
			if m.DueAt != nil {
				allowed["due_at"] = m.DueAt.Format(time.RFC3339)
			}
			maps.DeleteFunc(allowed, func(_, v string) bool { return v == "" })
			require.Equal(t, allowed, body.Data)
			require.Equal(t, string(w.Kind), body.Type)
			require.Equal(t, m.At.Format(time.RFC3339), body.Timestamp)
			path, ours := strings.CutPrefix(body.Data["link"], console+"/base/")
			require.True(t, ours)
			require.Contains(t, []string{"", "cases/" + string(m.Case), "queues/" + m.Queue}, path)
			var whole map[string]any
			require.NoError(t, json.Unmarshal(receiver.all()[i].body, &whole))
			require.ElementsMatch(t, []string{"type", "timestamp", "data"}, slices.Collect(maps.Keys(whole)))

			header, text := read(t, server.all()[i].data)
			take := func(from, what string) string {
				require.NotEmpty(t, what)
				require.Contains(t, from, what)
				return strings.Replace(from, what, "", 1)
			}
			subject := header["Subject"][0]
			for _, what := range []string{"[Docket] ", w.Title} {
				subject = take(subject, what)
			}
			for _, what := range []string{"PAGE: ", ", case " + string(m.Case)} {
				subject = strings.Replace(subject, what, "", 1)
			}
			require.Empty(t, subject)
			for _, what := range []string{
				w.Text, console + "/" + path, "Urgency:  " + string(m.Urgency), "Queue:    " + m.Queue, "Team:     " + m.Team,
				"Platform: " + m.Platform, "At:       2026-03-02 10:00 UTC",
				"This mail is sent once or, after a fault, again under the same Message-ID. Nobody reads answers to it.",
			} {
				text = take(text, what)
			}
			if m.Case != "" {
				text = take(text, "Case:     "+string(m.Case))
			}
			if m.DueAt != nil {
				text = take(text, "Due:      2026-03-02 11:00 UTC")
			}
			if m.Subject != "" {
				text = take(strings.Replace(text, "Appeal:   ", "Decision: ", 1), "Decision: "+m.Subject)
			}
			require.Empty(t, strings.TrimSpace(text))
		})
	}
}

// TestNothingOfOthersIsKept: what a message holds that it should not, what servers say, and every
// secret and address stay out of what is told, logged, counted and written down.
func TestNothingOfOthersIsKept(t *testing.T) {
	t.Parallel()
	receiver, server := newReceiver(t), newMailServer(t, mailOptions{startTLS: true, login: true})
	config := server.config(telling.TLSStart)
	config.Mail.Username, config.Mail.Password = "docket", &telling.Secret{Env: "SECRET"}
	pager := hooked(t, receiver)
	config.Webhooks = pager.Webhooks
	config.Teams["desk"] = telling.Team{Page: []string{"pager", "mail"}, Notice: []string{"mail"}, MailTo: []string{"desk@example.org"}}
	channels, err := telling.Open(config, telling.Surroundings{Env: func(string) string { return secretText(1) }})
	require.NoError(t, err)
	outbox, said, registry := &tellingtest.Memory{}, &said{}, prometheus.NewRegistry()
	sender, err := telling.New(telling.Options{
		Outbox: outbox, Config: config, Channels: channels, Metrics: registry,
		Log: slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)

	m := tellingtest.Example(telling.KindThreat, 1)
	m.Team = "canary: Anna @gull1"
	require.NoError(t, outbox.PutTelling(t.Context(), m), "a team is a policy's own word")
	unsound := tellingtest.Example(telling.KindThreat, 2)
	unsound.Queue = "canary words"
	outbox.PutUnchecked(unsound)
	_, err = sender.Route(t.Context())
	require.NoError(t, err)

	receiver.with(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://canary.example.org")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "canary words")
	})
	for _, at := range []string{"AUTH", "MAIL", "desk@example.org", "DATA"} {
		server.with(at, refusal(550))
		_, err = sender.Tell(t.Context(), "mail")
		require.NoError(t, err)
		server.with(at, nil)
		d, ok := outbox.Delivery(m.ID, "mail")
		require.True(t, ok)
		// Due again at once, to meet the next fault.
		require.NoError(t, outbox.TellingFailed(t.Context(), m.ID, "mail", d.Code, time.Now()))
	}
	_, err = sender.Tell(t.Context(), "pager")
	require.NoError(t, err)
	server.with("desk@example.org", nil)
	_, err = sender.Tell(t.Context(), "mail")
	require.NoError(t, err)
	require.Len(t, server.all(), 1)

	families, err := registry.Gather()
	require.NoError(t, err)
	var all bytes.Buffer
	for _, f := range families {
		all.WriteString(f.String())
	}
	all.WriteString(said.String())
	all.WriteString(server.all()[0].data)
	all.Write(receiver.all()[0].body)
	for _, channel := range []string{"mail", "pager"} {
		d, _ := outbox.Delivery(m.ID, channel)
		all.WriteString(string(d.Code))
	}
	require.Contains(t, said.String(), "code=login")
	require.Contains(t, said.String(), "code=refused")
	require.Contains(t, said.String(), "code=address")
	for _, secret := range []string{"canary", "gull1", "Anna", secretText(1)[6:], "\x00docket\x00"} {
		require.NotContains(t, all.String(), secret)
	}
	require.NotContains(t, said.String(), "example.org", "addresses are people's")
	require.NotContains(t, said.String(), receiver.URL)
}

// TestEndToEnd runs the whole against a real receiver and a real mail server that is down at first.
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	receiver, server := newReceiver(t), newMailServer(t, mailOptions{startTLS: true})
	config := server.config(telling.TLSStart)
	config.Webhooks = hooked(t, receiver).Webhooks
	config.Teams["desk"] = telling.Team{Page: []string{"pager", "mail"}, Notice: []string{"mail"}, MailTo: []string{"desk@example.org"}}
	channels, err := telling.Open(config, telling.Surroundings{Env: func(string) string { return secretText(1) }})
	require.NoError(t, err)
	outbox, wake := &tellingtest.Memory{}, make(chan struct{}, 1)
	failed, sent := make(chan struct{}, 100), make(chan struct{}, 100)
	sender, err := telling.New(telling.Options{
		Outbox: &watched{Outbox: outbox, failed: failed, sent: sent}, Config: config, Channels: channels, Wake: wake,
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sender.Run(ctx)
	}()
	server.with("MAIL", refusal(451))
	m := tellingtest.Example(telling.KindThreat, 1)
	require.NoError(t, outbox.PutTelling(t.Context(), m))
	wake <- struct{}{}
	require.Equal(t, m.ID, <-receiver.told, "the pager does not wait for the mail server")
	<-failed
	server.with("MAIL", nil)
	require.Contains(t, <-server.told, m.ID)
	<-sent
	<-sent
	stop()
	<-ended
	require.Len(t, receiver.all(), 1)
	require.Len(t, server.all(), 1)
	for _, channel := range []string{"pager", "mail"} {
		d, _ := outbox.Delivery(m.ID, channel)
		require.Equal(t, tellingtest.Sent, d.State, channel)
	}
}

// watched tells when an attempt has been written down.
type watched struct {
	telling.Outbox
	failed, sent chan struct{}
}

func (w *watched) TellingFailed(ctx context.Context, id, channel string, code telling.Code, nextTry time.Time) error {
	err := w.Outbox.TellingFailed(ctx, id, channel, code, nextTry)
	w.failed <- struct{}{}
	return err
}

func (w *watched) TellingSent(ctx context.Context, id, channel string, at time.Time) error {
	err := w.Outbox.TellingSent(ctx, id, channel, at)
	w.sent <- struct{}{}
	return err
}
