package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/indextest"
)

var day0 = time.Date(2024, 1, 20, 8, 0, 0, 0, time.UTC)

const keyA = casefile.AccountKey("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

func post(n int, at time.Time, text string) indexing.Post {
	return indexing.Post{Account: keyA, Event: casefile.Event{
		Kind: casefile.EventPost, Platform: "synthetic", ID: fmt.Sprintf("post-%d", n), Text: text, At: at,
		Account: casefile.Account{ID: "id-a", Handle: "handle_a"},
	}}
}

func caseDoc(n int, text string) indexing.CaseDoc {
	return indexing.CaseDoc{Ref: casefile.CaseRef(fmt.Sprintf("%05d-AAAAA", n)), Platform: "synthetic",
		OpenedAt: day0.Add(time.Duration(n) * time.Second), Text: text, Revision: 1}
}

func TestWhatIsWrittenIsThereAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "with space & sign?#%.db")
	x, err := Open(t.Context(), path, Options{})
	require.NoError(t, err)
	_, err = x.PutPosts(t.Context(), []indexing.Post{post(1, day0, "one")})
	require.NoError(t, err)
	require.NoError(t, x.PutCase(t.Context(), caseDoc(1, "grey banner")))
	require.NoError(t, x.Close())
	require.NoError(t, x.Close(), "closing twice is closing once")
	require.FileExists(t, path)

	x = open(t, path, Options{})
	h, err := x.AccountHistory(t.Context(), "synthetic", keyA, 5)
	require.NoError(t, err)
	require.Equal(t, 1, h.Posts)
	page, err := x.Search(t.Context(), indexing.CaseQuery{Text: "banner"})
	require.NoError(t, err)
	require.Equal(t, []indexing.CaseDoc{caseDoc(1, "grey banner")}, page.Cases)
}

func TestAClosedIndexRefuses(t *testing.T) {
	t.Parallel()
	x, err := Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), Options{})
	require.NoError(t, err)
	require.NoError(t, x.Close())
	_, putErr := x.PutPosts(t.Context(), []indexing.Post{post(1, day0, "one")})
	_, searchErr := x.Search(t.Context(), indexing.CaseQuery{})
	_, historyErr := x.AccountHistory(t.Context(), "synthetic", keyA, 1)
	_, coverageErr := x.Coverage(t.Context(), "synthetic")
	for i, err := range []error{putErr, searchErr, historyErr, coverageErr, x.PutCase(t.Context(), caseDoc(1, "a")), x.Ping(t.Context())} {
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), i)
	}
}

func TestACancelledCallIsNotAFault(t *testing.T) {
	t.Parallel()
	x := open(t, filepath.Join(t.TempDir(), "index.db"), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := x.PutPosts(ctx, []indexing.Post{post(1, day0, "one")})
	require.ErrorIs(t, err, context.Canceled)
	_, err = x.Search(ctx, indexing.CaseQuery{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, x.Ping(t.Context()), "and harms nobody else")
}

func TestANewerFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path, Options{})
	require.NoError(t, x.Close())
	db, err := connect(path, 1)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(t.Context(), path, Options{})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
}

func TestAFileThatIsNoIndexIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600))
	_, err := Open(t.Context(), path, Options{})
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

func TestOtherTokensAreIndexedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path, Options{Fast: true})
	for i := range 1203 {
		require.NoError(t, x.PutCase(t.Context(), caseDoc(i, "grey banner")))
	}
	require.NoError(t, x.Close())
	db, err := connect(path, 1)
	require.NoError(t, err)
	for _, q := range []string{
		"INSERT INTO case_text (case_text) VALUES ('delete-all')", "INSERT INTO case_text (rowid, text) VALUES (7, 'stale')",
		"UPDATE meta SET value = 'fold-0/split-0' WHERE name = 'text_version'",
	} {
		_, err = db.ExecContext(t.Context(), q)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())

	x = open(t, path, Options{})
	page, err := x.Search(t.Context(), indexing.CaseQuery{Text: "banner"})
	require.NoError(t, err)
	require.Equal(t, 1203, page.Total)
	page, err = x.Search(t.Context(), indexing.CaseQuery{Text: "stale"})
	require.NoError(t, err)
	require.Zero(t, page.Total)
}

