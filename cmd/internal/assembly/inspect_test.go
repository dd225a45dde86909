package assembly

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	for _, role := range config.Roles {
		notes, err := Inspect(t.Context(), c, role)
		require.NoError(t, err, role)
		require.NotEmpty(t, notes, "one folder with all keys is worth a note")
	}
	for _, path := range []string{c.Records.SQLite, c.Evidence.Dir, c.Index.Embedded, c.Ledger.Dir, c.Detect.Snapshot} {
		require.NoFileExists(t, path, "nothing is written")
		require.NoDirExists(t, path)
	}
}

func TestInspectFinds(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("{no: rules}"), 0o600))
	open := filepath.Join(t.TempDir(), "open")
	require.NoError(t, os.WriteFile(open, []byte("sesame"), 0o600))
	require.NoError(t, os.Chmod(open, 0o644))
	for name, c := range map[string]struct {
		role   config.Role
		change func(*config.Config)
		want   string
	}{
		"keys":             {config.RoleWork, func(c *config.Config) { c.Keys.Dir = garbage + "s" }, "keys.dir: "},
		"rules":            {config.RoleServe, func(c *config.Config) { c.Policy.Routing = garbage }, "no"},
		"no rules":         {config.RoleWork, func(c *config.Config) { c.Policy.Routing = garbage + "s" }, "policy.routing: "},
		"detector's rules": {config.RoleDetect, func(c *config.Config) { c.Detect.Rules = garbage }, "no"},
		"files":            {config.RoleDetect, func(c *config.Config) { c.Detect.Files = []string{garbage + "s"} }, "detect.files[0]: "},
		"token":            {config.RoleDetect, func(c *config.Config) { c.Detect.Token, c.Detect.TokenFile = "", open }, "detect.token_file: "},
		"password": {config.RoleLedger, func(c *config.Config) {
			c.Records = config.Records{Postgres: "postgres://a@b/c", PasswordFile: open}
		}, "records.password_file: "},
		"certificate": {config.RoleLedger, func(c *config.Config) { c.Temporal.TLS, c.Temporal.TLSCAFile = true, garbage }, "temporal.tls_ca_file: "},
		"pinned key":  {config.RoleEnforce, func(c *config.Config) { c.Ledger.VerifierKeyFile = garbage }, "ledger.verifier_key: "},
		"no key file": {config.RoleEnforce, func(c *config.Config) { c.Ledger.VerifierKeyFile = garbage + "s" }, "ledger.verifier_key_file: "},
		"other key":   {config.RoleLedger, func(c *config.Config) { c.Ledger.VerifierKeyFile = garbage }, "ledger.verifier_key: "},
		"telling":     {config.RoleWork, func(c *config.Config) { c.Telling.File = garbage }, "telling.file: "},
		"no telling":  {config.RoleWork, func(c *config.Config) { c.Telling.File = garbage + "s" }, "telling.file: "},
		"webhook": {config.RoleEnforce, func(c *config.Config) {
			c.Platforms[0].Adapter, c.Platforms[0].File = config.AdapterWebhook, garbage
		}, "platforms[0]: "},
		"missing": {config.RoleEnforce, func(c *config.Config) { c.Platforms = nil }, "platforms: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			c.change(&cfg)
			_, err := Inspect(t.Context(), cfg, c.role)
			var faults casefile.Faults
			require.ErrorAs(t, err, &faults)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "sesame")
		})
	}
}
