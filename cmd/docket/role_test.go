package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/records/sqlite"
)

// operator is somebody who runs docket with a configuration.
type operator struct {
	t       testing.TB
	dir     string
	environ []string
}

// newOperator has keys and a configuration with which every role could start.
func newOperator(t testing.TB) *operator {
	t.Helper()
	o := &operator{t: t, dir: t.TempDir()}
	o.run("keys", "make", o.path("keys")).good(t)
	o.write("token", "an-invented-token\n")
	o.write("events.ndjson", "")
	o.write("docket.yaml", `
keys: {dir: "`+o.path("keys")+`"}
records: {sqlite: "`+o.path("records.sqlite")+`"}
evidence: {dir: "`+o.path("evidence")+`"}
temporal: {address: "127.0.0.1:1"}
index: {embedded: "`+o.path("index.sqlite")+`"}
ledger: {dir: "`+o.path("ledger")+`", verifier_key_file: "`+o.path("keys", "log.pub")+`"}
platforms: [{name: "*", adapter: dryrun, file: "`+o.path("dryrun.ndjson")+`"}]
serve: {listen: "127.0.0.1:0"}
detect: {files: ["`+o.path("events.ndjson")+`"], snapshot: "`+o.path("snapshot")+`", door: "http://127.0.0.1:1", token_file: "`+o.path("token")+`"}
`)
	o.environ = []string{"DOCKET_CONFIG=" + o.path("docket.yaml")}
	return o
}

func (o *operator) path(parts ...string) string {
	return filepath.Join(append([]string{o.dir}, parts...)...)
}

func (o *operator) write(name, text string) {
	o.t.Helper()
	require.NoError(o.t, os.WriteFile(o.path(name), []byte(text), 0o600))
}

// run runs a command to its end. A role that should have refused to start is stopped in the end.
func (o *operator) run(args ...string) result {
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	return o.runFor(ctx, args...)
}

func (o *operator) runFor(ctx context.Context, args ...string) result {
	env := func(name string) string {
		for _, pair := range o.environ {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	var out, errs bytes.Buffer
	p := process{args: args, env: env, environ: o.environ, in: strings.NewReader(""), out: &out, err: &errs}
	code := p.run(ctx)
	return result{code: code, out: out.String(), err: errs.String()}
}

// TestRoleStopsWhenTold: a role that waits for what does not answer ends well when it is told to.
func TestRoleStopsWhenTold(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for _, role := range config.Roles {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := o.runFor(ctx, string(role), "--health", "127.0.0.1:0")
		require.Zero(t, r.code, r.err)
		require.Empty(t, r.out)
		for line := range strings.Lines(r.err) {
			require.True(t, json.Valid([]byte(line)), "a log in JSON: %s", line)
		}
		require.Contains(t, r.err, `"msg":"stopped","role":"`+string(role)+`"`)
	}
}

func TestRoleRefusesToStart(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"nothing said":        {nil, []string{"work"}, "keys.dir: required"},
		"no such file":        {nil, []string{"work", "--config", o.path("none")}, "read the configuration"},
		"an unknown key":      {[]string{"DOCKET_RECORD_SQLITE=a"}, []string{"work", "--config", o.path("docket.yaml")}, "DOCKET_RECORD_SQLITE: the environment variable names no key"},
		"a flag's value":      {o.environ, []string{"serve", "--listen", "here"}, "serve.listen: --listen: must be an address"},
		"another flag's":      {o.environ, []string{"ledger", "--listen", "here"}, "ledger.listen: --listen: must be an address"},
		"no file of events":   {o.environ, []string{"detect", "--file", ""}, "detect.files[0]: --file: must name a file"},
		"health":              {o.environ, []string{"enforce", "--health", "here"}, "health.listen: --health: must be an address"},
		"a data folder":       {o.environ, []string{"work", "--data", o.dir}, "docket work reads a configuration"},
		"an argument":         {o.environ, []string{"work", "hard"}, "got 1 arguments"},
		"another role's flag": {o.environ, []string{"work", "--listen", "127.0.0.1:0"}, "unknown flag: --listen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := *o
			one.environ = c.environ
			require.Contains(t, one.run(c.args...).bad(t), c.want)
		})
	}
	t.Run("keys of nobody", func(t *testing.T) {
		t.Parallel()
		one := *o
		one.environ = append([]string{"DOCKET_KEYS_DIR=" + t.TempDir()}, o.environ...)
		r := one.run("work")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, `"msg":"stopped by an error","role":"work","error":"start the role work: keys.dir: `)
		require.NotContains(t, r.err, "docket: ", "told once")
	})
	t.Run("as JSON", func(t *testing.T) {
		t.Parallel()
		one := *o
		one.environ = nil
		r := one.run("work", "--json")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, `{"error":{"code":"invalid"`)
	})
}

