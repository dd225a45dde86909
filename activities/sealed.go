package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
)

// seal stores v as JSON under the account's key.
func seal(ctx context.Context, s evidence.Sealer, account casefile.AccountKey, kind evidence.Kind, v any) (casefile.Address, string, error) {
	data, err := encode(v)
	if err != nil {
		return "", "", err
	}
	return s.Seal(ctx, account, kind, data)
}

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a %T for sealing: %w", v, err)
	}
	return data, nil
}

// open reads what seal stored.
func open[T any](ctx context.Context, s evidence.Sealer, account casefile.AccountKey, kind evidence.Kind, address casefile.Address) (T, error) {
	var v T
	data, err := s.Open(ctx, account, kind, address)
	if err != nil {
		return v, err
	}
	err = json.Unmarshal(data, &v)
	if err != nil {
		// The cause may quote content, so it stays behind.
		return v, casefile.Errorf(casefile.CodeInternal, "decode a sealed %s", kind)
	}
	return v, nil
}

// openProven reads what the ledger binds by its keyed digest: an address alone could name another
// sealed thing of the same account. The error for another content is CodeUnproven.
func openProven[T any](ctx context.Context, s evidence.Sealer, account casefile.AccountKey, kind evidence.Kind, address casefile.Address, digest string) (T, error) {
	var v T
	data, err := s.Open(ctx, account, kind, address)
	if err != nil {
		return v, err
	}
	// Sealing the same content again writes nothing and gives its digest.
	_, is, err := s.Seal(ctx, account, kind, data)
	if err != nil {
		return v, err
	}
	if is != digest {
		return v, casefile.Errorf(casefile.CodeUnproven, "the sealed %s is not the one that the ledger binds", kind)
	}
	err = json.Unmarshal(data, &v)
	if err != nil {
		return v, casefile.Errorf(casefile.CodeInternal, "decode a sealed %s", kind)
	}
	return v, nil
}
