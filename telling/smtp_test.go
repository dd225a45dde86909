package telling_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"maps"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

// mailed is one mail as the server took it.
type mailed struct {
	from      string
	to        []string
	data      string
	encrypted bool
	user      string
	utf8      bool
	hello     string
}

// mailServer is a real SMTP server that answers as a test says.
type mailServer struct {
	t      *testing.T
	addr   *net.TCPAddr
	caFile string
	told   chan string // bodies, as they come

	mu     sync.Mutex
	got    []mailed
	refuse map[string]error // by command or address
}

type mailOptions struct {
	mode     telling.TLSMode
	login    bool // offers and demands AUTH PLAIN
	startTLS bool
}

func newMailServer(t *testing.T, o mailOptions) *mailServer {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(lender.Close)
	m := &mailServer{t: t, caFile: certificate(t, lender), told: make(chan string, 100), refuse: map[string]error{}}
	certified := &tls.Config{Certificates: lender.TLS.Certificates}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, encrypted := c.TLSConnectionState()
		return &mailSession{server: m, login: o.login, mail: mailed{encrypted: encrypted, hello: c.Hostname()}}, nil
	}))
	server.Domain = "mail.test"
	server.EnableSMTPUTF8 = true
	server.AllowInsecureAuth = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if o.startTLS {
		server.TLSConfig = certified
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m.addr = listener.Addr().(*net.TCPAddr)
	if o.mode == telling.TLSImplicit {
		listener = tls.NewListener(listener, certified)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // should the server not have come to know of it yet
		<-ended
	})
	return m
}

func (m *mailServer) with(at string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse[at] = err
}

func (m *mailServer) refusal(at string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refuse[at]
}

func (m *mailServer) all() []mailed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// config hands everything to the server, in the clear or not.
func (m *mailServer) config(mode telling.TLSMode) telling.Config {
	return telling.Config{
		BaseURL: console, DefaultTeam: "desk",
		Teams: map[string]telling.Team{
			"desk":         {Page: []string{"mail"}, Notice: []string{"mail"}, MailTo: []string{"desk@example.org"}},
			"night":        {MailTo: []string{"night@example.org", "owl@example.org", "moth@example.org"}},
			"Ночная смена": {MailTo: []string{"night@example.org"}},
		},
		Mail: &telling.MailConfig{Host: "127.0.0.1", Port: m.addr.Port, TLS: mode, From: "docket@sender.example.org", CAFile: m.caFile},
	}
}

type mailSession struct {
	server *mailServer
	login  bool
	mail   mailed
}

func (s *mailSession) Reset()        { s.mail.from, s.mail.to = "", nil }
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) AuthMechanisms() []string {
	switch {
	case s.server.refusal("no PLAIN") != nil:
		return []string{"SCRAM-SHA-256"}
	case s.login:
		return []string{"PLAIN"}
	}
	return nil
}

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		err := s.server.refusal("AUTH")
		if err != nil {
			return err
		}
		if user != "docket" || password != secretText(1) {
			return &smtp.SMTPError{Code: 535, Message: "canary words: " + user}
		}
		s.mail.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, o *smtp.MailOptions) error {
	if s.login && s.mail.user == "" {
		return &smtp.SMTPError{Code: 530, Message: "log in first"}
	}
	s.mail.from, s.mail.utf8 = from, o.UTF8
	return s.server.refusal("MAIL")
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	err := s.server.refusal(to)
	if err == nil {
		s.mail.to = append(s.mail.to, to)
	}
	return err
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	err = s.server.refusal("DATA")
	if err != nil {
		return err
	}
	s.mail.data = string(data)
	s.server.mu.Lock()
	s.server.got = append(s.server.got, s.mail)
	s.server.mu.Unlock()
	s.server.told <- s.mail.data
	return nil
}

func refusal(code int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "canary words about owl@example.org"}
}