func TestConfigCommands(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	require.Equal(t, string(config.Example()), o.run("config", "example").good(t))

	out := o.run("config", "check").good(t)
	for _, role := range config.Roles {
		require.Regexp(t, `(?m)^`+string(role)+` +ok$`, out)
	}
	require.Contains(t, out, "note: "+o.path("keys")+" holds log.key, which the role serve does not need")
	require.NoFileExists(t, o.path("records.sqlite"), "nothing is written")

	o.environ = append(o.environ, "DOCKET_LEDGER_VERIFIER_KEY_FILE="+o.path("none"))
	r := o.run("config", "check")
	require.Equal(t, 1, r.code)
	require.Empty(t, r.err, "the faults are the output")
	require.Regexp(t, `(?m)^enforce +faults: 1$`, r.out)
	require.Contains(t, r.out, "ledger.verifier_key_file: read the log's public key")
	require.Regexp(t, `(?m)^work +ok$`, r.out)
	o.run("config", "check", "--role", "work", "--role", "serve").good(t)
	require.Contains(t, o.run("config", "check", "--role", "judge").bad(t), "the roles are detect, serve, work, enforce, ledger")

	var found []checked
	r = o.run("config", "check", "--json", "--role", "enforce")
	require.Equal(t, 1, r.code)
	require.NoError(t, json.Unmarshal([]byte(r.out), &found))
	require.Equal(t, config.RoleEnforce, found[0].Role)
	require.False(t, found[0].OK)
	require.Equal(t, "ledger.verifier_key_file", found[0].Faults[0].Field)
}

func TestKeysMake(t *testing.T) {
	t.Parallel()
	o := &operator{t: t, dir: t.TempDir()}
	dir := o.path("keys")
	var made struct {
		Dir         string `json:"dir"`
		Fingerprint string `json:"identity_key_fingerprint"`
		VerifierKey string `json:"verifier_key"`
	}
	r := o.run("keys", "make", dir, "--log-name", "log.example/docket", "--json")
	r.decode(t, &made)
	require.Equal(t, dir, made.Dir)
	require.NotEmpty(t, made.Fingerprint)
	require.True(t, strings.HasPrefix(made.VerifierKey, "log.example/docket+"))
	for _, name := range []string{"identity.key", "deployment.keys", "codec.keys", "log.key"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		for line := range strings.Lines(string(data)) {
			require.NotContains(t, r.out, strings.TrimSpace(line), "no secret is printed")
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "identity.key"))
	require.NoError(t, err)
	require.Contains(t, o.run("keys", "make", dir).bad(t), "is not empty: keys are made once")
	after, err := os.ReadFile(filepath.Join(dir, "identity.key"))
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Contains(t, o.run("keys", "make", o.path("other"), "--log-name", "a name").bad(t), "cannot name a log")
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	out := o.run("bootstrap", "root", "--name", "First Administrator", "--role", "admin").good(t)
	require.Regexp(t, `link +/login\?code=dk_login_\S+, at the address`, out)
	var made introduced
	o.run("bootstrap", "detector", "--name", "Detector", "--role", "service", "--json").decode(t, &made)
	require.NotEmpty(t, made.Token)
	require.Empty(t, made.Link)
	first := made
	o.run("bootstrap", "detector", "--name", "Another name", "--role", "service", "--json").decode(t, &made)
	require.Equal(t, first.Person, made.Person, "who is there stays")
	require.NotEqual(t, first.Token, made.Token)
	var rev introduced
	o.run("bootstrap", "rev", "--name", "Reviewer", "--role", "reviewer", "--token", "--json").decode(t, &rev)

	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: o.path("records.sqlite"), Fast: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	who, err := access.New(store, access.Options{}).Authenticate(t.Context(), rev.Token)
	require.NoError(t, err)
	require.Equal(t, []casefile.Role{casefile.RoleReviewer}, who.Roles)
	people, err := store.ListPeople(t.Context())
	require.NoError(t, err)
	require.Len(t, people, 3)

	for want, args := range map[string][]string{
		"login: ":             {"bootstrap", "R", "--name", "x", "--role", "reviewer"},
		"name: required":      {"bootstrap", "rev2", "--role", "reviewer"},
		"roles":               {"bootstrap", "rev2", "--name", "x"},
		"got 0 arguments":     {"bootstrap"},
		"read the configurat": {"bootstrap", "rev2", "--name", "x", "--role", "reviewer", "--config", o.path("none")},
	} {
		require.Contains(t, o.run(args...).bad(t), want)
	}
}
