package webhook_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

func goodConfig() webhook.Config {
	return webhook.Config{
		URL: "https://platform.example/docket", Secrets: []webhook.SecretSource{{Env: "DOCKET_WEBHOOK_SECRET"}},
		Acts: []casefile.ActKind{casefile.ActWarn, casefile.ActSuspend}, Undo: []casefile.ActKind{casefile.ActSuspend},
	}
}

// TestConfigValidate: each fault by itself is told with its field, and with nothing of its value.
func TestConfigValidate(t *testing.T) {
	t.Parallel()
	require.Empty(t, goodConfig().Validate())
	for name, c := range map[string]struct {
		change func(*webhook.Config)
		field  string
	}{
		"no address":            {func(c *webhook.Config) { c.URL = "" }, "url"},
		"no host":               {func(c *webhook.Config) { c.URL = "https:///docket" }, "url"},
		"only a host":           {func(c *webhook.Config) { c.URL = "platform.example" }, "url"},
		"plain HTTP":            {func(c *webhook.Config) { c.URL = "http://platform.example/docket" }, "url"},
		"plain HTTP nearby":     {func(c *webhook.Config) { c.URL = "http://10.0.0.7/docket" }, "url"},
		"plain HTTP by a name":  {func(c *webhook.Config) { c.URL = "http://localhost.platform.example/" }, "url"},
		"another scheme":        {func(c *webhook.Config) { c.URL = "ftp://platform.example/" }, "url"},
		"a password":            {func(c *webhook.Config) { c.URL = "https://docket:hunter2@platform.example/" }, "url"},
		"a fragment":            {func(c *webhook.Config) { c.URL = "https://platform.example/#hunter2" }, "url"},
		"an empty fragment":     {func(c *webhook.Config) { c.URL = "https://platform.example/#" }, "url"},
		"control characters":    {func(c *webhook.Config) { c.URL = "https://platform.example/\nhunter2" }, "url"},
		"no secret":             {func(c *webhook.Config) { c.Secrets = nil }, "secrets"},
		"too many secrets":      {func(c *webhook.Config) { c.Secrets = make([]webhook.SecretSource, 9) }, "secrets"},
		"a secret of nowhere":   {func(c *webhook.Config) { c.Secrets[0] = webhook.SecretSource{} }, "secrets[0]"},
		"a secret of two":       {func(c *webhook.Config) { c.Secrets[0].File = "hunter2" }, "secrets[0]"},
		"the secret itself":     {func(c *webhook.Config) { c.Secrets[0].Env = "whsec_hunter2" }, "secrets[0]"},
		"the secret as a file":  {func(c *webhook.Config) { c.Secrets[0] = webhook.SecretSource{File: "whsec_hunter2"} }, "secrets[0]"},
		"not a variable":        {func(c *webhook.Config) { c.Secrets[0].Env = "hunter2=1" }, "secrets[0].env"},
		"a secret twice":        {func(c *webhook.Config) { c.Secrets = append(c.Secrets, c.Secrets[0]) }, "secrets[1]"},
		"a time in words":       {func(c *webhook.Config) { c.Timeout = "hunter2" }, "timeout"},
		"no time":               {func(c *webhook.Config) { c.Timeout = "0s" }, "timeout"},
		"a time too long":       {func(c *webhook.Config) { c.Timeout = "61m" }, "timeout"},
		"a time gone by":        {func(c *webhook.Config) { c.ConnectTimeout = "-1s" }, "connect_timeout"},
		"nothing that it does":  {func(c *webhook.Config) { c.Acts, c.Undo = nil, nil }, "acts"},
		"an unknown act":        {func(c *webhook.Config) { c.Acts[0] = "hunter2" }, "acts[0]"},
		"an act twice":          {func(c *webhook.Config) { c.Acts[0] = casefile.ActSuspend }, "acts[1]"},
		"an unknown reverse":    {func(c *webhook.Config) { c.Undo[0] = "hunter2" }, "undo[0]"},
		"a reverse of no act":   {func(c *webhook.Config) { c.Undo[0] = casefile.ActLabel }, "undo[0]"},
		"a reverse twice":       {func(c *webhook.Config) { c.Undo = append(c.Undo, c.Undo[0]) }, "undo[1]"},
		"an act that is nobody": {func(c *webhook.Config) { c.Acts = append(c.Acts, "") }, "acts[2]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := goodConfig()
			c.change(&conf)
			_, err := webhook.Open(conf, webhook.Options{})
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			require.NotContains(t, err.Error(), "hunter2")
			faults := conf.Validate()
			fields := make([]string, len(faults))
			for i, f := range faults {
				fields[i] = f.Field
			}
			require.Contains(t, fields, c.field)
			data, err := json.Marshal(conf)
			require.NoError(t, err)
			_, err = webhook.ParseConfig(data)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	for _, url := range []string{"http://127.0.0.1:8080/x", "http://[::1]/", "http://localhost:9/", "https://10.0.0.7/", "https://platform.example:8443/a?tenant=7"} {
		conf := goodConfig()
		conf.URL = url
		require.Empty(t, conf.Validate(), url)
	}
}

// TestAllFaultsAtOnce, in order of their fields.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	faults := webhook.Config{Timeout: "x", ConnectTimeout: "y"}.Validate()
	fields := make([]string, len(faults))
	for i, f := range faults {
		fields[i] = f.Field
	}
	require.Equal(t, []string{"acts", "connect_timeout", "secrets", "timeout", "url"}, fields)
}

func TestParseConfigIsStrict(t *testing.T) {
	t.Parallel()
	good := `{"url":"https://platform.example/","secrets":[{"env":"A"}],"acts":["warn"]}`
	c, err := webhook.ParseConfig([]byte(good))
	require.NoError(t, err)
	require.Equal(t, webhook.Config{URL: "https://platform.example/", Secrets: []webhook.SecretSource{{Env: "A"}}, Acts: []casefile.ActKind{casefile.ActWarn}}, c)
	for _, bad := range []string{"", "null", "[]", good + good, good[:40], `{"uri":"https://platform.example/"}`, `{"secret":"whsec_x"}`} {
		_, err = webhook.ParseConfig([]byte(bad))
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), bad)
	}
}

// TestAuthorities: a ca_file that is none stops the start, not the first act.
func TestAuthorities(t *testing.T) {
	t.Parallel()
	conf := configFor(t, "https://platform.example/", "", webhook.NewSecret(), true)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate\n"), 0o600))
	for _, path := range []string{empty, filepath.Join(t.TempDir(), "none.pem")} {
		conf.CAFile = path
		_, err := webhook.Open(conf, webhook.Options{})
		requireCode(t, casefile.CodeInvalid, err)
		require.ErrorContains(t, err, "ca_file")
	}
}
