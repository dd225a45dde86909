package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// Sources are what is copied. Nothing is written to any of them.
type Sources struct {
	// Records writes a consistent copy of the records to a path, as they stand at one moment.
	Records func(ctx context.Context, to string) error
	// Identity gives the fingerprint of the identity key that the copied records name.
	Identity func(ctx context.Context, copied string) (string, error)
	Evidence string // the sealed store's folder; "" where it is kept apart
	Log      verify.Source
	LogKey   string // the log's verifier key
	Snapshot string // the detector's; "" for none. One that is not there yet is left out
	Keys     string // the keys folder; "" to leave the keys out
	Now      func() time.Time
	// Settle bounds the wait for a checkpoint over what was appended when the records were copied; the log
	// publishes one about 100 ms after an entry. 0 means 2 s.
	Settle time.Duration
}

const (
	defaultSettle = 2 * time.Second
	settlePoll    = 20 * time.Millisecond
)

// Make makes a backup in dir, which must be empty or not there. The order is that of docs/adr/017-backup.md:
// the detector's snapshot, the records, the sealed store, the log. CodeState for a folder that holds
// anything; CodeUnproven for a log that does not hold under its key.
func Make(ctx context.Context, dir string, s Sources) (Manifest, error) {
	err := EmptyFolder(dir)
	if err != nil {
		return Manifest{}, err
	}
	w := &writer{dir: dir}
	defer func() { _ = w.close() }()
	m := Manifest{Format: ManifestFormat}
	err = w.all(ctx, s, &m)
	if err != nil {
		return Manifest{}, fmt.Errorf("make a backup: %w", err)
	}
	return m, nil
}

// EmptyFolder makes a folder of the owner's alone; CodeState where it holds anything.
func EmptyFolder(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the folder: %w", err)
	}
	if len(names) > 0 {
		return casefile.Errorf(casefile.CodeState, "%s is not empty: nothing is written over", dir)
	}
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	return nil
}

// writer writes a backup's files and their list.
type writer struct {
	dir   string
	list  *os.File
	files int
	bytes int64
}

