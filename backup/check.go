package backup

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// maxFaults is how many faults of a backup are listed.
const maxFaults = 1000

// Report is what came of checking a backup.
type Report struct {
	Manifest Manifest      `json:"manifest"`
	Log      verify.Report `json:"log"`
	Faults   []string      `json:"faults"` // beside those of the log
}

// OK reports whether the backup is whole.
func (r Report) OK() bool { return len(r.Faults) == 0 && r.Log.OK() }

// Err is nil for a whole backup, else a CodeUnproven error with the first fault.
func (r Report) Err() error {
	switch {
	case len(r.Faults) > 0:
		return casefile.Errorf(casefile.CodeUnproven, "the backup is not whole: %s", r.Faults[0])
	case !r.Log.OK():
		return fmt.Errorf("the backup is not whole: %w", r.Log.Err())
	}
	return nil
}

// ReadManifest reads a backup's manifest. CodeNotFound where there is none: no backup, or one that was cut
// off.
func ReadManifest(dir string) (Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, &casefile.Error{Code: casefile.CodeNotFound, Message: dir + " holds no " + ManifestFile + ": it is no backup, or one that was cut off", Err: err}
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	return ParseManifest(data)
}

// Check checks a backup: every file is there and as it was written, no other is, and the log verifies
// under its key, which is pinned where key is not "". The error is for what kept it from being checked.
func Check(ctx context.Context, dir, key string) (Report, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return Report{}, err
	}
	r := Report{Manifest: m, Faults: []string{}}
	err = r.checkFiles(ctx, dir)
	if err != nil {
		return r, fmt.Errorf("check a backup: %w", err)
	}
	own, err := os.ReadFile(filepath.Join(dir, LogKeyFile))
	if err != nil {
		r.fault("%s: cannot be read", LogKeyFile)
		return r, nil
	}
	if key == "" {
		key = strings.TrimSpace(string(own))
	}
	r.Log, err = verify.Log(ctx, verify.Dir(filepath.Join(dir, LedgerDir)), key, verify.Options{})
	if err != nil {
		return r, fmt.Errorf("check a backup: %w", err)
	}
	c := r.Log.Checkpoint
	if got := (Checkpoint{Origin: c.Origin, Size: c.Size, Root: hex.EncodeToString(c.Root[:])}); r.Log.OK() && got != m.Checkpoint {
		r.fault("%s/checkpoint is not the one that the manifest names", LedgerDir)
	}
	return r, nil
}

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

func (r *Report) checkFiles(ctx context.Context, dir string) error {
	_, sum, err := hashFile(filepath.Join(dir, FilesFile))
	if err != nil || sum != r.Manifest.FilesHash {
		r.fault("%s is not the one that the manifest names", FilesFile)
		return nil
	}
	list, err := os.Open(filepath.Join(dir, FilesFile))
	if err != nil {
		return err
	}
	defer func() { _ = list.Close() }()
	listed := map[string]bool{}
	var bytes int64
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f, err := ParseFile(lines.Bytes())
		if err != nil || listed[f.Path] {
			r.fault("%s: line %d is none, or names a file again", FilesFile, len(listed)+1)
			return nil
		}
		listed[f.Path] = true
		bytes += f.Bytes
		n, sum, err := hashFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.fault("%s: is missing", f.Path)
		case err != nil:
			r.fault("%s: cannot be read", f.Path)
		case n != f.Bytes || sum != f.Hash:
			r.fault("%s: is not what was written", f.Path)
		}
	}
	err = lines.Err()
	if err != nil {
		return fmt.Errorf("read the list of files: %w", err)
	}
	if len(listed) != r.Manifest.Files || bytes != r.Manifest.Bytes {
		r.fault("%s does not hold the files that the manifest counts", FilesFile)
	}
	return r.checkOthers(dir, listed)
}

// checkOthers names files that are not listed.
func (r *Report) checkOthers(dir string, listed map[string]bool) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !listed[name] && !slices.Contains([]string{ManifestFile, FilesFile}, name) {
			r.fault("%s: is not part of the backup", name)
		}
		return nil
	})
}
