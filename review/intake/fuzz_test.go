package intake

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// FuzzFlagBody decodes a request's body and encodes it for the seal: what comes out decodes to the
// same bytes again, so that a retry of the same flag has the same digest.
func FuzzFlagBody(f *testing.F) {
	f.Add([]byte(`{"id":"a","platform":"example","account":{"id":"1"},"detector":{"name":"d","version":"1"},"reasons":[{"rule":"r","policy":"VE-08","weight":0.1}],"at":"2026-03-02T10:00:00+01:00"}`))
	f.Add([]byte(`{"id":"a","platform":"example","account":{"id":"1","followers":0},"detector":{"name":"d","version":"1"},"reasons":[{"rule":"r","policy":"VE-08","weight":1e2,"terms":[{"post":"p","term":"t","start":0,"end":1}]}],"evidence":[{"id":"p","text":"\ud800x","at":"2026-03-02T10:00:00Z","more":1}],"at":"2026-03-02T10:00:00Z"}`))
	f.Add([]byte(`{"id":"a","unknown":1}`))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		flag, err := casefile.DecodeFlag(data)
		if err != nil {
			require.NotEmpty(t, casefile.ErrorCode(err))
			return
		}
		first, err := Encode(flag)
		require.NoError(t, err)
		if len(first) > casefile.MaxFlagBytes {
			return // escapes may grow a flag that was within the limit; it is never decoded as one again
		}
		again, err := casefile.DecodeFlag(first)
		require.NoError(t, err)
		second, err := Encode(again)
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}

// FuzzLineReader splits any input as the naive way does.
func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\nb\n"))
	f.Add([]byte("\n\n a \r\n\xff"))
	f.Add([]byte(""))
	f.Add([]byte("no end"))
	f.Fuzz(func(t *testing.T, data []byte) {
		type line struct {
			number int
			text   string
		}
		var want, got []line
		for i, part := range bytes.Split(data, []byte("\n")) {
			text := strings.TrimSpace(string(part))
			if text != "" {
				want = append(want, line{i + 1, string(bytes.TrimSpace(part))})
			}
		}
		r := newLineReader(bytes.NewReader(data))
		for {
			text, err := r.next()
			if errors.Is(err, errEnd) {
				break
			}
			require.NoError(t, err)
			got = append(got, line{r.number, string(text)})
		}
		require.Equal(t, want, got)
	})
}

func TestLineReaderSkipsALongLineWhole(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*casefile.MaxFlagBytes)
	r := newLineReader(strings.NewReader("a\n" + long + "\nb"))
	text, err := r.next()
	require.NoError(t, err)
	require.Equal(t, "a", string(text))
	_, err = r.next()
	require.Equal(t, casefile.CodeTooLarge, casefile.ErrorCode(err))
	require.Equal(t, 2, r.number)
	text, err = r.next()
	require.NoError(t, err)
	require.Equal(t, "b", string(text))
	require.Equal(t, 3, r.number)
	_, err = r.next()
	require.ErrorIs(t, err, errEnd)
}
