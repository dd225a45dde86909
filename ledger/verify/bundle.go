package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// maxBundleBytes bounds a proof bundle's JSON: the longest entry in base 64, path and checkpoint.
const maxBundleBytes = 256 << 10

// strictBytes is base 64 in its one spelling: the standard decoder forgives unused bits, so that a
// changed byte of the file could prove the same.
type strictBytes []byte

// UnmarshalJSON reads a JSON text of base 64.
func (s *strictBytes) UnmarshalJSON(data []byte) error {
	var text string
	err := json.Unmarshal(data, &text)
	if err != nil {
		return fmt.Errorf("read base 64: %w", err)
	}
	*s, err = base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return fmt.Errorf("read base 64: %w", err)
	}
	return nil
}

// ParseBundle reads a proof bundle's JSON (docs/formats/proof-bundle.md). Unknown fields, anything
// after the object, base 64 with unused bits set and more than 256 KiB are CodeInvalid errors. It
// checks nothing else: Bundle does.
func ParseBundle(data []byte) (casefile.Bundle, error) {
	if len(data) > maxBundleBytes {
		return casefile.Bundle{}, casefile.Errorf(casefile.CodeInvalid, "a proof bundle has at most %d bytes", maxBundleBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var raw json.RawMessage
	err := dec.Decode(&raw)
	if err == nil {
		err = exactNames(raw)
	}
	var w struct {
		Format     string        `json:"format"`
		Entry      strictBytes   `json:"entry"`
		Index      uint64        `json:"index"`
		Path       []strictBytes `json:"path"`
		Checkpoint string        `json:"checkpoint"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	if err != nil {
		return casefile.Bundle{}, &casefile.Error{Code: casefile.CodeInvalid, Message: "not a proof bundle", Err: err}
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return casefile.Bundle{}, casefile.Errorf(casefile.CodeInvalid, "something follows the proof bundle")
	}
	b := casefile.Bundle{Format: w.Format, Entry: w.Entry, Index: w.Index, Checkpoint: w.Checkpoint}
	for _, h := range w.Path {
		b.Path = append(b.Path, h)
	}
	return b, nil
}

// exactNames refuses fields that are not a bundle's, letter by letter: encoding/json takes FORMAT for
// format.
func exactNames(object json.RawMessage) error {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(object, &fields)
	if err != nil {
		return fmt.Errorf("read the fields: %w", err)
	}
	for name := range fields {
		if !slices.Contains([]string{"format", "entry", "index", "path", "checkpoint"}, name) {
			return errors.New("a field that a bundle does not have")
		}
	}
	return nil
}

// Bundle checks a proof: the checkpoint is signed with vkey and of its origin, its tree is larger
// than the index, and the path leads from the entry's bytes to its root. It returns the entry,
// parsed from exactly the bytes that were proven. Every failure is a CodeUnproven error that says
// which part failed, but for a malformed vkey, which is CodeInvalid.
func Bundle(b casefile.Bundle, vkey string) (casefile.Entry, error) {
	if b.Format != casefile.BundleFormat {
		return casefile.Entry{}, unproven("the proof is not in the format %s", casefile.BundleFormat)
	}
	c, err := OpenCheckpoint(b.Checkpoint, vkey)
	if err != nil {
		return casefile.Entry{}, err
	}
	if b.Index > math.MaxInt64 || b.Index >= c.Size {
		return casefile.Entry{}, unproven("the checkpoint covers %d entries, not the one at %d", c.Size, b.Index)
	}
	path := make(tlog.RecordProof, len(b.Path))
	for i, h := range b.Path {
		if len(h) != tlog.HashSize {
			return casefile.Entry{}, unproven("hash %d of the path has %d bytes", i, len(h))
		}
		path[i] = tlog.Hash(h)
	}
	err = tlog.CheckRecord(path, int64(c.Size), c.Root, int64(b.Index), tlog.RecordHash(b.Entry))
	if err != nil {
		return casefile.Entry{}, &casefile.Error{Code: casefile.CodeUnproven, Message: "the path does not lead from the entry to the checkpoint", Err: err}
	}
	e, err := casefile.ParseEntry(b.Entry)
	if err != nil {
		return casefile.Entry{}, &casefile.Error{Code: casefile.CodeUnproven, Message: "the entry is not canonical", Err: err}
	}
	return e, nil
}
