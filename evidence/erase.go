package evidence

import (
	"context"
	"fmt"

	"gocloud.dev/gcerrors"

	"github.com/docket-triage/docket/casefile"
)

// KeyLinger is for how long at most any process that keeps to the defaults of Options holds a content key
// in memory, and so may seal and open under one that was destroyed.
const KeyLinger = defaultCacheFor

// ForgetKey drops an account's content key from this process's memory; the row in records is not touched.
func (s *Store) ForgetKey(account casefile.AccountKey) { s.cache.drop(account) }

// Delete removes what is sealed at the addresses, whoever's it is, and tells how many there were. One that
// is not there, or is no address, is passed over. Nobody else may write to these addresses meanwhile:
// under a destroyed key nobody does. On a folder the names are gone from the disk when it returns.
func (s *Store) Delete(ctx context.Context, addresses []casefile.Address) (int, error) {
	deleted := 0
	subfolders := map[casefile.Address]casefile.Address{}
	for _, a := range addresses {
		if !validAddress(a) {
			continue
		}
		err := s.objects.bucket.Delete(ctx, objectPath(a))
		if gcerrors.Code(err) == gcerrors.NotFound {
			continue
		}
		if err != nil {
			return deleted, storageError("delete sealed object", err)
		}
		deleted++
		subfolders[a[:1]] = a
	}
	for _, a := range subfolders {
		err := s.objects.syncName(a)
		if err != nil {
			return deleted, fmt.Errorf("delete sealed objects: %w", err)
		}
	}
	return deleted, nil
}

func (c *keyCache) drop(account casefile.AccountKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[account]
	if ok {
		c.remove(e)
	}
}

// ErasedName is how the ledger names an account that was erased: a keyed hash made for that use alone,
// so that nothing else in the log or outside it can be laid beside it.
func ErasedName(i Identity, account casefile.AccountKey) string {
	return i.Digest([]byte("docket erased account/1\n" + string(account)))
}
