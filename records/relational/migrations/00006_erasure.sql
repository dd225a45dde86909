-- Legal holds and erasures. An erasure takes words away and closes rows; counters, codes and what the
-- ledger has to prove stay. What it deletes are keyed hashes of the account's handles and of its posts.

-- +goose Up

-- basis and end_reason are staff's words, sealed under the deployment key. An erasure empties them.
CREATE TABLE legal_holds (
    id         TEXT    NOT NULL PRIMARY KEY,
    account    TEXT    NOT NULL,
    platform   TEXT    NOT NULL,
    basis      BLOB    NOT NULL,
    by_person  TEXT    NOT NULL,
    by_role    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    ended_by   TEXT    NOT NULL DEFAULT '',
    ended_role TEXT    NOT NULL DEFAULT '',
    ended_at   INTEGER,
    end_reason BLOB,
    CHECK ((ended_at IS NULL) = (ended_by = ''))
) STRICT;

CREATE INDEX legal_holds_account ON legal_holds (account, at, id);
CREATE INDEX legal_holds_standing ON legal_holds (until, id) WHERE ended_at IS NULL;

-- name is the account's keyed hash on the ledger, made for that use alone. again says that the row was
-- made from the ledger, after a restore. bars are the codes of what stopped it.
CREATE TABLE erasures (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    account      TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    reason       BLOB,
    by_person    TEXT    NOT NULL,
    by_role      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    again        INTEGER NOT NULL DEFAULT 0,
    destroyed_at INTEGER,
    ended_at     INTEGER,
    cases        INTEGER NOT NULL DEFAULT 0,
    flags        INTEGER NOT NULL DEFAULT 0,
    objects      INTEGER NOT NULL DEFAULT 0,
    bars         TEXT,
    CHECK (again IN (0, 1)),
    CHECK (state IN ('closing', 'destroyed', 'done', 'stopped')),
    CHECK ((state IN ('done', 'stopped')) = (ended_at IS NOT NULL)),
    CHECK (state NOT IN ('destroyed', 'done') OR destroyed_at IS NOT NULL)
) STRICT;

-- At most one erasure of an account is under way.
CREATE UNIQUE INDEX erasures_one_open ON erasures (account) WHERE state IN ('closing', 'destroyed');
CREATE INDEX erasures_open ON erasures (seq) WHERE state IN ('closing', 'destroyed');
CREATE INDEX erasures_account ON erasures (account, seq);

-- When the account of the case was erased: nothing of the case's words is left, and none comes back.
ALTER TABLE cases ADD COLUMN erased_at INTEGER;

-- An account's appeals, flags and glass are looked for by account and by case.
CREATE INDEX appeals_account ON appeals (account);
CREATE INDEX flags_account ON flags (account);
CREATE INDEX break_glass_case ON break_glass (case_ref);
