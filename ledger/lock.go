package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/docket-triage/docket/casefile"
)

const lockFile = "writer.lock"

// lockWriter takes the folder's writer lock, which the system drops when the process ends. The
// error is CodeState while somebody else holds it.
func lockWriter(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, casefile.Errorf(casefile.CodeState, "another process writes the ledger in %s", dir)
	}
	return nil, fmt.Errorf("lock the ledger: %w", err)
}
