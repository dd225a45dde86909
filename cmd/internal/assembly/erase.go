package assembly

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/worker"
)

// eraser is what carries erasures to their end, over the process's stores. Without an engine it leaves the
// workflows to the role serve.
func (p *Process) eraser(ctx context.Context, engine bool) (*worker.Eraser, error) {
	store, err := p.Records(ctx)
	if err != nil {
		return nil, err
	}
	sealer, err := p.Sealer(ctx)
	if err != nil {
		return nil, err
	}
	index, err := p.Index(ctx)
	if err != nil {
		return nil, err
	}
	log := p.log(config.RoleServe)
	e := &worker.Eraser{
		Records: store, Objects: sealer, Index: index, Documents: &projector.Projector{Records: store, Sealer: sealer, Index: index, Log: log},
		Namespace: p.Config.Temporal.Namespace, Log: log, Linger: p.EraseLinger,
	}
	if !engine {
		return e, nil
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	e.Signer, err = p.verbSigner(keyring)
	if err != nil {
		return nil, err
	}
	cl, err := p.Temporal(ctx)
	if err != nil {
		return nil, err
	}
	e.Cases = &worker.Cases{Client: cl}
	return e, nil
}

// ReapplyErasures carries out again, after a restore, every erasure that the log has and the restored
// records do not, on the records, the sealed store and the index that the configuration names, and gives
// how many there were. log is the log that was kept, or its copy. No role may run on these stores meanwhile.
// What is left of the workflows goes once the role serve has started. Again is harmless.
func (p *Process) ReapplyErasures(ctx context.Context, log verify.Source) (int, error) {
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return 0, err
	}
	logKey, err := keyring.LogVerifierKey()
	if err != nil {
		return 0, fmt.Errorf("read the log's public key: %w", err)
	}
	e, err := p.eraser(ctx, false)
	if err != nil {
		return 0, err
	}
	e.Linger = -1 // nobody else has these stores open
	return e.Reapply(ctx, log, logKey, keyring.Identity())
}
