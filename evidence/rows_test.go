package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// memoryRows keeps wrapped keys as records promises to.
type memoryRows struct {
	mu    sync.Mutex
	rows  map[casefile.AccountKey]records.WrappedKey
	reads int
}

func newMemoryRows() *memoryRows {
	return &memoryRows{rows: map[casefile.AccountKey]records.WrappedKey{}}
}

func (m *memoryRows) PutAccountKey(_ context.Context, k records.WrappedKey) (records.WrappedKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.rows[k.Account]
	if !ok {
		m.rows[k.Account] = k
	}
	return m.rows[k.Account], nil
}

func (m *memoryRows) AccountKey(_ context.Context, account casefile.AccountKey) (records.WrappedKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	k, ok := m.rows[account]
	if !ok {
		return records.WrappedKey{}, casefile.Errorf(casefile.CodeNotFound, "no key")
	}
	return k, nil
}

func (m *memoryRows) destroy(account casefile.AccountKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, account)
}

// testClock is a clock that tests move.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock {
	return &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// lookalike stands in for detector/fold.String: lower case, and a few confusables.
var lookalike = func(s string) string {
	return strings.NewReplacer("0", "o", "1", "l", "\u0435", "e").Replace(strings.ToLower(s))
}

func openTestKeyring(t testing.TB, dir string) *Keyring {
	t.Helper()
	k, err := OpenKeyring(t.Context(), KeyringOptions{Dir: dir, Skeleton: lookalike})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

// fixedKey is a key that depends on nothing but its name, for golden values.
func fixedKey(name string) *key {
	sum := sha256.Sum256([]byte(name))
	return &sum
}

func requireCode(t testing.TB, want casefile.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, casefile.ErrorCode(err), err.Error())
}

// flipped is data with one bit changed.
func flipped(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 1
	return out
}
