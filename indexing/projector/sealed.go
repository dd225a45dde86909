package projector

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
)

func openJSON[T any](ctx context.Context, s Sealer, account casefile.AccountKey, kind evidence.Kind, address casefile.Address) (T, error) {
	var v T
	data, err := s.Open(ctx, account, kind, address)
	if err != nil {
		return v, fmt.Errorf("open a sealed %s: %w", kind, err)
	}
	err = json.Unmarshal(data, &v)
	if err != nil {
		// The decoder's own words may quote content.
		return v, fmt.Errorf("decode a sealed %s: %w", kind, evidence.ErrDamaged)
	}
	return v, nil
}
