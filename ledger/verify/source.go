package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Source is where a log is read from.
type Source interface {
	// Read reads the file at a tlog-tiles path, at most limit bytes. A missing file gives an error
	// that is fs.ErrNotExist, a longer one a CodeTooLarge error.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
}

// leftovers is a Source that can tell which partial tiles it holds besides those that the
// checkpoint needs. They are checked too where they can be listed.
type leftovers interface {
	// widths lists the partial widths that are stored for a tile.
	widths(level int, n int64) ([]int, error)
}

// Open gives the Source that a folder's path or an http(s) URL names.
func Open(dirOrURL string) (Source, error) {
	if strings.HasPrefix(dirOrURL, "http://") || strings.HasPrefix(dirOrURL, "https://") {
		return HTTP(dirOrURL, nil)
	}
	info, err := os.Stat(dirOrURL)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeNotFound, Message: "the log's folder cannot be opened", Err: err}
	}
	if !info.IsDir() {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a log is a folder or an http(s) URL")
	}
	return Dir(dirOrURL), nil
}

// Dir is a log in a folder.
type Dir string

// Read reads a file of the folder.
func (d Dir) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(path)))
	if err != nil {
		return nil, fmt.Errorf("open a file of the log: %w", err)
	}
	defer func() { _ = f.Close() }()
	return readLimited(f, limit)
}

func (d Dir) widths(level int, n int64) ([]int, error) {
	// A full tile's path and ".p" make the folder of its partial ones.
	names, err := os.ReadDir(filepath.Join(string(d), filepath.FromSlash(tilePath(level, n, tileWidth)+".p")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list partial tiles: %w", err)
	}
	var out []int
	for _, name := range names {
		w, err := strconv.Atoi(name.Name())
		// Anything else is what a crash left of a file that never came to be part of the log.
		if err == nil && w > 0 && w < tileWidth && strconv.Itoa(w) == name.Name() {
			out = append(out, w)
		}
	}
	return out, nil
}

// httpTimeout bounds one request, body included.
const httpTimeout = 30 * time.Second

type httpSource struct {
	base   *url.URL
	client *http.Client
}

// HTTP is a log served under a URL, read with client; nil means one that gives each request 30 s
// and follows no redirect to another host. A malformed URL is a CodeInvalid error.
func HTTP(base string, client *http.Client) (Source, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a log's address is an http(s) URL")
	}
	if client == nil {
		client = &http.Client{Timeout: httpTimeout, CheckRedirect: sameHost}
	}
	return httpSource{base: u, client: client}, nil
}

func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 || req.URL.Host != via[0].URL.Host {
		return errors.New("the log redirects elsewhere")
	}
	return nil
}

// Read fetches a file of the log.
func (s httpSource) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.JoinPath(path).String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for a file of the log: %w", err)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "the log cannot be reached", Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
		return readLimited(res.Body, limit)
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("the log's server answers %d: %w", res.StatusCode, fs.ErrNotExist)
	}
	return nil, casefile.Errorf(casefile.CodeUnavailable, "the log's server answers %d", res.StatusCode)
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "a file of the log cannot be read", Err: err}
	}
	if int64(len(data)) > limit {
		return nil, casefile.Errorf(casefile.CodeTooLarge, "a file of the log is longer than %d bytes", limit)
	}
	return data, nil
}

// readTile reads a tile that the log fills to width, from its partial file or, once that is gone,
// from the full one. It returns the path of the file that it read, or should have.
func readTile(ctx context.Context, src Source, level int, n int64, width int) (data []byte, path string, err error) {
	limit := int64(maxTileBytes)
	if level == entryLevel {
		limit = maxEntriesBytes
	}
	path = tilePath(level, n, width)
	data, err = src.Read(ctx, path, limit)
	if width < tileWidth && errors.Is(err, fs.ErrNotExist) {
		full := tilePath(level, n, tileWidth)
		data, fullErr := src.Read(ctx, full, limit)
		if !errors.Is(fullErr, fs.ErrNotExist) {
			return data, full, fullErr
		}
	}
	return data, path, err
}
