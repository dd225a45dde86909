package evidence

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob/memblob"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

type testStore struct {
	*Store
	dir   string
	rows  *memoryRows
	clock *testClock
}

func newTestStore(t testing.TB) testStore {
	t.Helper()
	rows, clock := newMemoryRows(), newTestClock()
	root := t.TempDir()
	ring := openTestKeyring(t, filepath.Join(root, "keys"))
	dir := filepath.Join(root, "evidence")
	s, err := Open(Options{Dir: dir, Keyring: ring, Rows: rows, Clock: clock.Now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return testStore{s, dir, rows, clock}
}

const (
	alice casefile.AccountKey = "aliceaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	bob   casefile.AccountKey = "bobbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	words                     = "[praise of a designated group] by placeholder_handle"
)

func (s testStore) with(t testing.TB, accounts ...casefile.AccountKey) testStore {
	for _, a := range accounts {
		require.NoError(t, s.EnsureKey(t.Context(), "twitter", a))
	}
	return s
}

func (s testStore) file(address casefile.Address) string {
	return filepath.Join(s.dir, objectPath(address))
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	bucket := memblob.OpenBucket(nil)
	defer bucket.Close()
	inFolder := newTestStore(t)
	inBucket, err := Open(Options{Bucket: bucket, Keyring: inFolder.keyring, Rows: inFolder.rows})
	require.NoError(t, err)
	fast, err := Open(Options{Dir: filepath.Join(t.TempDir(), "fast"), Fast: true, Keyring: inFolder.keyring, Rows: inFolder.rows})
	require.NoError(t, err)
	for name, s := range map[string]*Store{"folder": inFolder.Store, "bucket": inBucket, "fast": fast} {
		for _, content := range []string{words, "", strings.Repeat("0123456789", 300_000)} {
			require.NoError(t, s.EnsureKey(t.Context(), "twitter", alice))
			address, digest, err := s.Seal(t.Context(), alice, KindFlag, []byte(content))
			require.NoError(t, err, name)
			got, err := s.Open(t.Context(), alice, KindFlag, address)
			require.NoError(t, err, name)
			require.Equal(t, content, string(got))
			there, err := s.Exists(t.Context(), alice, address)
			require.NoError(t, err)
			require.True(t, there)

			again, digestAgain, err := s.Seal(t.Context(), alice, KindFlag, []byte(content))
			require.NoError(t, err)
			require.Equal(t, address, again)
			require.Equal(t, digest, digestAgain)
			require.Len(t, digest, 64)
		}
		require.NoError(t, s.Close())
	}
	_, err = bucket.Exists(t.Context(), "x")
	require.NoError(t, err, "the caller's bucket stays open")
}

func TestSealKeepsAccountsAndKindsApart(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice, bob)
	addresses, digests := map[casefile.Address]bool{}, map[string]bool{}
	for _, account := range []casefile.AccountKey{alice, bob} {
		for _, kind := range []Kind{KindFlag, KindProfile} {
			address, digest, err := s.Seal(t.Context(), account, kind, []byte(words))
			require.NoError(t, err)
			addresses[address], digests[digest] = true, true
			require.NotContains(t, digest, string(address))
		}
	}
	require.Len(t, addresses, 4)
	require.Len(t, digests, 4)
}

func TestOpenRefusesWhatWasNotSealedThere(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice, bob)
	ctx := t.Context()
	address, _, err := s.Seal(ctx, alice, KindFlag, []byte(words))
	require.NoError(t, err)
	other, _, err := s.Seal(ctx, alice, KindFlag, []byte("other words"))
	require.NoError(t, err)
	bobs, _, err := s.Seal(ctx, bob, KindFlag, []byte(words))
	require.NoError(t, err)
	stored, err := os.ReadFile(s.file(address))
	require.NoError(t, err)
	damaged := func(t *testing.T, account casefile.AccountKey, kind Kind, at casefile.Address) {
		t.Helper()
		_, err := s.Open(ctx, account, kind, at)
		require.ErrorIs(t, err, ErrDamaged)
		requireCode(t, casefile.CodeInternal, err)
	}
	damaged(t, alice, KindOpinion, address)
	damaged(t, bob, KindFlag, address)
	damaged(t, alice, KindFlag, bobs)

	for at := range stored {
		require.NoError(t, os.WriteFile(s.file(address), flipped(stored, at), 0o600))
		damaged(t, alice, KindFlag, address)
	}
	for _, n := range []int{0, 1, 16, len(stored) - 1} {
		require.NoError(t, os.WriteFile(s.file(address), stored[:n], 0o600))
		damaged(t, alice, KindFlag, address)
	}
	require.NoError(t, os.WriteFile(s.file(address), append(bytes.Clone(stored), 0), 0o600))
	damaged(t, alice, KindFlag, address)

	swapped, err := os.ReadFile(s.file(other))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.file(address), swapped, 0o600))
	damaged(t, alice, KindFlag, address)

	_, _, err = s.Seal(ctx, alice, KindFlag, []byte(words))
	require.NoError(t, err, "sealing again puts it right")
	_, err = s.Open(ctx, alice, KindFlag, address)
	require.NoError(t, err)

	require.NoError(t, os.Remove(s.file(address)))
	_, err = s.Open(ctx, alice, KindFlag, address)
	requireCode(t, casefile.CodeNotFound, err)
	there, err := s.Exists(ctx, alice, address)
	require.NoError(t, err)
	require.False(t, there)
	for _, bad := range []casefile.Address{"", "..", casefile.Address("../" + strings.Repeat("a", 49)), casefile.Address(strings.Repeat("A", 52))} {
		_, err = s.Open(ctx, alice, KindFlag, bad)
		requireCode(t, casefile.CodeNotFound, err)
		there, err = s.Exists(ctx, alice, bad)
		require.NoError(t, err)
		require.False(t, there)
	}
}

