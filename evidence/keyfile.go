package evidence

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// Files of a keys folder.
const (
	fileIdentity   = "identity.key"
	fileDeployment = "deployment.keys"
	fileCodec      = "codec.keys"
	fileLogSigner  = "log.key"
	fileLogPublic  = "log.pub"

	fileAssertion       = "assertion.keys"
	fileAssertionPublic = "assertion.pub"
)

// keyBytes is the length of every symmetric key.
const keyBytes = 32

type key = [keyBytes]byte

// keyLine is one line of a key file: an id and either the key itself or the URL of a keeper
// (KMS, Vault) that holds it. Exactly one of key and url is set.
type keyLine struct {
	id  string
	key *key
	url string
}

func (l keyLine) String() string {
	value := l.url
	if l.key != nil {
		value = base64.StdEncoding.EncodeToString(l.key[:])
	}
	return l.id + " " + value
}

// parseKeyLines reads a key file: one "id value" a line, blank lines and lines that begin with '#'
// left out. Errors name the line and never quote it, for it may hold a key.
func parseKeyLines(data []byte) ([]keyLine, error) {
	var lines []keyLine
	seen := map[string]bool{}
	scan := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scan.Scan(); n++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		line, err := parseKeyLine(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if seen[line.id] {
			return nil, casefile.Errorf(casefile.CodeInvalid, "line %d: the key id stands twice", n)
		}
		seen[line.id] = true
		lines = append(lines, line)
	}
	err := scan.Err()
	if err != nil {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a line is too long for a key")
	}
	if len(lines) == 0 {
		return nil, casefile.Errorf(casefile.CodeInvalid, "it holds no key")
	}
	return lines, nil
}

func parseKeyLine(text string) (keyLine, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return keyLine{}, casefile.Errorf(casefile.CodeInvalid, "a key line is an id and a value")
	}
	id, value := fields[0], fields[1]
	if len(id) > 32 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return keyLine{}, casefile.Errorf(casefile.CodeInvalid, "a key id is 1 to 32 of a-z, 0-9 and '-'")
	}
	if strings.Contains(value, "://") {
		return keyLine{id: id, url: value}, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != keyBytes {
		return keyLine{}, casefile.Errorf(casefile.CodeInvalid, "a key is %d bytes in base64", keyBytes)
	}
	return keyLine{id: id, key: (*key)(raw)}, nil
}

func formatKeyLines(comment string, lines []keyLine) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", comment)
	for _, l := range lines {
		fmt.Fprintln(&b, l)
	}
	return []byte(b.String())
}

// readSecret reads a key file after checking that nobody but its owner can.
func readSecret(dir, name string) ([]byte, error) {
	return readGuarded(filepath.Join(dir, name), 0o077, "must be readable by its owner alone (mode 0600)")
}

// readPublic reads a file of public keys after checking that nobody but its owner can put others in.
func readPublic(dir, name string) ([]byte, error) {
	return readGuarded(filepath.Join(dir, name), 0o022, "must be writable by its owner alone")
}

// readGuarded reads a file, refusing one with any of the permission bits in forbidden. Windows has
// no such bits; there the folder's own access list must do.
func readGuarded(path string, forbidden fs.FileMode, rule string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("inspect key file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&forbidden != 0 {
		return nil, casefile.Errorf(casefile.CodeForbidden, "%s has mode %04o: it %s", path, info.Mode().Perm(), rule)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(data) > maxKeyFile {
		return nil, casefile.Errorf(casefile.CodeInvalid, "%s is too large for a key file", path)
	}
	return data, nil
}

// maxKeyFile is far above what rotating every day for years would need.
const maxKeyFile = 1 << 20
