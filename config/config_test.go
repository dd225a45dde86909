package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
)

// write writes a file called docket.yaml and gives its path.
func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docket.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func load(t testing.TB, text string, environ ...string) (config.Config, error) {
	t.Helper()
	return config.Load(config.Sources{File: write(t, text), Environ: environ})
}

// faults gives the faults by field, with the folder taken out of the file's name.
func faults(t testing.TB, err error) map[string]string {
	t.Helper()
	var all casefile.Faults
	require.ErrorAs(t, err, &all)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	out := map[string]string{}
	for _, f := range all {
		out[f.Field] = regexp.MustCompile(`\S*docket\.yaml`).ReplaceAllString(f.Message, "docket.yaml")
	}
	return out
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{})
	require.NoError(t, err)
	require.Equal(t, config.Default().Cases, c.Cases)
	require.Equal(t, config.Default().Serve, c.Serve)
	for _, text := range []string{"", "# nothing\n", "records:\nkeys:\n"} {
		c, err = load(t, text)
		require.NoError(t, err, "%q", text)
		require.Equal(t, config.Records{}, c.Records)
	}
}

// TestPrecedence: the environment goes before the file, flags before both.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{
		File: write(t, `
fast: true
cases: {lease: 5m, grace: 0s}
records: {sqlite: from-the-file, max_conns: 3}
serve: {listen: "127.0.0.1:1"}
detect: {files: [one, two]}
platforms:
  - {name: a, adapter: dryrun, file: f}
  - {name: "*", adapter: dryrun, file: g}
`),
		Environ: []string{"DOCKET_RECORDS_SQLITE=from-the-environment", "DOCKET_FAST=false", "DOCKET_SERVE_LISTEN=127.0.0.1:2",
			"DOCKET_DETECT_FILES=three,four", "DOCKET_CASES_LEASE=7m", "DOCKET_EVIDENCE_DIR=", "HOME=/x", "DOCKET_RECORDS_PASSWORD=open=sesame"},
		Flags: []config.Flag{{Name: "--listen", Key: "serve.listen", Values: []string{"127.0.0.1:3"}},
			{Name: "--file", Key: "detect.files", Values: []string{"a,b", "c"}}, {Name: "--keys", Key: "keys.dir"}},
	})
	require.NoError(t, err)
	require.False(t, c.Fast)
	require.Equal(t, config.Cases{Lease: 7 * time.Minute, Grace: 0}, c.Cases)
	require.Equal(t, "from-the-environment", c.Records.SQLite)
	require.Equal(t, 3, c.Records.MaxConns)
	require.Equal(t, "127.0.0.1:3", c.Serve.Listen)
	require.Equal(t, []string{"a,b", "c"}, c.Detect.Files)
	require.Equal(t, "open=sesame", c.Records.Password.Reveal())
	require.Equal(t, "", c.Keys.Dir, "a flag that was not given changes nothing")
	require.Equal(t, []config.Platform{{Name: "a", Adapter: "dryrun", File: "f"}, {Name: "*", Adapter: "dryrun", File: "g"}}, c.Platforms)
}

// TestFaults: every fault is told at once, with its key and the line or the variable.
func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{
		File: write(t, `fats: true
records:
  sqlit: a
  max_conns: many
  sqlite:
  password: sesame
  postgres: [a]
cases:
  lease: 10
  grace: soon
logging: loud
serve: {https: yes please, listen: 8080}
detect:
  files: a
  token: sesame
fast: true
fast: false
platforms:
  - name: a
    adaptor: dryrun
  - 7
keys.dir: a
`),
		Environ: []string{"DOCKET_RECORD_PASSWORD=sesame", "DOCKET_RECORDS_MAX_CONNS=two", "DOCKET_FAST=1", "DOCKET_PLATFORMS=a"},
		Flags:   []config.Flag{{Name: "--x", Key: "x", Values: []string{"1"}}, {Name: "--token", Key: "detect.token", Values: []string{"sesame"}}},
	})
	var all casefile.Faults
	require.ErrorAs(t, err, &all)
	var lines []string
	for _, f := range all {
		lines = append(lines, regexp.MustCompile(`\S*docket\.yaml`).ReplaceAllString(f.Error(), "docket.yaml"))
	}
	for _, want := range []string{
		"fats: docket.yaml line 1: there is no such key; here stand fast, logging,",
		"records.sqlit: docket.yaml line 3: there is no such key; here stand sqlite, postgres,",
		"records.max_conns: docket.yaml line 4: must be a whole number",
		"records.sqlite: docket.yaml line 5: must be text",
		"records.password: docket.yaml line 6: a secret stands in no configuration: name its file with records.password_file, or set DOCKET_RECORDS_PASSWORD",
		"records.postgres: docket.yaml line 7: must be text",
		"cases.lease: docket.yaml line 9: must be a duration with its unit",
		"cases.grace: docket.yaml line 10: must be a duration with its unit",
		"logging: docket.yaml line 11: must hold keys: level",
		"serve.https: docket.yaml line 12: must be true or false",
		"serve.listen: docket.yaml line 12: must be text",
		"detect.files: docket.yaml line 14: must be a list of texts",
		"detect.token: docket.yaml line 15: a secret stands in no configuration",
		"fast: docket.yaml line 17: stands twice",
		"platforms[0].adaptor: docket.yaml line 20: there is no such key; here stand name, adapter, file",
		"platforms[1]: docket.yaml line 21: must hold keys: name, adapter, file",
		"keys.dir: docket.yaml line 22: there is no such key",
		"DOCKET_RECORD_PASSWORD: the environment variable names no key",
		"records.max_conns: DOCKET_RECORDS_MAX_CONNS: must be a whole number",
		"fast: DOCKET_FAST: must be true or false",
		"DOCKET_PLATFORMS: the environment variable names no key",
		"x: --x: no flag can set this key",
		"detect.token: --token: no flag can set this key",
	} {
		found := false
		for i, l := range lines {
			if strings.HasPrefix(l, want) {
				lines = append(lines[:i], lines[i+1:]...)
				found = true
				break
			}
		}
		require.True(t, found, "%s\nin\n%s", want, strings.Join(lines, "\n"))
	}
	require.Empty(t, lines)
	require.NotContains(t, err.Error(), "sesame")
}

