package receiver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
)

// Line is one line of the file: something that was really done.
type Line struct {
	V         int             `json:"v"`
	At        time.Time       `json:"at"`
	Reference string          `json:"reference"` // as it was answered
	Message   webhook.Message `json:"message"`   // as it was asked for
}

// lineVersion is the version of the file's lines.
const lineVersion = 1

// maxLine bounds a line: a message, with what stands around it.
const maxLine = webhook.MaxMessage + 1024

var referenceForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// decodeLine reads one line strictly. The error is CodeInvalid and quotes nothing of it.
func decodeLine(data []byte) (Line, error) {
	var raw struct {
		V         int             `json:"v"`
		At        time.Time       `json:"at"`
		Reference string          `json:"reference"`
		Message   json.RawMessage `json:"message"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&raw)
	if err != nil {
		return Line{}, casefile.Errorf(casefile.CodeInvalid, "not a line of a test platform")
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Line{}, casefile.Errorf(casefile.CodeInvalid, "something follows the line's object")
	}
	switch {
	case raw.V != lineVersion:
		return Line{}, casefile.Invalid("v", "unknown version %d", raw.V)
	case raw.At.IsZero():
		return Line{}, casefile.Invalid("at", "required")
	case !referenceForm.MatchString(raw.Reference):
		return Line{}, casefile.Invalid("reference", "required")
	}
	m, err := webhook.DecodeMessage(raw.Message)
	if err != nil {
		return Line{}, fmt.Errorf("read the line's message: %w", err)
	}
	if !m.Type.Acts() {
		return Line{}, casefile.Invalid("message.type", "is not of something that is done")
	}
	return Line{V: raw.V, At: raw.At, Reference: raw.Reference, Message: m}, nil
}

// Read gives the whole lines of a file, oldest first, also while a receiver writes to it; a torn last
// line does not count.
func Read(path string) ([]Line, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the test platform's file: %w", err)
	}
	var lines []Line
	_, err = readLines(f, func(l Line) { lines = append(lines, l) })
	return lines, errors.Join(err, f.Close())
}

// Doubles gives the keys that were carried out more than once, in order of their second time.
func Doubles(lines []Line) []string {
	times := map[string]int{}
	var out []string
	for _, l := range lines {
		times[l.Message.Key]++
		if times[l.Message.Key] == 2 {
			out = append(out, l.Message.Key)
		}
	}
	return out
}

// readLines hands every whole line to take and gives how many bytes they fill.
func readLines(r io.Reader, take func(Line)) (int64, error) {
	br := bufio.NewReader(r)
	var size int64
	for n := 1; ; n++ {
		data, err := readLine(br)
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read the test platform's file, line %d: %w", n, err)
		}
		l, err := decodeLine(data)
		if err != nil {
			return 0, fmt.Errorf("the test platform's file, line %d: %w", n, err)
		}
		take(l)
		size += int64(len(data)) + 1
	}
}

// readLine reads a line without its newline; io.EOF at the end and for a last line that has none.
func readLine(br *bufio.Reader) ([]byte, error) {
	var data []byte
	for {
		part, err := br.ReadSlice('\n')
		data = append(data, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(data, []byte("\n")), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(data) > maxLine:
			return nil, casefile.Errorf(casefile.CodeTooLarge, "line over %d bytes", maxLine)
		}
	}
}
