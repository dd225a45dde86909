package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	selectAccount    = "SELECT account, platform, revision, ordinal, open_case, last_case, profile FROM accounts WHERE account = ?"
	insertAccount    = "INSERT INTO accounts (account, platform) VALUES (?, ?) ON CONFLICT (account) DO NOTHING"
	selectAccountKey = "SELECT account, platform, wrapped, key_id, at FROM account_keys WHERE account = ?"

	// erasedWhole says of the account of a row of account_keys that its newest erasure has come to its end.
	erasedWhole = `EXISTS (SELECT 1 FROM erasures e WHERE e.account = account_keys.account AND e.state = 'done')
		AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = account_keys.account AND e.state IN ('closing', 'destroyed'))`
)

func scanAccount(r scanner) (records.Account, error) {
	var a records.Account
	err := r.Scan(&a.Account, &a.Platform, &a.Revision, &a.Ordinal, &a.OpenCase, &a.LastCase, &a.Profile)
	return a, err
}

func scanKey(r scanner) (records.WrappedKey, error) {
	var k records.WrappedKey
	err := r.Scan(&k.Account, &k.Platform, &k.Wrapped, &k.KeyID, toTime{&k.At})
	return k, err
}

// PutAccountKey stores a wrapped content key if the account has none yet and returns the one that
// stands. A destroyed one makes room for another once the erasure has come to its end; CodeState before.
func (s *Store) PutAccountKey(ctx context.Context, key records.WrappedKey) (records.WrappedKey, error) {
	if len(key.Wrapped) == 0 {
		return records.WrappedKey{}, casefile.Invalid("wrapped", "an account key holds at least one byte")
	}
	stands, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (records.WrappedKey, error) {
		_, err := t.Exec(ctx, `INSERT INTO account_keys (account, platform, wrapped, key_id, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (account) DO UPDATE SET wrapped = excluded.wrapped, key_id = excluded.key_id, at = excluded.at, destroyed_at = NULL
				WHERE account_keys.wrapped IS NULL AND `+erasedWhole, key.Account, key.Platform, key.Wrapped, key.KeyID, micros(key.At))
		if err != nil {
			return records.WrappedKey{}, err
		}
		k, err := one(ctx, t, scanKey, selectAccountKey, key.Account)
		if err != nil {
			return records.WrappedKey{}, err
		}
		if k.Wrapped == nil {
			return records.WrappedKey{}, casefile.Errorf(casefile.CodeState, "the account is being erased")
		}
		return k, nil
	})
	return stands, s.coded(ctx, "put account key", err)
}

// AccountKey returns an account's wrapped content key; CodeNotFound if it has none, or it was destroyed.
func (s *Store) AccountKey(ctx context.Context, account casefile.AccountKey) (records.WrappedKey, error) {
	k, err := one(ctx, s.engine, scanKey, selectAccountKey+" AND wrapped IS NOT NULL", account)
	return k, s.coded(ctx, "read account key", missing(err, "account key"))
}

// Account returns an account's counters; CodeNotFound if no flag or profile ever named it.
func (s *Store) Account(ctx context.Context, account casefile.AccountKey) (records.Account, error) {
	a, err := one(ctx, s.engine, scanAccount, selectAccount, account)
	return a, s.coded(ctx, "read account", missing(err, "account"))
}

// SetProfile stores the address of the account's newest sealed profile, if asOf is newer than the
// stored one's.
func (s *Store) SetProfile(ctx context.Context, platform string, account casefile.AccountKey, profile casefile.Address, asOf time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, insertAccount, account, platform)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE accounts SET profile = ?1, profile_as_of = ?2
			WHERE account = ?3 AND (profile_as_of IS NULL OR profile_as_of < ?2)`, profile, micros(asOf), account)
		return err
	})
	return s.coded(ctx, "set profile", err)
}

// Strikes lists the account's strikes that have neither lapsed at now nor been taken back, newest first.
func (s *Store) Strikes(ctx context.Context, account casefile.AccountKey, now time.Time) ([]records.Strike, error) {
	scan := func(r scanner) (records.Strike, error) {
		var x records.Strike
		err := r.Scan(&x.Account, &x.Decision, toTime{&x.At}, toTime{&x.ExpiresAt})
		return x, err
	}
	list, err := all(ctx, s.engine, scan, `SELECT account, decision, at, expires_at FROM strikes
		WHERE account = ? AND expires_at > ? AND taken_back_at IS NULL ORDER BY at DESC, decision`, account, micros(now))
	return list, s.coded(ctx, "list strikes", err)
}

// PutTakenDownHandle stores the keyed hashes of a taken-down account's handle and its near forms;
// repeats change nothing. What was forgotten is known again.
func (s *Store) PutTakenDownHandle(ctx context.Context, account casefile.AccountKey, platform string, hashes []string, at time.Time) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		for _, h := range hashes {
			_, err := t.Exec(ctx, `INSERT INTO taken_down_handles (platform, hash, account, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (platform, hash, account) DO UPDATE SET forgotten = 0, at = excluded.at WHERE taken_down_handles.forgotten = 1`,
				platform, h, account, micros(at))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return s.coded(ctx, "put taken-down handle", err)
}

// LookAlikes lists the other taken-down accounts of the platform that share one of the hashes, in
// order of their keys.
func (s *Store) LookAlikes(ctx context.Context, account casefile.AccountKey, platform string, hashes []string) ([]casefile.AccountKey, error) {
	if len(hashes) == 0 {
		return nil, nil
	}
	args := []any{platform, account}
	for _, h := range hashes {
		args = append(args, h)
	}
	list, err := all(ctx, s.engine, scanText[casefile.AccountKey], `SELECT DISTINCT account FROM taken_down_handles
		WHERE platform = ? AND account <> ? AND forgotten = 0 AND hash IN (`+placeholders(len(hashes))+`) ORDER BY account`, args...)
	return list, s.coded(ctx, "list look-alikes", err)
}

// TakeBackStrike ends the strike of a decision, for good; no error if it gave none, or it was taken back
// before.
func (s *Store) TakeBackStrike(ctx context.Context, decision string, now time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "UPDATE strikes SET taken_back_at = ? WHERE decision = ? AND taken_back_at IS NULL", micros(now), decision)
		return err
	})
	return s.coded(ctx, "take a strike back", err)
}

// ForgetTakenDownHandle takes back what PutTakenDownHandle stored for the account, unless an act still
// suspends or ends it: one that was done, or may have been, and was not taken back since.
func (s *Store) ForgetTakenDownHandle(ctx context.Context, account casefile.AccountKey) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `UPDATE taken_down_handles SET forgotten = 1 WHERE account = ?1 AND NOT EXISTS (
			SELECT 1 FROM cases c JOIN decisions d ON d.case_ref = c.ref JOIN acts a ON a.decision = d.id
			WHERE c.account = ?1 AND a.direction = 'do' AND a.kind IN ('suspend', 'terminate')
				AND a.state IN ('done', 'uncertain') AND `+standing+")", account)
		return err
	})
	return s.coded(ctx, "forget a taken-down handle", err)
}
