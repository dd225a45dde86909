package assembly

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/records/sqlite"
)

// TestKeysAreNotMade: a role pointed at the wrong place makes no keys of its own there.
func TestKeysAreNotMade(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	for _, dir := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		c.Keys.Dir = dir
		p, _ := process(t, c, config.RoleServe)
		_, err := p.Keyring(t.Context())
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		require.ErrorContains(t, err, "keys.dir: "+dir+" holds no identity.key, which the role serve needs")
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		require.Empty(t, left)
	}
	p, _ := process(t, c, config.RoleServe)
	p.MakeKeys = true
	_, err := p.Keyring(t.Context())
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(c.Keys.Dir, "identity.key"))
}

// TestEachRoleOpensItsFilesAlone: every role opens a folder with just the files of the table, and is
// refused one that lacks any of them by name.
func TestEachRoleOpensItsFilesAlone(t *testing.T) {
	t.Parallel()
	for _, role := range config.Roles {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			c := testConfig(t)
			c.Keys.Dir = move(t, c.Keys.Dir, keyFiles[role]...)
			p, log := process(t, c, role)
			_, err := p.Keyring(t.Context())
			require.NoError(t, err)
			require.Empty(t, log.String(), "nothing to warn of")
			for _, file := range keyFiles[role] {
				hidden := filepath.Join(t.TempDir(), file)
				require.NoError(t, os.Rename(filepath.Join(c.Keys.Dir, file), hidden))
				p, _ = process(t, c, role)
				_, err = p.Keyring(t.Context())
				require.ErrorContains(t, err, "holds no "+file+", which the role "+string(role)+" needs")
				require.NoError(t, os.Rename(hidden, filepath.Join(c.Keys.Dir, file)))
			}
		})
	}
}

func TestIdleSecretsAreTold(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	p, log := process(t, c, config.RoleWork)
	_, err := p.Keyring(t.Context())
	require.NoError(t, err)
	require.Contains(t, log.String(), `"msg":"the keys folder holds a secret that this process does not need","file":"log.key"`)
	require.NotContains(t, log.String(), "codec.keys")
	all, log := process(t, c, config.Roles...)
	_, err = all.Keyring(t.Context())
	require.NoError(t, err)
	require.Empty(t, log.String(), "one process with every role needs every key")
}

// TestRecordsOfAnotherKey: records written under another identity key are refused.
func TestRecordsOfAnotherKey(t *testing.T) {
	t.Parallel()
	c, other := testConfig(t), testConfig(t)
	p, _ := process(t, c, config.RoleLedger)
	_, err := p.Records(t.Context())
	require.NoError(t, err)
	c.Keys.Dir = other.Keys.Dir
	p, _ = process(t, c, config.RoleLedger)
	_, err = p.Records(t.Context())
	require.ErrorContains(t, err, "is not the one that these records were written with")
}

// TestDetectHasNoRecords: the snapshot's seal works without records, and opens no account's content.
func TestDetectHasNoRecords(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	c.Records, c.Evidence = config.Records{}, config.Evidence{}
	p, _ := process(t, c, config.RoleDetect)
	keyring, err := p.Keyring(t.Context())
	require.NoError(t, err)
	seal, err := p.snapshotSeal(keyring)
	require.NoError(t, err)
	sealed, err := seal.Seal([]byte("windows"))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "windows")
	plain, err := seal.Open(sealed)
	require.NoError(t, err)
	require.Equal(t, "windows", string(plain))
	err = seal.(systemSeal).store.EnsureKey(t.Context(), "x", "a")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}

// TestSignerIsThePinnedOne: the ledger role signs with no other key than the one that is pinned.
func TestSignerIsThePinnedOne(t *testing.T) {
	t.Parallel()
	c, other := testConfig(t), testConfig(t)
	p, _ := process(t, c, config.RoleLedger)
	signer, err := p.signer(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, signer.Name())
	for _, pinned := range []config.Ledger{{VerifierKeyFile: other.Ledger.VerifierKeyFile}, {VerifierKey: "no key"}} {
		c.Ledger.VerifierKeyFile, c.Ledger.VerifierKey = pinned.VerifierKeyFile, pinned.VerifierKey
		p, _ = process(t, c, config.RoleLedger)
		_, err = p.signer(t.Context())
		require.ErrorContains(t, err, "ledger.verifier_key: is not the public half")
	}
	c.Ledger.VerifierKey = ""
	p, _ = process(t, c, config.RoleLedger)
	_, err = p.signer(t.Context())
	require.NoError(t, err, "the ledger role may go without")
	_, err = p.pinnedGuard()
	require.ErrorContains(t, err, "ledger.verifier_key: is not the public key of a log", "enforce may not")
}

func TestSQLiteRecordsAreShared(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	p, _ := process(t, c, config.RoleWork)
	one, err := p.Records(t.Context())
	require.NoError(t, err)
	again, err := p.Records(t.Context())
	require.NoError(t, err)
	require.Same(t, one.(*sqlite.Store), again.(*sqlite.Store), "roles of one process share what is open")
}
