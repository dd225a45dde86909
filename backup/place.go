package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// CopyTree copies a file, or a folder's files without those named, to a place that does not hold them, for
// the owner alone. An error is fs.ErrNotExist where there is nothing to copy.
func CopyTree(ctx context.Context, from, to string, but ...string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular() || slices.Contains(but, rel):
			return nil
		}
		return copySynced(p, target)
	})
}

func copySynced(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// WriteSynced writes a file that is not there yet, for the owner alone, and waits until it is on the disk.
func WriteSynced(name string, data []byte) error {
	err := writeSynced(name, data)
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}
