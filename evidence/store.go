package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// ErrDamaged says that stored bytes are not what was sealed for this account and kind at this
// address: altered, moved from elsewhere, or asked for as something else. Its code is CodeInternal.
var ErrDamaged error = casefile.Errorf(casefile.CodeInternal, "the sealed object is damaged, or is another account's or of another kind")

// KeyRows keeps wrapped content keys; records.Accounts does.
type KeyRows interface {
	// PutAccountKey stores a key if the account has none and returns the one that stands.
	PutAccountKey(ctx context.Context, key records.WrappedKey) (records.WrappedKey, error)
	// AccountKey returns the key; CodeNotFound if there is none or it was destroyed.
	AccountKey(ctx context.Context, account casefile.AccountKey) (records.WrappedKey, error)
}

// Options says where a store keeps what.
type Options struct {
	// Dir is a folder for sealed objects, made (mode 0700) if absent. Exactly one of Dir and Bucket is set.
	Dir string
	// Bucket is object storage. Close leaves it open.
	Bucket *blob.Bucket
	// Fast leaves out waiting for the disk when writing to Dir: a power cut may then lose the newest
	// objects. The process's own end loses nothing.
	Fast    bool
	Keyring *Keyring
	Rows    KeyRows
	// CacheSize bounds the content keys held in memory; 0 means 4,096.
	CacheSize int
	// CacheFor is how long a content key is held, and so how long after its destruction this process
	// may still open things; 0 means a minute.
	CacheFor time.Duration
	// Clock is nil for time.Now.
	Clock func() time.Time
}

// Store is the sealed store; it implements Sealer.
type Store struct {
	objects *objects
	keyring *Keyring
	rows    KeyRows
	cache   *keyCache
	clock   func() time.Time
	close   func() error
}

var _ Sealer = (*Store)(nil)

// defaultCacheFor is how long a content key is held where nothing else is said.
const defaultCacheFor = time.Minute

// Open opens a sealed store.
func Open(o Options) (*Store, error) {
	if (o.Dir == "") == (o.Bucket == nil) || o.Keyring == nil || o.Rows == nil {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a sealed store needs a keyring, key rows, and either a folder or a bucket")
	}
	if o.CacheSize <= 0 {
		o.CacheSize = 4096
	}
	if o.CacheFor <= 0 {
		o.CacheFor = defaultCacheFor
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Store{
		objects: &objects{bucket: o.Bucket}, keyring: o.Keyring, rows: o.Rows,
		cache: newKeyCache(o.CacheSize, o.CacheFor, o.Clock), clock: o.Clock, close: func() error { return nil },
	}
	if o.Dir != "" {
		folder, err := openFolder(o.Dir, !o.Fast)
		if err != nil {
			return nil, err
		}
		s.objects = folder
		s.close = sync.OnceValue(folder.bucket.Close)
	}
	return s, nil
}

// Close lets go of the folder; again is no error. It leaves a Bucket and the Keyring, which are the
// caller's, open.
func (s *Store) Close() error {
	err := s.close()
	if err != nil {
		return fmt.Errorf("close evidence folder: %w", err)
	}
	return nil
}

// EnsureKey implements Sealer.
func (s *Store) EnsureKey(ctx context.Context, platform string, account casefile.AccountKey) error {
	_, err := s.keys(ctx, account)
	if casefile.ErrorCode(err) != casefile.CodeNotFound {
		return err
	}
	now := s.clock()
	keyID, wrapped, err := s.keyring.Wrap(ctx, contentKeyRecord(newKey(), account))
	if err != nil {
		return fmt.Errorf("make content key: %w", err)
	}
	row, err := s.rows.PutAccountKey(ctx, records.WrappedKey{Account: account, Platform: platform, Wrapped: wrapped, KeyID: keyID, At: now.UTC()})
	if err != nil {
		return fmt.Errorf("store content key: %w", err)
	}
	// The row that stands may be another caller's: only it counts, so it is what is unwrapped.
	_, err = s.admit(ctx, row, account, now)
	return err
}

// keys returns an account's derived keys; CodeNotFound if it has none or they were destroyed.
func (s *Store) keys(ctx context.Context, account casefile.AccountKey) (*contentKeys, error) {
	k, ok := s.cache.get(account)
	if ok {
		return k, nil
	}
	asOf := s.clock() // before the row is read: a key destroyed since must not live on for longer
	row, err := s.rows.AccountKey(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("read content key: %w", err)
	}
	return s.admit(ctx, row, account, asOf)
}

func (s *Store) admit(ctx context.Context, row records.WrappedKey, account casefile.AccountKey, asOf time.Time) (*contentKeys, error) {
	record, err := s.keyring.Unwrap(ctx, row.KeyID, row.Wrapped)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		// A missing deployment key is a fault of the installation, not an erased account.
		return nil, &casefile.Error{Code: casefile.CodeInternal, Op: "unwrap content key", Message: "the deployment key that wrapped it is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap content key: %w", err)
	}
	content, err := parseContentKeyRecord(record, account)
	if err != nil {
		return nil, err
	}
	k, err := deriveContentKeys(content)
	if err != nil {
		return nil, err
	}
	s.cache.put(account, k, asOf)
	return k, nil
}

