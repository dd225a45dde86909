package assembly

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
)

// patience bounds every wait; it is not a timing claim.
const patience = 30 * time.Second

// logged is a log to be read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// says waits until the log holds a text.
func (l *logged) says(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(l.String(), text) }, patience, 10*time.Millisecond, "the log never said %q:\n%s", text, l)
}

// testConfig is a configuration over files in a fresh folder, with all keys in keys/.
func testConfig(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	keyring, err := evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: keys, Skeleton: fold.String})
	require.NoError(t, err)
	require.NoError(t, keyring.Close())
	c := config.Default()
	c.Fast = true
	c.Keys.Dir = keys
	c.Records.SQLite = filepath.Join(dir, "records.sqlite")
	c.Evidence.Dir = filepath.Join(dir, "evidence")
	c.Temporal.Address = "127.0.0.1:1" // nobody answers there
	c.Index.Embedded = filepath.Join(dir, "index.sqlite")
	c.Ledger.Dir = filepath.Join(dir, "ledger")
	c.Ledger.VerifierKeyFile = filepath.Join(keys, "log.pub")
	c.Platforms = []config.Platform{{Name: config.AnyPlatform, Adapter: config.AdapterDryrun, File: filepath.Join(dir, "dryrun.ndjson")}}
	c.Serve.Listen = "127.0.0.1:0"
	c.Detect.Files = []string{filepath.Join(dir, "events.ndjson")}
	require.NoError(t, os.WriteFile(c.Detect.Files[0], nil, 0o600))
	c.Detect.Snapshot = filepath.Join(dir, "detector.snapshot")
	c.Detect.Door = "http://127.0.0.1:1"
	c.Detect.Token = "an-invented-token"
	return c
}

// process makes a process that is stopped with the test.
func process(t *testing.T, c config.Config, roles ...config.Role) (*Process, *logged) {
	t.Helper()
	log := &logged{}
	p := New(c, slog.New(slog.NewJSONHandler(log, nil)), roles...)
	t.Cleanup(func() { require.NoError(t, p.Stop(context.WithoutCancel(t.Context()))) })
	return p, log
}

// move moves files of a keys folder to a folder of their own and gives its path.
func move(t *testing.T, from string, files ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.Mkdir(to, 0o700))
	for _, name := range files {
		require.NoError(t, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
	}
	return to
}
