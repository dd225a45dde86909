package relational

import (
	"context"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// An entry of the index outbox stands for a row, at the revision that it was last entered with. A
// row's revision only grows, so that is the highest.

func (t *tx) indexCase(ctx context.Context, ref casefile.CaseRef, revision int) error {
	_, err := t.Exec(ctx, `INSERT INTO index_outbox (case_ref, revision) VALUES (?, ?)
		ON CONFLICT (case_ref) DO UPDATE SET revision = excluded.revision`, ref, revision)
	if err != nil {
		return err
	}
	t.Tell(records.Change{Kind: records.ChangeIndex, Case: ref})
	return nil
}

func (t *tx) indexDecision(ctx context.Context, id string, counter int) error {
	_, err := t.Exec(ctx, `INSERT INTO index_outbox (decision, revision) VALUES (?, ?)
		ON CONFLICT (decision) DO UPDATE SET revision = excluded.revision`, id, counter)
	if err != nil {
		return err
	}
	t.Tell(records.Change{Kind: records.ChangeIndex, ID: id})
	return nil
}

// IndexChanges lists entries in order of id.
func (s *Store) IndexChanges(ctx context.Context, limit int) ([]records.IndexChange, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	scan := func(r scanner) (records.IndexChange, error) {
		var c records.IndexChange
		err := r.Scan(&c.ID, toText[casefile.CaseRef]{&c.Case}, toText[string]{&c.Decision}, &c.Revision)
		return c, err
	}
	list, err := all(ctx, s.engine, scan, "SELECT id, case_ref, decision, revision FROM index_outbox ORDER BY id LIMIT ?", limit)
	return list, s.coded(ctx, "list index outbox", err)
}

// IndexedUpTo removes an entry unless its row changed again since.
func (s *Store) IndexedUpTo(ctx context.Context, c records.IndexChange) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "DELETE FROM index_outbox WHERE id = ? AND revision <= ?", c.ID, c.Revision)
		return err
	})
	return s.coded(ctx, "empty index outbox", err)
}

// RequeueIndex enters every case and decision again, for a rebuild.
func (s *Store) RequeueIndex(ctx context.Context) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		// A row may change meanwhile, and its entry with it: that is the higher revision, which stands.
		// Without the WHERE the parser takes ON CONFLICT for a join.
		_, err := t.Exec(ctx, `INSERT INTO index_outbox (case_ref, revision) SELECT ref, revision FROM cases WHERE true
			ON CONFLICT (case_ref) DO UPDATE SET revision = excluded.revision WHERE excluded.revision > index_outbox.revision`)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO index_outbox (decision, revision) SELECT id, counter FROM decisions WHERE true
			ON CONFLICT (decision) DO UPDATE SET revision = excluded.revision WHERE excluded.revision > index_outbox.revision`)
		if err != nil {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeIndex})
		return nil
	})
	return s.coded(ctx, "fill index outbox", err)
}
