package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/docket-triage/docket/casefile"
)

// headBytes of a file, as stored, tell it from another of the same name.
const headBytes = 4096

const tokenVersion = 1

// fileToken is how far one file has been read. A file is known again by base name and head, so
// that it may move, and may grow.
type fileToken struct {
	Name   string `json:"name"`
	Head   string `json:"head"`   // hexadecimal SHA-256 of the first HeadOf stored bytes
	HeadOf int64  `json:"headOf"` // at most headBytes
	Size   int64  `json:"size"`   // stored bytes
	Offset int64  `json:"offset"` // decoded bytes that have been read
	Line   int64  `json:"line"`   // lines that have been read
}

type filesToken struct {
	V     int         `json:"v"`
	Files []fileToken `json:"files"`
}

func parseFilesToken(t Token) ([]fileToken, error) {
	if t == "" {
		return nil, nil
	}
	var w filesToken
	dec := json.NewDecoder(bytes.NewReader([]byte(t)))
	dec.DisallowUnknownFields()
	err := dec.Decode(&w)
	if err != nil {
		return nil, casefile.Invalid("token", "not a token of this source")
	}
	if w.V != tokenVersion {
		return nil, casefile.Invalid("token", "version %d; this program reads %d", w.V, tokenVersion)
	}
	for i, f := range w.Files {
		if f.Offset < 0 || f.Line < 0 || f.HeadOf < 0 || f.HeadOf > headBytes {
			return nil, casefile.Invalid(fmt.Sprintf("token.files[%d]", i), "a position is out of range")
		}
	}
	return w.Files, nil
}

func formatFilesToken(files []fileToken) (Token, error) {
	raw, err := json.Marshal(filesToken{V: tokenVersion, Files: files})
	if err != nil {
		return "", fmt.Errorf("encode the token: %w", err)
	}
	return Token(raw), nil
}

// headDigest is the digest of the first n stored bytes of f.
func headDigest(f *os.File, n int64) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(f, 0, n))
	if err != nil {
		return "", fmt.Errorf("read the head of a file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