// TestMail: the whole mail, over each way of encryption, with and without a login.
func TestMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options mailOptions
		mode    telling.TLSMode
		login   bool
	}{
		"starttls":                   {mailOptions{startTLS: true}, telling.TLSStart, false},
		"starttls with a login":      {mailOptions{startTLS: true, login: true}, telling.TLSStart, true},
		"starttls where none is set": {mailOptions{startTLS: true}, "", false},
		"implicit":                   {mailOptions{mode: telling.TLSImplicit}, telling.TLSImplicit, false},
		"implicit with a login":      {mailOptions{mode: telling.TLSImplicit, login: true}, telling.TLSImplicit, true},
		"none":                       {mailOptions{}, telling.TLSNone, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newMailServer(t, c.options)
			config := server.config(c.mode)
			if c.login {
				config.Mail.Username, config.Mail.Password = "docket", &telling.Secret{Env: "SECRET"}
			}
			m := tellingtest.Example(telling.KindThreat, 1)
			missed, err := openOne(t, config, "mail").Tell(t.Context(), m)
			require.NoError(t, err)
			require.Zero(t, missed)
			all := server.all()
			require.Len(t, all, 1)
			got := all[0]
			data := got.data
			got.data = ""
			user := ""
			if c.login {
				user = "docket"
			}
			require.Equal(t, mailed{
				from: "docket@sender.example.org", to: []string{"night@example.org", "owl@example.org", "moth@example.org"},
				encrypted: c.mode != telling.TLSNone, user: user, hello: "sender.example.org",
			}, got, "SMTPUTF8 is offered and not asked for")
			header, body := read(t, data)
			require.Equal(t, map[string][]string{
				"Auto-Submitted":            {"auto-generated"},
				"Content-Transfer-Encoding": {"quoted-printable"},
				"Content-Type":              {"text/plain; charset=UTF-8"},
				"Date":                      {"Mon, 02 Mar 2026 10:00:00 +0000"},
				"From":                      {"<docket@sender.example.org>"},
				"Importance":                {"urgent"},
				"Message-Id":                {"<" + m.ID + "@sender.example.org>"},
				"Mime-Version":              {"1.0"},
				"Priority":                  {"1"},
				"Subject":                   {"[Docket] PAGE: threat to life, case 7K2QX-00001"},
				"To":                        {"<night@example.org>, <owl@example.org>, <moth@example.org>"},
				"X-Msmail-Priority":         {"1"},
				"X-Priority":                {"1"},
			}, header)
			require.Equal(t, `This case was escalated with threat to life. Somebody must take it up now.

Urgency:  page
Case:     7K2QX-00001
Queue:    general
Team:     night
Platform: synthetic
At:       2026-03-02 10:00 UTC
Due:      2026-03-02 11:00 UTC

https://docket.example.org/cases/7K2QX-00001

This mail is sent once or, after a fault, again under the same Message-ID. Nobody reads answers to it.
`, body)
		})
	}
}

// read takes a mail apart.
func read(t testing.TB, data string) (header map[string][]string, body string) {
	t.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(data))
	require.NoError(t, err)
	decoded, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	require.NoError(t, err)
	for name, values := range parsed.Header {
		for i, v := range values {
			parsed.Header[name][i], err = new(mime.WordDecoder).DecodeHeader(v)
			require.NoError(t, err)
		}
	}
	return parsed.Header, strings.ReplaceAll(string(decoded), "\r\n", "\n")
}

// TestMailOfANotice: no marks of urgency, a decision, a team beyond ASCII, another hello.
func TestMailOfANotice(t *testing.T) {
	t.Parallel()
	server := newMailServer(t, mailOptions{})
	config := server.config(telling.TLSNone)
	config.Mail.Hello = "docket.inside.example.org"
	m := tellingtest.Example(telling.KindActUncertain, 1)
	m.Team = "Ночная смена"
	_, err := openOne(t, config, "mail").Tell(t.Context(), m)
	require.NoError(t, err)
	got := server.all()[0]
	require.Equal(t, "docket.inside.example.org", got.hello)
	header, body := read(t, got.data)
	require.Equal(t, []string{"[Docket] act uncertain, case 7K2QX-00001"}, header["Subject"])
	require.NotContains(t, header, "Importance")
	require.Contains(t, body, "\nDecision: 3V6D8Q4M1N7P2R5T9W0X000001\n")
	require.Contains(t, body, "\nTeam:     Ночная смена\n")

	_, err = openOne(t, config, "mail").Tell(t.Context(), tellingtest.Example(telling.KindBreakerTripped, 1))
	require.NoError(t, err)
	header, _ = read(t, server.all()[1].data)
	require.Equal(t, []string{"[Docket] breaker tripped"}, header["Subject"])
}

