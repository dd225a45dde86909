package sqlite

import (
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/docket-triage/docket/records/relational"
)

// fault classifies an error of SQLite.
func fault(err error) relational.Fault {
	var engine *driver.Error
	if !errors.As(err, &engine) {
		if errors.Is(err, sql.ErrConnDone) {
			return relational.FaultDown
		}
		return relational.FaultOther
	}
	code := engine.Code()
	switch code {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return relational.FaultTaken
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return relational.FaultOrphan
	}
	switch code & 0xff { // the low byte is the primary code
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_IOERR, lib.SQLITE_FULL, lib.SQLITE_CANTOPEN,
		lib.SQLITE_READONLY, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL:
		return relational.FaultDown // the file, the disk or a lock is in the way
	}
	return relational.FaultOther
}
