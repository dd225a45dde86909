package review

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
)

// digester is an Identity of which only Digest is used.
type digester struct{ evidence.Identity }

func (digester) Digest(content []byte) string {
	mac := hmac.New(sha256.New, []byte("a key for tests"))
	mac.Write(content)
	return hex.EncodeToString(mac.Sum(nil))
}

// FuzzPreviewToken: a token that this desk did not make is refused, whatever it looks like, and one
// that it made reads back as it was.
func FuzzPreviewToken(f *testing.F) {
	d := New(Options{Identity: digester{}})
	good, err := d.mint(previewToken{Case: "7K2QX-9MDT4", Person: "p-a", Number: "N", At: time.Unix(1, 0).UTC(), Text: "t"})
	require.NoError(f, err)
	f.Add(good)
	f.Add("")
	f.Add(".")
	f.Add("e30.00")
	f.Add(good + "0")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := d.readToken(s)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		again, err := d.mint(token)
		require.NoError(t, err)
		require.Equal(t, again, s, "only a minted token reads")
	})
}

func TestCheckpointHead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		origin string
		size   uint64
		ok     bool
	}{
		"a checkpoint":  {"example.org/log\n12\nroot\n\n— sig\n", "example.org/log", 12, true},
		"no size":       {"example.org/log\nx\nroot\n\n", "", 0, false},
		"a short one":   {"example.org/log\n12", "", 0, false},
		"without name":  {"\n12\nroot\n\n", "", 0, false},
		"nothing there": {"", "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, size, ok := checkpointHead(c.text)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.origin, origin)
			require.Equal(t, c.size, size)
		})
	}
}