func TestEnsureKeyRacingCallersGetOneKey(t *testing.T) {
	t.Parallel()
	rows := newMemoryRows()
	ring := openTestKeyring(t, filepath.Join(t.TempDir(), "keys"))
	dir := t.TempDir()
	const racers = 16
	addresses := make([]casefile.Address, racers)
	errs := make([]error, racers)
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() { // each as if in a process of its own
			s, err := Open(Options{Dir: dir, Fast: true, Keyring: ring, Rows: rows})
			if err == nil {
				err = s.EnsureKey(context.Background(), "twitter", alice)
			}
			if err == nil {
				addresses[i], _, err = s.Seal(context.Background(), alice, KindFlag, []byte(words))
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for i := range racers {
		require.NoError(t, errs[i])
		require.Equal(t, addresses[0], addresses[i])
	}
}

func TestContentKeyIsBoundToItsAccount(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice, bob)
	s.rows.mu.Lock()
	a, b := s.rows.rows[alice], s.rows.rows[bob]
	a.Wrapped, b.Wrapped = b.Wrapped, a.Wrapped
	s.rows.rows[alice], s.rows.rows[bob] = a, b
	s.rows.mu.Unlock()
	s.clock.Advance(time.Hour)
	_, err := s.Salter(t.Context(), alice)
	requireCode(t, casefile.CodeInternal, err)
}

func TestWithoutItsDeploymentKeyAnAccountIsNotTakenForErased(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice)
	elsewhere, err := Open(Options{Dir: s.dir, Keyring: openTestKeyring(t, filepath.Join(t.TempDir(), "keys")), Rows: s.rows})
	require.NoError(t, err)
	_, err = elsewhere.Salter(t.Context(), alice)
	requireCode(t, casefile.CodeInternal, err)
	requireCode(t, casefile.CodeInternal, elsewhere.EnsureKey(t.Context(), "twitter", alice))
}

func TestAccountWithoutKey(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	_, _, err := s.Seal(t.Context(), alice, KindFlag, []byte(words))
	requireCode(t, casefile.CodeNotFound, err)
	_, err = s.Salter(t.Context(), alice)
	requireCode(t, casefile.CodeNotFound, err)
}

type failingRows struct{ KeyRows }

func (failingRows) AccountKey(context.Context, casefile.AccountKey) (records.WrappedKey, error) {
	return records.WrappedKey{}, casefile.Errorf(casefile.CodeUnavailable, "down")
}

func TestRecordsDown(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	down, err := Open(Options{Dir: s.dir, Keyring: s.keyring, Rows: failingRows{}})
	require.NoError(t, err)
	requireCode(t, casefile.CodeUnavailable, down.EnsureKey(t.Context(), "twitter", alice))
	_, err = down.Exists(t.Context(), alice, casefile.Address(strings.Repeat("a", addressChars)))
	requireCode(t, casefile.CodeUnavailable, err)
}

func TestStorageDown(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice)
	address, _, err := s.Seal(t.Context(), alice, KindFlag, []byte(words))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Open(t.Context(), alice, KindFlag, address)
	requireCode(t, casefile.CodeUnavailable, err)
	_, _, err = s.Seal(t.Context(), alice, KindFlag, []byte(words))
	requireCode(t, casefile.CodeUnavailable, err)

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	fresh := newTestStore(t).with(t, alice)
	_, _, err = fresh.Seal(cancelled, alice, KindFlag, []byte(words))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, filesUnder(t, fresh.dir), "a write that was given up leaves nothing")
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := Open(Options{})
	requireCode(t, casefile.CodeInvalid, err)
}

