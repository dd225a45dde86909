package relational

import (
	"context"
	"database/sql"
	"errors"
)

const selectMeta = "SELECT value FROM meta WHERE name = ?"

// Meta reads a deployment value, "" when it is unset.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	v, err := one(ctx, s.engine, scanText[string], selectMeta, key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, s.coded(ctx, "read deployment value", err)
}

// SetMetaIfAbsent stores a deployment value once and returns what stands there now.
func (s *Store) SetMetaIfAbsent(ctx context.Context, key, value string) (string, error) {
	v, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (string, error) {
		_, err := t.Exec(ctx, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", key, value)
		if err != nil {
			return "", err
		}
		return one(ctx, t, scanText[string], selectMeta, key)
	})
	return v, s.coded(ctx, "store deployment value", err)
}
