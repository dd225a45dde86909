package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// logKey is the ledger's public key.
func (r *run) logKey() (string, error) {
	data, err := os.ReadFile(filepath.Join(r.path("data"), "keys", "log.pub"))
	if err != nil {
		return "", fmt.Errorf("read the ledger's public key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}