func TestContentKeyCache(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice)
	s.cache.size = 3
	read := func() int {
		s.rows.mu.Lock()
		defer s.rows.mu.Unlock()
		return s.rows.reads
	}
	before := read()
	for range 10 {
		_, err := s.Salter(t.Context(), alice)
		require.NoError(t, err)
	}
	require.Equal(t, before, read(), "a cached key is not read again")
	s.clock.Advance(time.Minute)
	_, err := s.Salter(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, before+1, read(), "after a minute it is")
	for i := range 10 {
		require.NoError(t, s.EnsureKey(t.Context(), "twitter", casefile.AccountKey(fmt.Sprint("account", i))))
		_, err = s.Salter(t.Context(), alice) // keeps alice the most recently used
		require.NoError(t, err)
	}
	require.Equal(t, 3, s.cache.order.Len())
	require.Len(t, s.cache.byKey, 3)
	_, ok := s.cache.get(alice)
	require.True(t, ok)
	_, ok = s.cache.get("account3")
	require.False(t, ok)
}

func TestSalts(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice, bob)
	a, err := s.Salter(t.Context(), alice)
	require.NoError(t, err)
	b, err := s.Salter(t.Context(), bob)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, salter := range []casefile.Salter{a, b} {
		for _, event := range []casefile.EventID{"case.X/1", "case.X/11", "case.Y/1"} {
			for _, label := range []string{"form", "1form", "account"} {
				salt := salter.Salt(event, label)
				require.Len(t, salt, 32)
				require.Equal(t, salt, salter.Salt(event, label))
				seen[string(salt)] = true
			}
		}
	}
	require.Len(t, seen, 18)
}

func filesUnder(t testing.TB, dir string) []string {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return files
}

// Promise 9, the sealed store's part: with the one key gone nothing of the account can be read, not
// even by the process that has just read it, and other accounts stay as they were.
func TestPromise09ErasureIsOneKey(t *testing.T) {
	t.Parallel()
	s := newTestStore(t).with(t, alice, bob)
	kinds := []Kind{KindFlag, KindProfile, KindFindings, KindOpinion, KindComment, KindNotice, KindUndo, KindCaseFile}
	addresses := map[Kind]casefile.Address{}
	for _, kind := range kinds {
		address, _, err := s.Seal(t.Context(), alice, kind, []byte(words))
		require.NoError(t, err)
		addresses[kind] = address
	}
	bobs, _, err := s.Seal(t.Context(), bob, KindFlag, []byte(words))
	require.NoError(t, err)
	for _, path := range filesUnder(t, filepath.Dir(s.dir)) { // keys and evidence: all that is on the disk
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(data), "placeholder_handle", path)
		require.NotContains(t, string(data), "praise", path)
		require.NotContains(t, string(data), string(alice), path)
	}

	s.rows.destroy(alice)
	s.clock.Advance(30 * time.Second)
	_, err = s.Open(t.Context(), alice, KindFlag, addresses[KindFlag])
	require.NoError(t, err, "for a minute behind its last reading from records a process may still hold the key")
	s.clock.Advance(30 * time.Second) // using it meanwhile has put nothing off
	another, err := Open(Options{Dir: s.dir, Keyring: s.keyring, Rows: s.rows})
	require.NoError(t, err)
	for _, store := range []*Store{s.Store, another} {
		for kind, address := range addresses {
			_, err = store.Open(t.Context(), alice, kind, address)
			requireCode(t, casefile.CodeNotFound, err)
			there, err := store.Exists(t.Context(), alice, address)
			require.NoError(t, err)
			require.False(t, there)
		}
		_, err = store.Salter(t.Context(), alice)
		requireCode(t, casefile.CodeNotFound, err)
		_, err = store.Open(t.Context(), bob, KindFlag, bobs)
		require.NoError(t, err)
	}

	// A key made anew for the same account opens nothing of before, and the same words get another address.
	require.NoError(t, s.EnsureKey(t.Context(), "twitter", alice))
	for kind, address := range addresses {
		_, err = s.Open(t.Context(), alice, kind, address)
		require.ErrorIs(t, err, ErrDamaged)
		fresh, _, err := s.Seal(t.Context(), alice, kind, []byte(words))
		require.NoError(t, err)
		require.NotEqual(t, address, fresh)
	}
}