// TestMailFailures: what each answer means. None of it gets into the error's text.
func TestMailFailures(t *testing.T) {
	t.Parallel()
	all := []string{"night@example.org", "owl@example.org", "moth@example.org"}
	for name, c := range map[string]struct {
		refuse map[string]error
		code   telling.Code
		missed int
		to     []string
	}{
		"one address refused":          {map[string]error{all[1]: refusal(550)}, "", 1, []string{all[0], all[2]}},
		"one mailbox full":             {map[string]error{all[0]: refusal(452), all[1]: refusal(550)}, "", 2, all[2:]},
		"all refused":                  {map[string]error{all[0]: refusal(550), all[1]: refusal(551), all[2]: refusal(450)}, telling.CodeAddress, 0, nil},
		"going down between addresses": {map[string]error{all[1]: refusal(421)}, telling.CodeBusy, 0, nil},
		"sender refused":               {map[string]error{"MAIL": refusal(550)}, telling.CodeRefused, 0, nil},
		"sender refused for now":       {map[string]error{"MAIL": refusal(451)}, telling.CodeBusy, 0, nil},
		"mail refused":                 {map[string]error{"DATA": refusal(554)}, telling.CodeRefused, 0, nil},
		"mail refused for now":         {map[string]error{"DATA": refusal(452)}, telling.CodeBusy, 0, nil},
		"login refused":                {map[string]error{"AUTH": refusal(535)}, telling.CodeLogin, 0, nil},
		"login refused for now":        {map[string]error{"AUTH": refusal(454)}, telling.CodeBusy, 0, nil},
		"no way to log in":             {map[string]error{"no PLAIN": errors.New("none")}, telling.CodeLogin, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newMailServer(t, mailOptions{startTLS: true, login: true})
			for at, err := range c.refuse {
				server.with(at, err)
			}
			config := server.config(telling.TLSStart)
			config.Mail.Username, config.Mail.Password = "docket", &telling.Secret{Env: "SECRET"}
			channel := openOne(t, config, "mail")
			missed, err := channel.Tell(t.Context(), tellingtest.Example(telling.KindThreat, 1))
			if c.code != "" {
				requireFailure(t, err, c.code)
				require.Empty(t, server.all())
				for at := range c.refuse {
					server.with(at, nil)
				}
				_, err = channel.Tell(t.Context(), tellingtest.Example(telling.KindThreat, 1))
				require.NoError(t, err, "once the fault is gone")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.missed, missed)
			require.Equal(t, c.to, server.all()[0].to)
			header, _ := read(t, server.all()[0].data)
			require.Equal(t, []string{"<night@example.org>, <owl@example.org>, <moth@example.org>"}, header["To"])
		})
	}
}

// TestMailIsEncryptedOrNotSent: neither a server without STARTTLS nor one that is somebody else gets
// the mail or the password.
func TestMailIsEncryptedOrNotSent(t *testing.T) {
	t.Parallel()
	m := tellingtest.Example(telling.KindThreat, 1)
	login := func(c telling.Config) telling.Config {
		c.Mail.Username, c.Mail.Password = "docket", &telling.Secret{Env: "SECRET"}
		return c
	}
	plain := newMailServer(t, mailOptions{login: true})
	_, err := openOne(t, login(plain.config(telling.TLSStart)), "mail").Tell(t.Context(), m)
	requireFailure(t, err, telling.CodeTLS)
	require.Empty(t, plain.all())

	for mode, options := range map[telling.TLSMode]mailOptions{
		telling.TLSStart: {startTLS: true, login: true}, telling.TLSImplicit: {mode: telling.TLSImplicit, login: true},
	} {
		server := newMailServer(t, options)
		stranger := login(server.config(mode))
		stranger.Mail.CAFile = ""
		_, err = openOne(t, stranger, "mail").Tell(t.Context(), m)
		requireFailure(t, err, telling.CodeTLS)

		elsewhere := login(server.config(mode))
		elsewhere.Mail.Host = "localhost" // not in the certificate
		_, err = openOne(t, elsewhere, "mail").Tell(t.Context(), m)
		requireFailure(t, err, telling.CodeTLS)
		require.Empty(t, server.all())
	}
}

// speaker is a server that says its lines and nothing else.
func speaker(t *testing.T, say func(conn net.Conn)) telling.Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			say(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	m := &mailServer{addr: listener.Addr().(*net.TCPAddr)}
	return m.config(telling.TLSNone)
}

func TestMailServersThatMisbehave(t *testing.T) {
	t.Parallel()
	untilGone := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	for name, c := range map[string]struct {
		say  func(conn net.Conn)
		code telling.Code
	}{
		"hangs up":    {func(net.Conn) {}, telling.CodeUnreachable},
		"hangs":       {untilGone, telling.CodeTimeout},
		"turns away":  {func(conn net.Conn) { _, _ = io.WriteString(conn, "554 canary words\r\n"); untilGone(conn) }, telling.CodeBusy},
		"greets only": {func(conn net.Conn) { _, _ = io.WriteString(conn, "220 canary\r\n"); untilGone(conn) }, telling.CodeTimeout},
		"says nothing that is SMTP": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, "canary words\r\n")
		}, telling.CodeBusy},
		"never stops talking": {func(conn net.Conn) {
			for {
				_, err := io.WriteString(conn, "220-"+strings.Repeat("canary words ", 100)+"\r\n")
				if err != nil {
					return
				}
			}
		}, telling.CodeBusy},
		"never ends its line": {func(conn net.Conn) {
			for {
				_, err := io.WriteString(conn, strings.Repeat("canary words ", 100))
				if err != nil {
					return
				}
			}
		}, telling.CodeBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := 30 * time.Second
			if c.code == telling.CodeTimeout {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			_, err := openOne(t, speaker(t, c.say), "mail").Tell(ctx, tellingtest.Example(telling.KindThreat, 1))
			requireFailure(t, err, c.code)
			if c.code != telling.CodeTimeout {
				require.NoError(t, ctx.Err(), "nobody waits for such a server to come to an end")
			}
		})
	}
}