func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: b: c":                         "not YAML",
		"fast: true\n---\n":               "more than one YAML document",
		"[1]":                             "must hold keys",
		"fast: &a true\n":                 "", // an anchor alone changes nothing
		"fast: *a\n":                      "not YAML",
		"logging: {<<: {a: b}}":           "there is no such key",
		strings.Repeat("#", 1<<20) + "\n": "over 1048576 bytes",
	} {
		_, err := load(t, text)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	_, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = load(t, "logging: &a {level: info}\nhealth: *a\n")
	require.ErrorContains(t, err, "must hold keys", "an alias is refused")
}

// TestOtherVariables: what has our prefix for another reason is no fault.
func TestOtherVariables(t *testing.T) {
	t.Parallel()
	_, err := load(t, "", "DOCKET_URL=x", "DOCKET_TOKEN=x", "DOCKET_CONFIG=x", "DOCKET_WEBHOOK_OLD_SECRET=x", "DOCKET_SERVICE_HOST=10.0.0.1",
		"DOCKET_SERVE_SERVICE_HOST=10.0.0.1", "DOCKET_SERVE_SERVICE_PORT=80", "DOCKET_SERVE_SERVICE_PORT_HTTP=80", "DOCKET_PORT=tcp://10.0.0.1:80",
		"DOCKET_SERVE_PORT_80_TCP=tcp://10.0.0.1:80", "DOCKET_SERVE_PORT_80_TCP_PROTO=tcp")
	require.NoError(t, err)
}

// complete is the example with the lines that show another way or a default made ones that count.
func complete() []byte {
	return regexp.MustCompile(`(?m)^(\s*)#([a-z_]+:)`).ReplaceAll(config.Example(), []byte("$1$2"))
}

func TestExample(t *testing.T) {
	t.Parallel()
	c, err := load(t, string(config.Example()))
	require.NoError(t, err)
	for _, role := range config.Roles {
		require.NoError(t, c.Check(role), role)
	}
	c, err = load(t, string(complete()))
	require.NoError(t, err)
	require.NotEmpty(t, c.Temporal.TLSServerName)
}

// TestEveryKeyIsDescribed: the example and the page hold every key, and no other.
func TestEveryKeyIsDescribed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/operations/configuration.md")
	require.NoError(t, err)
	described := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|").FindAllSubmatch(page, -1) {
		described[string(m[1])] = true
	}
	_, err = load(t, string(complete()))
	require.NoError(t, err)
	for _, k := range config.Describe() {
		path := k.Path
		require.True(t, described[path], "%s is not described", path)
		delete(described, path)
		if k.Secret {
			require.NotRegexp(t, `(?m)^\s*#?`+k.Name+`:`, string(config.Example()))
			continue
		}
		require.Regexp(t, `(?m)^\s*(- )?#?`+k.Name+`:`, string(config.Example()), path)
	}
	require.Empty(t, described, "described, but no keys")
}

