package stream

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func eventLine(id string, minute int) string {
	at := time.Date(2026, 3, 2, 8, minute, 0, 0, time.UTC).Format(time.RFC3339)
	return fmt.Sprintf(`{"platform":"synthetic","id":%q,"account":{"id":"a1"},"text":"post %s","at":%q}`, id, id, at)
}

// write makes a file of lines, compressed when its name says so.
func write(t *testing.T, path string, lines ...string) string {
	t.Helper()
	data := []byte(strings.Join(lines, "\n") + "\n")
	if strings.HasSuffix(path, ".gz") {
		var buf bytes.Buffer
		zw := gzip.NewWriter(&buf)
		_, err := zw.Write(data)
		require.NoError(t, err)
		require.NoError(t, zw.Close())
		data = buf.Bytes()
	}
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// drain reads at most max batches (all for 0) and gives the ids, the last token and the bytes.
func drain(t *testing.T, s *Files, max int) (ids []string, token Token, size int64) {
	t.Helper()
	for n := 0; max == 0 || n < max; n++ {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		for _, e := range b.Events {
			ids = append(ids, e.ID)
		}
		token, size = b.Token, size+b.Bytes
	}
	return ids, token, size
}

func open(t *testing.T, o Options) *Files {
	t.Helper()
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestFilesAreMergedByTimeAndKeepTheirOwnOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "a.ndjson"), eventLine("a1", 1), eventLine("a5", 5), eventLine("a4", 4), eventLine("a9", 9))
	b := write(t, filepath.Join(dir, "b.ndjson.gz"), eventLine("b1", 1), eventLine("b2", 2), eventLine("b7", 7))
	ids, _, size := drain(t, open(t, Options{Files: []string{a, b}, BatchSize: 2}), 0)
	require.Equal(t, []string{"a1", "b1", "b2", "a5", "a4", "b7", "a9"}, ids)
	require.Equal(t, int64(7*(len(eventLine("a1", 1))+1)), size)
}

func TestGzipIsToldByItsBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gz := write(t, filepath.Join(dir, "x.gz"), eventLine("1", 1))
	plain := filepath.Join(dir, "noname")
	require.NoError(t, os.Rename(gz, plain))
	ids, _, _ := drain(t, open(t, Options{Files: []string{plain}}), 0)
	require.Equal(t, []string{"1"}, ids)
}

func TestResumeReadsNothingTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var la, lb []string
	for i := range 20 {
		la = append(la, eventLine(fmt.Sprint("a", i), 2*i))
		lb = append(lb, eventLine(fmt.Sprint("b", i), i), "broken")
	}
	files := []string{write(t, filepath.Join(dir, "a"), la...), write(t, filepath.Join(dir, "b.gz"), lb...)}
	rejects := 0
	count := func(Reject) { rejects++ }
	want, end, size := drain(t, open(t, Options{Files: files, BatchSize: 7, Rejects: count}), 0)
	require.Len(t, want, 40)
	require.Equal(t, 20, rejects)
	for stop := range 7 {
		t.Run(fmt.Sprint("after batches ", stop), func(t *testing.T) {
			rejects := 0
			count := func(Reject) { rejects++ }
			first, err := Open(t.Context(), Options{Files: files, BatchSize: 7, Rejects: count})
			require.NoError(t, err)
			got, token, n := drain(t, first, stop)
			if stop == 0 {
				got, token, n = nil, "", 0
				rejects = 0
			}
			require.NoError(t, first.Close())
			second := open(t, Options{Files: files, BatchSize: 3, Resume: token, Rejects: count})
			rest, last, m := drain(t, second, 0)
			require.Equal(t, want, append(got, rest...))
			require.Equal(t, size, n+m)
			if len(rest) > 0 {
				require.Equal(t, end, last)
			}
			require.Equal(t, second.Progress().Total, second.Progress().Done)
		})
	}
	again, err := open(t, Options{Files: files, Resume: end}).Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
	require.Empty(t, again.Events)
}

func TestResumeKnowsFilesAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a"), eventLine("1", 1), eventLine("2", 2))
	other := write(t, filepath.Join(dir, "b"), eventLine("b1", 1))
	_, token, _ := drain(t, open(t, Options{Files: []string{path}}), 0)

	t.Run("moved to another folder", func(t *testing.T) {
		moved := write(t, filepath.Join(t.TempDir(), "a"), eventLine("1", 1), eventLine("2", 2))
		ids, _, _ := drain(t, open(t, Options{Files: []string{moved}, Resume: token}), 0)
		require.Empty(t, ids)
	})
	t.Run("grown", func(t *testing.T) {
		grown := write(t, filepath.Join(t.TempDir(), "a"), eventLine("1", 1), eventLine("2", 2), eventLine("3", 3))
		ids, _, _ := drain(t, open(t, Options{Files: []string{grown}, Resume: token}), 0)
		require.Equal(t, []string{"3"}, ids)
	})
	t.Run("another of the same name", func(t *testing.T) {
		another := write(t, filepath.Join(t.TempDir(), "a"), eventLine("x", 1), eventLine("y", 2))
		ids, _, _ := drain(t, open(t, Options{Files: []string{another}, Resume: token}), 0)
		require.Equal(t, []string{"x", "y"}, ids)
	})
	t.Run("left out for one run", func(t *testing.T) {
		ids, between, _ := drain(t, open(t, Options{Files: []string{other}, Resume: token}), 0)
		require.Equal(t, []string{"b1"}, ids)
		ids, _, _ = drain(t, open(t, Options{Files: []string{path, other}, Resume: between}), 0)
		require.Empty(t, ids)
	})
}

