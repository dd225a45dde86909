package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/worker/codec"
)

// words stands for what must not be readable in anything that Temporal stores.
const words = "[praise of a designated group]"

func key(b byte) []byte { return bytes.Repeat([]byte{b}, codec.KeySizeBytes) }

func newCodec(t testing.TB, opts codec.Options, active string, keys map[string][]byte) *codec.Codec {
	t.Helper()
	c, err := codec.New(codec.Keys{Active: active, ByID: keys}, opts)
	require.NoError(t, err)
	return c
}

func plain(data string) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{
			converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON),
			"messageType":              []byte("note"),
		},
		Data: []byte(data),
	}
}

func encodeOne(t testing.TB, c *codec.Codec, p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	out, err := c.Encode([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.Len(t, out, 1)
	return out[0]
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)})
	for name, payload := range map[string]*commonpb.Payload{
		"text":         plain(words),
		"no data":      plain(""),
		"no metadata":  {Data: []byte(words)},
		"empty":        {},
		"nil argument": {Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingNil)}},
		"large":        plain(string(bytes.Repeat([]byte("x"), 1<<20))),
		"sealed twice": encodeOne(t, c, plain(words)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := proto.CloneOf(payload)
			sealed := encodeOne(t, c, payload)
			require.True(t, proto.Equal(before, payload), "the payload given was changed")
			require.Equal(t, map[string][]byte{
				converter.MetadataEncoding: []byte(codec.Encoding),
				codec.MetadataKeyID:        []byte("k1"),
			}, sealed.GetMetadata())
			require.NotContains(t, string(sealed.GetData()), words)
			require.NotContains(t, string(sealed.GetData()), "note")

			opened, err := c.Decode([]*commonpb.Payload{sealed})
			require.NoError(t, err)
			require.True(t, proto.Equal(payload, opened[0]), "want %v, got %v", payload, opened[0])
		})
	}
}

func TestManyPayloadsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)})
	sealed, err := c.Encode([]*commonpb.Payload{plain("a"), plain("b"), plain("c")})
	require.NoError(t, err)
	opened, err := c.Decode(sealed)
	require.NoError(t, err)
	require.Len(t, opened, 3)
	for i, want := range []string{"a", "b", "c"} {
		require.Equal(t, want, string(opened[i].GetData()))
	}
}

func TestEqualPayloadsSealDifferently(t *testing.T) {
	t.Parallel()
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)})
	seen := map[string]bool{}
	for range 1000 {
		nonce := string(encodeOne(t, c, plain(words)).GetData()[:12])
		require.False(t, seen[nonce], "a nonce was used twice")
		seen[nonce] = true
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	before := newCodec(t, codec.Options{}, "2026-11", map[string][]byte{"2026-11": key(1)})
	during := newCodec(t, codec.Options{}, "2026-12", map[string][]byte{"2026-11": key(1), "2026-12": key(2)})
	after := newCodec(t, codec.Options{}, "2026-12", map[string][]byte{"2026-12": key(2)})
	old, current := encodeOne(t, before, plain(words)), encodeOne(t, during, plain(words))
	require.Equal(t, "2026-12", string(current.GetMetadata()[codec.MetadataKeyID]))

	for name, tc := range map[string]struct {
		reader *codec.Codec
		sealed *commonpb.Payload
		want   casefile.Code
	}{
		"old key, old reader":       {before, old, ""},
		"old key, rotating reader":  {during, old, ""},
		"new key, rotating reader":  {during, current, ""},
		"new key, new reader":       {after, current, ""},
		"new key not yet here":      {before, current, casefile.CodeUnavailable},
		"old key no longer here":    {after, old, casefile.CodeUnavailable},
		"another key, the same id":  {newCodec(t, codec.Options{}, "2026-11", map[string][]byte{"2026-11": key(9)}), old, casefile.CodeInvalid},
		"one key under another id":  {newCodec(t, codec.Options{}, "2026-12", map[string][]byte{"2026-12": key(1)}), renamed(old, "2026-12"), casefile.CodeInvalid},
		"an id of a forbidden form": {during, renamed(old, "x\n"+words), casefile.CodeInvalid},
		"no id":                     {during, renamed(old, ""), casefile.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opened, err := tc.reader.Decode([]*commonpb.Payload{tc.sealed})
			require.Equal(t, tc.want, casefile.ErrorCode(err))
			if tc.want == "" {
				require.Equal(t, words, string(opened[0].GetData()))
				return
			}
			require.Nil(t, opened)
			require.NotContains(t, err.Error(), words)
		})
	}
}

func renamed(p *commonpb.Payload, id string) *commonpb.Payload {
	p = proto.CloneOf(p)
	p.Metadata[codec.MetadataKeyID] = []byte(id)
	return p
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)})
	sealed := encodeOne(t, c, plain(words))
	for i := range sealed.GetData() {
		changed := proto.CloneOf(sealed)
		changed.Data[i] ^= 1
		_, err := c.Decode([]*commonpb.Payload{changed})
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "byte %d", i)
	}
	for _, length := range []int{0, 1, 11, 12, 27, 28, len(sealed.GetData()) - 1} {
		short := proto.CloneOf(sealed)
		short.Data = short.Data[:length]
		_, err := c.Decode([]*commonpb.Payload{short})
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "length %d", length)
	}
}

