package assembly

import (
	"path/filepath"

	"github.com/docket-triage/docket/config"
)

// DataFolder is what production's file would say of a standalone data folder's stores.
func DataFolder(dir string) config.Config {
	c := config.Default()
	c.Keys.Dir = filepath.Join(dir, "keys")
	c.Records.SQLite = filepath.Join(dir, "records.sqlite")
	c.Evidence.Dir = filepath.Join(dir, "evidence")
	c.Index.Embedded = filepath.Join(dir, "index.sqlite")
	c.Ledger.Dir = filepath.Join(dir, "ledger")
	c.Ledger.VerifierKeyFile = filepath.Join(dir, "keys", "log.pub")
	c.Detect.Snapshot = filepath.Join(dir, "detector.snapshot")
	return c
}
