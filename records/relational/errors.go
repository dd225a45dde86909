package relational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/docket-triage/docket/casefile"
)

// ErrClosed answers every call after Close.
var ErrClosed = casefile.Errorf(casefile.CodeUnavailable, "the records are closed")

// coded wraps err with what was being done, as Coded does.
func (s *Store) coded(ctx context.Context, op string, err error) error {
	return Coded(ctx, s.engine.Fault, op, err)
}

// Coded wraps err with what was being done, and gives it CodeUnavailable where the database rather
// than the call is at fault. Coded errors keep what they are. Once ctx has ended, its error is the
// one to tell.
func Coded(ctx context.Context, fault func(error) Fault, op string, err error) error {
	if err == nil {
		return nil
	}
	var known *casefile.Error
	ended := ctx.Err()
	switch {
	case errors.As(err, &known), ended != nil && errors.Is(err, ended):
		return fmt.Errorf("%s: %w", op, err)
	case ended != nil:
		return fmt.Errorf("%s: %w: %w", op, ended, err)
	}
	switch fault(err) {
	case FaultDown:
		return &casefile.Error{Code: casefile.CodeUnavailable, Op: op, Message: "the records do not answer", Err: err}
	case FaultValue:
		return &casefile.Error{Code: casefile.CodeInvalid, Op: op, Message: "a value that cannot be kept", Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// missing turns "no rows" into a CodeNotFound error about what.
func missing(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return casefile.Errorf(casefile.CodeNotFound, "no such %s", what)
	}
	return err
}
