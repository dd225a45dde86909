package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// folderFormat is the version of the data folder. A folder of a newer one is refused, and so is one of
// the first: its open cases are run by workflows that took unsigned verbs (docs/adr/012-deciding.md).
const folderFormat = 2

// folder is the data folder of one running process.
type folder struct {
	dir  string
	lock *os.File
	// fresh says that this start made the folder.
	fresh bool
}

// openFolder makes the folder if it is missing, takes its lock and checks its format.
func openFolder(dir string) (*folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the data folder: %w", err)
	}
	err = os.MkdirAll(abs, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f := &folder{dir: abs}
	f.lock, err = os.OpenFile(f.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder's lock: %w", err)
	}
	err = syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		_ = f.lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another process uses %s: stop it, or give this one a folder of its own with --data", abs)
		}
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	err = f.checkFormat()
	if err != nil {
		_ = f.lock.Close()
		return nil, err
	}
	return f, nil
}

func (f *folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

func (f *folder) checkFormat() error {
	type format struct {
		Format int `json:"format"`
	}
	data, err := os.ReadFile(f.path("format.json"))
	if errors.Is(err, os.ErrNotExist) {
		f.fresh = true
		data, err = json.Marshal(format{Format: folderFormat})
		if err != nil {
			return fmt.Errorf("encode the folder's format: %w", err)
		}
		return writeFile(f.path("format.json"), data)
	}
	if err != nil {
		return fmt.Errorf("read the folder's format: %w", err)
	}
	var have format
	err = json.Unmarshal(data, &have)
	switch {
	case err != nil || have.Format < 1:
		return fmt.Errorf("%s is damaged: it should hold {\"format\":%d}", f.path("format.json"), folderFormat)
	case have.Format < folderFormat:
		return fmt.Errorf("%s has format %d, which this Docket does not go on with: its cases are from before verbs were signed. Start with another folder (--data DIR)", f.dir, have.Format)
	case have.Format > folderFormat:
		return fmt.Errorf("%s has format %d, written by a newer Docket; this one knows up to %d", f.dir, have.Format, folderFormat)
	}
	return nil
}

// checkOurs refuses a folder that is somebody else's: one without a format file that holds more than
// a start writes before that file.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case "format.json":
			return nil
		case "lock", "docket.log", "format.json.tmp":
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("%s holds %s and no format.json, so it is no data folder: name an empty one with --data", dir, foreign)
	}
	return nil
}

// close frees the folder for another process.
func (f *folder) close() error {
	err := f.lock.Close()
	if err != nil {
		return fmt.Errorf("free the data folder: %w", err)
	}
	return nil
}

// writeFile replaces a file of the owner's alone in one step.
func writeFile(path string, data []byte) error {
	tmp := path + ".tmp"
	err := os.WriteFile(tmp, data, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", tmp, err)
	}
	err = os.Rename(tmp, path)
	if err != nil {
		return fmt.Errorf("put %s in its place: %w", path, err)
	}
	return nil
}
