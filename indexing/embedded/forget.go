package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// ForgetAccount implements indexing.History. Once it returns, a power cut does not bring the posts back,
// unless the index was opened as Fast.
func (x *Index) ForgetAccount(ctx context.Context, platform string, account casefile.AccountKey, at time.Time) error {
	switch {
	case platform == "":
		return casefile.Invalid("platform", "required")
	case account == "":
		return casefile.Invalid("account", "required")
	case at.IsZero():
		return casefile.Invalid("at", "required")
	}
	err := x.submit(ctx, true, func(ctx context.Context, w *writer) error {
		return w.forget(ctx, platform, string(account), at.UnixMicro())
	})
	if err != nil {
		return unavailable("forget an account", err)
	}
	return nil
}

func (w *writer) forget(ctx context.Context, platform, account string, until int64) error {
	err := w.queryRow(ctx, `INSERT INTO forgotten (platform, account, until) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET until = max(until, excluded.until) RETURNING until`, []any{platform, account, until}, &until)
	if err != nil {
		return err
	}
	var stream int64
	var droppedBefore int
	err = w.queryRow(ctx, "SELECT id, dropped_before FROM stream WHERE platform = ?", []any{platform}, &stream, &droppedBefore)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	hours, err := w.hoursOf(ctx, stream, account, until, droppedBefore)
	if err != nil {
		return err
	}
	for hour, t := range hours {
		err = w.exec(ctx, "UPDATE post_hour SET live = live - ?, total = total - ? WHERE stream = ? AND hour = ?", t.live, t.total, stream, hour)
		if err != nil {
			return err
		}
	}
	return w.exec(ctx, "DELETE FROM post WHERE stream = ? AND account = ? AND at <= ?", stream, account, until)
}

// hoursOf counts an account's posts up to a time by the hour, those of dropped months left out: they were
// counted when their month was.
func (w *writer) hoursOf(ctx context.Context, stream int64, account string, until int64, droppedBefore int) (map[int64]tally, error) {
	s, err := w.stmt(ctx, "SELECT at, shape FROM post WHERE stream = ? AND account = ? AND at <= ? AND month >= ?")
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, stream, account, until, droppedBefore)
	if err != nil {
		return nil, fmt.Errorf("read an account's posts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	hours := make(map[int64]tally)
	for rows.Next() {
		var r row
		err = rows.Scan(&r.at, &r.shape)
		if err != nil {
			return nil, fmt.Errorf("read an account's posts: %w", err)
		}
		count(hours, r, 1)
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read an account's posts: %w", err)
	}
	return hours, nil
}

// forgotten gives, of the accounts of a feed, those whose events up to a time are not stored, with the time.
// It is read with every feed: another process on the machine may have forgotten one since.
func (w *writer) forgotten(ctx context.Context, f *feed) (map[string]int64, error) {
	var some bool
	err := w.queryRow(ctx, "SELECT EXISTS (SELECT 1 FROM forgotten WHERE platform = ?)", []any{f.platform}, &some)
	if err != nil || !some {
		return nil, err
	}
	out := make(map[string]int64)
	asked := make(map[string]bool)
	for _, r := range f.rows {
		if asked[r.account] {
			continue
		}
		asked[r.account] = true
		var until int64
		err = w.queryRow(ctx, "SELECT until FROM forgotten WHERE platform = ? AND account = ?", []any{f.platform, r.account}, &until)
		switch {
		case err == nil:
			out[r.account] = until
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	return out, nil
}

// Scrub implements indexing.Index: it empties the write-ahead log. The file itself holds nothing of what was
// deleted or replaced: secure_delete is on, and so is FTS5's own.
func (x *Index) Scrub(ctx context.Context) error {
	if x.isClosing() {
		return errClosed
	}
	var busy bool
	var pages, done int
	err := x.read.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done)
	if err != nil {
		return unavailable("scrub the index", err)
	}
	if busy {
		return casefile.Errorf(casefile.CodeUnavailable, "the index's write-ahead log is in use")
	}
	return nil
}
