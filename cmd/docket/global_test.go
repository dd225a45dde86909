package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoAndWhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	env := map[string]string{"DOCKET_URL": b.url, "DOCKET_TOKEN": b.Token("rev1")}
	with := func(name, value string) map[string]string {
		out := map[string]string{"DOCKET_URL": env["DOCKET_URL"], "DOCKET_TOKEN": env["DOCKET_TOKEN"]}
		out[name] = value
		return out
	}
	require.Contains(t, docket(t, env, "", "case", "queues").good(t), "QUEUE")
	require.Contains(t, docket(t, with("DOCKET_TOKEN", env["DOCKET_TOKEN"]+"\n"), "", "case", "queues").good(t), "QUEUE", "as $(cat) leaves it")
	require.Contains(t, docket(t, with("DOCKET_URL", b.url+"/"), "", "case", "queues").good(t), "QUEUE")
	require.Contains(t, docket(t, with("DOCKET_URL", "http://127.0.0.1:1"), "", "--data", b.data, "--as", "rev1", "case", "queues").good(t), "QUEUE", "the folder goes before the environment")

	damaged := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "credentials.json"), []byte("{"), 0o600))
	cases := map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"nothing said":          {nil, nil, "say where Docket runs and who you are"},
		"no token":              {with("DOCKET_TOKEN", ""), nil, "say where Docket runs and who you are"},
		"no address":            {with("DOCKET_URL", ""), nil, "say where Docket runs and who you are"},
		"an address without //": {with("DOCKET_URL", "127.0.0.1:8080"), nil, "DOCKET_URL must begin with http"},
		"a token of two lines":  {with("DOCKET_TOKEN", "a\nb"), nil, "DOCKET_TOKEN holds control characters"},
		"another token":         {with("DOCKET_TOKEN", "dk_api_x"), nil, "log in first, or send a valid token"},
		"nobody":                {env, []string{"--data", b.data}, "say who you are with --as LOGIN: one of rev1, rev2,"},
		"somebody unknown":      {env, []string{"--data", b.data, "--as", "x"}, "say who you are with --as LOGIN"},
		"--as without a folder": {env, []string{"--as", "rev1"}, "name the folder with --data DIR"},
		"no folder":             {env, []string{"--data", b.data + "/none", "--as", "rev1"}, "credentials that standalone writes"},
		"damaged credentials":   {env, []string{"--data", damaged, "--as", "rev1"}, "credentials.json: unexpected end"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := docket(t, c.env, "", append(c.args, "case", "queues")...)
			require.Contains(t, r.bad(t), c.want)
			require.NotContains(t, r.err, env["DOCKET_TOKEN"])
		})
	}
}
