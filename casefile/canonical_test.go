package casefile_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in   any
		want string
	}{
		"keys in order, no spaces":    {json.RawMessage(`{ "b" : 1, "a" : [ 1 , 2 ], "A" : null, "aa":true}`), `{"A":null,"a":[1,2],"aa":true,"b":1}`},
		"keys that hold marks":        {json.RawMessage(`{"1":1,"10":2,"2":3,"":4,"\n":5,"\"":6}`), `{"":4,"\n":5,"\"":6,"1":1,"10":2,"2":3}`},
		"short escapes":               {"\b\t\n\f\r\"\\", `"\b\t\n\f\r\"\\"`},
		"other controls in hex":       {"\x00\x0b\x1f", `"\u0000\u000b\u001f"`},
		"nothing else is escaped":     {"/<>&'\u007f\u2028\u2029é€𝄞\ufeff", "\"/<>&'\u007f\u2028\u2029é€𝄞\ufeff\""},
		"the replacement character":   {"\ufffd", "\"\ufffd\""},
		"escapes are read":            {json.RawMessage(`"\u0041\/\ud834\udd1e\\ufffd\\"`), `"A/𝄞\\ufffd\\"`},
		"no normalisation":            {[]string{"é", "e\u0301"}, "[\"é\",\"e\u0301\"]"},
		"integers":                    {[]int64{0, -1, 1 << 53, -(1 << 53)}, "[0,-1,9007199254740992,-9007199254740992]"},
		"minus zero":                  {json.RawMessage(`-0`), `0`},
		"whole floats":                {[]float64{5, 1e20 / 1e19}, `[5,10]`},
		"empty things":                {map[string]any{"a": []int{}, "m": map[string]int{}, "s": ""}, `{"a":[],"m":{},"s":""}`},
		"nil is null":                 {map[string]any{"a": []int(nil), "m": map[string]int(nil)}, `{"a":null,"m":null}`},
		"bytes are base 64":           {[]byte("docket"), `"ZG9ja2V0"`},
		"structs by their JSON names": {casefile.Actor{Role: casefile.RoleLead}, `{"role":"lead"}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := casefile.Canonical(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]any{
		"a fraction":                       0.5,
		"an exponent":                      json.RawMessage(`1e2`),
		"a whole number with a point":      json.RawMessage(`1.0`),
		"a large float":                    1e21,
		"beyond 2^53":                      int64(1<<53 + 1),
		"below -2^53":                      int64(-(1<<53 + 1)),
		"beyond 64 bits":                   json.RawMessage(`123456789012345678901234567890`),
		"a key beyond ASCII":               map[string]int{"é": 1},
		"a key beyond ASCII inside":        map[string]any{"a": []any{map[string]int{"日": 1}}},
		"bytes that are no UTF-8":          "a\xffb",
		"a cut rune":                       "\xe2\x82",
		"a surrogate in UTF-8":             "\xed\xa0\x80",
		"a key that is no UTF-8":           map[string]int{"\xff": 1},
		"raw bytes that are no UTF-8":      json.RawMessage("\"\xff\""),
		"half a surrogate pair":            json.RawMessage(`"\ud800"`),
		"the second half alone":            json.RawMessage(`"x\udd1e"`),
		"two first halves":                 json.RawMessage(`"\ud834\ud834"`),
		"half a pair before something":     json.RawMessage(`["\ud834","\udd1e"]`),
		"half a pair behind a backslash":   json.RawMessage(`"\\\ud834"`),
		"an escaped replacement character": json.RawMessage(`"\uFFFD"`),
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := casefile.Canonical(in)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "gave %q", got)
			require.Nil(t, got)
		})
	}
	_, err := casefile.Canonical(math.NaN())
	require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(err))
	_, err = casefile.Canonical(json.RawMessage(`{`))
	require.Error(t, err)
}

// FuzzCanonical holds canonical JSON to what RFC 8785 says of it, with a second reader of its own.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{"b":[1,-2,{"z":null}],"a":"é\u001f\"\\/"}`, `"\ud834\udd1e"`, `"\ud834"`, `[9007199254740992,-0,0]`, `1e3`, `{"a":1,"a":2}`,
		`"\\ud800"`, `{"\u00e9":1}`, `[[[[]]]]`, ``, `true`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		got, err := casefile.Canonical(json.RawMessage(data))
		if err != nil {
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeInternal}, casefile.ErrorCode(err))
			return
		}
		require.True(t, utf8.Valid(got))
		require.True(t, utf8.Valid(data), "bytes that are no UTF-8 were taken")
		again, err := casefile.Canonical(json.RawMessage(got))
		require.NoError(t, err)
		require.Equal(t, string(got), string(again), "canonical JSON is its own canonical form")
		require.Equal(t, decoded(t, data), decoded(t, got), "the value is another")
		checkForm(t, got)
	})
}

func decoded(t *testing.T, data []byte) any {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return withoutMinusZero(v)
}

func withoutMinusZero(v any) any {
	switch x := v.(type) {
	case json.Number:
		if x == "-0" {
			return json.Number("0")
		}
	case []any:
		for i := range x {
			x[i] = withoutMinusZero(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = withoutMinusZero(x[k])
		}
	}
	return v
}

// checkForm steps through the tokens: no space between them, keys rising, escapes the short way.
func checkForm(t *testing.T, data []byte) {
	inString, last := false, byte(0)
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case inString && c == '\\':
			i++
			require.Contains(t, `"\btnfru`, string(data[i]))
			if data[i] == 'u' {
				hex := string(data[i+1 : i+5])
				n, err := strconv.ParseUint(hex, 16, 16)
				require.NoError(t, err)
				require.Less(t, n, uint64(0x20))
				require.NotContains(t, "\b\t\n\f\r", string(rune(n)))
				require.Equal(t, strings.ToLower(hex), hex)
				i += 4
			}
		case inString:
			require.GreaterOrEqual(t, c, byte(0x20))
			inString = c != '"'
		default:
			require.NotContains(t, " \t\r\n", string(c))
			inString = c == '"'
		}
		last = data[i]
	}
	require.False(t, inString)
	require.NotEqual(t, byte(','), last)
	dec := json.NewDecoder(bytes.NewReader(data))
	checkKeys(t, dec)
}

func checkKeys(t *testing.T, dec *json.Decoder) {
	dec.UseNumber()
	token, err := dec.Token()
	require.NoError(t, err)
	switch token {
	case json.Delim('{'):
		before, first := "", true
		for dec.More() {
			key, err := dec.Token()
			require.NoError(t, err)
			require.True(t, first || before < key.(string), "key %q after %q", key, before)
			before, first = key.(string), false
			checkKeys(t, dec)
		}
		_, err = dec.Token()
		require.NoError(t, err)
	case json.Delim('['):
		for dec.More() {
			checkKeys(t, dec)
		}
		_, err = dec.Token()
		require.NoError(t, err)
	}
}
