package assembly

import (
	"context"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/worker"
)

// ledgerAudit compares records and log for the serve role: with the log in this process's folder, or at
// ledger.url. Without a log or its public key, it says so whenever it is asked.
func (p *Process) ledgerAudit(ctx context.Context) (*worker.LedgerAudit, error) {
	store, err := p.Records(ctx)
	if err != nil {
		return nil, err
	}
	key, err := p.verifierKey()
	if err != nil {
		return nil, err
	}
	audit := &worker.LedgerAudit{Records: store, Key: key, Log: p.log(config.RoleServe)}
	switch {
	case p.ledger != nil:
		audit.Source = verify.Dir(p.Config.Ledger.Dir)
	case p.Config.Ledger.URL != "":
		audit.Source, err = verify.HTTP(p.Config.Ledger.URL, nil)
		if err != nil {
			return nil, &casefile.Error{Code: casefile.CodeInvalid, Field: "ledger.url", Message: "is no URL", Err: err}
		}
	}
	return audit, nil
}