func TestResumeRefusesAFileShorterThanWhatWasRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "packed.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Heads of equal bytes over 4 KiB, so that only the length differs.
			var lines []string
			for i := range 4000 {
				lines = append(lines, eventLine(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)})), 1))
			}
			long := write(t, filepath.Join(t.TempDir(), name), lines...)
			_, token, _ := drain(t, open(t, Options{Files: []string{long}}), 0)
			data, err := os.ReadFile(long)
			require.NoError(t, err)
			short := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(short, data[:len(data)*4/5], 0o600))
			_, err = Open(t.Context(), Options{Files: []string{short}, Resume: token})
			require.Error(t, err)
		})
	}
}

func TestBadLinesAreToldAndSkipped(t *testing.T) {
	t.Parallel()
	long := `{"platform":"synthetic","text":"` + strings.Repeat("x", casefile.MaxEventBytes) + `"}`
	path := write(t, filepath.Join(t.TempDir(), "f"),
		"not json", eventLine("1", 1), "", "  ", `{"platform":"synthetic","id":"2","account":{},"at":"2026-03-02T08:00:00Z"}`,
		long, `{"platform":"synthetic","id":7}`, eventLine("2", 2), "{")
	var sink bytes.Buffer
	s := open(t, Options{Files: []string{path}, Format: FormatEvent, Rejects: RejectWriter(&sink, func(err error) { t.Error(err) })})
	ids, _, _ := drain(t, s, 0)
	require.Equal(t, []string{"1", "2"}, ids)
	require.Equal(t, int64(5), s.Rejected())

	type rec struct {
		File  string
		Line  int64
		Code  casefile.Code
		Field string
		Error string
	}
	var got []rec
	dec := json.NewDecoder(&sink)
	for dec.More() {
		var r rec
		require.NoError(t, dec.Decode(&r))
		require.NotEmpty(t, r.Error)
		r.Error = ""
		got = append(got, r)
	}
	require.Equal(t, []rec{
		{File: "f", Line: 1, Code: casefile.CodeInvalid},
		{File: "f", Line: 5, Code: casefile.CodeInvalid, Field: "account.id"},
		{File: "f", Line: 6, Code: casefile.CodeTooLarge},
		{File: "f", Line: 7, Code: casefile.CodeInvalid, Field: "id"},
		{File: "f", Line: 9, Code: casefile.CodeInvalid},
	}, got)
}

func TestAFileOfBadLinesMovesTheToken(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "f"), "x", "y")
	s := open(t, Options{Files: []string{path}})
	ids, token, size := drain(t, s, 0)
	require.Empty(t, ids)
	require.Equal(t, int64(4), size)
	require.Equal(t, int64(2), s.Rejected())
	again := open(t, Options{Files: []string{path}, Resume: token})
	drain(t, again, 0)
	require.Zero(t, again.Rejected())
}

func TestRejectWriterTellsOfABrokenSinkOnce(t *testing.T) {
	t.Parallel()
	n := 0
	sink := RejectWriter(brokenWriter{}, func(error) { n++ })
	sink(Reject{File: "f", Line: 1, Err: errors.New("x")})
	sink(Reject{File: "f", Line: 2, Err: errors.New("x")})
	require.Equal(t, 1, n)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestBrokenCompressionIsAnErrorBehindTheEvents(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 4000 {
		lines = append(lines, eventLine(fmt.Sprint(i, " ", i*7919%1000), i%60))
	}
	path := write(t, filepath.Join(t.TempDir(), "f.gz"), lines...)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)-200], 0o600))
	s := open(t, Options{Files: []string{path}})
	n := 0
	for {
		b, err := s.Next(t.Context())
		if err != nil {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			break
		}
		n += len(b.Events)
	}
	require.Positive(t, n)
	require.Less(t, n, 4000)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "f"), eventLine("1", 1))
	for name, o := range map[string]Options{
		"no file":               {},
		"the same file twice":   {Files: []string{path, path}},
		"an unknown format":     {Files: []string{path}, Format: "xml"},
		"a foreign token":       {Files: []string{path}, Resume: "42"},
		"a token of the future": {Files: []string{path}, Resume: `{"v":2,"files":[]}`},
		"a token out of range":  {Files: []string{path}, Resume: `{"v":1,"files":[{"offset":-1}]}`},
		"a folder":              {Files: []string{filepath.Dir(path)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), o)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%v", err)
		})
	}
	_, err := Open(t.Context(), Options{Files: []string{path + ".missing"}})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestNextStopsWithItsContext(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "f"), eventLine("1", 1), eventLine("2", 2))
	s := open(t, Options{Files: []string{path}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)
	ids, _, _ := drain(t, s, 0)
	require.Equal(t, []string{"1", "2"}, ids, "a cancelled call loses nothing")
}

func TestProgress(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 1, Progress{}.Fraction(), 0)
	require.InDelta(t, 0.5, Progress{Done: 1, Total: 2}.Fraction(), 0)
	require.InDelta(t, 1, Progress{Done: 3, Total: 2}.Fraction(), 0)
}