// good is a configuration that every role can work with.
const good = `
keys: {dir: keys}
records: {sqlite: records.sqlite}
evidence: {dir: evidence}
temporal: {address: "127.0.0.1:7233"}
index: {embedded: index.sqlite}
ledger: {dir: ledger, verifier_key: k}
platforms: [{name: "*", adapter: dryrun, file: f}]
detect: {files: [a], snapshot: s, door: "http://127.0.0.1:8080", token_file: t}
`

func TestCheck(t *testing.T) {
	t.Parallel()
	c, err := load(t, good)
	require.NoError(t, err)
	for _, role := range config.Roles {
		require.NoError(t, c.Check(role), role)
	}
	require.ErrorContains(t, c.Check("judge"), `there is no role "judge"`)
	nothing, err := load(t, "")
	require.NoError(t, err)
	for role, want := range map[config.Role][]string{
		config.RoleDetect:  {"keys.dir", "detect.files", "detect.snapshot", "detect.door", "detect.token_file", "index.embedded"},
		config.RoleServe:   {"keys.dir", "records", "evidence", "temporal.address", "index.embedded"},
		config.RoleWork:    {"keys.dir", "records", "evidence", "temporal.address", "index.embedded"},
		config.RoleEnforce: {"keys.dir", "records", "evidence", "temporal.address", "ledger", "platforms"},
		config.RoleLedger:  {"keys.dir", "records", "temporal.address", "ledger.dir"},
	} {
		missing := faults(t, nothing.Check(role))
		for _, field := range want {
			require.Contains(t, missing, field, role)
		}
		require.Len(t, missing, len(want), "%s: %v", role, missing)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		role        config.Role
		text        string
		field, want string
	}{
		"both records":       {config.RoleWork, "records: {sqlite: a, postgres: 'postgres://a/b'}", "records", "docket.yaml line 1: name one of sqlite and postgres, not both"},
		"no postgres":        {config.RoleWork, "records:\n  postgres: mysql://a", "records.postgres", "docket.yaml line 2: must be a URL such as"},
		"broken postgres":    {config.RoleWork, "records:\n  postgres: 'postgres://u:se%zzsame@h/d'", "records.postgres", "docket.yaml line 2: must be a URL such as"},
		"password in URL":    {config.RoleWork, "records:\n  postgres: postgres://u:sesame@h/d", "records.postgres", "docket.yaml line 2: must hold no password"},
		"password in query":  {config.RoleWork, "records:\n  postgres: postgres://u@h/d?password=sesame", "records.postgres", "docket.yaml line 2: must hold no password"},
		"connections":        {config.RoleWork, "records: {max_conns: -1}", "records.max_conns", "docket.yaml line 1: must not be negative"},
		"both evidence":      {config.RoleEnforce, "evidence: {dir: a, bucket: b}", "evidence", "not both"},
		"a bucket in memory": {config.RoleWork, "evidence: {bucket: 'mem://'}", "evidence.bucket", "must be a URL such as s3://BUCKET"},
		"a bucket's user":    {config.RoleWork, "evidence: {bucket: 's3://u:sesame@b'}", "evidence.bucket", "must be a URL such as s3://BUCKET"},
		"work's lease":       {config.RoleWork, "cases: {lease: 48h}", "cases.lease", "must be from 1s"},
		"acts a minute":      {config.RoleEnforce, "platforms:\n- {name: a, adapter: webhook, file: f, per_minute: -1}", "platforms[0].per_minute", "docket.yaml line 2: must not be negative"},
		"temporal's address": {config.RoleLedger, "temporal: {address: somewhere}", "temporal.address", "must be an address"},
		"temporal's port":    {config.RoleLedger, "temporal: {address: 'a:70000'}", "temporal.address", "must be an address"},
		"no namespace":       {config.RoleLedger, "temporal: {namespace: ''}", "temporal.namespace", "required"},
		"half a certificate": {config.RoleLedger, "temporal: {tls: true, tls_cert_file: a}", "temporal", "belong together"},
		"TLS not on":         {config.RoleLedger, "temporal: {tls_ca_file: a}", "temporal.tls", "must be true"},
		"log level":          {config.RoleLedger, "logging: {level: loud}", "logging.level", "must be debug"},
		"health":             {config.RoleLedger, "health: {listen: '80'}", "health.listen", "must be an address"},
		"listen":             {config.RoleServe, "serve: {listen: 'a:+1'}", "serve.listen", "must be an address"},
		"no listen":          {config.RoleServe, "serve: {listen: ''}", "serve.listen", "required"},
		"the log's address":  {config.RoleServe, "ledger: {url: 'ftp://a'}", "ledger.url", "must be a URL"},
		"lease":              {config.RoleServe, "cases: {lease: 0s}", "cases.lease", "must be from 1s"},
		"grace":              {config.RoleServe, "cases: {grace: -1s}", "cases.grace", "must be from 0s"},
		"two keys":           {config.RoleEnforce, "ledger: {verifier_key: a, verifier_key_file: b}", "ledger", "not both"},
		"copy on itself":     {config.RoleLedger, "ledger: {dir: ledger, checkpoint_copy: ledger/}", "ledger.checkpoint_copy", "another folder"},
		"two keys of ledger": {config.RoleLedger, "ledger: {verifier_key: a, verifier_key_file: b}", "ledger", "not both"},
		"two keys of serve":  {config.RoleServe, "ledger: {verifier_key: a, verifier_key_file: b}", "ledger", "not both"},
		"adapter":            {config.RoleServe, "platforms:\n- {name: a, adapter: fax, file: f}", "platforms[0].adapter", "docket.yaml line 2: must be dryrun"},
		"no adapter":         {config.RoleServe, "platforms:\n- name: a", "platforms[0].adapter", "docket.yaml line 2: must be dryrun"},
		"nameless":           {config.RoleServe, "platforms:\n- adapter: dryrun", "platforms[0].name", "docket.yaml line 2: required"},
		"no file":            {config.RoleEnforce, "platforms:\n- {name: a, adapter: dryrun}", "platforms[0].file", "docket.yaml line 2: required"},
		"twice":              {config.RoleServe, "platforms:\n- {name: a, adapter: dryrun}\n- {name: a, adapter: dryrun}", "platforms[1].name", "docket.yaml line 3: stands twice"},
		"one file":           {config.RoleEnforce, "platforms:\n- {name: a, adapter: dryrun, file: f}\n- {name: b, adapter: dryrun, file: f}", "platforms[1].file", "docket.yaml line 3: another platform"},
		"format":             {config.RoleDetect, "detect: {format: csv}", "detect.format", "must be auto"},
		"an empty name":      {config.RoleDetect, "detect: {files: ['']}", "detect.files[0]", "must name a file"},
		"door":               {config.RoleDetect, "detect: {door: '127.0.0.1:8080'}", "detect.door", "must be a URL"},
		"door with a user":   {config.RoleDetect, "detect: {door: 'http://u:sesame@a'}", "detect.door", "must be a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := load(t, c.text)
			require.NoError(t, err)
			err = cfg.Check(c.role)
			require.Contains(t, faults(t, err)[c.field], c.want)
			require.NotContains(t, err.Error(), "sesame")
		})
	}
	cfg, err := load(t, good, "DOCKET_SERVE_LISTEN=here")
	require.NoError(t, err)
	require.Equal(t, "DOCKET_SERVE_LISTEN: must be an address such as 127.0.0.1:8080", faults(t, cfg.Check(config.RoleServe))["serve.listen"])
}

