package verify

import (
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// maxCheckpointBytes bounds what is read of a checkpoint, cosignatures included.
const maxCheckpointBytes = 64 << 10

// Checkpoint is what a log's signer vouched for: a tree of Size entries with root Root.
type Checkpoint struct {
	Origin string    `json:"origin"`
	Size   uint64    `json:"size"`
	Root   tlog.Hash `json:"root"`
}

func (c Checkpoint) tree() tlog.Tree { return tlog.Tree{N: int64(c.Size), Hash: c.Root} }

// OpenCheckpoint checks a checkpoint's signature under vkey and reads it (C2SP tlog-checkpoint).
// Its origin must be the key's name. Signatures of other keys are ignored. Errors: CodeInvalid for
// a malformed key, CodeUnproven for everything else.
func OpenCheckpoint(text, vkey string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, &casefile.Error{Code: casefile.CodeInvalid, Field: "vkey", Message: "not a verifier key", Err: err}
	}
	if len(text) > maxCheckpointBytes {
		return Checkpoint{}, unproven("the checkpoint is longer than %d bytes", maxCheckpointBytes)
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, &casefile.Error{Code: casefile.CodeUnproven, Message: "the checkpoint is not signed with the pinned key", Err: err}
	}
	// One signature has one spelling: a decoder that forgives unused bits would take several.
	_, err = base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return Checkpoint{}, unproven("the checkpoint's signature is malformed")
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != verifier.Name() {
		return Checkpoint{}, unproven("the checkpoint's origin is not the pinned key's name")
	}
	return c, nil
}

// parseCheckpoint reads the signed text: origin, size and root, a line each, then perhaps
// extension lines, which are ignored.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, unproven("the checkpoint lacks lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, unproven("the checkpoint's size is malformed")
	}
	// The decoder passes over line breaks inside the text, a second form of the same root.
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize || base64.StdEncoding.EncodeToString(root) != lines[2] {
		return Checkpoint{}, unproven("the checkpoint's root is malformed")
	}
	return Checkpoint{Origin: lines[0], Size: uint64(size), Root: tlog.Hash(root)}, nil
}

func unproven(format string, args ...any) error {
	return casefile.Errorf(casefile.CodeUnproven, format, args...)
}

func isUnproven(err error) bool { return casefile.ErrorCode(err) == casefile.CodeUnproven }
