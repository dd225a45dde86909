package assembly

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gocloud.dev/blob"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

// Records opens the records, and refuses those that were written under another identity key.
func (p *Process) Records(ctx context.Context) (records.Store, error) {
	if p.records != nil {
		return p.records, nil
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	store, err := p.openRecords(ctx)
	if err != nil {
		return nil, err
	}
	p.OnStop(func(context.Context) error { return store.Close() })
	print := keyring.Identity().Fingerprint()
	stands, err := store.SetMetaIfAbsent(ctx, "identity_key_fingerprint", print)
	if err != nil {
		return nil, err
	}
	if stands != print {
		return nil, fmt.Errorf("the identity key in %s is not the one that these records were written with: put the right keys folder back", p.Config.Keys.Dir)
	}
	set(p, &p.records, store)
	return store, nil
}

func (p *Process) openRecords(ctx context.Context) (records.Store, error) {
	log := p.Log.With("part", "records")
	if p.Config.Records.Postgres != "" {
		return p.openPostgres(ctx, log)
	}
	return sqlite.Open(ctx, sqlite.Options{Path: p.Config.Records.SQLite, Fast: p.Config.Fast, Logger: log})
}

// Sealer opens the sealed store.
func (p *Process) Sealer(ctx context.Context) (*evidence.Store, error) {
	if p.sealer != nil {
		return p.sealer, nil
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := p.Records(ctx)
	if err != nil {
		return nil, err
	}
	o := evidence.Options{Dir: p.Config.Evidence.Dir, Fast: p.Config.Fast, Keyring: keyring, Rows: rows, Clock: p.now}
	if p.Config.Evidence.Bucket != "" {
		o.Bucket, err = blob.OpenBucket(ctx, p.Config.Evidence.Bucket)
		if err != nil {
			return nil, fmt.Errorf("open the bucket of the sealed store: %w", err)
		}
		p.OnStop(func(context.Context) error { return o.Bucket.Close() })
	}
	sealer, err := evidence.Open(o)
	if err != nil {
		return nil, err
	}
	p.OnStop(func(context.Context) error { return sealer.Close() })
	p.sealer = sealer
	return sealer, nil
}

// Index opens history and case search.
func (p *Process) Index(ctx context.Context) (indexing.Index, error) {
	if p.index != nil {
		return p.index, nil
	}
	index, err := embedded.Open(ctx, p.Config.Index.Embedded, embedded.Options{Fast: p.Config.Fast, Now: p.now})
	if err != nil {
		return nil, err
	}
	p.OnStop(func(context.Context) error { return index.Close() })
	set(p, &p.index, through[indexing.Index](p.Seams.Index, index))
	return p.index, nil
}

// Rules loads the routing rules.
func (p *Process) Rules() (*policy.RuleSet, error) {
	if p.rules != nil {
		return p.rules, nil
	}
	var err error
	p.rules, err = loadRouting(p.Config.Policy.Routing)
	return p.rules, err
}

// loadRouting loads a file of routing rules; "" for those that Docket ships.
func loadRouting(path string) (*policy.RuleSet, error) {
	if path == "" {
		return policy.Default()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the routing rules: %w", err)
	}
	defer func() { _ = f.Close() }()
	return policy.Load(f, filepath.Base(path))
}

// Access says who is asking.
func (p *Process) Access(ctx context.Context) (*access.Access, error) {
	if p.access != nil {
		return p.access, nil
	}
	people, err := p.Records(ctx)
	if err != nil {
		return nil, err
	}
	p.access = access.New(people, access.Options{Guarded: people, Clock: p.now})
	return p.access, nil
}
