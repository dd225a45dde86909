package backup

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// ManifestFormat is the version of the manifest.
const ManifestFormat = 1

// The names in a backup's folder.
const (
	ManifestFile = "manifest.json" // written last: a backup that was cut off has none
	FilesFile    = "files.ndjson"
	RecordsFile  = "records.sqlite"
	EvidenceDir  = "evidence"
	LedgerDir    = "ledger"
	LogKeyFile   = "log.pub"
	SnapshotFile = "detector.snapshot"
	KeysDir      = "keys"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format int `json:"format"`
	// At is when the records were copied, in UTC.
	At time.Time `json:"at"`
	// Identity is the fingerprint of the identity key that the records were written with.
	Identity   string     `json:"identity_key_fingerprint"`
	Checkpoint Checkpoint `json:"checkpoint"`
	Evidence   bool       `json:"evidence"` // false where the sealed store is a bucket, which is kept apart
	Snapshot   bool       `json:"snapshot"` // the detector's
	Keys       bool       `json:"keys"`     // whoever has this backup can open everything in it
	Files      int        `json:"files"`
	Bytes      int64      `json:"bytes"`
	FilesHash  string     `json:"files_sha256"` // of files.ndjson
}

// Checkpoint is that of the copied log, which covers everything that the copied records know of.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
	Root   string `json:"root"` // lower-case hexadecimal
}

// File is one line of files.ndjson.
type File struct {
	Path  string `json:"path"` // with slashes, below the backup's folder
	Bytes int64  `json:"bytes"`
	Hash  string `json:"sha256"`
}

// ParseManifest decodes a manifest strictly. The error is CodeInvalid, or CodeState for one of a newer
// version.
func ParseManifest(data []byte) (Manifest, error) {
	var version struct {
		Format int `json:"format"`
	}
	err := json.Unmarshal(data, &version)
	if err == nil && version.Format > ManifestFormat {
		return Manifest{}, casefile.Errorf(casefile.CodeState, "the backup has format %d, written by a newer Docket; this one knows %d", version.Format, ManifestFormat)
	}
	m, err := strict[Manifest](data)
	if err != nil {
		return Manifest{}, &casefile.Error{Code: casefile.CodeInvalid, Message: "not the manifest of a backup", Err: err}
	}
	var faults casefile.Faults
	bad := func(field string, ok bool, message string) {
		if !ok {
			faults = append(faults, casefile.Invalid(field, "%s", message))
		}
	}
	bad("format", m.Format == ManifestFormat, "unknown")
	bad("at", !m.At.IsZero(), "required")
	bad("identity_key_fingerprint", m.Identity != "", "required")
	bad("checkpoint.origin", m.Checkpoint.Origin != "" && !strings.ContainsAny(m.Checkpoint.Origin, "\n"), "the name of a log, on one line")
	bad("checkpoint.root", isHash(m.Checkpoint.Root), "a hash in lower-case hexadecimal")
	bad("files", m.Files > 0, "a backup holds files")
	bad("bytes", m.Bytes >= 0, "not negative")
	bad("files_sha256", isHash(m.FilesHash), "a hash in lower-case hexadecimal")
	return m, faults.Err()
}

// ParseFile decodes one line of files.ndjson strictly. The path is one below the backup's folder; the error
// is CodeInvalid.
func ParseFile(line []byte) (File, error) {
	f, err := strict[File](line)
	if err != nil {
		return File{}, &casefile.Error{Code: casefile.CodeInvalid, Message: "not a line of files.ndjson", Err: err}
	}
	switch {
	case f.Path == "" || path.Clean(f.Path) != f.Path || path.IsAbs(f.Path) || f.Path == ".." || strings.HasPrefix(f.Path, "../") || strings.ContainsAny(f.Path, "\\\x00"):
		return File{}, casefile.Invalid("path", "a path below the backup's folder")
	case f.Path == ManifestFile || f.Path == FilesFile || f.Path == ".":
		return File{}, casefile.Invalid("path", "not a file that is copied")
	case f.Bytes < 0:
		return File{}, casefile.Invalid("bytes", "not negative")
	case !isHash(f.Hash):
		return File{}, casefile.Invalid("sha256", "a hash in lower-case hexadecimal")
	}
	return f, nil
}

func strict[T any](data []byte) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	if err != nil {
		return v, err
	}
	_, err = d.Token()
	if err != io.EOF { //nolint:errorlint // json.Decoder gives io.EOF as it is
		return v, fmt.Errorf("more than one value")
	}
	return v, nil
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && strings.ToLower(s) == s
}
