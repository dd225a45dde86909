package embedded

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// The bits of a post's shape.
const (
	shapeRepost = 1
	shapeReply  = 2
	shapeLive   = 4
)

// kindOrder says which of two events of one time is the later one.
var kindOrder = map[casefile.EventKind]int{casefile.EventPost: 0, casefile.EventEdit: 1, casefile.EventDelete: 2}

// row is a post as it is stored.
type row struct {
	post, account string
	at            int64 // microseconds
	kind, shape   int
	doc           []byte // nil once deleted
}

func (r row) hour() int64 { return floorDiv(r.at, time.Hour.Microseconds()) }

func (r row) month() int { return monthOf(time.UnixMicro(r.at)) }

// later reports whether r takes the place of what stands. Two different events of one time and
// kind, which no stream should have, are settled by their bytes: any rule does that does not
// depend on who came first.
func (r row) later(at int64, kind int, doc []byte) bool {
	if r.at != at {
		return r.at > at
	}
	if r.kind != kind {
		return r.kind > kind
	}
	return bytes.Compare(r.doc, doc) > 0
}

func monthOf(t time.Time) int {
	t = t.UTC()
	return t.Year()*12 + int(t.Month()) - 1
}

// monthHour is the first hour of a month.
func monthHour(month int) int64 {
	return time.Date(month/12, time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC).Unix() / 3600
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// feed is the part of a batch that belongs to one platform.
type feed struct {
	platform       string
	seen           bool // an event whose time can be believed
	oldest, newest int64
	rows           []row
	outside        int
}

// PutPosts implements indexing.History. It commits with synchronous=NORMAL: a power cut may take the
// posts of the last moments, which a read model can bear; a crash of the process takes none.
func (x *Index) PutPosts(ctx context.Context, posts []indexing.Post) (indexing.PostResult, error) {
	feeds, err := x.feeds(posts)
	if err != nil {
		return indexing.PostResult{}, err
	}
	var res indexing.PostResult
	err = x.submit(ctx, false, func(ctx context.Context, w *writer) error {
		// A cancelled caller no longer looks at res, but a repeat of this function must not add up.
		res = indexing.PostResult{}
		for _, f := range feeds {
			stored, outside, err := w.putFeed(ctx, f)
			if err != nil {
				return err
			}
			res.Stored += stored
			res.Outside += outside
		}
		return nil
	})
	if err != nil {
		return indexing.PostResult{}, unavailable("put posts", err)
	}
	return res, nil
}

// feeds checks and encodes the posts, outside the writer.
func (x *Index) feeds(posts []indexing.Post) ([]*feed, error) {
	limit := x.opts.Now().Add(indexing.MaxAhead).UnixMicro()
	var feeds []*feed
	byPlatform := make(map[string]*feed)
	for i, p := range posts {
		e := p.Event
		order, isPost := kindOrder[e.Kind]
		switch {
		case e.Platform == "":
			return nil, casefile.Invalid(fmt.Sprintf("posts[%d].event.platform", i), "required")
		case e.At.IsZero():
			return nil, casefile.Invalid(fmt.Sprintf("posts[%d].event.at", i), "required")
		case isPost && e.ID == "":
			return nil, casefile.Invalid(fmt.Sprintf("posts[%d].event.id", i), "required")
		case isPost && p.Account == "":
			return nil, casefile.Invalid(fmt.Sprintf("posts[%d].account", i), "required")
		}
		f := byPlatform[e.Platform]
		if f == nil {
			f = &feed{platform: e.Platform}
			byPlatform[e.Platform] = f
			feeds = append(feeds, f)
		}
		at := e.At.UnixMicro()
		if at > limit {
			if isPost {
				f.outside++
			}
			continue
		}
		if !f.seen {
			f.seen, f.oldest, f.newest = true, at, at
		}
		f.oldest, f.newest = min(f.oldest, at), max(f.newest, at)
		if !isPost {
			continue
		}
		r := row{post: e.ID, account: string(p.Account), at: at, kind: order}
		if e.Kind != casefile.EventDelete {
			doc, err := json.Marshal(e)
			if err != nil {
				return nil, casefile.Invalid(fmt.Sprintf("posts[%d].event", i), "cannot be written as JSON")
			}
			r.doc, r.shape = doc, shapeLive
			if e.RepostOf != "" {
				r.shape |= shapeRepost
			}
			if e.ReplyTo != "" {
				r.shape |= shapeReply
			}
		}
		f.rows = append(f.rows, r)
	}
	return feeds, nil
}

// tally is what a batch changes in one hour's counts.
type tally struct{ live, total int }

func (w *writer) putFeed(ctx context.Context, f *feed) (stored, outside int, err error) {
	if !f.seen {
		// This tells nothing of a stream that is not known yet; of one that is, the count is kept.
		return 0, f.outside, w.exec(ctx, "UPDATE stream SET outside = outside + ? WHERE platform = ?", f.outside, f.platform)
	}
	var id, newest int64
	var droppedBefore int
	err = w.queryRow(ctx, `INSERT INTO stream (platform, oldest, newest) VALUES (?, ?, ?)
		ON CONFLICT (platform) DO UPDATE SET oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest)
		RETURNING id, newest, dropped_before`, []any{f.platform, f.oldest, f.newest}, &id, &newest, &droppedBefore)
	if err != nil {
		return 0, 0, err
	}
	forgotten, err := w.forgotten(ctx, f)
	if err != nil {
		return 0, 0, err
	}
	start := indexing.WindowStart(time.UnixMicro(newest))
	outside = f.outside
	hours := make(map[int64]tally)
	for _, r := range f.rows {
		until, isForgotten := forgotten[r.account]
		if r.at < start.UnixMicro() || isForgotten && r.at <= until {
			outside++
			continue
		}
		stored++
		err = w.putRow(ctx, id, r, droppedBefore, hours)
		if err != nil {
			return 0, 0, err
		}
	}
	for hour, t := range hours {
		if t == (tally{}) {
			continue
		}
		err = w.exec(ctx, `INSERT INTO post_hour (stream, hour, live, total) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET live = live + excluded.live, total = total + excluded.total`, id, hour, t.live, t.total)
		if err != nil {
			return 0, 0, err
		}
	}
	if outside > 0 {
		err = w.exec(ctx, "UPDATE stream SET outside = outside + ? WHERE id = ?", outside, id)
		if err != nil {
			return 0, 0, err
		}
	}
	if month := monthOf(start); month > droppedBefore {
		err = w.dropBefore(ctx, id, month)
		if err != nil {
			return 0, 0, err
		}
	}
	return stored, outside, nil
}

// putRow writes one post unless a later event of it stands.
func (w *writer) putRow(ctx context.Context, stream int64, r row, droppedBefore int, hours map[int64]tally) error {
	n, err := w.execCount(ctx, `INSERT INTO post (stream, post, account, at, kind, month, shape, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		stream, r.post, r.account, r.at, r.kind, r.month(), r.shape, r.doc)
	if err != nil {
		return err
	}
	if n == 0 {
		var id int64
		var old row
		err = w.queryRow(ctx, "SELECT id, at, kind, shape, doc FROM post WHERE stream = ? AND post = ?",
			[]any{stream, r.post}, &id, &old.at, &old.kind, &old.shape, &old.doc)
		if err != nil {
			return err
		}
		if !r.later(old.at, old.kind, old.doc) {
			return nil
		}
		err = w.exec(ctx, "UPDATE post SET account = ?, at = ?, kind = ?, month = ?, shape = ?, doc = ? WHERE id = ?",
			r.account, r.at, r.kind, r.month(), r.shape, r.doc, id)
		if err != nil {
			return err
		}
		// A post of a dropped month was counted as outside when the month was.
		if old.month() >= droppedBefore {
			count(hours, old, -1)
		}
	}
	count(hours, r, 1)
	return nil
}

func count(hours map[int64]tally, r row, sign int) {
	t := hours[r.hour()]
	t.total += sign
	if r.shape&shapeLive != 0 {
		t.live += sign
	}
	hours[r.hour()] = t
}

// dropBefore counts the posts before a month as outside; purge takes them away piece by piece, so
// that nobody waits for it. Until then they are not seen: reading keeps to the window itself.
func (w *writer) dropBefore(ctx context.Context, stream int64, month int) error {
	first := monthHour(month)
	err := w.exec(ctx, `UPDATE stream SET dropped_before = ?,
		outside = outside + (SELECT coalesce(sum(total), 0) FROM post_hour WHERE stream = ? AND hour < ?) WHERE id = ?`,
		month, stream, first, stream)
	if err != nil {
		return err
	}
	w.purging = true
	return w.exec(ctx, "DELETE FROM post_hour WHERE stream = ? AND hour < ?", stream, first)
}

// purgePiece is how many posts are taken away in one transaction.
const purgePiece = 2000

// purge takes some posts of dropped months away and tells whether there may be more.
func (w *writer) purge(ctx context.Context) (more bool, err error) {
	err = w.transact(ctx, false, func() error {
		var id int64
		// A stream has something to purge if its oldest month is a dropped one.
		err := w.queryRow(ctx, `SELECT id FROM stream WHERE
			(SELECT month FROM post WHERE post.stream = stream.id ORDER BY month LIMIT 1) < dropped_before LIMIT 1`, nil, &id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		more = true
		return w.exec(ctx, `DELETE FROM post WHERE id IN (SELECT id FROM post WHERE stream = ? AND
			month < (SELECT dropped_before FROM stream WHERE id = ?) LIMIT ?)`, id, id, purgePiece)
	})
	return more && err == nil, err
}
