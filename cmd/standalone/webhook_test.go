package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/config"
)

func TestWebhookPlatform(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "webhook.json")
	require.NoError(t, writeFile(file, []byte(`{"url":"https://platform.example/docket","secrets":[{"env":"A_SECRET"}],"acts":["warn"],"notify":true}`)))
	all, err := webhookPlatform(file)
	require.NoError(t, err)
	require.Equal(t, config.Platform{Name: config.AnyPlatform, Adapter: config.AdapterWebhook, File: file, Notify: true}, all)
	one, err := webhookPlatform("birdsong=" + file)
	require.NoError(t, err)
	require.Equal(t, "birdsong", one.Name)
	require.NoError(t, writeFile(file, []byte(`{"url":"https://platform.example/docket"}`)))
	_, err = webhookPlatform(file)
	require.ErrorContains(t, err, "acts")
	_, err = webhookPlatform(file + ".none")
	require.Error(t, err)
}
