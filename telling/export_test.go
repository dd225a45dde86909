package telling

import (
	"io"
	"time"
)

// Payload is the body of a webhook.
type Payload = payload

// Body gives the bytes of a webhook.
func (m Message) Body(link string) ([]byte, error) { return m.body(link) }

// WriteMail writes the mail that a configuration makes of a message, sound or not.
func WriteMail(w io.Writer, c Config, m Message, now time.Time) error {
	mailer, err := newMailer(c, Surroundings{Now: func() time.Time { return now }})
	if err != nil {
		return err
	}
	letter, err := mailer.letter(m, c.addresses(m.Team))
	if err != nil {
		return err
	}
	_, err = letter.WriteTo(w)
	return err
}
