package assembly

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
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