// Promise 10, the sealed store's part: neither what is stored nor where tells whose it is or what it
// says, and one without the keys cannot check a guess.
func TestPromise10NothingInPathsOrHashes(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	ref := casefile.AccountRef{Platform: "twitter", ID: "1029384756"}
	const handle = "placeholder_handle"
	account := s.keyring.Identity().Account(ref)
	require.NoError(t, s.EnsureKey(t.Context(), ref.Platform, account))
	address, digest, err := s.Seal(t.Context(), account, KindProfile, []byte(ref.ID+" "+handle))
	require.NoError(t, err)
	out := []string{string(account), string(address), digest, string(s.keyring.Identity().Flag(ref.Platform, ref.ID))}
	out = append(out, s.keyring.Identity().HandleHashes(ref.Platform, handle)...)
	files := filesUnder(t, s.dir)
	require.Len(t, files, 1)
	require.Equal(t, s.file(address), files[0])
	out = append(out, strings.TrimPrefix(files[0], s.dir))
	for _, text := range out {
		for _, secret := range []string{ref.ID, handle, "placeholder", hex.EncodeToString([]byte(handle)), base32Lower.EncodeToString([]byte(handle))[:20]} {
			require.NotContains(t, text, secret)
		}
	}
	require.NotContains(t, files[0], string(account), "a path does not tell whose it is")
	elsewhere := newTestStore(t)
	require.NotEqual(t, account, elsewhere.keyring.Identity().Account(ref))
	require.False(t, shareHash(s.keyring.Identity().HandleHashes(ref.Platform, handle), elsewhere.keyring.Identity().HandleHashes(ref.Platform, handle)))

	info, err := os.Stat(files[0])
	require.NoError(t, err)
	if os.PathSeparator == '/' {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		for _, dir := range []string{s.dir, filepath.Dir(files[0])} {
			info, err = os.Stat(dir)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		}
	}
}

// The format of docs/formats/sealed-object.md, computed apart from this code.
func TestSealedObjectGolden(t *testing.T) {
	t.Parallel()
	k, err := deriveContentKeys(fixedKey("content"))
	require.NoError(t, err)
	address, sealed, err := k.seal(alice, KindComment, []byte("text"))
	require.NoError(t, err)
	golden, err := os.ReadFile(filepath.Join("testdata", "sealed-object.golden"))
	require.NoError(t, err)
	got := fmt.Sprintf("address %s\nsealed %x\ndigest %s\nsalt %x\n", address, sealed, k.digestOf(KindComment, []byte("text")), k.Salt("case.7K2QX-9MDT4/3", "form"))
	require.Equal(t, string(golden), got)
}

func FuzzUnseal(f *testing.F) {
	k, err := deriveContentKeys(fixedKey("content"))
	require.NoError(f, err)
	address, sealed, err := k.seal(alice, KindFlag, []byte(words))
	require.NoError(f, err)
	f.Add(sealed)
	f.Add([]byte{})
	f.Add([]byte{sealedVersion})
	f.Add(flipped(sealed, 20))
	f.Add(sealed[:17])
	f.Fuzz(func(t *testing.T, stored []byte) {
		got, err := k.unseal(alice, KindFlag, address, stored)
		if bytes.Equal(stored, sealed) {
			require.NoError(t, err)
			require.Equal(t, words, string(got))
			return
		}
		require.ErrorIs(t, err, ErrDamaged)
	})
}

func BenchmarkSealedStore(b *testing.B) {
	text := bytes.Repeat([]byte("[synthetic] "), 342)[:4096]
	bucket := memblob.OpenBucket(nil)
	defer bucket.Close()
	ring := openTestKeyring(b, filepath.Join(b.TempDir(), "keys"))
	for _, bench := range []struct {
		name string
		opts Options
	}{
		{"memory", Options{Bucket: bucket}},
		{"folder", Options{Dir: filepath.Join(b.TempDir(), "folder")}},
		{"folder-fast", Options{Dir: filepath.Join(b.TempDir(), "fast"), Fast: true}},
	} {
		bench.opts.Keyring, bench.opts.Rows = ring, newMemoryRows()
		s, err := Open(bench.opts)
		require.NoError(b, err)
		require.NoError(b, s.EnsureKey(b.Context(), "twitter", alice))
		n := 0
		var m atomic.Int64
		b.Run("seal/"+bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				n++
				copy(text, fmt.Sprintf("%12d", n))
				_, _, err := s.Seal(b.Context(), alice, KindFlag, text)
				require.NoError(b, err)
			}
		})
		address, _, err := s.Seal(b.Context(), alice, KindFlag, text)
		require.NoError(b, err)
		b.Run("seal-16-at-once/"+bench.name, func(b *testing.B) {
			b.SetParallelism(8) // times 2 cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _, err := s.Seal(b.Context(), alice, KindOpinion, append([]byte(fmt.Sprint(m.Add(1))), text...))
					require.NoError(b, err)
				}
			})
		})
		b.Run("open/"+bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_, err := s.Open(b.Context(), alice, KindFlag, address)
				require.NoError(b, err)
			}
		})
	}
}
