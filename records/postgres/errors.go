package postgres

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/docket-triage/docket/records/relational"
)

// SQLSTATE codes that are looked at one by one.
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	readOnlyTransaction  = "25006"
	idleInTransaction    = "25P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
)

// fault classifies an error of PostgreSQL, of pgx or of the network.
func fault(err error) relational.Fault {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return relational.FaultDown // whatever the server said to it
	}
	if code := state(err); code != "" {
		return stateFault(code)
	}
	var network net.Error
	switch {
	case errors.As(err, &network), errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed), pgconn.Timeout(err):
		return relational.FaultDown
	}
	return relational.FaultOther
}

// state is the SQLSTATE of an error that the server gave, or "".
func state(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}

func stateFault(code string) relational.Fault {
	switch code {
	case uniqueViolation:
		return relational.FaultTaken
	case foreignKeyViolation:
		return relational.FaultOrphan
	case serializationFailure, deadlockDetected, lockNotAvailable, queryCanceled, idleInTransaction:
		return relational.FaultDown // others are in the way, for too long
	case readOnlyTransaction:
		return relational.FaultDown // a standby, after a failover
	}
	switch code[:2] {
	case "08", "53", "57", "58": // connection, resources, shutdown, the system below
		return relational.FaultDown
	case "22":
		return relational.FaultValue
	}
	return relational.FaultOther
}

// inTheWay reports whether a transaction failed only because of others at the same time.
func inTheWay(err error) bool {
	code := state(err)
	return code == serializationFailure || code == deadlockDetected
}

// lost reports whether err is the end of a connection that stood before: the server or something on
// the way ended it, and what it did last is not known. Another connection may be had at once.
func lost(err error) bool {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return false
	}
	if code := state(err); code != "" {
		return code == adminShutdown || code == crashShutdown
	}
	return fault(err) == relational.FaultDown
}