// TestMailStopsAtOnce: who stops the process does not wait for a mail server.
func TestMailStopsAtOnce(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	config := speaker(t, func(conn net.Conn) {
		close(reached)
		_, _ = io.Copy(io.Discard, conn)
	})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-reached
		stop()
	}()
	_, err := openOne(t, config, "mail").Tell(ctx, tellingtest.Example(telling.KindThreat, 1))
	require.Error(t, err)
}

func TestMailServerOutOfReach(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mailServer{addr: listener.Addr().(*net.TCPAddr)}
	require.NoError(t, listener.Close())
	_, err = openOne(t, m.config(telling.TLSNone), "mail").Tell(t.Context(), tellingtest.Example(telling.KindThreat, 1))
	requireFailure(t, err, telling.CodeUnreachable)
}

// TestUnsoundMessages: what Validate refuses goes over no channel, whoever hands it in.
func TestUnsoundMessages(t *testing.T) {
	t.Parallel()
	receiver, server := newReceiver(t), newMailServer(t, mailOptions{})
	m := tellingtest.Example(telling.KindThreat, 1)
	m.Queue = "canary words"
	_, err := openOne(t, hooked(t, receiver), "pager").Tell(t.Context(), m)
	requireFailure(t, err, telling.CodeInternal)
	_, err = openOne(t, server.config(telling.TLSNone), "mail").Tell(t.Context(), m)
	requireFailure(t, err, telling.CodeInternal)
	require.Empty(t, receiver.all())
	require.Empty(t, server.all())
}

// FuzzMailHeaders: what the message's fields are has no say in which headers a mail has, how many
// commands reach the server, or where the mail ends; not even if nobody had validated the message.
func FuzzMailHeaders(f *testing.F) {
	f.Add("9AYNXJJB7AQ0VKNNM5MVD35N9E", "case.threat", "page", "night", "general", "synthetic", "7K2QX-9MDT4", "D1")
	f.Add("a\r\nBcc: b@example.org", "x\r\n\r\nwords", "page\r\n", "night\n.\nMAIL FROM:<a@b>", "q\r\n.\r\nQUIT", "p\x00", "c\r\nX: y", "s\u2028")
	f.Add("=?utf-8?q?=0D=0AX:_y?=", "", "page", "\r", "\n", "=0D=0A", strings.Repeat("a", 2000), "\x1b[31m")
	f.Fuzz(func(t *testing.T, id, kind, urgency, team, queue, platform, ref, subject string) {
		m := tellingtest.Example(telling.KindThreat, 1)
		m.ID, m.Kind, m.Urgency, m.Team, m.Queue, m.Platform, m.Subject = id, telling.Kind(kind), telling.Urgency(urgency), team, queue, platform, subject
		m.Case = casefile.CaseRef(ref)
		var written bytes.Buffer
		err := telling.WriteMail(&written, config(), m, now)
		if err != nil {
			return
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(written.Bytes()))
		require.NoError(t, err)
		want := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		if m.Urgency == telling.Page {
			want = append(want, "Importance", "Priority", "X-Msmail-Priority", "X-Priority")
		}
		require.ElementsMatch(t, want, slices.Collect(maps.Keys(parsed.Header)))
		for name, values := range parsed.Header {
			require.Len(t, values, 1, name)
			for _, r := range values[0] {
				require.True(t, r >= ' ' && r < 0x7f || r == '\t', "%s: %q", name, values[0])
			}
		}
		if m.Validate() != nil {
			return
		}
		_, body := read(t, written.String())
		require.Contains(t, body, "\n"+"Urgency:  "+string(m.Urgency)+"\n")
		require.Equal(t, "<"+m.ID+"@example.org>", parsed.Header.Get("Message-Id"))
		require.LessOrEqual(t, len(parsed.Header.Get("Subject")), 200)
	})
}
