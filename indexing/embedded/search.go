package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// found is a document of an answer before it is decoded.
type found struct {
	id  int64
	ref string
	doc []byte
}

// Search implements indexing.Cases. Page and total are of one state of the index.
func (x *Index) Search(ctx context.Context, q indexing.CaseQuery) (indexing.CasePage, error) {
	limit, err := indexing.QueryLimit(q.Limit)
	if err != nil {
		return indexing.CasePage{}, err
	}
	expr, err := match(q)
	if err != nil {
		return indexing.CasePage{}, err
	}
	var after *indexing.Cursor
	if q.Cursor != "" {
		c, err := indexing.ParseCursor(q.Cursor)
		if err != nil {
			return indexing.CasePage{}, err
		}
		after = &c
	}
	var page indexing.CasePage
	err = x.view(ctx, func(tx *sql.Tx) error {
		page.Total, err = total(ctx, tx, expr)
		if err != nil {
			return err
		}
		hits, err := hits(ctx, tx, expr, after, limit+1)
		if err != nil {
			return err
		}
		page.Cases, page.Next, err = decode(hits, limit)
		return err
	})
	if err != nil {
		return indexing.CasePage{}, unavailable("search cases", err)
	}
	return page, nil
}

func total(ctx context.Context, tx *sql.Tx, expr string) (n int, err error) {
	query, args := "SELECT count(*) FROM (SELECT 1 FROM case_doc INDEXED BY sqlite_autoindex_case_doc_1 LIMIT ?)", []any{indexing.MaxTotal}
	if expr != "" {
		query, args = "SELECT count(*) FROM (SELECT 1 FROM case_text WHERE case_text MATCH ? LIMIT ?)", []any{expr, indexing.MaxTotal}
	}
	err = tx.QueryRowContext(ctx, query, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count cases: %w", err)
	}
	return n, nil
}

// hits gives the first n documents after a cursor, in order. Ids give the order but for cases of
// one millisecond, so the last millisecond is read to its end and sorted.
func hits(ctx context.Context, tx *sql.Tx, expr string, after *indexing.Cursor, n int) ([]found, error) {
	from := int64(0)
	if after != nil {
		from = group(after.OpenedAt)
	}
	query, args := "SELECT id, ref, doc FROM case_doc WHERE id >= ? ORDER BY id", []any{from}
	if expr != "" {
		query = `SELECT d.id, d.ref, d.doc FROM case_text t JOIN case_doc d ON d.id = t.rowid
			WHERE case_text MATCH ? AND t.rowid >= ? ORDER BY t.rowid`
		args = []any{expr, from}
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("search cases: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []found
	sorted := 0 // out[:sorted] is in order; the rest is of one millisecond
	settle := func() {
		slices.SortFunc(out[sorted:], func(a, b found) int { return strings.Compare(a.ref, b.ref) })
		sorted = len(out)
	}
	for rows.Next() {
		var f found
		err = rows.Scan(&f.id, &f.ref, &f.doc)
		if err != nil {
			return nil, fmt.Errorf("read a case: %w", err)
		}
		if len(out) > 0 && out[len(out)-1].id>>tieBits != f.id>>tieBits {
			settle()
			if len(out) >= n {
				break
			}
		}
		if after != nil && f.id>>tieBits == from>>tieBits && f.ref <= string(after.Ref) {
			continue
		}
		out = append(out, f)
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("search cases: %w", err)
	}
	settle()
	return out[:min(len(out), n)], nil
}

// decode makes a page of at most limit documents; one hit more says that there is a next page.
func decode(hits []found, limit int) (cases []indexing.CaseDoc, next string, err error) {
	for _, h := range hits[:min(len(hits), limit)] {
		var doc indexing.CaseDoc
		err = json.Unmarshal(h.doc, &doc)
		if err != nil {
			return nil, "", casefile.Errorf(casefile.CodeInternal, "a stored case does not decode")
		}
		cases = append(cases, doc)
	}
	if len(hits) > limit {
		next = indexing.NewCursor(cases[limit-1]).String()
	}
	return cases, next, nil
}
