package telling

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/docket-triage/docket/casefile"
)

// mailer hands mails to one mail server.
type mailer struct {
	config   MailConfig
	hello    string
	domain   string // of the Message-IDs
	password string
	trusted  *tls.Config
	to       func(team string) []string
	link     func(Message) string
	now      func() time.Time
}

func newMailer(c Config, s Surroundings) (*mailer, error) {
	m := &mailer{config: *c.Mail, hello: c.Mail.Hello, to: c.addresses, link: c.link, now: s.Now}
	_, m.domain, _ = strings.Cut(m.config.From, "@")
	if m.hello == "" {
		m.hello = m.domain
	}
	if m.config.TLS == "" {
		m.config.TLS = TLSStart
	}
	if m.config.Port == 0 {
		m.config.Port = map[TLSMode]int{TLSStart: 587, TLSImplicit: 465, TLSNone: 25}[m.config.TLS]
	}
	var err error
	if m.config.Password != nil {
		m.password, err = m.config.Password.read("mail.password", s.Env)
		if err != nil {
			return nil, err
		}
	}
	if strings.ContainsRune(m.password, 0) {
		return nil, casefile.Invalid("mail.password", "must not hold a zero byte")
	}
	m.trusted, err = tlsConfig("mail.ca_file", m.config.CAFile, m.config.Host)
	return m, err
}

// Tell hands the server one mail for all addresses of the team. It counts as told once the server has
// taken it for one of them: to repeat it for the others' sake would repeat it for everybody, and one
// full mailbox would keep a page going for ever.
func (m *mailer) Tell(ctx context.Context, msg Message) (missed int, err error) {
	err = msg.Validate()
	if err != nil {
		return 0, failed(CodeInternal, fmt.Errorf("mail a telling: %w", err))
	}
	to := m.to(msg.Team)
	letter, err := m.letter(msg, to)
	if err != nil {
		return 0, err
	}
	client, hangUp, err := m.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer hangUp()
	return m.hand(client, to, letter)
}

// maxConversation bounds what a mail server may say, in bytes, for one mail.
const maxConversation = 1 << 20

// connect gives a connection that is encrypted and logged in as configured. It ends with ctx.
func (m *mailer) connect(ctx context.Context) (client *smtp.Client, hangUp func(), err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.config.Host, strconv.Itoa(m.config.Port)))
	if err != nil {
		return nil, nil, failed(networkCode(err, CodeUnreachable), fmt.Errorf("reach the mail server: %w", err))
	}
	// Deadlines end reading and writing at once, and say that it was the time.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	hangUp = func() {
		stop()
		_ = conn.Close() // the mail is taken or not by now
	}
	client, err = m.greet(ctx, &bounded{Conn: conn, left: maxConversation})
	if err != nil {
		hangUp()
		return nil, nil, err
	}
	return client, hangUp, nil
}