// TestDroppedMonthsLeaveTheFile waits for the purge by writing: a piece is taken away after each.
func TestDroppedMonthsLeaveTheFile(t *testing.T) {
	t.Parallel()
	x := open(t, filepath.Join(t.TempDir(), "index.db"), Options{})
	var posts []indexing.Post
	const n = 2*purgePiece + 10
	for i := range n {
		posts = append(posts, post(i, day0.Add(time.Duration(i)*time.Second), "one"))
	}
	_, err := x.PutPosts(t.Context(), posts)
	require.NoError(t, err)
	stored := func() (rows int) {
		require.NoError(t, x.read.QueryRowContext(t.Context(), "SELECT count(*) FROM post").Scan(&rows))
		return rows
	}
	require.Equal(t, n, stored())

	_, err = x.PutPosts(t.Context(), []indexing.Post{post(n, day0.Add(35*24*time.Hour), "february")})
	require.NoError(t, err)
	require.Equal(t, n+1, stored(), "January has left the window only in part of its days")
	c, err := x.Coverage(t.Context(), "synthetic")
	require.NoError(t, err)
	require.Equal(t, 1, c.Posts)
	require.Equal(t, n, c.Outside)

	_, err = x.PutPosts(t.Context(), []indexing.Post{post(n+1, day0.Add(60*24*time.Hour), "march")})
	require.NoError(t, err)
	for range 10 {
		require.NoError(t, x.submit(t.Context(), false, func(context.Context, *writer) error { return nil }))
	}
	require.Equal(t, 2, stored())
	c, err = x.Coverage(t.Context(), "synthetic")
	require.NoError(t, err)
	require.Equal(t, 2, c.Posts)
	require.Equal(t, n, c.Outside, "what was dropped stays counted")
}

func TestOneRequestsFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	x := open(t, filepath.Join(t.TempDir(), "index.db"), Options{})
	broken := errors.New("broken")
	blocked, entered := make(chan struct{}), make(chan struct{})
	results := make(chan error, 3)
	// While the first write is held up, the other three gather and share a transaction.
	go func() {
		results <- x.submit(t.Context(), false, func(context.Context, *writer) error { close(entered); <-blocked; return nil })
	}()
	<-entered
	a := &request{ctx: t.Context(), done: make(chan error, 1), do: func(ctx context.Context, w *writer) error {
		return w.putCase(ctx, caseDoc(1, "one"), []byte("{}"), termsOf(caseDoc(1, "one")))
	}}
	b := &request{ctx: t.Context(), done: make(chan error, 1), do: func(ctx context.Context, w *writer) error {
		err := w.putCase(ctx, caseDoc(2, "two"), []byte("{}"), termsOf(caseDoc(2, "two")))
		return errors.Join(err, broken)
	}}
	c := &request{ctx: t.Context(), done: make(chan error, 1), do: func(ctx context.Context, w *writer) error {
		return w.putCase(ctx, caseDoc(3, "three"), []byte("{}"), termsOf(caseDoc(3, "three")))
	}}
	for _, r := range []*request{a, b, c} {
		x.requests <- r
	}
	close(blocked)
	require.NoError(t, <-results)
	require.NoError(t, <-a.done)
	require.ErrorIs(t, <-b.done, broken)
	require.NoError(t, <-c.done)
	for text, want := range map[string]int{"one": 1, "two": 0, "three": 1} {
		page, err := x.Search(t.Context(), indexing.CaseQuery{Text: text})
		require.NoError(t, err)
		require.Equal(t, want, page.Total, text)
	}
}