func (w *writer) all(ctx context.Context, s Sources, m *Manifest) error {
	var err error
	w.list, err = os.OpenFile(filepath.Join(w.dir, FilesFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("write the list of files: %w", err)
	}
	if s.Snapshot != "" {
		err = w.copyFile(s.Snapshot, SnapshotFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy the detector's snapshot: %w", err)
		}
		m.Snapshot = err == nil
	}
	err = w.records(ctx, s, m)
	if err != nil {
		return fmt.Errorf("copy the records: %w", err)
	}
	before, err := readCheckpoint(ctx, s)
	if err != nil {
		return err
	}
	if s.Evidence != "" {
		m.Evidence = true
		err = w.copyTree(ctx, s.Evidence, EvidenceDir)
		if err != nil {
			return fmt.Errorf("copy the sealed store: %w", err)
		}
	}
	if s.Keys != "" {
		m.Keys = true
		err = w.copyTree(ctx, s.Keys, KeysDir)
		if err != nil {
			return fmt.Errorf("copy the keys: %w", err)
		}
	}
	err = w.log(ctx, s, before, m)
	if err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	return w.finish(m)
}

func (w *writer) records(ctx context.Context, s Sources, m *Manifest) error {
	m.At = s.Now().UTC().Truncate(time.Microsecond)
	to := filepath.Join(w.dir, RecordsFile)
	err := s.Records(ctx, to)
	if err != nil {
		return err
	}
	m.Identity, err = s.Identity(ctx, to)
	if err != nil {
		return err
	}
	return w.note(RecordsFile)
}

func readCheckpoint(ctx context.Context, s Sources) (string, error) {
	raw, err := s.Log.Read(ctx, "checkpoint", 64<<10)
	if err != nil {
		return "", &casefile.Error{Code: casefile.CodeUnavailable, Message: "the log's checkpoint cannot be read", Err: err}
	}
	return string(raw), nil
}

// log copies the log up to a checkpoint that covers all that the log held when the records were copied:
// one that was published since, or the one of before where none is within the time that one takes.
func (w *writer) log(ctx context.Context, s Sources, before string, m *Manifest) error {
	text, settle := before, s.Settle
	if settle <= 0 {
		settle = defaultSettle
	}
	for until := time.Now().Add(settle); text == before && time.Now().Before(until); {
		var err error
		text, err = readCheckpoint(ctx, s)
		if err != nil {
			return err
		}
		if text == before {
			select {
			case <-time.After(settlePoll):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	c, err := verify.OpenCheckpoint(text, s.LogKey)
	if err != nil {
		return fmt.Errorf("open the checkpoint: %w", err)
	}
	m.Checkpoint = Checkpoint{Origin: c.Origin, Size: c.Size, Root: hex.EncodeToString(c.Root[:])}
	err = w.put(LogKeyFile, []byte(s.LogKey+"\n"))
	if err != nil {
		return err
	}
	err = copyLog(ctx, s.Log, c.Size, func(name string, data []byte) error { return w.put(path.Join(LedgerDir, name), data) })
	if err != nil {
		return err
	}
	return w.put(path.Join(LedgerDir, "checkpoint"), []byte(text))
}

func (w *writer) finish(m *Manifest) error {
	err := w.list.Sync()
	if err != nil {
		return fmt.Errorf("write the list of files: %w", err)
	}
	err = w.close()
	if err != nil {
		return err
	}
	_, m.FilesHash, err = hashFile(filepath.Join(w.dir, FilesFile))
	if err != nil {
		return err
	}
	m.Files, m.Bytes = w.files, w.bytes
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	draft := filepath.Join(w.dir, ManifestFile+".tmp")
	err = writeSynced(draft, append(data, '\n'))
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	err = os.Rename(draft, filepath.Join(w.dir, ManifestFile))
	if err == nil {
		err = syncDir(w.dir)
	}
	if err != nil {
		return fmt.Errorf("put the manifest in its place: %w", err)
	}
	return nil
}

func (w *writer) close() error {
	if w.list == nil {
		return nil
	}
	err := w.list.Close()
	w.list = nil
	return err
}

// copyTree copies a folder's files. One that is gone by the time that it is read was deleted by an erasure.
func (w *writer) copyTree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && p != from:
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		err = w.copyFile(p, path.Join(to, filepath.ToSlash(rel)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func (w *writer) copyFile(from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	to := filepath.Join(w.dir, filepath.FromSlash(name))
	err = os.MkdirAll(filepath.Dir(to), 0o700)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), in)
	if err == nil {
		err = out.Sync()
	}
	err = errors.Join(err, out.Close())
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return w.listed(File{Path: name, Bytes: n, Hash: hex.EncodeToString(sum.Sum(nil))})
}

func (w *writer) put(name string, data []byte) error {
	to := filepath.Join(w.dir, filepath.FromSlash(name))
	err := os.MkdirAll(filepath.Dir(to), 0o700)
	if err != nil {
		return err
	}
	err = writeSynced(to, data)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	return w.listed(File{Path: name, Bytes: int64(len(data)), Hash: hex.EncodeToString(sum[:])})
}

// note lists a file that somebody else has written.
func (w *writer) note(name string) error {
	n, sum, err := hashFile(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	return w.listed(File{Path: name, Bytes: n, Hash: sum})
}

func (w *writer) listed(f File) error {
	line, err := json.Marshal(f)
	if err == nil {
		_, err = w.list.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the list of files: %w", err)
	}
	w.files++
	w.bytes += f.Bytes
	return nil
}

func hashFile(name string) (int64, string, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return 0, "", fmt.Errorf("read %s: %w", name, err)
	}
	return n, hex.EncodeToString(sum.Sum(nil)), nil
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
