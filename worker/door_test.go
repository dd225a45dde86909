package worker

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/intake"
)

// TestDoor: a flag is handed on, refused for good, or the whole call is repeated; never none of them.
func TestDoor(t *testing.T) {
	t.Parallel()
	fault := func(code casefile.Code) *intake.LineError {
		return &intake.LineError{Code: code, Field: "id", Message: "why"}
	}
	flags := []casefile.Flag{{ID: "f1"}, {ID: "f2"}, {ID: "f3"}}
	cases := map[string]struct {
		answers []*intake.LineError // one for each line, nil for taken
		status  int                 // instead of lines
		refused []casefile.Code
		code    casefile.Code // of the call, "" for none
	}{
		"all taken":         {answers: []*intake.LineError{nil, nil, nil}},
		"one refused":       {answers: []*intake.LineError{nil, fault(casefile.CodeConflict), nil}, refused: []casefile.Code{casefile.CodeConflict}},
		"all refused":       {answers: []*intake.LineError{fault(casefile.CodeInvalid), fault(casefile.CodeTooLarge), fault(casefile.CodeConflict)}, refused: []casefile.Code{casefile.CodeInvalid, casefile.CodeTooLarge, casefile.CodeConflict}},
		"an engine is down": {answers: []*intake.LineError{nil, fault(casefile.CodeUnavailable), fault(casefile.CodeConflict)}, code: casefile.CodeUnavailable},
		"an engine erred":   {answers: []*intake.LineError{nil, nil, fault(casefile.CodeInternal)}, code: casefile.CodeInternal},
		"answers missing":   {answers: []*intake.LineError{nil, nil}, code: casefile.CodeUnavailable},
		"the token is gone": {status: http.StatusUnauthorized, code: casefile.CodeForbidden},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "/v1/flags", r.URL.Path)
				require.Equal(t, "application/x-ndjson", r.Header.Get("Content-Type"))
				require.Equal(t, "Bearer token", r.Header.Get("Authorization"))
				if c.status != 0 {
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(`{"title":"Forbidden","status":401,"code":"forbidden","detail":"no"}`))
					return
				}
				lines := bufio.NewScanner(r.Body)
				for lines.Scan() {
					var f casefile.Flag
					require.NoError(t, json.Unmarshal(lines.Bytes(), &f))
					got = append(got, f.ID)
				}
				enc := json.NewEncoder(w)
				for i, fault := range c.answers {
					line := intake.LineResult{Line: i + 1, Error: fault}
					if fault == nil {
						line.ID, line.Status = got[i], records.FlagPending
					}
					require.NoError(t, enc.Encode(line))
				}
			}))
			t.Cleanup(server.Close)
			refused, err := Door{Client: &client.Client{Base: server.URL, Token: "token"}}.SubmitFlags(t.Context(), flags)
			require.Equal(t, c.code, casefile.ErrorCode(err))
			var codes []casefile.Code
			for _, r := range refused {
				codes = append(codes, casefile.ErrorCode(r))
			}
			require.Equal(t, c.refused, codes)
			if c.status == 0 {
				require.Equal(t, []string{"f1", "f2", "f3"}, got)
			}
		})
	}
	_, err := Door{Client: &client.Client{Base: "http://127.0.0.1:1", Token: "token"}}.SubmitFlags(t.Context(), flags)
	require.Error(t, err, "nobody answers: the call is repeated")
}