// TestErasedWordsAreNotInTheFile looks for the words of a deleted post and of an earlier revision
// in every byte of the closed file.
func TestErasedWordsAreNotInTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, filepath.Join(dir, "index.db"), Options{})
	_, err := x.PutPosts(t.Context(), []indexing.Post{post(1, day0, "vanishingpostword"), post(2, day0, "stayingpostword")})
	require.NoError(t, err)
	require.NoError(t, x.PutCase(t.Context(), caseDoc(1, "vanishingcaseword stayingcaseword")))
	gone := post(1, day0.Add(time.Hour), "")
	gone.Event.Kind = casefile.EventDelete
	_, err = x.PutPosts(t.Context(), []indexing.Post{gone})
	require.NoError(t, err)
	doc := caseDoc(1, "stayingcaseword")
	doc.Revision = 2
	require.NoError(t, x.PutCase(t.Context(), doc))
	require.NoError(t, x.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		all = append(all, b...)
	}
	require.Contains(t, string(all), "stayingpostword")
	require.Contains(t, string(all), "stayingcaseword")
	require.NotContains(t, string(all), "vanishingpostword")
	require.NotContains(t, string(all), "vanishingcaseword")
}

func TestEscapeKeepsTokensApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range []string{"VE-05", "ve-05", "VE_05", "VE05", "ve_2d05", "_", "__", "_5f", "a", "A", "🔥", "\x00", "é", " ", `"`} {
		e := escape(s)
		require.Empty(t, seen[e], "%q and %q", s, seen[e])
		seen[e] = s
		require.NotContains(t, e, " ")
		require.NotContains(t, e, `"`)
	}
}

func FuzzSearch(f *testing.F) {
	for _, s := range indextest.Hostile {
		f.Add(s, s)
	}
	x := open(f, filepath.Join(f.TempDir(), "index.db"), Options{Fast: true})
	require.NoError(f, x.PutCase(f.Context(), caseDoc(1, "grey banner")))
	f.Fuzz(func(t *testing.T, text, queue string) {
		q := indexing.CaseQuery{Text: text, Queue: queue}
		tokens, err := indexing.QueryTokens(text)
		page, searchErr := x.Search(t.Context(), q)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(searchErr))
			return
		}
		require.NoError(t, searchErr)
		if len(tokens) > 0 || queue != "" {
			return
		}
		require.Equal(t, 1, page.Total)
	})
}

// FuzzIndexed finds every document by each of its own tokens and by its queue.
func FuzzIndexed(f *testing.F) {
	for _, s := range indextest.Hostile {
		f.Add(s, s)
	}
	x := open(f, filepath.Join(f.TempDir(), "index.db"), Options{Fast: true})
	revision := 0
	f.Fuzz(func(t *testing.T, text, queue string) {
		revision++
		doc := caseDoc(1, text)
		doc.Queue, doc.Revision = queue, revision
		require.NoError(t, x.PutCase(t.Context(), doc))
		for _, tok := range indexing.DocTokens(doc) {
			page, err := x.Search(t.Context(), indexing.CaseQuery{Text: tok, Queue: queue})
			require.NoError(t, err)
			require.Equal(t, 1, page.Total, "%q", tok)
		}
	})
}

// TestPromise09ForgottenByAnotherProcess: whoever has the same file open does not bring a forgotten account's
// posts back either.
func TestPromise09ForgottenByAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.sqlite")
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	open := func() *Index {
		x, err := Open(t.Context(), path, Options{Fast: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, x.Close()) })
		return x
	}
	one, other := open(), open()
	post := []indexing.Post{{Account: "a", Event: casefile.Event{Kind: casefile.EventPost, Platform: "synthetic", ID: "p1", Text: "words", At: at}}}
	res, err := one.PutPosts(t.Context(), post)
	require.NoError(t, err)
	require.Equal(t, 1, res.Stored)
	require.NoError(t, other.ForgetAccount(t.Context(), "synthetic", "a", at))
	res, err = one.PutPosts(t.Context(), post)
	require.NoError(t, err)
	require.Equal(t, indexing.PostResult{Outside: 1}, res)
	h, err := other.AccountHistory(t.Context(), "synthetic", "a", 1)
	require.NoError(t, err)
	require.Zero(t, h.Posts)
}
