package verify

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// KeptCheckpoint is a checkpoint that was kept from before.
type KeptCheckpoint struct {
	Checkpoint
	File string // where it is kept
	Text string // the signed note
}

// Kept reads the checkpoint in a file, or every one in a folder, the smallest first: a folder is what
// the ledger role copies its checkpoint to, or anybody's collection. Hidden files and folders in it are
// passed over. Errors: CodeUnproven for one that is not signed with vkey, which names its file;
// CodeNotFound where there is none; CodeInvalid for a malformed key.
func Kept(path, vkey string) ([]KeptCheckpoint, error) {
	files, err := keptAt(path)
	if err != nil {
		return nil, err
	}
	out := make([]KeptCheckpoint, 0, len(files))
	for _, file := range files {
		text, err := readKept(file)
		if err != nil {
			return nil, fmt.Errorf("read the earlier checkpoint %s: %w", file, err)
		}
		c, err := OpenCheckpoint(text, vkey)
		if err != nil {
			return nil, fmt.Errorf("open the earlier checkpoint %s: %w", file, err)
		}
		out = append(out, KeptCheckpoint{Checkpoint: c, File: file, Text: text})
	}
	if len(out) == 0 {
		return nil, casefile.Errorf(casefile.CodeNotFound, "no checkpoint is kept in %s", path)
	}
	slices.SortStableFunc(out, func(a, b KeptCheckpoint) int { return int(min(1, max(-1, int64(a.Size)-int64(b.Size)))) })
	return out, nil
}

// keptAt lists the files of a path: itself, or those of the folder that it is.
func keptAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeNotFound, Message: "the earlier checkpoint cannot be read", Err: err}
	}
	if info.IsDir() {
		return keptFiles(path)
	}
	return []string{path}, nil
}

func keptFiles(dir string) ([]string, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the earlier checkpoints: %w", err)
	}
	var out []string
	for _, n := range names {
		if n.Type()&fs.ModeType == 0 && !strings.HasPrefix(n.Name(), ".") {
			out = append(out, filepath.Join(dir, n.Name()))
		}
	}
	return out, nil
}

func readKept(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxCheckpointBytes+1))
	return string(data), err
}
