package receiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/enforce/webhook"
)

const golden = "enforce/webhook/receiver/testdata/receiver.ndjson"

func TestLinesFitTheirSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "webhook-line", Line{}, formatstest.Written)
	r := formatstest.Reader{Schema: "webhook-line", Validates: true, Decode: func(data []byte) (any, error) { return decodeLine(data) }}
	for _, value := range formatstest.Values(t, golden, false) {
		r.Agrees(t, value)
	}
}

// TestGolden: what the documented messages leave in the file, but for references, which are random.
func TestGolden(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	path, secret := filepath.Join(t.TempDir(), "receiver.ndjson"), webhook.NewSecret()
	r, err := New(Options{File: path, Secrets: []string{secret}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	for i, value := range formatstest.Values(t, "docs/formats/webhook-message.golden.ndjson", false) {
		m, err := webhook.DecodeMessage(value)
		require.NoError(t, err)
		id := m.Key
		if !m.Type.Acts() {
			id = "question-" + strconv.Itoa(i)
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, signed(t, secret, id, now, value))
		require.Equal(t, http.StatusOK, w.Code, string(m.Type))
		require.NoError(t, formatstest.Check(formatstest.Schema(t, "webhook-answer"), w.Body.Bytes()))
	}
	lines, err := Read(path)
	require.NoError(t, err)
	var got bytes.Buffer
	for i, l := range lines {
		require.Len(t, l.Reference, 26)
		l.Reference = "REFERENCE-" + string(rune('1'+i))
		data, err := json.Marshal(l)
		require.NoError(t, err)
		got.Write(append(data, '\n'))
	}
	file := filepath.Join(formatstest.Root(t), golden)
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

// signed is a request with these bytes.
func signed(t testing.TB, secret, id string, at time.Time, body []byte) *http.Request {
	t.Helper()
	key, err := webhook.ParseSecret(secret)
	require.NoError(t, err)
	signature, err := key.Sign(id, at, body)
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(webhook.HeaderSignature, signature)
	return r
}

// FuzzServe: no signed body whatever makes the platform do what it does not write down, or fail.
func FuzzServe(f *testing.F) {
	for _, value := range formatstest.Values(f, "docs/formats/webhook-message.golden.ndjson", false) {
		m, err := webhook.DecodeMessage(value)
		require.NoError(f, err)
		f.Add(m.Key, []byte(value))
	}
	f.Add("D/1/do", []byte(`{"v":1}`))
	f.Add("", []byte(nil))
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	secret := webhook.NewSecret()
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		path := filepath.Join(dir, "receiver.ndjson")
		require.NoError(t, os.RemoveAll(path))
		r, err := New(Options{File: path, Secrets: []string{secret}, Now: func() time.Time { return now }})
		require.NoError(t, err)
		defer r.Close()
		for range 2 {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, signed(t, secret, id, now, body))
			switch w.Code {
			case http.StatusOK:
				_, err = webhook.DecodeAnswer(w.Body.Bytes())
				require.NoError(t, err)
			case http.StatusBadRequest, http.StatusUnauthorized, http.StatusConflict, http.StatusPreconditionFailed:
				require.Empty(t, w.Body.Bytes())
			default:
				t.Fatalf("status %d", w.Code)
			}
		}
		lines, err := Read(path)
		require.NoError(t, err)
		require.Equal(t, r.Count(), len(lines))
		require.LessOrEqual(t, len(lines), 1)
	})
}

func FuzzReadLines(f *testing.F) {
	for _, value := range formatstest.Values(f, golden, false) {
		f.Add(append(bytes.Clone(value), '\n'))
	}
	f.Add([]byte("{}\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newState()
		size, err := readLines(bytes.NewReader(data), s.take)
		if err != nil {
			return
		}
		require.Equal(t, int64(bytes.LastIndexByte(data, '\n')+1), size)
		require.Equal(t, bytes.Count(data, []byte("\n")), s.lines)
	})
}
