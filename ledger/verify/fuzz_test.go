package verify

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func FuzzBundle(f *testing.F) {
	l := buildLog(f, plainEntries(f, 20))
	proven := map[string]uint64{}
	for _, i := range []int{0, 7, 19} {
		data, err := json.Marshal(l.bundleOf(f, i))
		require.NoError(f, err)
		f.Add(data)
	}
	for i, e := range l.entries {
		proven[string(e)] = uint64(i)
	}
	f.Add([]byte(`{"format":"docket-bundle/1","entry":"","index":18446744073709551615,"path":[""],"checkpoint":"a\n1\nAA==\n\n— a b\n"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		_, err = Bundle(b, l.key.vkey)
		if err != nil {
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
			return
		}
		index, ok := proven[string(b.Entry)]
		require.True(t, ok, "an entry that is not in the log was proven")
		require.Equal(t, index, b.Index)
	})
}

func FuzzEntryBundle(f *testing.F) {
	l := buildLog(f, plainEntries(f, 5))
	f.Add(l.bundle(0, 5))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0, 5, 'a'})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseEntries(data)
		require.LessOrEqual(t, len(entries), tileWidth)
		var again []byte
		for _, e := range entries {
			again = binary.BigEndian.AppendUint16(again, uint16(len(e)))
			again = append(again, e...)
			viewEntry(e)
		}
		require.Equal(t, string(data[:len(again)]), string(again))
		if err == nil {
			require.Len(t, data, len(again))
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	l := buildLog(f, plainEntries(f, 5))
	good := l.checkpoint(f)
	f.Add(good)
	f.Add(testOrigin + "\n5\n" + l.root().String() + "\nextension\n")
	f.Add("\n0\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCheckpoint(text)
		if err != nil {
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
		} else {
			first := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
			require.Equal(t, first, text[:len(first)])
		}
		c, err = OpenCheckpoint(text, l.key.vkey)
		if err != nil {
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
			return
		}
		require.Equal(t, uint64(5), c.Size, "a checkpoint that was never signed was taken")
		require.Equal(t, l.root(), c.Root)
	})
}

// Whatever the quick reader takes, casefile.ParseEntry takes and reads the same.
func FuzzScanEntry(f *testing.F) {
	c := chain{name: "case.00001-TEST1"}
	entries, _ := decided(f, &c)
	for _, e := range entries {
		f.Add(e)
	}
	for _, e := range plainEntries(f, 6) {
		f.Add(e)
	}
	for _, body := range []string{
		`{"b":1,"a":1}`, `{"a":1,"a":1}`, `{"a":-0}`, `{"a":01}`, `{"a":1.0}`, `{"a":9007199254740993}`, `[[],{},"\u00e9"]`,
		`"\ud800"`, "\"\xff\"", `"<\u2028>"`, `{"\u00e9":1}`, `[1,]`, `[1 ]`, `nullx`, `""`, `{"":null}`, `-`, `[`, `"é"`,
	} {
		f.Add([]byte(`{"actor":{"person":"","role":"service"},"at":"","body":` + body + `,"cause":"","event":"system/1","prev":"","type":"policy","v":1}`))
		f.Add([]byte(`{"actor":{"role":"service"},"at":"","body":` + body + `,"event":"system/1","prev":"","type":"policy","v":1}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := scanEntry(data)
		if !ok {
			return
		}
		want, err := casefile.ParseEntry(data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
