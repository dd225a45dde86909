package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// tieBits is how many bits of a case's id number the cases of one millisecond.
const tieBits = 21

// group gives the first id of the cases opened in the millisecond of t; earlier times have higher
// ids. The next group begins 1<<tieBits further on.
func group(t time.Time) int64 {
	return (indexing.MaxOpenedAt.UnixMilli() - t.UnixMilli()) << tieBits
}

// PutCase implements indexing.Cases. Once it returns, a power cut does not take the document,
// unless the index was opened as Fast.
func (x *Index) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	if doc.Ref == "" {
		return casefile.Invalid("ref", "required")
	}
	if doc.OpenedAt.UnixMilli() < 0 || doc.OpenedAt.After(indexing.MaxOpenedAt) {
		return casefile.Invalid("opened_at", "must lie between 1970 and %d", indexing.MaxOpenedAt.Year())
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return casefile.Invalid("case", "cannot be written as JSON")
	}
	terms := termsOf(doc)
	err = x.submit(ctx, true, func(ctx context.Context, w *writer) error {
		return w.putCase(ctx, doc, raw, terms)
	})
	if err != nil {
		return unavailable("put a case", err)
	}
	return nil
}

func (w *writer) putCase(ctx context.Context, doc indexing.CaseDoc, raw []byte, now terms) error {
	var id int64
	var revision int
	var was []byte
	err := w.queryRow(ctx, "SELECT id, revision, doc FROM case_doc WHERE ref = ?", []any{string(doc.Ref)}, &id, &revision, &was)
	if errors.Is(err, sql.ErrNoRows) {
		return w.insertCase(ctx, doc, raw, now)
	}
	if err != nil {
		return err
	}
	if revision > doc.Revision {
		return nil
	}
	var old indexing.CaseDoc
	err = json.Unmarshal(was, &old)
	if err != nil {
		return casefile.Errorf(casefile.CodeInternal, "a stored case does not decode")
	}
	before := termsOf(old)
	moved := group(old.OpenedAt) != group(doc.OpenedAt)
	if moved || before != now {
		err = w.exec(ctx, deleteTerms, before.args(id)...)
		if err != nil {
			return err
		}
	}
	if moved {
		err = w.exec(ctx, "DELETE FROM case_doc WHERE id = ?", id)
		if err != nil {
			return err
		}
		return w.insertCase(ctx, doc, raw, now)
	}
	if before != now {
		err = w.exec(ctx, insertTerms, now.args(id)...)
		if err != nil {
			return err
		}
	}
	return w.exec(ctx, "UPDATE case_doc SET revision = ?, doc = ? WHERE id = ?", doc.Revision, raw, id)
}

func (w *writer) insertCase(ctx context.Context, doc indexing.CaseDoc, raw []byte, now terms) error {
	first := group(doc.OpenedAt)
	var id int64
	err := w.queryRow(ctx, "SELECT coalesce(max(id) + 1, ?) FROM case_doc WHERE id >= ? AND id < ?",
		[]any{first, first, first + 1<<tieBits}, &id)
	if err != nil {
		return err
	}
	if id >= first+1<<tieBits {
		return casefile.Errorf(casefile.CodeTooLarge, "more than %d cases opened in one millisecond", 1<<tieBits)
	}
	err = w.exec(ctx, "INSERT INTO case_doc (id, ref, revision, doc) VALUES (?, ?, ?, ?)", id, string(doc.Ref), doc.Revision, raw)
	if err != nil {
		return fmt.Errorf("insert a case: %w", err)
	}
	return w.exec(ctx, insertTerms, now.args(id)...)
}
