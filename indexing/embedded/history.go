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

// maxNewest bounds the posts that AccountHistory returns.
const maxNewest = 1000

// stream is what is known of a platform's stream.
type stream struct {
	id             int64
	oldest, newest time.Time
	outside        int
}

func (s stream) start() time.Time { return indexing.WindowStart(s.newest) }

// streamOf reads a platform's stream; ok is false if nothing of it was ever seen.
func streamOf(ctx context.Context, tx *sql.Tx, platform string) (s stream, ok bool, err error) {
	var oldest, newest int64
	err = tx.QueryRowContext(ctx, "SELECT id, oldest, newest, outside FROM stream WHERE platform = ?", platform).
		Scan(&s.id, &oldest, &newest, &s.outside)
	if errors.Is(err, sql.ErrNoRows) {
		return stream{}, false, nil
	}
	if err != nil {
		return stream{}, false, fmt.Errorf("read the stream: %w", err)
	}
	s.oldest, s.newest = time.UnixMicro(oldest).UTC(), time.UnixMicro(newest).UTC()
	return s, true, nil
}

// AccountHistory implements indexing.History. limit is cut to 0 to 1,000.
func (x *Index) AccountHistory(ctx context.Context, platform string, account casefile.AccountKey, limit int) (indexing.AccountHistory, error) {
	limit = min(max(limit, 0), maxNewest)
	var h indexing.AccountHistory
	err := x.view(ctx, func(tx *sql.Tx) error {
		s, ok, err := streamOf(ctx, tx, platform)
		if err != nil || !ok {
			return err
		}
		var first, last sql.NullInt64
		err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum((shape & 1) <> 0), 0), coalesce(sum((shape & 2) <> 0), 0), min(at), max(at)
			FROM post WHERE stream = ? AND account = ? AND at >= ? AND shape >= 4`, s.id, string(account), s.start().UnixMicro()).
			Scan(&h.Posts, &h.Reposts, &h.Replies, &first, &last)
		if err != nil {
			return fmt.Errorf("count posts: %w", err)
		}
		h.First, h.Last = microTime(first), microTime(last)
		if limit == 0 {
			return nil
		}
		h.Newest, err = newest(ctx, tx, s, account, limit)
		return err
	})
	if err != nil {
		return indexing.AccountHistory{}, unavailable("read an account's history", err)
	}
	return h, nil
}

func newest(ctx context.Context, tx *sql.Tx, s stream, account casefile.AccountKey, limit int) ([]casefile.Event, error) {
	rows, err := tx.QueryContext(ctx, `SELECT doc FROM post WHERE stream = ? AND account = ? AND at >= ? AND shape >= 4
		ORDER BY at DESC, post LIMIT ?`, s.id, string(account), s.start().UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var events []casefile.Event
	for rows.Next() {
		var doc []byte
		err = rows.Scan(&doc)
		if err != nil {
			return nil, fmt.Errorf("read a post: %w", err)
		}
		var e casefile.Event
		err = json.Unmarshal(doc, &e)
		if err != nil {
			return nil, casefile.Errorf(casefile.CodeInternal, "a stored post does not decode")
		}
		events = append(events, e)
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	return events, nil
}

// Coverage implements indexing.History.
func (x *Index) Coverage(ctx context.Context, platform string) (indexing.Coverage, error) {
	var c indexing.Coverage
	err := x.view(ctx, func(tx *sql.Tx) error {
		s, ok, err := streamOf(ctx, tx, platform)
		if err != nil || !ok {
			return err
		}
		c.From, c.To = s.start(), s.newest
		if s.oldest.After(c.From) {
			c.From = s.oldest
		}
		var outside int
		hour := s.start().Unix() / 3600
		err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(iif(hour >= ?, live, 0)), 0), coalesce(sum(iif(hour < ?, total, 0)), 0)
			FROM post_hour WHERE stream = ?`, hour, hour, s.id).Scan(&c.Posts, &outside)
		if err != nil {
			return fmt.Errorf("count posts: %w", err)
		}
		c.Outside = s.outside + outside
		return nil
	})
	if err != nil {
		return indexing.Coverage{}, unavailable("read the coverage", err)
	}
	return c, nil
}

// view runs do on one state of the index.
func (x *Index) view(ctx context.Context, do func(*sql.Tx) error) error {
	if x.isClosing() {
		return errClosed
	}
	tx, err := x.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return do(tx)
}

func microTime(v sql.NullInt64) *time.Time {
	if !v.Valid {
		return nil
	}
	t := time.UnixMicro(v.Int64).UTC()
	return &t
}
