package embedded

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the file to this version's schema and text to this version's tokens.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return unavailable("read the index's version", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return unavailable("read the index's version", err)
	}
	if current > target {
		return &casefile.Error{Code: casefile.CodeState, Op: "open the index",
			Message: fmt.Sprintf("the file has version %d; this program knows up to %d", current, target)}
	}
	_, err = p.Up(ctx)
	if err != nil {
		return unavailable("migrate the index", err)
	}
	err = retokenize(ctx, db)
	if err != nil {
		return unavailable("index the cases again", err)
	}
	return nil
}

// retokenize indexes every case again when the tokens in the file are of another TextVersion.
func retokenize(ctx context.Context, db *sql.DB) error {
	var was string
	err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'text_version'").Scan(&was)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the version of the tokens: %w", err)
	}
	if was == indexing.TextVersion {
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, "INSERT INTO case_text (case_text) VALUES ('delete-all')")
	if err != nil {
		return fmt.Errorf("empty the token index: %w", err)
	}
	// The one connection cannot write while it reads, so the cases come in pieces.
	for last, more := int64(-1), true; more; {
		last, more, err = retokenizeSome(ctx, tx, last)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx,
		"INSERT INTO meta (name, value) VALUES ('text_version', ?) ON CONFLICT DO UPDATE SET value = excluded.value", indexing.TextVersion)
	if err != nil {
		return fmt.Errorf("write the version of the tokens: %w", err)
	}
	err = tx.Commit()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func retokenizeSome(ctx context.Context, tx *sql.Tx, after int64) (last int64, more bool, err error) {
	const piece = 500
	rows, err := tx.QueryContext(ctx, "SELECT id, doc FROM case_doc WHERE id > ? ORDER BY id LIMIT ?", after, piece)
	if err != nil {
		return 0, false, fmt.Errorf("read cases: %w", err)
	}
	defer func() { _ = rows.Close() }()
	type entry struct {
		id    int64
		terms terms
	}
	var entries []entry
	for rows.Next() {
		var id int64
		var raw []byte
		err = rows.Scan(&id, &raw)
		if err != nil {
			return 0, false, fmt.Errorf("read a case: %w", err)
		}
		var doc indexing.CaseDoc
		err = json.Unmarshal(raw, &doc)
		if err != nil {
			return 0, false, fmt.Errorf("decode a case: %w", err)
		}
		entries = append(entries, entry{id: id, terms: termsOf(doc)})
	}
	err = rows.Err()
	if err != nil {
		return 0, false, fmt.Errorf("read cases: %w", err)
	}
	for _, e := range entries {
		_, err = tx.ExecContext(ctx, insertTerms, e.terms.args(e.id)...)
		if err != nil {
			return 0, false, fmt.Errorf("index a case: %w", err)
		}
		after = e.id
	}
	return after, len(entries) == piece, nil
}
