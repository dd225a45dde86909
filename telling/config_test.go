package telling_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/knadh/koanf/v2"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/telling"
)

// documented is the configuration that docs/telling.md shows.
func documented(t testing.TB) []byte {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(formatstest.Root(t), "docs", "telling.md"))
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, found, "the page shows no configuration")
	return found[1]
}

func TestDocumentedConfig(t *testing.T) {
	t.Parallel()
	c, err := telling.DecodeConfig(documented(t))
	require.NoError(t, err)
	require.False(t, c.Off())
	again, err := json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, string(documented(t)), string(again))
}

// source gives koanf a tree that was read already.
type source map[string]any

func (s source) ReadBytes() ([]byte, error)    { return nil, errors.New("not bytes") }
func (s source) Read() (map[string]any, error) { return s, nil }

// TestConfigByKoanf: read with the rest of a role's configuration it is the same.
func TestConfigByKoanf(t *testing.T) {
	t.Parallel()
	want, err := telling.DecodeConfig(documented(t))
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, json.Unmarshal(documented(t), &tree))
	k := koanf.New(".")
	require.NoError(t, k.Load(source{"telling": tree}, nil))
	var got telling.Config
	require.NoError(t, k.Unmarshal("telling", &got))
	require.Equal(t, want, got)
}

func TestOff(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `null`, `{"teams": {}, "webhooks": {}}`} {
		c, err := telling.DecodeConfig([]byte(text))
		require.NoError(t, err, text)
		require.True(t, c.Off(), text)
		channels, err := telling.Open(c, telling.Surroundings{})
		require.NoError(t, err)
		require.Empty(t, channels)
	}
	for _, text := range []string{`{"mail": {}}`, `{"teams": {"a": {}}}`, `{"default_team": "a"}`, `{"base_url": "https://a.example"}`, `{"webhooks": {"a": {}}}`} {
		_, err := telling.DecodeConfig([]byte(text))
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), text)
	}
}

func TestDecodeConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":                "base_url: https://docket.example.org",
		"an unknown field":       `{"password": "words"}`,
		"an unknown inner field": `{"mail": {"password": {"value": "words"}}}`,
		"a secret in place":      `{"mail": {"password": "words"}}`,
		"something behind it":    `{} {}`,
		"a list":                 `[]`,
		"nothing":                ``,
	} {
		_, err := telling.DecodeConfig([]byte(text))
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
	_, err := telling.DecodeConfig([]byte(`{"base_url": "` + strings.Repeat("a", 1<<20) + `"}`))
	require.Equal(t, casefile.CodeTooLarge, casefile.ErrorCode(err))
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	team := func(c *telling.Config, name string, change func(t *telling.Team)) {
		x := c.Teams[name]
		change(&x)
		c.Teams[name] = x
	}
	hook := func(c *telling.Config, change func(w *telling.WebhookConfig)) {
		x := c.Webhooks["pager"]
		change(&x)
		c.Webhooks["pager"] = x
	}
	login := &telling.Secret{File: "/run/secrets/mail"}
	for name, c := range map[string]struct {
		change func(c *telling.Config)
		fields []string
	}{
		"as it is":                           {func(*telling.Config) {}, nil},
		"no base URL":                        {func(c *telling.Config) { c.BaseURL = "" }, []string{"base_url"}},
		"a base URL in the clear":            {func(c *telling.Config) { c.BaseURL = "http://docket.example.org" }, []string{"base_url"}},
		"a base URL of this machine":         {func(c *telling.Config) { c.BaseURL = "http://127.0.0.1:8080" }, nil},
		"a base URL of this machine by name": {func(c *telling.Config) { c.BaseURL = "http://localhost:8080/docket/" }, nil},
		"a base URL of this machine in IPv6": {func(c *telling.Config) { c.BaseURL = "http://[::1]:8080" }, nil},
		"a base URL with a user":             {func(c *telling.Config) { c.BaseURL = "https://a:b@docket.example.org" }, []string{"base_url"}},
		"a base URL with a query":            {func(c *telling.Config) { c.BaseURL = "https://docket.example.org/?a" }, []string{"base_url"}},
		"a base URL with a fragment":         {func(c *telling.Config) { c.BaseURL = "https://docket.example.org/#a" }, []string{"base_url", "base_url"}},
		"a base URL with an empty fragment":  {func(c *telling.Config) { c.BaseURL = "https://docket.example.org/#" }, []string{"base_url"}},
		"a base URL with a space":            {func(c *telling.Config) { c.BaseURL = "https://docket.example.org/a b" }, []string{"base_url"}},
		"a base URL of two lines":            {func(c *telling.Config) { c.BaseURL = "https://docket.example.org/\r\nBcc: a@example.org" }, []string{"base_url"}},
		"a base URL without a host":          {func(c *telling.Config) { c.BaseURL = "https:///cases" }, []string{"base_url"}},
		"a base URL of another scheme":       {func(c *telling.Config) { c.BaseURL = "javascript:alert(1)" }, []string{"base_url"}},
		"no default team":                    {func(c *telling.Config) { c.DefaultTeam = "" }, []string{"default_team"}},
		"a default team that is not there":   {func(c *telling.Config) { c.DefaultTeam = "day" }, []string{"default_team"}},
		"a default team without pages":       {func(c *telling.Config) { team(c, "desk", func(t *telling.Team) { t.Page = nil }) }, []string{"teams.desk.page"}},
		"a default team without notices":     {func(c *telling.Config) { team(c, "desk", func(t *telling.Team) { t.Notice = nil }) }, []string{"teams.desk.notice"}},
		"a default team without addresses":   {func(c *telling.Config) { team(c, "desk", func(t *telling.Team) { t.MailTo = nil }) }, []string{"teams.desk.mail_to", "teams.legal.mail_to"}},
		"a channel that is not there":        {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.Page = []string{"pager", "fax"} }) }, []string{"teams.night.page[1]"}},
		"a channel twice": {func(c *telling.Config) {
			team(c, "night", func(t *telling.Team) { t.Page = []string{"pager", "pager"} })
		}, []string{"teams.night.page[1]"}},
		"mail without a mail server": {func(c *telling.Config) { c.Mail = nil }, []string{"teams.desk.notice[0]", "teams.desk.page[1]"}},
		"a team with a full stop":    {func(c *telling.Config) { c.Teams["a.b"] = telling.Team{} }, []string{"teams.a.b"}},
		"a team of two lines":        {func(c *telling.Config) { c.Teams["a\nb"] = telling.Team{} }, []string{"teams.a\nb"}},
		"a team in Cyrillic":         {func(c *telling.Config) { c.Teams["Ночная смена"] = telling.Team{} }, nil},
		"an address with a name": {func(c *telling.Config) {
			team(c, "night", func(t *telling.Team) { t.MailTo[0] = "Anna <anna@example.org>" })
		}, []string{"teams.night.mail_to[0]"}},
		"an address of two lines": {func(c *telling.Config) {
			team(c, "night", func(t *telling.Team) { t.MailTo[0] = "a@example.org\r\nBcc: b@example.org" })
		}, []string{"teams.night.mail_to[0]"}},
		"a quoted address": {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo[0] = `"a b"@example.org` }) }, []string{"teams.night.mail_to[0]"}},
		"an address with SMTP behind it": {func(c *telling.Config) {
			team(c, "night", func(t *telling.Team) { t.MailTo[0] = "a@example.org> SIZE=1" })
		}, []string{"teams.night.mail_to[0]"}},
		"an address beyond ASCII": {func(c *telling.Config) {
			team(c, "night", func(t *telling.Team) { t.MailTo[0] = "ночь@example.org" })
		}, []string{"teams.night.mail_to[0]"}},
		"an address without a host": {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo[0] = "night@" }) }, []string{"teams.night.mail_to[0]"}},
		"an address of two":         {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo[0] = "a@b@example.org" }) }, []string{"teams.night.mail_to[0]"}},
		"an address twice":          {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo[1] = "NIGHT@example.org" }) }, []string{"teams.night.mail_to[1]"}},
		"too many addresses":        {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo = many(51) }) }, []string{"teams.night.mail_to"}},
		"the most addresses":        {func(c *telling.Config) { team(c, "night", func(t *telling.Team) { t.MailTo = many(50) }) }, nil},
		"a webhook named mail":      {func(c *telling.Config) { c.Webhooks["mail"] = c.Webhooks["pager"] }, []string{"webhooks.mail"}},
		"a webhook named by words":  {func(c *telling.Config) { c.Webhooks["the pager"] = c.Webhooks["pager"] }, []string{"webhooks.the pager"}},
		"a webhook in the clear": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.URL = "http://pager.example.org" })
		}, []string{"webhooks.pager.url"}},
		"a webhook of this machine": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.URL = "http://127.0.0.1:9000/told?a=1" })
		}, nil},
		"a webhook that looks like it": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.URL = "http://127.0.0.1.example.org" })
		}, []string{"webhooks.pager.url"}},
		"a webhook with a password": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.URL = "https://a:b@pager.example.org" })
		}, []string{"webhooks.pager.url"}},
		"a webhook without secrets": {func(c *telling.Config) { hook(c, func(w *telling.WebhookConfig) { w.Secrets = nil }) }, []string{"webhooks.pager.secrets"}},
		"a webhook with too many secrets": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.Secrets = slices.Repeat(w.Secrets, 5) })
		}, []string{"webhooks.pager.secrets"}},
		"a secret that is nowhere": {func(c *telling.Config) { hook(c, func(w *telling.WebhookConfig) { w.Secrets[0] = telling.Secret{} }) }, []string{"webhooks.pager.secrets[0]"}},
		"a secret in two places":   {func(c *telling.Config) { hook(c, func(w *telling.WebhookConfig) { w.Secrets[0].File = "/run/secret" }) }, []string{"webhooks.pager.secrets[0]"}},
		"a secret in place of its name": {func(c *telling.Config) {
			hook(c, func(w *telling.WebhookConfig) { w.Secrets[0].Env = "whsec_c2VjcmV0+/=" })
		}, []string{"webhooks.pager.secrets[0].env"}},
		"a variable that begins with a digit": {func(c *telling.Config) { hook(c, func(w *telling.WebhookConfig) { w.Secrets[0].Env = "1SECRET" }) }, []string{"webhooks.pager.secrets[0].env"}},
		"no mail host":                        {func(c *telling.Config) { c.Mail.Host = "" }, []string{"mail.host"}},
		"a mail host with a port":             {func(c *telling.Config) { c.Mail.Host = "mail.example.org:25" }, []string{"mail.host"}},
		"a mail host by number":               {func(c *telling.Config) { c.Mail.Host = "2001:db8::1" }, nil},
		"a mail host of two lines":            {func(c *telling.Config) { c.Mail.Host = "mail\r\nexample.org" }, []string{"mail.host"}},
		"a port too high":                     {func(c *telling.Config) { c.Mail.Port = 65536 }, []string{"mail.port"}},
		"a port below nothing":                {func(c *telling.Config) { c.Mail.Port = -1 }, []string{"mail.port"}},
		"mail in the clear":                   {func(c *telling.Config) { c.Mail.TLS = telling.TLSNone }, []string{"mail.tls"}},
		"mail in the clear on this machine":   {func(c *telling.Config) { c.Mail.TLS, c.Mail.Host = telling.TLSNone, "localhost" }, nil},
		"mail encrypted if it so happens":     {func(c *telling.Config) { c.Mail.TLS = "opportunistic" }, []string{"mail.tls"}},
		"mail from nobody":                    {func(c *telling.Config) { c.Mail.From = "" }, []string{"mail.from"}},
		"mail from somebody by name":          {func(c *telling.Config) { c.Mail.From = "Docket <docket@example.org>" }, []string{"mail.from"}},
		"a user without a password":           {func(c *telling.Config) { c.Mail.Username = "docket" }, []string{"mail.password"}},
		"a password without a user":           {func(c *telling.Config) { c.Mail.Password = login }, []string{"mail.username"}},
		"a user and a password":               {func(c *telling.Config) { c.Mail.Username, c.Mail.Password = "docket", login }, nil},
		"a user with a zero byte":             {func(c *telling.Config) { c.Mail.Username, c.Mail.Password = "a\x00b", login }, []string{"mail.username"}},
		"a password that is nowhere":          {func(c *telling.Config) { c.Mail.Username, c.Mail.Password = "docket", &telling.Secret{} }, []string{"mail.password"}},
		"a hello of two lines":                {func(c *telling.Config) { c.Mail.Hello = "a\r\nb" }, []string{"mail.hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := config()
			c.change(&x)
			err := x.Validate()
			var f casefile.Faults
			if len(c.fields) > 0 {
				require.True(t, errors.As(err, &f), "%v", err)
			}
			var fields []string
			for _, e := range f {
				fields = append(fields, e.Field)
				require.Equal(t, casefile.CodeInvalid, e.Code)
			}
			slices.Sort(fields)
			require.Equal(t, c.fields, fields)
			require.Equal(t, len(c.fields) == 0, err == nil)
			_, err = telling.Open(x, telling.Surroundings{Env: func(string) string { return "" }})
			require.Error(t, err, "at the latest for want of secrets")
		})
	}
}

