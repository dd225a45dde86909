package assembly

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
	_ "gocloud.dev/blob/s3blob" // as the program docket links it

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/evidence"
)

// TestSealedStoreInObjectStorage: two processes with the same keys, records and bucket see the same
// sealed objects.
func TestSealedStoreInObjectStorage(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "invented")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "invented")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("sealed"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()

	c := testConfig(t)
	c.Evidence = config.Evidence{Bucket: "s3://sealed?region=us-east-1&use_path_style=true&endpoint=" + server.URL}
	require.NoError(t, c.Check(config.RoleWork))
	one, _ := process(t, c, config.RoleWork)
	writer, err := one.Sealer(t.Context())
	require.NoError(t, err)
	const account = casefile.AccountKey("account")
	require.NoError(t, writer.EnsureKey(t.Context(), "example", account))
	address, _, err := writer.Seal(t.Context(), account, evidence.KindComment, []byte("[words of an invented post]"))
	require.NoError(t, err)

	other, _ := process(t, c, config.RoleEnforce)
	reader, err := other.Sealer(t.Context())
	require.NoError(t, err)
	plain, err := reader.Open(t.Context(), account, evidence.KindComment, address)
	require.NoError(t, err)
	require.Equal(t, "[words of an invented post]", string(plain))
	there, err := reader.Exists(t.Context(), account, "unheard-of")
	require.NoError(t, err)
	require.False(t, there)
}
