package telling_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

const console = "https://docket.example.org"

// clock is a time that tests move on.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// said is a log that several goroutines write.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// stub is a channel that does as it is told.
type stub struct {
	mu   sync.Mutex
	got  []telling.Message
	at   []time.Time
	tell func(ctx context.Context, m telling.Message) (int, error)
}

func (s *stub) Tell(ctx context.Context, m telling.Message) (int, error) {
	s.mu.Lock()
	s.got, s.at = append(s.got, m), append(s.at, time.Now())
	tell := s.tell
	s.mu.Unlock()
	if tell == nil {
		return 0, nil
	}
	return tell(ctx, m)
}

func (s *stub) answer(tell func(ctx context.Context, m telling.Message) (int, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

func (s *stub) always(missed int, err error) {
	s.answer(func(context.Context, telling.Message) (int, error) { return missed, err })
}

func (s *stub) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for _, m := range s.got {
		out = append(out, m.ID)
	}
	return out
}

func (s *stub) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.at...)
}

// config has two webhooks and mail, and three teams.
func config() telling.Config {
	hook := func(name string) telling.WebhookConfig {
		return telling.WebhookConfig{URL: "https://" + name + ".example.org/told", Secrets: []telling.Secret{{Env: "SECRET"}}}
	}
	return telling.Config{
		BaseURL: console, DefaultTeam: "desk",
		Teams: map[string]telling.Team{
			"desk":  {Page: []string{"pager", "mail"}, Notice: []string{"mail"}, MailTo: []string{"desk@example.org"}},
			"night": {Page: []string{"pager"}, MailTo: []string{"night@example.org", "owl@example.org"}},
			"legal": {Notice: []string{"chat"}},
		},
		Webhooks: map[string]telling.WebhookConfig{"pager": hook("pager"), "chat": hook("chat")},
		Mail:     &telling.MailConfig{Host: "mail.example.org", From: "docket@example.org"},
	}
}

// bed is a sender over an outbox in memory and channels that do as they are told.
type bed struct {
	*telling.Sender
	t                 *testing.T
	outbox            *tellingtest.Memory
	clock             *clock
	pager, chat, mail *stub
	said              *said
	registry          *prometheus.Registry
}

func newBed(t *testing.T, change ...func(o *telling.Options)) *bed {
	t.Helper()
	b := &bed{
		t: t, outbox: &tellingtest.Memory{}, clock: &clock{at: now}, pager: &stub{}, chat: &stub{}, mail: &stub{},
		said: &said{}, registry: prometheus.NewRegistry(),
	}
	o := telling.Options{
		Outbox: b.outbox, Config: config(), Channels: map[string]telling.Channel{"pager": b.pager, "chat": b.chat, "mail": b.mail},
		Log: slog.New(slog.NewTextHandler(b.said, nil)), Now: b.clock.now, Metrics: b.registry,
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	b.Sender, err = telling.New(o)
	require.NoError(t, err)
	return b
}

func (b *bed) put(messages ...telling.Message) {
	b.t.Helper()
	for _, m := range messages {
		require.NoError(b.t, b.outbox.PutTelling(b.t.Context(), m))
	}
}

// routed puts messages and routes them.
func (b *bed) routed(messages ...telling.Message) {
	b.t.Helper()
	b.put(messages...)
	more, err := b.Route(b.t.Context())
	require.NoError(b.t, err)
	require.False(b.t, more)
}

func (b *bed) tell(channel string) bool {
	b.t.Helper()
	more, err := b.Tell(b.t.Context(), channel)
	require.NoError(b.t, err)
	return more
}

func (b *bed) delivery(m telling.Message, channel string) tellingtest.Delivery {
	b.t.Helper()
	d, ok := b.outbox.Delivery(m.ID, channel)
	require.True(b.t, ok, "not due on %s", channel)
	return d
}

// figures are the metrics that are not zero, by name and labels.
func (b *bed) figures() map[string]float64 {
	b.t.Helper()
	families, err := b.registry.Gather()
	require.NoError(b.t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if v != 0 {
				out[name] = v
			}
		}
	}
	return out
}

// secretText is a signing secret made of one byte.
func secretText(of byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{of}, 32))
}

// file writes a file that only its owner may read.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// certificate writes the certificate of a test server into a file.
func certificate(t *testing.T, s *httptest.Server) string {
	t.Helper()
	return file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
}
