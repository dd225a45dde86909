package evidence

import (
	"container/list"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// contentKeys are what an account's content key is used for, one derived key for each use.
type contentKeys struct {
	address key // names what is sealed
	object  key // gives each object the key that seals it
	digest  key // keyed digests
	salt    key // salts of ledger commitments
}

func deriveContentKeys(content *key) (*contentKeys, error) {
	k := &contentKeys{}
	for label, to := range map[string]*key{
		"docket address": &k.address, "docket object": &k.object, "docket content digest": &k.digest, "docket salt": &k.salt,
	} {
		sub, err := hkdf.Expand(sha256.New, content[:], label, keyBytes) // the content key is uniform: no extract step
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		*to = key(sub)
	}
	return k, nil
}

// Salt implements casefile.Salter. No event id holds a zero byte, so event and label stay apart.
func (k *contentKeys) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, k.salt[:])
	mac.Write([]byte(event))
	mac.Write([]byte{0})
	mac.Write([]byte(label))
	return mac.Sum(nil)
}

// sealedVersion is the first byte of a sealed object.
const sealedVersion = 1

// addressChars is the length of an address: 256 bits in base 32.
const addressChars = 52

func (k *contentKeys) addressOf(kind Kind, plaintext []byte) casefile.Address {
	sum := sha256.Sum256(plaintext)
	return casefile.Address(base32Lower.EncodeToString(keyedHash(&k.address, "address", []byte(kind), sum[:])))
}

func (k *contentKeys) digestOf(kind Kind, plaintext []byte) string {
	return hex.EncodeToString(keyedHash(&k.digest, "digest", []byte(kind), plaintext))
}

// aead gives the cipher of one address and the data that is bound to it. The key comes from the
// address, which comes from the content: it seals one message ever, so the nonce may be zero, and
// the same content always has the same sealed bytes.
func (k *contentKeys) aead(account casefile.AccountKey, kind Kind, address casefile.Address) (c cipher.AEAD, bound []byte, err error) {
	sub := keyedHash(&k.object, "object", []byte(address))
	block, err := aes.NewCipher(sub)
	if err != nil {
		return nil, nil, fmt.Errorf("make cipher: %w", err)
	}
	c, err = cipher.NewGCM(block)
	if err != nil {
		return nil, nil, fmt.Errorf("make cipher: %w", err)
	}
	bound = fmt.Appendf(nil, "docket sealed %d\x00%s\x00%s\x00%s", sealedVersion, kind, account, address)
	return c, bound, nil
}

var zeroNonce [12]byte

func (k *contentKeys) seal(account casefile.AccountKey, kind Kind, plaintext []byte) (casefile.Address, []byte, error) {
	address := k.addressOf(kind, plaintext)
	c, bound, err := k.aead(account, kind, address)
	if err != nil {
		return "", nil, err
	}
	out := make([]byte, 1, 1+len(plaintext)+c.Overhead())
	out[0] = sealedVersion
	return address, c.Seal(out, zeroNonce[:], plaintext, bound), nil
}

// unseal is the inverse of seal. It is ErrDamaged for anything but exactly what seal made for this
// account, kind and address.
func (k *contentKeys) unseal(account casefile.AccountKey, kind Kind, address casefile.Address, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != sealedVersion {
		return nil, ErrDamaged
	}
	c, bound, err := k.aead(account, kind, address)
	if err != nil {
		return nil, err
	}
	plaintext, err := c.Open(nil, zeroNonce[:], stored[1:], bound)
	if err != nil {
		return nil, ErrDamaged
	}
	// GCM alone lets one who holds keys make one text that opens under two; the address does not.
	if !hmac.Equal([]byte(k.addressOf(kind, plaintext)), []byte(address)) {
		return nil, ErrDamaged
	}
	return plaintext, nil
}

// keyCache holds content keys in memory: at most size of them, the least recently used leaving
// first, and none for longer than ttl, so that a destroyed key is gone from here soon after.
type keyCache struct {
	size  int
	ttl   time.Duration
	clock func() time.Time

	mu    sync.Mutex
	order *list.List // of *cachedKeys, the most recently used first
	byKey map[casefile.AccountKey]*list.Element
}

type cachedKeys struct {
	account casefile.AccountKey
	keys    *contentKeys
	until   time.Time
}

func newKeyCache(size int, ttl time.Duration, clock func() time.Time) *keyCache {
	return &keyCache{size: size, ttl: ttl, clock: clock, order: list.New(), byKey: map[casefile.AccountKey]*list.Element{}}
}

func (c *keyCache) get(account casefile.AccountKey) (*contentKeys, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[account]
	if !ok {
		return nil, false
	}
	cached := e.Value.(*cachedKeys)
	if !c.clock().Before(cached.until) {
		c.remove(e)
		return nil, false
	}
	c.order.MoveToFront(e)
	return cached.keys, true
}

// put caches keys that were read from records at asOf.
func (c *keyCache) put(account casefile.AccountKey, keys *contentKeys, asOf time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[account]
	if ok {
		c.remove(e)
	}
	c.byKey[account] = c.order.PushFront(&cachedKeys{account: account, keys: keys, until: asOf.Add(c.ttl)})
	for c.order.Len() > c.size {
		c.remove(c.order.Back())
	}
}

func (c *keyCache) remove(e *list.Element) {
	c.order.Remove(e)
	delete(c.byKey, e.Value.(*cachedKeys).account)
}
