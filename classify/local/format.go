package local

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
)

// The file of a model (docs/formats/local-model.md): gzip over the magic line, the length and the
// JSON of the header, and the rows.
const (
	magic          = "docket-linear 1\n"
	maxHeaderBytes = 1 << 16
	maxHeads       = 14
	minBits        = 10
	maxBits        = 22
)

// header is what the file tells before the rows.
type header struct {
	Fold  string `json:"fold"` // version of the folding that the features are made with
	Bits  uint   `json:"bits"`
	Heads []head `json:"heads"`
	Rows  int    `json:"rows"`
}

// Encode writes the model in its file's form. The same model gives the same bytes.
func (m *Model) Encode() ([]byte, error) {
	body, err := m.body()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress the model: %w", err)
	}
	_, err = zw.Write(body)
	if err != nil {
		return nil, fmt.Errorf("compress the model: %w", err)
	}
	err = zw.Close()
	if err != nil {
		return nil, fmt.Errorf("compress the model: %w", err)
	}
	return buf.Bytes(), nil
}

// body is the file before compression.
func (m *Model) body() ([]byte, error) {
	raw, err := json.Marshal(header{Fold: fold.Version, Bits: m.bits, Heads: m.heads, Rows: len(m.buckets)})
	if err != nil {
		return nil, fmt.Errorf("write the model's header: %w", err)
	}
	b := []byte(magic)
	b = binary.BigEndian.AppendUint32(b, uint32(len(raw)))
	b = append(b, raw...)
	next := uint32(0)
	for _, bucket := range m.buckets {
		b = binary.AppendUvarint(b, uint64(bucket-next))
		next = bucket + 1
	}
	for _, w := range m.weights {
		b = binary.BigEndian.AppendUint16(b, toHalf(w))
	}
	return b, nil
}

// digest is the model's version: the first 12 digits of the SHA-256 of its uncompressed form.
func (m *Model) digest() (string, error) {
	body, err := m.body()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6]), nil
}

// Decode reads what Encode wrote. Errors are CodeInvalid; CodeState for a model of another format
// or another folding, which must be trained again.
func Decode(data []byte) (*Model, error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, badModel("not compressed as it should be")
	}
	// No honest file is longer than all its rows.
	r := bufio.NewReader(io.LimitReader(zr, 1<<26))
	head, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	buckets, err := readBuckets(r, head)
	if err != nil {
		return nil, err
	}
	weights, err := readWeights(r, head.Rows*len(head.Heads))
	if err != nil {
		return nil, err
	}
	_, err = r.ReadByte()
	if !errors.Is(err, io.EOF) {
		return nil, badModel("something follows the rows")
	}
	m := assemble(head.Bits, head.Heads, buckets, weights)
	m.version, err = m.digest()
	if err != nil {
		return nil, err
	}
	return m, nil
}

func readHeader(r io.Reader) (header, error) {
	first := make([]byte, len(magic)+4)
	_, err := io.ReadFull(r, first)
	if err != nil {
		return header{}, badModel("too short")
	}
	if string(first[:len(magic)]) != magic {
		return header{}, casefile.Errorf(casefile.CodeState, "model: not of a format that this program reads")
	}
	n := binary.BigEndian.Uint32(first[len(magic):])
	if n > maxHeaderBytes {
		return header{}, badModel("the header is too long")
	}
	raw := make([]byte, n)
	_, err = io.ReadFull(r, raw)
	if err != nil {
		return header{}, badModel("too short")
	}
	var h header
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err = dec.Decode(&h)
	if err != nil {
		return header{}, badModel("the header does not decode")
	}
	if h.Fold != fold.Version {
		return header{}, casefile.Errorf(casefile.CodeState, "model: made with another folding of texts; train it again")
	}
	if h.Bits < minBits || h.Bits > maxBits || len(h.Heads) < 1 || len(h.Heads) > maxHeads || h.Rows < 0 || h.Rows > 1<<h.Bits {
		return header{}, badModel("the header's sizes are out of bounds")
	}
	seen := make(map[casefile.PolicyCode]bool)
	for i, x := range h.Heads {
		if (i == 0) != (x.Policy == "") || i > 0 && (!x.Policy.Valid() || x.Policy == casefile.VE00) || seen[x.Policy] || !(x.A > 0) {
			return header{}, badModel("a head is out of place")
		}
		seen[x.Policy] = true
	}
	return h, nil
}

func readBuckets(r io.ByteReader, h header) ([]uint32, error) {
	var buckets []uint32
	next := uint64(0)
	for range h.Rows {
		d, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, badModel("too short")
		}
		if d >= 1<<h.Bits || next+d >= 1<<h.Bits {
			return nil, badModel("a bucket is out of bounds")
		}
		buckets = append(buckets, uint32(next+d))
		next += d + 1
	}
	return buckets, nil
}

func readWeights(r io.Reader, n int) ([]float32, error) {
	var weights []float32
	var raw [2]byte
	for range n {
		_, err := io.ReadFull(r, raw[:])
		if err != nil {
			return nil, badModel("too short")
		}
		w := fromHalf(binary.BigEndian.Uint16(raw[:]))
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return nil, badModel("a weight is no number")
		}
		weights = append(weights, w)
	}
	return weights, nil
}

func badModel(why string) *casefile.Error { return casefile.Invalid("model", "%s", why) }
