package webhook_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/enforcetest"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

// vectorSecret is the one that the specification's own libraries are tested with.
const vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestSignatureVectors: the vector that the libraries of the specification share, and values computed
// with another implementation of HMAC-SHA-256.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		secret, id string
		at         int64
		body, want string
	}{
		{vectorSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "4T9QW0XK3B7M2C8N5V1D6F0GHJ/1/do", 1795428000, `{"v":1}`, "v1,GuqCy0k2U2rC6IMA2K9I0nc/+uV26jK3DiF5MEsaYLA="},
		{"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==", "N-1/notice", 0, ``, "v1,Gp/299fS5CY0yO/gud+1lO9/hb9CfzmXzBR01mfjUuA="},
		{"whsec_//////////////////////////////////////////8=", "X", 8589934592, `{"text":"[текст] \u2028"}`, "v1,Lh3a0o6HqCnWJGoyhSWdL8iZF9cIPC/Qrtlyqpvt5iM="},
	} {
		secret, err := webhook.ParseSecret(v.secret)
		require.NoError(t, err)
		at := time.Unix(v.at, 999)
		signature, err := secret.Sign(v.id, at, []byte(v.body))
		require.NoError(t, err)
		require.Equal(t, v.want, signature)

		header := http.Header{}
		header.Set("webhook-id", v.id)
		header.Set("webhook-timestamp", fmt.Sprint(v.at))
		header.Set("webhook-signature", "v1a,AAAA v1,bm90IHRoaXMgb25l "+v.want+" v2,"+v.want[3:])
		require.True(t, secret.Signed(header, []byte(v.body)))
		require.False(t, secret.Signed(header, []byte(v.body+" ")), "another body")
		for name, value := range map[string]string{
			"webhook-id": v.id + "x", "webhook-timestamp": fmt.Sprint(v.at + 1), "webhook-signature": strings.Replace(v.want, "v1,", "v2,", 1),
		} {
			other := header.Clone()
			other.Set(name, value)
			require.False(t, secret.Signed(other, []byte(v.body)), name)
			other.Del(name)
			require.False(t, secret.Signed(other, []byte(v.body)), "without %s", name)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	of := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, good := range []string{of(24), of(32), of(64), vectorSecret, webhook.NewSecret()} {
		_, err := webhook.ParseSecret(good)
		require.NoError(t, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "no prefix": strings.TrimPrefix(of(32), "whsec_"), "nothing behind it": "whsec_", "too short": of(23), "too long": of(65),
		"no base 64": "whsec_" + private, "the public form of another scheme": "whpk_" + of(32)[6:], "a space behind it": of(32) + " ",
	} {
		_, err := webhook.ParseSecret(bad)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
		if bad != "" {
			require.NotContains(t, err.Error(), strings.TrimPrefix(bad+"!", "whsec_"), name)
		}
	}
	require.NotEqual(t, webhook.NewSecret(), webhook.NewSecret())
}

// TestSecretsDoNotPrint: neither a secret nor what holds one shows it, whatever the verb.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	text := webhook.NewSecret()
	secret, err := webhook.ParseSecret(text)
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	require.NoError(t, err)
	p := open(t, configFor(t, "https://platform.example/docket", "", text, true))
	for _, v := range []any{secret, &secret, p, *p, []webhook.Secret{secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown := fmt.Sprintf(verb, v)
			for _, form := range []string{text[6:], string(raw), fmt.Sprint(raw), fmt.Sprintf("%#v", raw), fmt.Sprintf("%x", raw)} {
				require.NotContains(t, shown, form)
			}
		}
	}
}

// TestSecretsAreRead from files and variables, the whole line and nothing more.
func TestSecretsAreRead(t *testing.T) {
	secret := webhook.NewSecret()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) webhook.SecretSource {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return webhook.SecretSource{File: path}
	}
	t.Setenv("DOCKET_TEST_SECRET", secret+"\n")
	t.Setenv("DOCKET_TEST_OTHER", "hunter2-of-somebody")
	good := map[string]webhook.SecretSource{
		"variable": {Env: "DOCKET_TEST_SECRET"}, "file": write("one", secret, 0o600),
		"file with lines": write("two", secret+"\r\n# rotated in May\n", 0o400), "file of a group": write("group", secret, 0o640),
	}
	b := newBed(t, true)
	require.NoError(t, b.receiver.Close())
	for name, source := range good {
		t.Run(name, func(t *testing.T) {
			r, err := receiver.New(receiver.Options{File: filepath.Join(t.TempDir(), "f"), Secrets: []string{secret}, Now: clock})
			require.NoError(t, err)
			defer r.Close()
			server, caFile := serve(t, r)
			c := configFor(t, server.URL, caFile, webhook.NewSecret(), true)
			c.Secrets = []webhook.SecretSource{source}
			_, err = open(t, c).Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
			require.NoError(t, err)
		})
	}
	for name, c := range map[string]struct {
		source webhook.SecretSource
		code   casefile.Code
		says   string
	}{
		"no such file":             {webhook.SecretSource{File: filepath.Join(dir, "none")}, casefile.CodeInvalid, "no such file"},
		"no such variable":         {webhook.SecretSource{Env: "DOCKET_TEST_NONE"}, casefile.CodeInvalid, "no variable DOCKET_TEST_NONE"},
		"a file for all to see":    {write("open", secret, 0o644), casefile.CodeForbidden, "mode 0644"},
		"a file that others write": {write("written", secret, 0o602), casefile.CodeForbidden, "mode 0602"},
		"an empty file":            {write("empty", "", 0o600), casefile.CodeInvalid, "whsec_"},
		"a secret behind words":    {write("words", "the secret: "+secret, 0o600), casefile.CodeInvalid, "whsec_"},
		"another's secret":         {webhook.SecretSource{Env: "DOCKET_TEST_OTHER"}, casefile.CodeInvalid, "whsec_"},
	} {
		conf := b.config
		conf.Secrets = []webhook.SecretSource{good["file"], c.source}
		_, err := webhook.Open(conf, webhook.Options{})
		require.Equal(t, c.code, casefile.ErrorCode(err), name)
		require.ErrorContains(t, err, "secrets[1]", name)
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), secret[6:], name)
		require.NotContains(t, err.Error(), "hunter2", name)
	}
}

