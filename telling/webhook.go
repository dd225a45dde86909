package telling

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/docket-triage/docket/casefile"
)

// webhook posts messages, signed after Standard Webhooks 1.0.0.
type webhook struct {
	url    string
	signer []*standardwebhooks.Webhook
	client *http.Client
	link   func(Message) string
	now    func() time.Time
}

const (
	secretPrefix = "whsec_"
	// The specification's bounds of a secret, in bytes.
	minKey, maxKey = 24, 64
	// maxAnswer is what is read of an answer's body, only so that the connection can be used again.
	maxAnswer = 4 << 10
	// maxAnswerHead bounds an answer's headers.
	maxAnswerHead = 16 << 10
)

func newWebhook(c Config, name string, s Surroundings) (*webhook, error) {
	config, field := c.Webhooks[name], "webhooks."+name
	out := &webhook{url: config.URL, link: c.link, now: s.Now}
	for i, secret := range config.Secrets {
		at := fmt.Sprintf("%s.secrets[%d]", field, i)
		text, err := secret.read(at, s.Env)
		if err != nil {
			return nil, err
		}
		encoded, ok := strings.CutPrefix(text, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < minKey || len(key) > maxKey {
			return nil, casefile.Invalid(at, "must be %s and the base 64 of %d to %d random bytes", secretPrefix, minKey, maxKey)
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, casefile.Invalid(at, "is no signing secret")
		}
		out.signer = append(out.signer, signer)
	}
	trusted, err := tlsConfig(field+".ca_file", config.CAFile, "")
	if err != nil {
		return nil, err
	}
	out.client = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trusted, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: maxAnswerHead, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return out, nil
}

// Tell posts the message.
func (w *webhook) Tell(ctx context.Context, m Message) (missed int, err error) {
	err = m.Validate()
	if err != nil {
		return 0, failed(CodeInternal, fmt.Errorf("post a telling: %w", err))
	}
	body, err := m.body(w.link(m))
	if err != nil {
		return 0, err
	}
	now := w.now()
	signatures := make([]string, 0, len(w.signer))
	for _, s := range w.signer {
		signature, err := s.Sign(m.ID, now, body)
		if err != nil {
			return 0, fmt.Errorf("sign a webhook: %w", err)
		}
		signatures = append(signatures, signature)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make a webhook's request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "docket")
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, failed(networkCode(err, CodeUnreachable), fmt.Errorf("post a webhook: %w", err))
	}
	defer resp.Body.Close()
	// The status alone counts: what the body says, or that it breaks off, changes nothing.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	code, ok := statusCode(resp.StatusCode)
	if ok {
		return 0, nil
	}
	return 0, &Failure{
		Code: code, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now),
		Err: fmt.Errorf("a webhook was answered with status %d", resp.StatusCode),
	}
}

// statusCode says what an answer means; ok that the message was taken.
func statusCode(status int) (code Code, ok bool) {
	switch {
	case status >= 200 && status <= 299:
		return "", true
	case status >= 300 && status <= 399:
		return CodeRedirect, false
	case status == http.StatusGone:
		return CodeGone, false
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return CodeBusy, false
	}
	return CodeRefused, false
}

// retryAfter reads seconds or a date; 0 for neither and for what has passed.
func retryAfter(text string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
