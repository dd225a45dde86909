package detector

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// SnapshotVersion is the version of the snapshot's format (docs/formats/detector-snapshot.md).
const SnapshotVersion = 1

const snapshotFormat = "docket-detector-snapshot"

// maxSnapshotLine bounds one account of a snapshot: its posts at their longest, escaped.
const maxSnapshotLine = 64 << 20

type snapshotHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Rules   string `json:"rules"`
	Token   string `json:"token"`
	Stats   Stats  `json:"stats"`
	Erased  int64  `json:"erased,omitempty"`
}

// snapshotFooter closes a snapshot: how many accounts it holds and the SHA-256 of all bytes before.
type snapshotFooter struct {
	Accounts int    `json:"accounts"`
	SHA256   string `json:"sha256"`
}

type snapshotLine struct {
	Account *account        `json:"account,omitempty"`
	Footer  *snapshotFooter `json:"footer,omitempty"`
}

// Snapshot writes all windows and the token of the stream position that they stand for, so that
// both are kept or lost together. It holds people's words: seal it.
func (d *Detector) Snapshot(w io.Writer, token string) error {
	h := sha256.New()
	enc := json.NewEncoder(io.MultiWriter(w, h))
	err := enc.Encode(snapshotHeader{
		Format: snapshotFormat, Version: SnapshotVersion, Rules: d.rules.Version, Token: token, Stats: d.Stats(), Erased: d.erased,
	})
	if err != nil {
		return fmt.Errorf("write the head of the snapshot: %w", err)
	}
	for e := d.quiet.Front(); e != nil; e = e.Next() {
		err = enc.Encode(snapshotLine{Account: e.Value.(*account)})
		if err != nil {
			return fmt.Errorf("write an account of the snapshot: %w", err)
		}
	}
	err = enc.Encode(snapshotLine{Footer: &snapshotFooter{Accounts: d.quiet.Len(), SHA256: hex.EncodeToString(h.Sum(nil))}})
	if err != nil {
		return fmt.Errorf("write the foot of the snapshot: %w", err)
	}
	return nil
}

// Restored says what Restore took over.
type Restored struct {
	// Token is the stream position behind which the windows go on.
	Token string
	// Windows is false when the snapshot was made with another rule set: then the windows begin
	// empty, because what they hold was found by other rules, and only Token is taken over.
	Windows bool
}

// Restore takes a snapshot over in place of all that the detector holds. On any error it changes
// nothing. Errors are CodeInvalid: not a snapshot, cut short, altered, or made by a newer program.
func (d *Detector) Restore(r io.Reader) (Restored, error) {
	next := New(d.rules)
	out, err := next.restore(r)
	if err != nil {
		return Restored{}, err
	}
	*d = *next
	return out, nil
}

func (d *Detector) restore(r io.Reader) (Restored, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxSnapshotLine)
	h := sha256.New()
	head, err := readHeader(lines, h)
	if err != nil {
		return Restored{}, err
	}
	out := Restored{Token: head.Token, Windows: head.Rules == d.rules.Version}
	for n := 0; lines.Scan(); n++ {
		var line snapshotLine
		err = strictJSON(lines.Bytes(), &line)
		switch {
		case err != nil:
			return Restored{}, err
		case line.Footer != nil:
			if line.Footer.SHA256 != hex.EncodeToString(h.Sum(nil)) || line.Footer.Accounts != n || lines.Scan() {
				return Restored{}, casefile.Errorf(casefile.CodeInvalid, "the snapshot has been altered")
			}
			d.takeOver(head, out.Windows)
			return out, nil
		case line.Account == nil:
			return Restored{}, casefile.Errorf(casefile.CodeInvalid, "a line of the snapshot holds no account")
		}
		sum(h, lines.Bytes())
		if !out.Windows {
			continue
		}
		err = d.restoreAccount(line.Account)
		if err != nil {
			return Restored{}, err
		}
	}
	if lines.Err() != nil && !errors.Is(lines.Err(), bufio.ErrTooLong) {
		return Restored{}, fmt.Errorf("read the snapshot: %w", lines.Err())
	}
	return Restored{}, casefile.Errorf(casefile.CodeInvalid, "the snapshot is cut short")
}

