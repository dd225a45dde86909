package ledger

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
)

// Handler serves the log read-only under the paths of C2SP tlog-tiles: /checkpoint,
// /tile/LEVEL/INDEX and /tile/entries/INDEX, partial ones with .p/WIDTH. Every other path is not
// found; every method but GET and HEAD is refused. It asks nobody who they are: entries hold
// commitments and codes, and whether the public may read those is for whoever mounts it to say.
func (l *Log) Handler() http.Handler { return tiles{dir: l.dir} }

type tiles struct{ dir string }

// ServeHTTP answers one request.
func (t tiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	known := path == layout.CheckpointPath || isTilePath(path)
	if !known {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	data, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(path)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
		return
	case err != nil:
		http.Error(w, "the log cannot be read", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if path == layout.CheckpointPath {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
	} else {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(data) // a reader who has gone away is nobody's fault
	}
}

// isTilePath reports whether path is exactly how tlog-tiles writes some tile or entry bundle.
func isTilePath(path string) bool {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return false
	}
	level, index, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	n, width, err := layout.ParseTileIndexPartial(index)
	if err != nil {
		return false
	}
	if level == "entries" {
		return path == layout.EntriesPath(n, width)
	}
	l, err := layout.ParseTileLevel(level)
	return err == nil && path == layout.TilePath(l, n, width)
}
