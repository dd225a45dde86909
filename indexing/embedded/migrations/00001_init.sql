-- +goose Up

-- One row for each platform. Times are microseconds since 1970, months are year*12+month.
CREATE TABLE stream (
	id             INTEGER PRIMARY KEY,
	platform       TEXT NOT NULL UNIQUE,
	oldest         INTEGER NOT NULL,
	newest         INTEGER NOT NULL,
	outside        INTEGER NOT NULL DEFAULT 0,
	dropped_before INTEGER NOT NULL DEFAULT 0
);

-- A post at its latest event. kind orders events of one time: 0 post, 1 edit, 2 delete.
-- shape: 1 repost, 2 reply, 4 live. A deleted post has shape 0 and no doc.
CREATE TABLE post (
	id      INTEGER PRIMARY KEY,
	stream  INTEGER NOT NULL,
	post    TEXT NOT NULL,
	account TEXT NOT NULL,
	at      INTEGER NOT NULL,
	kind    INTEGER NOT NULL,
	month   INTEGER NOT NULL,
	shape   INTEGER NOT NULL,
	doc     BLOB
);
CREATE UNIQUE INDEX post_key ON post (stream, post);
CREATE INDEX post_account ON post (stream, account, at, shape, post);
CREATE INDEX post_month ON post (stream, month);

-- Posts by the hour of their latest event, so that coverage need not count them.
CREATE TABLE post_hour (
	stream INTEGER NOT NULL,
	hour   INTEGER NOT NULL,
	live   INTEGER NOT NULL,
	total  INTEGER NOT NULL,
	PRIMARY KEY (stream, hour)
) WITHOUT ROWID;

-- id holds the opening time downwards (milliseconds, 42 bits) and a number among the cases of one
-- millisecond (21 bits), so that ascending ids are newest first in both tables.
CREATE TABLE case_doc (
	id       INTEGER PRIMARY KEY,
	ref      TEXT NOT NULL UNIQUE,
	revision INTEGER NOT NULL,
	doc      BLOB NOT NULL
);

-- Tokens arrive split and escaped by our own code, separated by spaces. A row is taken out by
-- naming what it was indexed under, which the document tells, so that nothing of it stays behind.
CREATE VIRTUAL TABLE case_text USING fts5 (
	text, state, queue, policy, action, platform,
	content='', detail=column, tokenize="ascii tokenchars '_'"
);
INSERT INTO case_text (case_text, rank) VALUES ('secure-delete', 1);

-- How the tokens were made.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE meta;
DROP TABLE case_text;
DROP TABLE case_doc;
DROP TABLE post_hour;
DROP TABLE post;
DROP TABLE stream;
