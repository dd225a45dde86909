package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
)

// Contents are what a backup's records are held to.
type Contents struct {
	Dir     string
	Key     string // the log's, "" for the one in the backup
	Records records.Store
	// Stored gives where in the sealed store's folder an object lies.
	Stored func(casefile.Address) string
}

// Check adds to a report what the backup's records name and the backup lacks: sealed objects of accounts that
// were not erased meanwhile, and the entries of decisions, rulings and outcomes.
func (c Contents) Check(ctx context.Context, r *Report) error {
	if c.Key == "" {
		own, err := os.ReadFile(filepath.Join(c.Dir, LogKeyFile))
		if err != nil {
			return fmt.Errorf("read the log's key: %w", err)
		}
		c.Key = strings.TrimSpace(string(own))
	}
	entries, erasing, err := c.entries(ctx, r.Manifest)
	if err != nil {
		return err
	}
	if r.Manifest.Evidence {
		err = c.objects(ctx, r, erasing)
		if err != nil {
			return fmt.Errorf("compare the records with the sealed store: %w", err)
		}
	}
	for after := ""; ; {
		rows, err := c.Records.EveryDecision(ctx, after, page)
		if err != nil {
			return fmt.Errorf("compare the records with the log: %w", err)
		}
		for _, d := range rows {
			after = d.Decision.ID
			if d.Event != "" && entries[d.Event] != d.Hash {
				r.fault("the log lacks the entry of decision %s (%s)", d.Decision.ID, d.Event)
			}
		}
		if len(rows) < page {
			break
		}
	}
	for after := ""; ; {
		rows, next, err := c.Records.ListAppeals(ctx, "", after, page)
		if err != nil {
			return fmt.Errorf("compare the records with the log: %w", err)
		}
		for _, a := range rows {
			if a.Event != "" && entries[a.Event] != a.Hash {
				r.fault("the log lacks the entry of the ruling on appeal %s (%s)", a.ID, a.Event)
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// entries are the hashes of the decisions and rulings in the log; erasing says that an account was erased
// after the records were copied: then its objects may be missing.
func (c Contents) entries(ctx context.Context, m Manifest) (map[casefile.EventID]string, bool, error) {
	out := map[casefile.EventID]string{}
	erasing := false
	err := verify.Entries(ctx, verify.Dir(filepath.Join(c.Dir, LedgerDir)), c.Key, func(t verify.TailEntry) error {
		switch t.Entry.Type {
		case casefile.EntryDecision, casefile.EntryAppealRuling:
			out[t.Entry.Event] = t.Hash
		case casefile.EntryErased:
			erasing = erasing || t.Entry.At >= m.At.UTC().Format(casefile.TimeFormat)
		}
		return nil
	})
	return out, erasing, err
}

func (c Contents) objects(ctx context.Context, r *Report, erasing bool) error {
	for after := casefile.AccountKey(""); ; {
		accounts, err := c.Records.AccountsAfter(ctx, after, page)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			after = a.Account
			err = c.objectsOf(ctx, r, a.Account, erasing)
			if err != nil {
				return err
			}
		}
		if len(accounts) < page {
			return nil
		}
	}
}

func (c Contents) objectsOf(ctx context.Context, r *Report, account casefile.AccountKey, erasing bool) error {
	_, err := c.Records.AccountKey(ctx, account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return nil // erased: nothing of it is there
	}
	if err != nil {
		return err
	}
	addresses, err := c.Records.AccountObjects(ctx, account)
	if err != nil {
		return err
	}
	missing := 0
	for _, address := range addresses {
		_, err = os.Stat(filepath.Join(c.Dir, EvidenceDir, filepath.FromSlash(c.Stored(address))))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			return err
		}
	}
	if missing > 0 && !erasing {
		r.fault("the sealed store lacks %d of the %d objects that the records name of one account", missing, len(addresses))
	}
	return nil
}
