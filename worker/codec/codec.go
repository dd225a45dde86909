package codec

import (
	"crypto/cipher"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/docket-triage/docket/casefile"
)

// Metadata of a sealed payload. Its data is the nonce (12 bytes), the sealed original payload
// with its own metadata, and the tag (16 bytes).
const (
	// Encoding is the value of the metadata field "encoding".
	Encoding = "binary/encrypted"
	// MetadataKeyID names the field that holds the key's id.
	MetadataKeyID = "encryption-key-id"
)

// additionalData is authenticated with each payload, followed by the key's id.
const additionalData = "docket temporal payload 1\x00"

// Options change what a codec accepts. The zero value is the strict one.
type Options struct {
	// AllowPlain hands payloads that are not encrypted on as they are when decoding.
	AllowPlain bool
}

// Codec seals and opens payloads. It may be used from any goroutine.
type Codec struct {
	active     string
	aeads      map[string]cipher.AEAD
	allowPlain bool
}

var _ converter.PayloadCodec = (*Codec)(nil)

// New makes a codec from the keys, which it copies. The error is CodeInvalid and names every
// fault in them.
func New(keys Keys, opts Options) (*Codec, error) {
	aeads, err := keys.aeads()
	if err != nil {
		return nil, fmt.Errorf("read codec keys: %w", err)
	}
	return &Codec{active: keys.Active, aeads: aeads, allowPlain: opts.AllowPlain}, nil
}

// Encode seals each payload under the active key.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("marshal payload: %w", err)
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(Encoding),
				MetadataKeyID:              []byte(c.active),
			},
			Data: c.aeads[c.active].Seal(nil, nil, plain, []byte(additionalData+c.active)),
		}
	}
	return out, nil
}

// Decode opens each payload under the key it names. The error is CodeUnavailable where this
// process lacks the key, and CodeInvalid where the payload is not encrypted, was changed or was
// sealed under another key of the same id. Errors hold no content.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		opened, err := c.open(p)
		if err != nil {
			return nil, fmt.Errorf("open payload: %w", err)
		}
		out[i] = opened
	}
	return out, nil
}

func (c *Codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	if string(p.GetMetadata()[converter.MetadataEncoding]) != Encoding {
		if c.allowPlain {
			return p, nil
		}
		return nil, casefile.Errorf(casefile.CodeInvalid, "payload is not encrypted")
	}
	id := string(p.GetMetadata()[MetadataKeyID])
	aead, ok := c.aeads[id]
	if !ok {
		// An id from outside goes no further than its form allows.
		if !keyID.MatchString(id) {
			return nil, casefile.Errorf(casefile.CodeInvalid, "payload names no usable key")
		}
		return nil, casefile.Errorf(casefile.CodeUnavailable, "key %q is not among this process's keys", id)
	}
	plain, err := aead.Open(nil, nil, p.GetData(), []byte(additionalData+id))
	if err != nil {
		return nil, &casefile.Error{
			Code:    casefile.CodeInvalid,
			Message: "payload was changed or sealed under another key",
			Err:     err,
		}
	}
	opened := &commonpb.Payload{}
	err = proto.Unmarshal(plain, opened)
	if err != nil {
		// The parser's words could quote the content.
		return nil, casefile.Errorf(casefile.CodeInvalid, "sealed content is not a payload")
	}
	return opened, nil
}
