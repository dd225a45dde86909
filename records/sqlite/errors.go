package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/docket-triage/docket/casefile"
)

// errClosed answers every call after Close.
var errClosed = casefile.Errorf(casefile.CodeUnavailable, "the records are closed")

// coded wraps err with what was being done, and gives it CodeUnavailable where the database rather
// than the call is at fault. Coded errors and ended contexts keep what they are.
func coded(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *casefile.Error
	var engine *driver.Error
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &engine) && engineDown(engine.Code()), errors.Is(err, sql.ErrConnDone):
		return &casefile.Error{Code: casefile.CodeUnavailable, Op: op, Message: "the records do not answer", Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// engineDown reports whether a SQLite result code means that the file, the disk or a lock is in the way.
func engineDown(code int) bool {
	switch code & 0xff { // the low byte is the primary code
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_IOERR, lib.SQLITE_FULL, lib.SQLITE_CANTOPEN,
		lib.SQLITE_READONLY, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// violates reports whether err is a breach of a key or a uniqueness constraint.
func violates(err error) bool {
	var engine *driver.Error
	if !errors.As(err, &engine) {
		return false
	}
	code := engine.Code()
	return code == lib.SQLITE_CONSTRAINT_UNIQUE || code == lib.SQLITE_CONSTRAINT_PRIMARYKEY
}

// orphan reports whether err is a breach of a foreign key.
func orphan(err error) bool {
	var engine *driver.Error
	return errors.As(err, &engine) && engine.Code() == lib.SQLITE_CONSTRAINT_FOREIGNKEY
}

// missing turns "no rows" into a CodeNotFound error about what.
func missing(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return casefile.Errorf(casefile.CodeNotFound, "no such %s", what)
	}
	return err
}