// TestRotation: while both sides change from one secret to the next, in either order, every request is
// taken; with the wrong one, none is.
func TestRotation(t *testing.T) {
	t.Parallel()
	older, newer, strange := webhook.NewSecret(), webhook.NewSecret(), webhook.NewSecret()
	for name, c := range map[string]struct {
		ours, theirs []string
		good         bool
	}{
		"before":                       {[]string{older}, []string{older}, true},
		"the platform takes both":      {[]string{older}, []string{older, newer}, true},
		"we sign under both":           {[]string{newer, older}, []string{older, newer}, true},
		"the platform is ahead":        {[]string{older, newer}, []string{newer}, true},
		"the platform is behind":       {[]string{newer, older}, []string{older}, true},
		"after":                        {[]string{newer}, []string{newer}, true},
		"the old one was taken away":   {[]string{older}, []string{newer}, false},
		"a secret of somebody else's":  {[]string{strange}, []string{older, newer}, false},
		"two secrets of somebody else": {[]string{strange, webhook.NewSecret()}, []string{older}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := receiver.New(receiver.Options{File: filepath.Join(t.TempDir(), "f"), Secrets: c.theirs, Now: clock})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, r.Close()) })
			server, caFile := serve(t, r)
			conf := configFor(t, server.URL, caFile, older, true)
			conf.Secrets = nil
			for _, s := range c.ours {
				conf.Secrets = append(conf.Secrets, secretFile(t, s))
			}
			_, err = open(t, conf).Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
			if c.good {
				require.NoError(t, err)
				require.Equal(t, 1, r.Count())
				return
			}
			requireCode(t, casefile.CodeUnavailable, err)
			require.ErrorContains(t, err, "401")
			require.Zero(t, r.Count())
		})
	}
}
