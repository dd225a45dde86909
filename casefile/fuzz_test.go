package casefile

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"platform":"synthetic","id":"p1","account":{"id":"a1","handle":"grey_gull"},"text":"[a post]","at":"2026-03-02T08:00:00Z"}`))
	f.Add([]byte(`{"kind":"account_gone","platform":"synthetic","account":{"id":"a1","created_at":"2020-01-01T01:00:00+01:00","followers":3},"at":"2026-03-02T09:00:00+01:00"}`))
	f.Add([]byte(`{"kind":"edit","platform":"x","id":"1","account":{"id":"2"},"at":"2026-03-02T08:00:00Z","media":[{"type":"photo","bytes":5}],"urls":["https://example.org"]}`))
	f.Add([]byte(`{"kind":"like"}`))
	f.Add([]byte(`{"at":7}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseEvent(line)
		if err != nil {
			require.Contains(t, []Code{CodeInvalid, CodeTooLarge}, ErrorCode(err))
			return
		}
		require.NoError(t, e.Normalize(""))
		raw, err := json.Marshal(e)
		if err != nil || len(raw) > MaxEventBytes {
			return // a year beyond 9999 has no RFC 3339 form, and escapes lengthen
		}
		again, err := ParseEvent(raw)
		require.NoError(t, err)
		rawAgain, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(rawAgain))
	})
}

func FuzzDecodeFlag(f *testing.F) {
	f.Add([]byte(`{"id":"f-1","platform":"synthetic","account":{"id":"a1"},"detector":{"name":"docket","version":"1"},"reasons":[{"rule":"praise-en","policy":"VE-08","weight":3.5,"detail":"score 7.5 >= 6.0","terms":[{"post":"p1","term":"glory to","start":0,"end":8}]}],"evidence":[{"id":"p1","text":"[praise of a designated group]","at":"2026-03-02T08:00:00Z"}],"at":"2026-03-02T08:00:00Z"}`))
	f.Add([]byte(`{"id":"f 1"}`))
	f.Add([]byte(`{"id":"f-1","evidence":[{"unknown":1}],"unknown":2}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		fl, err := DecodeFlag(data)
		if err != nil {
			require.Contains(t, []Code{CodeInvalid, CodeTooLarge}, ErrorCode(err))
			return
		}
		require.NoError(t, fl.Validate())
		raw, err := json.Marshal(fl)
		if err != nil || len(raw) > MaxFlagBytes {
			return // a year beyond 9999 has no RFC 3339 form, and escapes lengthen
		}
		again, err := DecodeFlag(raw)
		require.NoError(t, err)
		rawAgain, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(rawAgain))
	})
}