// contentKeyRecord is what is wrapped: the key with its account, so that rows exchanged in the
// database are noticed. Otherwise destroying one account's row could leave its key in another's.
func contentKeyRecord(content *key, account casefile.AccountKey) []byte {
	return append(append([]byte{1}, content[:]...), account...)
}

func parseContentKeyRecord(record []byte, account casefile.AccountKey) (*key, error) {
	rest, ok := bytes.CutPrefix(record, []byte{1})
	if !ok || len(rest) < keyBytes || string(rest[keyBytes:]) != string(account) {
		return nil, casefile.Errorf(casefile.CodeInternal, "the stored content key is not this account's")
	}
	return (*key)(rest[:keyBytes]), nil
}

// Seal implements Sealer. CodeNotFound when the account has no content key. A damaged object found
// at the address is put right.
func (s *Store) Seal(ctx context.Context, account casefile.AccountKey, kind Kind, plaintext []byte) (casefile.Address, string, error) {
	k, err := s.keys(ctx, account)
	if err != nil {
		return "", "", err
	}
	address, sealed, err := k.seal(account, kind, plaintext)
	if err != nil {
		return "", "", err
	}
	digest := k.digestOf(kind, plaintext)
	there, err := s.objects.get(ctx, address)
	switch {
	case err == nil && bytes.Equal(there, sealed):
		err = s.objects.settle(address)
	case err == nil || casefile.ErrorCode(err) == casefile.CodeNotFound:
		err = s.objects.put(ctx, address, sealed)
	}
	if err != nil {
		return "", "", err
	}
	return address, digest, nil
}

// Open implements Sealer. The error is ErrDamaged (CodeInternal) where the stored bytes are not
// what was sealed for this account and kind at this address.
func (s *Store) Open(ctx context.Context, account casefile.AccountKey, kind Kind, address casefile.Address) ([]byte, error) {
	if !validAddress(address) {
		return nil, casefile.Errorf(casefile.CodeNotFound, "not an address of the sealed store")
	}
	k, err := s.keys(ctx, account)
	if err != nil {
		return nil, err
	}
	stored, err := s.objects.get(ctx, address)
	if err != nil {
		return nil, err
	}
	plaintext, err := k.unseal(account, kind, address, stored)
	if errors.Is(err, ErrDamaged) {
		return nil, fmt.Errorf("open %s at %s: %w", kind, address, err)
	}
	if err != nil {
		return nil, err
	}
	return plaintext, nil
}

// Exists implements Sealer. Nothing exists for an account without a content key. Whether the object
// is this account's shows only when it is opened.
func (s *Store) Exists(ctx context.Context, account casefile.AccountKey, address casefile.Address) (bool, error) {
	if !validAddress(address) {
		return false, nil
	}
	_, err := s.keys(ctx, account)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return s.objects.exists(ctx, address)
}

// Salter implements Sealer.
func (s *Store) Salter(ctx context.Context, account casefile.AccountKey) (casefile.Salter, error) {
	k, err := s.keys(ctx, account)
	if err != nil {
		return nil, err
	}
	return k, nil
}

func validAddress(a casefile.Address) bool {
	return len(a) == addressChars && strings.Trim(string(a), base32Alphabet) == ""
}