func TestPlainPayloads(t *testing.T) {
	t.Parallel()
	keys := map[string][]byte{"k1": key(1)}
	strict := newCodec(t, codec.Options{}, "k1", keys)
	lenient := newCodec(t, codec.Options{AllowPlain: true}, "k1", keys)
	for name, payload := range map[string]*commonpb.Payload{
		"json":        plain(words),
		"nil":         {Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingNil)}},
		"no metadata": {Data: []byte(words)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := strict.Decode([]*commonpb.Payload{encodeOne(t, strict, payload), payload})
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))

			opened, err := lenient.Decode([]*commonpb.Payload{payload, encodeOne(t, lenient, payload)})
			require.NoError(t, err)
			require.True(t, proto.Equal(payload, opened[0]))
			require.True(t, proto.Equal(payload, opened[1]))
		})
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		keys codec.Keys
		want []string
	}{
		"nothing":        {codec.Keys{}, []string{`key "" is not among the keys`}},
		"active missing": {codec.Keys{Active: "b", ByID: map[string][]byte{"a": key(1)}}, []string{`key "b"`}},
		"short and strange": {codec.Keys{Active: "a", ByID: map[string][]byte{"a": key(1)[:31], "b c": key(2), "d": nil}},
			[]string{"keys.a: is 31 bytes", `id "b c"`, "keys.d: is 0 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := codec.New(tc.keys, codec.Options{})
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestKeysAreCopied(t *testing.T) {
	t.Parallel()
	raw := key(1)
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": raw})
	sealed := encodeOne(t, c, plain(words))
	clear(raw)
	opened, err := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)}).
		Decode([]*commonpb.Payload{sealed, encodeOne(t, c, plain(words))})
	require.NoError(t, err)
	require.Equal(t, words, string(opened[1].GetData()))
}

func TestDataConverter(t *testing.T) {
	t.Parallel()
	dc := codec.NewDataConverter(newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)}))
	type note struct{ Text string }

	sealed, err := dc.ToPayloads(note{words}, nil, 7)
	require.NoError(t, err)
	for _, p := range sealed.GetPayloads() {
		require.Equal(t, codec.Encoding, string(p.GetMetadata()[converter.MetadataEncoding]))
		require.NotContains(t, string(p.GetData()), words)
	}
	var (
		text    note
		nothing *note
		number  int
	)
	require.NoError(t, dc.FromPayloads(sealed, &text, &nothing, &number))
	require.Equal(t, note{words}, text)
	require.Nil(t, nothing)
	require.Equal(t, 7, number)
}

func TestFailureConverter(t *testing.T) {
	t.Parallel()
	dc := codec.NewDataConverter(newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)}))
	fc := codec.NewFailureConverter(dc)
	cause := errors.New("cause " + words)
	failure := fc.ErrorToFailure(temporal.NewNonRetryableApplicationError(
		"message "+words, string(casefile.CodeUnproven), cause, "detail "+words))

	wire, err := proto.Marshal(failure)
	require.NoError(t, err)
	require.NotContains(t, string(wire), words)
	require.Equal(t, "unproven", failure.GetApplicationFailureInfo().GetType())
	require.True(t, failure.GetApplicationFailureInfo().GetNonRetryable())

	var application *temporal.ApplicationError
	require.ErrorAs(t, fc.FailureToError(failure), &application)
	require.Equal(t, "message "+words, application.Message())
	var detail string
	require.NoError(t, application.Details(&detail))
	require.Equal(t, "detail "+words, detail)
	require.ErrorContains(t, application.Unwrap(), words)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newCodec(t, codec.Options{}, "k1", map[string][]byte{"k1": key(1)})
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for worker := range cap(errs) {
		wg.Go(func() {
			for i := range 200 {
				want := fmt.Sprint(worker, i)
				sealed, err := c.Encode([]*commonpb.Payload{plain(want)})
				if err != nil {
					errs <- err
					return
				}
				opened, err := c.Decode(sealed)
				if err != nil {
					errs <- err
					return
				}
				if got := string(opened[0].GetData()); got != want {
					errs <- fmt.Errorf("want %q, got %q", want, got)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

// FuzzDecode feeds the strict codec with payloads from outside: it may only refuse them, with a
// code and without quoting them, or open what it sealed itself.
func FuzzDecode(f *testing.F) {
	c := newCodec(f, codec.Options{}, "k1", map[string][]byte{"k1": key(1), "k2": key(2)})
	add := func(p *commonpb.Payload) {
		wire, err := proto.Marshal(p)
		require.NoError(f, err)
		f.Add(wire)
	}
	sealed := encodeOne(f, c, plain(words))
	add(sealed)
	add(renamed(sealed, "k2"))
	add(renamed(sealed, "k3"))
	add(plain(words))
	add(encodeOne(f, c, sealed))
	add(&commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(codec.Encoding)}})
	add(&commonpb.Payload{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		p := &commonpb.Payload{}
		err := proto.Unmarshal(wire, p)
		if err != nil {
			t.Skip("not a payload")
		}
		opened, err := c.Decode([]*commonpb.Payload{p})
		if err != nil {
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeUnavailable}, casefile.ErrorCode(err))
			require.Nil(t, opened)
			return
		}
		require.Equal(t, codec.Encoding, string(p.GetMetadata()[converter.MetadataEncoding]))
		require.Len(t, opened, 1)
		again, err := c.Decode([]*commonpb.Payload{encodeOne(t, c, opened[0])})
		require.NoError(t, err)
		require.True(t, proto.Equal(opened[0], again[0]))
	})
}
