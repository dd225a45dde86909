package assembly

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook"
)

func TestPlatforms(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	dir := t.TempDir()
	c.Platforms = []config.Platform{
		{Name: "one", Adapter: config.AdapterDryrun, File: filepath.Join(dir, "one")},
		{Name: "two", Adapter: config.AdapterDryrun, File: filepath.Join(dir, "two")},
	}
	p, _ := process(t, c, config.RoleEnforce)
	require.NoError(t, p.openAdapters())
	one, err := p.Platform("one")
	require.NoError(t, err)
	two, err := p.Platform("two")
	require.NoError(t, err)
	require.NotSame(t, one, two)
	_, err = p.Platform("three")
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "the act waits for somebody to name an adapter")
	require.True(t, p.canNotify("one"))
	require.False(t, p.canNotify("three"))
	require.Equal(t, []string{"one", "two"}, p.platformNames())

	c.Platforms = append(c.Platforms, config.Platform{Name: config.AnyPlatform, Adapter: config.AdapterDryrun, File: filepath.Join(dir, "any")})
	p, _ = process(t, c, config.RoleEnforce)
	require.NoError(t, p.openAdapters())
	_, err = p.Platform("three")
	require.NoError(t, err)
	require.True(t, p.canNotify("three"))
	require.Nil(t, p.platformNames(), "there may be others")

	c.Platforms = []config.Platform{{Name: "one", Adapter: "fax"}}
	p, _ = process(t, c, config.RoleEnforce)
	require.ErrorContains(t, p.openAdapters(), `open platforms[0] (one): there is no adapter "fax"`)
}

func TestWebhookPlatform(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "webhook.json")
	require.NoError(t, os.WriteFile(secret, []byte(webhook.NewSecret()+"\n"), 0o600))
	own, err := json.Marshal(webhook.Config{
		URL: "https://platform.example/docket", Secrets: []webhook.SecretSource{{File: secret}}, Notify: true,
		Acts: []casefile.ActKind{casefile.ActSuspend},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, own, 0o600))
	c := testConfig(t)
	c.Platforms = []config.Platform{{Name: "one", Adapter: config.AdapterWebhook, File: file, Notify: true, PerMinute: 30}}
	p, _ := process(t, c, config.RoleEnforce)
	require.NoError(t, p.openAdapters())
	one, err := p.Platform("one")
	require.NoError(t, err)
	require.Equal(t, webhook.Name, one.Name())
	require.True(t, one.Capabilities().Notify)
	require.True(t, p.canNotify("one"))

	c.Platforms[0].Notify = false
	p, _ = process(t, c, config.RoleEnforce)
	require.ErrorContains(t, p.openAdapters(), "the role serve would preview notices wrongly")
	require.False(t, p.canNotify("one"))
	require.NoError(t, os.Remove(secret))
	c.Platforms[0].Notify = true
	p, _ = process(t, c, config.RoleEnforce)
	require.ErrorContains(t, p.openAdapters(), "open platforms[0] (one)")
}
