-- +goose Up

-- An account whose events up to a time (microseconds) are not stored any more.
CREATE TABLE forgotten (
	platform TEXT NOT NULL,
	account  TEXT NOT NULL,
	until    INTEGER NOT NULL,
	PRIMARY KEY (platform, account)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE forgotten;