func (m *mailer) greet(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	if m.config.TLS == TLSImplicit {
		secure := tls.Client(conn, m.trusted)
		err := secure.HandshakeContext(ctx)
		if err != nil {
			return nil, failed(networkCode(err, CodeTLS), fmt.Errorf("encrypt the way to the mail server: %w", err))
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, m.config.Host)
	if err != nil {
		return nil, failed(smtpCode(err, CodeBusy), fmt.Errorf("greet the mail server: %w", err))
	}
	// Addresses and headers are ASCII. Asked for, this would make some servers refuse to pass the mail on
	// to one that does not know it.
	client.SkipSMTPUTF8(true)
	err = client.Hello(m.hello)
	if err != nil {
		return nil, failed(smtpCode(err, CodeBusy), fmt.Errorf("greet the mail server: %w", err))
	}
	if m.config.TLS == TLSStart {
		err = client.StartTLS(m.trusted)
		if err != nil {
			return nil, failed(smtpCode(err, CodeTLS), fmt.Errorf("encrypt the way to the mail server: %w", err))
		}
	}
	if m.config.Username == "" {
		return client, nil
	}
	_, mechanisms := client.Extension("AUTH")
	if !strings.Contains(" "+mechanisms+" ", " PLAIN ") {
		return nil, failed(CodeLogin, errors.New("the mail server offers no AUTH PLAIN"))
	}
	err = client.Auth(smtp.PlainAuth("", m.config.Username, m.password, m.config.Host, false))
	if err != nil {
		return nil, failed(smtpCode(err, CodeLogin), fmt.Errorf("log in to the mail server: %w", err))
	}
	return client, nil
}

// hand carries out one mail transaction.
func (m *mailer) hand(client *smtp.Client, to []string, letter *mail.Msg) (missed int, err error) {
	err = client.Mail("<" + m.config.From + ">")
	if err != nil {
		return 0, failed(smtpCode(err, CodeRefused), fmt.Errorf("name the sender to the mail server: %w", err))
	}
	for _, address := range to {
		err = client.Rcpt("<" + address + ">")
		var refused *textproto.Error
		switch {
		case errors.As(err, &refused) && refused.Code != closing:
			missed++
		case err != nil:
			return 0, failed(smtpCode(err, CodeUnreachable), fmt.Errorf("name a receiver to the mail server: %w", err))
		}
	}
	if missed == len(to) {
		return 0, failed(CodeAddress, errors.New("the mail server took none of the addresses"))
	}
	w, err := client.Data()
	if err != nil {
		return 0, failed(smtpCode(err, CodeRefused), fmt.Errorf("begin a mail: %w", err))
	}
	_, err = letter.WriteTo(w)
	if err != nil {
		return 0, failed(smtpCode(err, CodeUnreachable), fmt.Errorf("write a mail: %w", err))
	}
	err = w.Close()
	if err != nil {
		return 0, failed(smtpCode(err, CodeRefused), fmt.Errorf("end a mail: %w", err))
	}
	_ = client.Quit() // taken already: a server that hangs up first has done no harm
	return missed, nil
}

// closing is a mail server's "I am going down".
const closing = 421

// smtpCode judges an error of a conversation; refused is what an answer of 5xx means at this point.
func smtpCode(err error, refused Code) Code {
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer) && answer.Code >= 400 && answer.Code <= 499:
		return CodeBusy
	case errors.As(err, &answer):
		return refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CodeUnreachable
	}
	return networkCode(err, refused)
}

// bounded is a connection that a server cannot keep talking on without end.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the mail server said too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// letter makes the mail.
func (m *mailer) letter(msg Message, to []string) (*mail.Msg, error) {
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	err := out.From(m.config.From)
	if err != nil {
		return nil, fmt.Errorf("write a mail's sender: %w", err)
	}
	err = out.To(to...)
	if err != nil {
		return nil, fmt.Errorf("write a mail's receivers: %w", err)
	}
	out.SetDateWithValue(m.now().UTC())
	out.SetMessageIDWithValue(msg.ID + "@" + m.domain)
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.Subject(subject(msg))
	if msg.Urgency == Page {
		out.SetImportance(mail.ImportanceUrgent)
	}
	out.SetBodyString(mail.TypeTextPlain, text(msg, m.link(msg)))
	return out, nil
}

func subject(m Message) string {
	r, _ := ruleOf(m.Kind)
	s := "[Docket] "
	if m.Urgency == Page {
		s += "PAGE: "
	}
	s += r.Title
	if m.Case != "" {
		s += ", case " + string(m.Case)
	}
	return s
}

const mailTime = "2006-01-02 15:04 UTC"

// text is a mail's body.
func text(m Message, link string) string {
	r, _ := ruleOf(m.Kind)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Text)
	line := func(name, value string) {
		if name != "" && value != "" {
			fmt.Fprintf(&b, "%-10s%s\n", name+":", value)
		}
	}
	line("Urgency", string(m.Urgency))
	line("Case", string(m.Case))
	line(r.subject, m.Subject)
	line("Queue", m.Queue)
	line("Team", m.Team)
	line("Platform", m.Platform)
	line("At", m.At.UTC().Format(mailTime))
	if m.DueAt != nil {
		line("Due", m.DueAt.UTC().Format(mailTime))
	}
	fmt.Fprintf(&b, "\n%s\n\nThis mail is sent once or, after a fault, again under the same Message-ID. Nobody reads answers to it.\n", link)
	return b.String()
}
