package telling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackOff(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 9: 256 * time.Second,
		10: MaxBackOff, 11: MaxBackOff, 1 << 40: MaxBackOff,
	} {
		require.Equal(t, want/2, backOff(failures, 0), "failures: %d", failures)
		require.Equal(t, want, backOff(failures, 1), "failures: %d", failures)
		require.Equal(t, want*3/4, backOff(failures, 0.5), "failures: %d", failures)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0,
		"Mon, 02 Mar 2026 10:05:00 GMT": 5 * time.Minute,
		"Mon, 02 Mar 2026 09:00:00 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(text, now), text)
	}
}

func TestStatusCode(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Code{
		200: "", 202: "", 204: "", 299: "", 301: CodeRedirect, 302: CodeRedirect, 304: CodeRedirect, 400: CodeRefused, 401: CodeRefused,
		404: CodeRefused, 408: CodeBusy, 410: CodeGone, 413: CodeRefused, 425: CodeBusy, 429: CodeBusy, 500: CodeBusy, 503: CodeBusy, 599: CodeBusy,
	} {
		code, ok := statusCode(status)
		require.Equal(t, want, code, status)
		require.Equal(t, want == "", ok, status)
	}
}

// TestCodesOfAChannel: a code that is new must be judged: does the next message meet the same?
func TestCodesOfAChannel(t *testing.T) {
	t.Parallel()
	for code, want := range map[Code]bool{
		CodeUnreachable: true, CodeTimeout: true, CodeTLS: true, CodeLogin: true, CodeBusy: true, CodeRedirect: true, CodeGone: true,
		CodeRefused: false, CodeAddress: false, CodeStopped: false, CodeInternal: false,
	} {
		require.Equal(t, want, code.wholeChannel(), code)
	}
}