func readHeader(lines *bufio.Scanner, h hash.Hash) (snapshotHeader, error) {
	var head snapshotHeader
	if !lines.Scan() {
		return head, casefile.Errorf(casefile.CodeInvalid, "the snapshot is empty")
	}
	err := json.Unmarshal(lines.Bytes(), &head)
	if err != nil || head.Format != snapshotFormat {
		return head, casefile.Errorf(casefile.CodeInvalid, "not a detector snapshot")
	}
	if head.Version != SnapshotVersion {
		return head, casefile.Errorf(casefile.CodeInvalid, "a snapshot of version %d; this program reads %d", head.Version, SnapshotVersion)
	}
	sum(h, lines.Bytes())
	return head, nil
}

func sum(h hash.Hash, line []byte) {
	h.Write(line)
	h.Write([]byte{'\n'})
}

func strictJSON(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "a line of the snapshot cannot be read")
	}
	return nil
}

func (d *Detector) takeOver(head snapshotHeader, windows bool) {
	d.erased = head.Erased
	if !windows {
		return
	}
	d.stats = head.Stats
	if d.stats.FlagsByRule == nil {
		d.stats.FlagsByRule = map[string]int64{}
	}
}

// restoreAccount checks what the code relies on and puts the account at the end of the line.
func (d *Detector) restoreAccount(a *account) error {
	bad := func() error { return casefile.Errorf(casefile.CodeInvalid, "an account of the snapshot is not sound") }
	all := a.Posts
	if a.Profile != nil {
		all = append([]*contribution{a.Profile}, all...)
	}
	for _, c := range all {
		if c == nil || !(c.Factor >= 0 && c.Factor <= 1) || c.Profile != (c == a.Profile) {
			return bad()
		}
		for _, h := range c.Hits {
			if !d.soundHit(h, c.Profile) {
				return bad()
			}
		}
	}
	a.key = a.Platform + "\x00" + a.Account.ID
	if a.Account.ID == "" || strings.Contains(a.Platform, "\x00") || d.accounts[a.key] != nil || len(a.Posts) > d.rules.Settings.MaxPosts {
		return bad()
	}
	if len(d.accounts) >= d.rules.Settings.MaxAccounts {
		return bad()
	}
	d.accounts[a.key] = a
	a.place = d.quiet.PushBack(a)
	return nil
}

func (d *Detector) soundHit(h ruleHit, profile bool) bool {
	if h.Rule < 0 || h.Rule >= len(d.rules.Rules) || !(h.Weight >= 0 && h.Weight <= maxWeight) || h.Terms < 0 {
		return false
	}
	for _, t := range h.Spans {
		if t.Rule != h.Rule || t.Term < 0 || t.Term >= len(d.rules.Rules[h.Rule].Terms) || (t.Field == FieldPost) == profile {
			return false
		}
	}
	return true
}

// Sealer encrypts what is kept on disk.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// SaveFile writes a snapshot, sealed unless s is nil, to path in one step: a crash leaves the old
// file or the new one. The file is readable by its owner alone.
func (d *Detector) SaveFile(path, token string, s Sealer) error {
	var buf bytes.Buffer
	err := d.Snapshot(&buf, token)
	if err != nil {
		return err
	}
	data := buf.Bytes()
	if s != nil {
		data, err = s.Seal(data)
		if err != nil {
			return fmt.Errorf("seal the snapshot: %w", err)
		}
	}
	err = writeAtomically(path, data)
	if err != nil {
		return fmt.Errorf("save the snapshot: %w", err)
	}
	return nil
}

// LoadFile restores what SaveFile wrote. found is false, without an error, when there is no file.
func (d *Detector) LoadFile(path string, s Sealer) (out Restored, found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Restored{}, false, nil
	}
	if err != nil {
		return Restored{}, false, fmt.Errorf("load the snapshot: %w", err)
	}
	if s != nil {
		data, err = s.Open(data)
		if err != nil {
			return Restored{}, false, fmt.Errorf("open the sealed snapshot: %w", err)
		}
	}
	out, err = d.Restore(bytes.NewReader(data))
	if err != nil {
		return Restored{}, false, fmt.Errorf("restore %s: %w", filepath.Base(path), err)
	}
	return out, true, nil
}

// writeAtomically writes beside path, makes it durable, and renames it into place.
func writeAtomically(path string, data []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // a crash's leftover is overwritten
	if err != nil {
		return fmt.Errorf("create a file beside it: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write it: %w", err), os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open its folder: %w", err)
	}
	err = errors.Join(f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("make its name durable: %w", err)
	}
	return nil
}