func many(n int) []string {
	var out []string
	for i := range n {
		out = append(out, strings.Repeat("a", i+1)+"@example.org")
	}
	return out
}

// TestSecrets: where one is missing or not kept well the error names the place and not what is in it.
func TestSecrets(t *testing.T) {
	t.Parallel()
	open := file(t, secretText(1))
	require.NoError(t, os.Chmod(open, 0o644))
	shared := file(t, secretText(1))
	require.NoError(t, os.Chmod(shared, 0o640))
	for name, c := range map[string]struct {
		secret telling.Secret
		env    string
		says   string
	}{
		"a variable":                   {telling.Secret{Env: "SECRET"}, secretText(1), ""},
		"a variable that is not set":   {telling.Secret{Env: "SECRET"}, " ", "webhooks.pager.secrets[0].env: the environment variable SECRET is not set"},
		"a file":                       {telling.Secret{File: file(t, secretText(1))}, "", ""},
		"a file with more lines":       {telling.Secret{File: file(t, secretText(1)+"\r\n# the pager's\n")}, "", ""},
		"a file that is not there":     {telling.Secret{File: "/nowhere/secret"}, "", "webhooks.pager.secrets[0]"},
		"an empty file":                {telling.Secret{File: file(t, "\n"+secretText(1))}, "", "the first line of"},
		"a file that others may read":  {telling.Secret{File: open}, "", "mode 0644"},
		"a file for a group":           {telling.Secret{File: shared}, "", "mode 0640"},
		"a folder":                     {telling.Secret{File: t.TempDir()}, "", "webhooks.pager.secrets[0]"},
		"a secret without its prefix":  {telling.Secret{Env: "SECRET"}, strings.TrimPrefix(secretText(1), "whsec_"), "whsec_ and the base 64"},
		"a secret that is too short":   {telling.Secret{Env: "SECRET"}, "whsec_c2hvcnQ=", "24 to 64 random bytes"},
		"a secret that is no base 64":  {telling.Secret{Env: "SECRET"}, "whsec_canary words canary words canary words", "24 to 64 random bytes"},
		"a secret that is a whole key": {telling.Secret{Env: "SECRET"}, "whsec_" + strings.Repeat("QUJD", 30), "24 to 64 random bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := config()
			hook := x.Webhooks["pager"]
			hook.Secrets = []telling.Secret{c.secret}
			x.Webhooks = map[string]telling.WebhookConfig{"pager": hook}
			x.Teams = map[string]telling.Team{"desk": {Page: []string{"pager"}, Notice: []string{"pager"}}}
			_, err := telling.Open(x, telling.Surroundings{Env: func(name string) string {
				require.Equal(t, "SECRET", name)
				return c.env
			}})
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "canary")
			require.NotContains(t, err.Error(), secretText(1)[10:])
		})
	}
}

