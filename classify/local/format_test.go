package local

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestFormatKeepsTheModel(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	data, err := m.Encode()
	require.NoError(t, err)
	got, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, m.Model(), got.Model())
	require.Equal(t, m.heads, got.heads)
	require.Equal(t, m.weights, got.weights)
	for _, e := range toys(9, 40) {
		require.Equal(t, m.Judge(e.Text), got.Judge(e.Text))
	}
	again, err := got.Encode()
	require.NoError(t, err)
	require.Equal(t, data, again)
}

// packed is a body in the file's compression.
func packed(t testing.TB, body []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, err := zw.Write(body)
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	return buf.Bytes()
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	body, err := toyModel(t).body()
	require.NoError(t, err)
	swap := func(old, with string) []byte {
		require.Contains(t, string(body), old)
		require.Len(t, with, len(old), "lengths stand in the header")
		return packed(t, []byte(strings.Replace(string(body), old, with, 1)))
	}
	for name, tc := range map[string]struct {
		data []byte
		code casefile.Code
	}{
		"nothing":           {nil, casefile.CodeInvalid},
		"no gzip":           {[]byte("docket"), casefile.CodeInvalid},
		"another format":    {swap("docket-linear 1", "docket-linear 2"), casefile.CodeState},
		"another folding":   {swap(`"fold":"fold-`, `"fold":"fald-`), casefile.CodeState},
		"an unknown policy": {swap("VE-05", "VE-55"), casefile.CodeInvalid},
		"a policy twice":    {swap("VE-05", "VE-08"), casefile.CodeInvalid},
		"unknown field":     {swap(`"bits"`, `"bots"`), casefile.CodeInvalid},
		"too many bits":     {swap(`"bits":14`, `"bits":99`), casefile.CodeInvalid},
		"cut off":           {packed(t, body[:len(body)-1]), casefile.CodeInvalid},
		"too long":          {packed(t, append(bytes.Clone(body), 0)), casefile.CodeInvalid},
		"a weight is NaN":   {packed(t, append(bytes.Clone(body[:len(body)-2]), 0x7e, 0)), casefile.CodeInvalid},
		"cut in the header": {packed(t, body[:30]), casefile.CodeInvalid},
		"one fewer bits":    {swap(`"bits":14`, `"bits":13`), casefile.CodeInvalid},
	} {
		_, err := Decode(tc.data)
		require.Equal(t, tc.code, casefile.ErrorCode(err), name)
	}
}

func FuzzDecode(f *testing.F) {
	m, err := Train(toys(1, 200), Options{Seed: 3, Bits: 10, MaxRows: 20})
	require.NoError(f, err)
	body, err := m.body()
	require.NoError(f, err)
	f.Add(body)
	f.Add(body[:len(body)-3])
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Decode(packed(t, body))
		if err != nil {
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeState}, casefile.ErrorCode(err))
			return
		}
		j := m.Judge("glory to the grey banner")
		require.True(t, j.OK)
		require.True(t, j.Any >= 0 && j.Any <= 1)
		_, err = m.Encode()
		require.NoError(t, err)
	})
}

func FuzzDecodeFile(f *testing.F) {
	f.Add(shipped[:200])
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Decode(data)
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err))
		}
	})
}
