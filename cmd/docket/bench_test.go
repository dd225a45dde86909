package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/reviewtest"
)

// bench is the real API over real stores, with a data folder whose credentials lead to it.
type bench struct {
	*reviewtest.Bench
	t    testing.TB
	url  string
	data string
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{Bench: reviewtest.New(t, nil), t: t, data: t.TempDir()}
	handler, err := api.New(api.Options{Desk: b.Desk, Door: b.Door, Access: b.Access, Log: b.Log, Metrics: prometheus.NewRegistry()})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	b.url = server.URL
	type person struct {
		Login string `json:"login"`
		Token string `json:"token"`
	}
	var people []person
	for _, p := range access.DemoPeople() {
		people = append(people, person{p.Login, b.Token(p.Login)})
	}
	b.write("credentials.json", b.JSON(map[string]any{"base_url": b.url, "people": people}))
	return b
}

// write puts a file into the data folder and gives its path.
func (b *bench) write(name string, data []byte) string {
	b.t.Helper()
	path := filepath.Join(b.data, name)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(b.t, os.WriteFile(path, data, 0o600))
	return path
}

// result is what a run of the program came to.
type result struct {
	code     int
	out, err string
}

// as runs a command as a demo person.
func (b *bench) as(login string, args ...string) result {
	b.t.Helper()
	return b.typed(login, "", args...)
}

// typed runs a command as a demo person who writes in on standard input.
func (b *bench) typed(login, in string, args ...string) result {
	b.t.Helper()
	return docket(b.t, nil, in, append([]string{"--data", b.data, "--as", login}, args...)...)
}

// docket runs the program.
func docket(t testing.TB, env map[string]string, in string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	p := process{args: args, env: func(name string) string { return env[name] }, in: strings.NewReader(in), out: &out, err: &err}
	code := p.run(t.Context())
	return result{code: code, out: out.String(), err: err.String()}
}

// good requires that a run succeeded and said nothing on standard error.
func (r result) good(t testing.TB) string {
	t.Helper()
	require.Zero(t, r.code, "%s%s", r.out, r.err)
	require.Empty(t, r.err)
	return r.out
}

// bad requires that a run ended with 1 and told one error, once.
func (r result) bad(t testing.TB) string {
	t.Helper()
	require.Equal(t, 1, r.code, r.out)
	require.Equal(t, 1, strings.Count("\n"+r.err, "\ndocket: "), r.err)
	require.True(t, strings.HasPrefix(r.err, "docket: "), r.err)
	return r.err
}

// decode reads strictly what a run with --json printed: a field that out lacks is an error.
func (r result) decode(t testing.TB, out any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.good(t)))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(out), r.out)
	_, err := dec.Token()
	require.ErrorIs(t, err, io.EOF)
}

// lines gives a flag file.
func (b *bench) lines(flags ...casefile.Flag) string {
	var all []byte
	for _, f := range flags {
		all = append(append(all, b.JSON(f)...), '\n')
	}
	return string(all)
}

// form writes a valid opinion form and gives its path.
func (b *bench) form(action casefile.Action, relied ...string) string {
	return b.write("form-"+string(action)+".json", b.JSON(reviewtest.Form(action, relied...)))
}