func TestCertificatesMustBeThere(t *testing.T) {
	t.Parallel()
	for name, caFile := range map[string]string{"no file": "/nowhere/ca.pem", "no certificate": file(t, "words")} {
		x := config()
		x.Mail.CAFile = caFile
		env := func(string) string { return secretText(1) }
		_, err := telling.Open(x, telling.Surroundings{Env: env})
		require.ErrorContains(t, err, "mail.ca_file", name)
		x = config()
		hook := x.Webhooks["chat"]
		hook.CAFile = caFile
		x.Webhooks["chat"] = hook
		_, err = telling.Open(x, telling.Surroundings{Env: env})
		require.ErrorContains(t, err, "webhooks.chat.ca_file", name)
	}
}

// FuzzDecodeConfig: whatever is taken is sound, stays so when written and read again, and leaves no
// team without somebody to tell.
func FuzzDecodeConfig(f *testing.F) {
	f.Add(documented(f))
	whole, err := json.Marshal(config())
	require.NoError(f, err)
	f.Add(whole)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"base_url":"http://[::1]","default_team":"a","teams":{"a":{"page":["b"],"notice":["b"]}},"webhooks":{"b":{"url":"https://c","secrets":[{"env":"D"}]}}}`))
	f.Add([]byte(`{"base_url":"https://a","default_team":"a","teams":{"a":{"page":["mail"],"notice":["mail"],"mail_to":["a@b"]}},"mail":{"host":"localhost","tls":"none","from":"a@b","username":"u","password":{"file":"p"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := telling.DecodeConfig(data)
		if err != nil {
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeTooLarge}, casefile.ErrorCode(err))
			return
		}
		written, err := json.Marshal(c)
		require.NoError(t, err)
		again, err := telling.DecodeConfig(written)
		require.NoError(t, err, "%s", written)
		back, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(back))
		if c.Off() {
			return
		}
		base, err := url.Parse(c.BaseURL)
		require.NoError(t, err)
		require.NotEmpty(t, base.Host)
		for name, team := range c.Teams {
			for _, list := range [][]string{team.Page, team.Notice} {
				require.False(t, name == c.DefaultTeam && len(list) == 0)
			}
			for _, address := range team.MailTo {
				require.False(t, strings.ContainsAny(address, "\r\n\x00<> \t\",;"), "%q", address)
			}
		}
	})
}
