package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
)

// Inspect says what keeps a role from starting with a configuration, as far as this machine's files
// tell: the keys, rules, secrets and certificates that the role reads. It connects to nothing and
// writes nothing. Notes are what works and should still be looked at.
func Inspect(ctx context.Context, cfg config.Config, role config.Role) (notes []string, err error) {
	err = cfg.Check(role)
	if err != nil {
		return nil, err
	}
	p := New(cfg, slog.New(slog.DiscardHandler), role)
	defer func() { err = errors.Join(err, p.Stop(ctx)) }()
	var faults casefile.Faults
	look := func(key string, err error) {
		var typed *casefile.Error
		switch {
		case err == nil:
		case errors.As(err, &typed) && strings.Contains(typed.Field, "."): // a key of the configuration
			faults = append(faults, &casefile.Error{Code: casefile.CodeInvalid, Field: typed.Field, Message: typed.Message, Err: typed.Err})
		default:
			faults = append(faults, &casefile.Error{Code: casefile.CodeInvalid, Field: key, Message: err.Error()})
		}
	}
	keyring, err := p.Keyring(ctx)
	look("keys.dir", err)
	for _, file := range idleSecrets(cfg.Keys.Dir, p.roles) {
		notes = append(notes, fmt.Sprintf("%s holds %s, which the role %s does not need", cfg.Keys.Dir, file, role))
	}
	if role == config.RoleDetect {
		_, err = loadDetector(cfg.Detect.Rules)
		look("detect.rules", err)
		_, err = cfg.Detect.Secret()
		look("detect.token_file", err)
		for i, file := range cfg.Detect.Files {
			_, err = os.Stat(file)
			look(fmt.Sprintf("detect.files[%d]", i), err)
		}
		return notes, faults.Err()
	}
	_, err = cfg.Records.Secret()
	look("records.password_file", err)
	_, err = temporalTLS(cfg.Temporal)
	look("temporal", err)
	switch role {
	case config.RoleServe:
		_, err = p.Rules()
		look("policy.routing", err)
	case config.RoleWork:
		_, err = p.Rules()
		look("policy.routing", err)
		told, err := p.tellingConfig()
		if err == nil {
			_, err = openChannels(told)
		}
		look("telling.file", err)
	case config.RoleEnforce:
		for i, c := range cfg.Platforms {
			if c.Adapter == config.AdapterWebhook {
				_, err = p.openWebhook(c) // which reads secrets and sends nothing
				look(fmt.Sprintf("platforms[%d]", i), err)
			}
		}
		_, err = p.pinnedGuard()
		look("ledger.verifier_key_file", err)
	case config.RoleLedger:
		if keyring != nil {
			var signer note.Signer
			signer, err = p.signer(ctx)
			look("keys.dir", err)
			if err == nil {
				notes = append(notes, "signs the log "+signer.Name())
			}
		}
	}
	return notes, faults.Err()
}
