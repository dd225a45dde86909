package assembly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
)

// keyFiles are the files of a keys folder (docs/keys.md) that each role cannot work without.
var keyFiles = map[config.Role][]string{
	config.RoleDetect:  {"identity.key", "deployment.keys"},
	config.RoleServe:   {"identity.key", "deployment.keys", "codec.keys", "assertion.keys"},
	config.RoleWork:    {"identity.key", "deployment.keys", "codec.keys", "assertion.pub"},
	config.RoleEnforce: {"identity.key", "deployment.keys", "codec.keys"},
	config.RoleLedger:  {"identity.key", "codec.keys", "log.key", "log.pub"},
}

// secretKeyFiles are those that should lie with the roles that need them and nowhere else.
var secretKeyFiles = map[string][]config.Role{
	"deployment.keys": {config.RoleDetect, config.RoleServe, config.RoleWork, config.RoleEnforce},
	"codec.keys":      {config.RoleServe, config.RoleWork, config.RoleEnforce, config.RoleLedger},
	"assertion.keys":  {config.RoleServe},
	"log.key":         {config.RoleLedger},
}

// Keyring opens the keys folder. One that lacks what a role of the process needs is refused.
func (p *Process) Keyring(ctx context.Context) (*evidence.Keyring, error) {
	if p.keyring != nil {
		return p.keyring, nil
	}
	dir := p.Config.Keys.Dir
	if !p.MakeKeys { // fresh keys in the wrong place would name every account anew
		err := p.lookAtKeys(ctx)
		if err != nil {
			return nil, err
		}
	}
	keyring, err := evidence.OpenKeyring(ctx, evidence.KeyringOptions{Dir: dir, Skeleton: fold.String})
	if err != nil {
		return nil, err
	}
	p.OnStop(func(context.Context) error { return keyring.Close() })
	p.keyring = keyring
	return keyring, nil
}

// lookAtKeys refuses a folder without a file that a role of the process needs, and warns of secrets
// that none of them does.
func (p *Process) lookAtKeys(ctx context.Context) error {
	for _, role := range p.roles {
		err := missingKeys(p.Config.Keys.Dir, role)
		if err != nil {
			return err
		}
	}
	for _, file := range idleSecrets(p.Config.Keys.Dir, p.roles) {
		p.Log.WarnContext(ctx, "the keys folder holds a secret that this process does not need", "file", file)
	}
	return nil
}

func missingKeys(dir string, role config.Role) error {
	for _, file := range keyFiles[role] {
		_, err := os.Stat(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			return casefile.Invalid("keys.dir", "%s holds no %s, which the role %s needs: keys are made once for a whole deployment (docket keys make), and each role is given a copy of its own", dir, file, role)
		}
		if err != nil {
			return fmt.Errorf("look for the keys: %w", err)
		}
	}
	return nil
}

// idleSecrets names the secret files of a folder that none of the roles needs.
func idleSecrets(dir string, roles []config.Role) []string {
	var out []string
	for file, holders := range secretKeyFiles {
		needed := slices.ContainsFunc(roles, func(r config.Role) bool { return slices.Contains(holders, r) })
		_, err := os.Stat(filepath.Join(dir, file))
		if err == nil && !needed {
			out = append(out, file)
		}
	}
	slices.Sort(out)
	return out
}
