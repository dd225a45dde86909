package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
)

//go:embed static templates
var files embed.FS

// asset is one of the console's own files. Its address holds its hash, so it may be kept for ever.
type asset struct {
	data []byte
	kind string
}

var assetKinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func readAssets() (map[string]asset, error) {
	entries, err := files.ReadDir("static")
	if err != nil {
		return nil, fmt.Errorf("list the console's files: %w", err)
	}
	out := map[string]asset{}
	for _, e := range entries {
		data, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the console's files: %w", err)
		}
		sum := sha256.Sum256(data)
		out["/static/"+hex.EncodeToString(sum[:8])+"/"+e.Name()] = asset{data: data, kind: assetKinds[path.Ext(e.Name())]}
	}
	return out, nil
}

func (c *Console) serveAsset(w http.ResponseWriter, r *http.Request) {
	a := c.static[r.URL.Path]
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", a.kind)
	_, _ = w.Write(a.data) // the browser is gone: nobody is left to tell
}