func TestSecretIsNotShown(t *testing.T) {
	t.Parallel()
	c, err := load(t, good, "DOCKET_RECORDS_PASSWORD=sesame", "DOCKET_DETECT_TOKEN=sesame")
	require.NoError(t, err)
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	log.Info("configuration", "all", c, "one", c.Records.Password, "part", c.Records)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("configuration", "all", c)
	encoded, err := json.Marshal(c)
	require.NoError(t, err)
	for _, shown := range []string{logged.String(), string(encoded), fmt.Sprint(c), fmt.Sprintf("%+v %#v %x %q", c, c, c.Records.Password, c.Records.Password)} {
		require.NotContains(t, shown, "sesame")
		require.NotContains(t, shown, fmt.Sprintf("%x", "sesame"))
	}
	require.Contains(t, logged.String(), "(secret)")
	require.Equal(t, "", fmt.Sprint(config.Secret("")))
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "password")
	put := func(text string, mode os.FileMode) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
	}
	read := func() (config.Secret, error) { return config.Records{PasswordFile: path}.Secret() }
	put("open sesame\n", 0o440)
	s, err := read()
	require.NoError(t, err)
	require.Equal(t, "open sesame", s.Reveal())
	s, err = config.Detect{Token: "direct", TokenFile: path}.Secret()
	require.NoError(t, err)
	require.Equal(t, "direct", s.Reveal(), "the environment goes first")
	s, err = config.Detect{}.Secret()
	require.NoError(t, err)
	require.Empty(t, s)
	for want, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"others than its owner": {"sesame", 0o444},
		"must hold a secret":    {"\n", 0o400},
		"in one line":           {"sesame\nsesame\n", 0o400},
		"it is over 4096 bytes": {strings.Repeat("sesame", 1000), 0o400},
	} {
		put(c.text, c.mode)
		_, err = read()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "sesame")
	}
	require.NoError(t, os.Remove(path))
	_, err = read()
	require.ErrorIs(t, err, os.ErrNotExist)
}
