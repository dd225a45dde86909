package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"

	"github.com/docket-triage/docket/casefile"
)

// objects keeps sealed bytes by address, in object storage or in a folder.
//
// fileblob writes a temporary file and renames it, but asks the disk for nothing. Here a write to a
// folder is on the disk when it returns: the file is synced before the rename, its subfolder after.
type objects struct {
	bucket *blob.Bucket
	// dir is the folder's path; "" for object storage, where the provider's word is taken.
	dir  string
	sync bool
}

func openFolder(dir string, synced bool) (*objects, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve evidence folder: %w", err)
	}
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o700,
		NoTempDir: true, // a rename must not cross file systems
		Metadata:  fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open evidence folder: %w", err)
	}
	err = makeSubfolders(dir)
	if err == nil && synced {
		err = errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare evidence folder: %w", err), bucket.Close())
	}
	return &objects{bucket: bucket, dir: dir, sync: synced}, nil
}

// makeSubfolders makes every subfolder that is missing, once, so that no write has to wait for the
// name of its subfolder as well.
func makeSubfolders(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		there[e.Name()] = true
	}
	for _, c := range base32Alphabet {
		if there[string(c)] {
			continue
		}
		err = os.Mkdir(filepath.Join(dir, string(c)), 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// ObjectPath is an address's place below the store's folder, in one of 32 subfolders, with a slash.
func ObjectPath(address casefile.Address) string { return objectPath(address) }

func objectPath(address casefile.Address) string { return string(address[:1] + "/" + address[1:]) }

// get returns the bytes at an address; CodeNotFound, or CodeUnavailable.
func (o *objects) get(ctx context.Context, address casefile.Address) ([]byte, error) {
	data, err := o.bucket.ReadAll(ctx, objectPath(address))
	if err != nil {
		return nil, storageError("read sealed object", err)
	}
	return data, nil
}

func (o *objects) exists(ctx context.Context, address casefile.Address) (bool, error) {
	ok, err := o.bucket.Exists(ctx, objectPath(address))
	if err != nil {
		return false, storageError("look for sealed object", err)
	}
	return ok, nil
}

// put stores bytes at an address, over whatever stood there.
func (o *objects) put(ctx context.Context, address casefile.Address, data []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var file *os.File
	w, err := o.bucket.NewWriter(ctx, objectPath(address), &blob.WriterOptions{
		ContentType: "application/octet-stream", // opens the file at once, before the first Write
		BeforeWrite: func(as func(any) bool) error {
			if o.dir == "" || !as(&file) {
				return nil
			}
			return file.Chmod(0o600)
		},
	})
	if err != nil {
		return storageError("open sealed object to write", err)
	}
	_, err = w.Write(data)
	if err == nil && o.dir != "" && o.sync {
		err = file.Sync()
	}
	if err != nil {
		cancel()      // makes Close throw the temporary file away instead of renaming it
		_ = w.Close() // says that it was cancelled, which the caller has not done
		return storageError("write sealed object", err)
	}
	err = w.Close()
	if err != nil {
		return storageError("write sealed object", err)
	}
	return o.syncName(address)
}

// settle makes sure that an object found in place will still be there after a power cut: whoever
// wrote it may not have got so far.
func (o *objects) settle(address casefile.Address) error {
	if o.dir == "" || !o.sync {
		return nil
	}
	err := syncPath(filepath.Join(o.dir, objectPath(address)))
	if err != nil {
		return storageError("sync sealed object", err)
	}
	return o.syncName(address)
}

func (o *objects) syncName(address casefile.Address) error {
	if o.dir == "" || !o.sync {
		return nil
	}
	err := syncDir(filepath.Join(o.dir, string(address[:1])))
	if err != nil {
		return storageError("sync evidence folder", err)
	}
	return nil
}

// storageError gives an error of the storage its code. Paths in it are keyed hashes.
func storageError(op string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		return &casefile.Error{Code: casefile.CodeNotFound, Op: op, Message: "nothing is sealed there"}
	}
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: op, Message: "the evidence storage failed", Err: err}
}
