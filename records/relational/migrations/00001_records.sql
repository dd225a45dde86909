-- The records of Docket, for SQLite and for PostgreSQL: written with SQLite's types, which package
-- relational translates (docs/records.md). Text, 64-bit integers and bytes only.
-- Times are integers: microseconds since 1970-01-01 in UTC. Booleans are 0 or 1. Lists and objects
-- are JSON text. An optional text is '' where nothing refers to it and NULL where a key does.
-- Rows are closed, never deleted; index_outbox alone is emptied, because it holds no record.

-- +goose Up

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    account       TEXT    NOT NULL PRIMARY KEY,
    platform      TEXT    NOT NULL,
    revision      INTEGER NOT NULL DEFAULT 0,
    ordinal       INTEGER NOT NULL DEFAULT 0,
    open_case     TEXT    NOT NULL DEFAULT '',
    last_case     TEXT    NOT NULL DEFAULT '',
    profile       TEXT    NOT NULL DEFAULT '',
    profile_as_of INTEGER
) STRICT;

-- A destroyed key keeps its row, without its bytes.
CREATE TABLE account_keys (
    account      TEXT    NOT NULL PRIMARY KEY,
    platform     TEXT    NOT NULL,
    wrapped      BLOB,
    key_id       TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    destroyed_at INTEGER,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT;

CREATE TABLE taken_down_handles (
    platform TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (platform, hash, account)
) STRICT;

CREATE TABLE cases (
    ref               TEXT    NOT NULL PRIMARY KEY,
    account           TEXT    NOT NULL REFERENCES accounts (account),
    platform          TEXT    NOT NULL,
    ordinal           INTEGER NOT NULL,
    opened_by         TEXT    NOT NULL,
    opened_at         INTEGER NOT NULL,
    previous          TEXT    NOT NULL DEFAULT '',
    state             TEXT    NOT NULL,
    revision          INTEGER NOT NULL DEFAULT 0,
    evidence_revision INTEGER NOT NULL DEFAULT 0,
    queue             TEXT    NOT NULL DEFAULT '',
    severity          INTEGER NOT NULL DEFAULT 0,
    confidence        INTEGER NOT NULL DEFAULT 0,
    tier              TEXT    NOT NULL DEFAULT '',
    due_at            INTEGER,
    rule              TEXT    NOT NULL DEFAULT '',
    rule_set          TEXT    NOT NULL DEFAULT '',
    rule_values       TEXT,
    closed_at         INTEGER,
    close_reason      TEXT    NOT NULL DEFAULT '',
    claim             TEXT,
    claim_person      TEXT    NOT NULL DEFAULT '',
    findings          TEXT    NOT NULL DEFAULT '',
    file              TEXT    NOT NULL DEFAULT '',
    file_digest       TEXT    NOT NULL DEFAULT '',
    decision          TEXT    NOT NULL DEFAULT '',
    flags             INTEGER NOT NULL DEFAULT 0,
    chain_seq         INTEGER NOT NULL DEFAULT 0,
    chain_hash        TEXT    NOT NULL DEFAULT '',
    -- Projections never touch the reservation.
    reserved_by       TEXT    NOT NULL DEFAULT '',
    reserved_until    INTEGER,
    UNIQUE (account, ordinal),
    CHECK (state <> 'queued' OR (queue <> '' AND due_at IS NOT NULL))
) STRICT;

-- At most one open case per account.
CREATE UNIQUE INDEX cases_one_open ON cases (account) WHERE state <> 'closed';
-- The order of a queue; opened_at is there so that counting reads the index alone.
CREATE INDEX cases_queue ON cases (queue, severity DESC, confidence DESC, due_at, ref, opened_at) WHERE state = 'queued';
CREATE INDEX cases_claimed ON cases (queue) WHERE state = 'claimed';
CREATE INDEX cases_held ON cases (claim_person) WHERE claim_person <> '' AND state <> 'closed';
CREATE INDEX cases_opened ON cases (opened_at DESC, ref DESC);
CREATE INDEX cases_state ON cases (state, opened_at DESC, ref DESC);

CREATE TABLE flags (
    flag        TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (account),
    platform    TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    sealed      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    case_ref    TEXT REFERENCES cases (ref),
    accepted_at INTEGER,
    queued_at   INTEGER,
    reopens     TEXT    NOT NULL DEFAULT '',
    CHECK (status IN ('pending', 'accepted')),
    CHECK ((status = 'accepted') = (case_ref IS NOT NULL))
) STRICT;

CREATE INDEX flags_pending ON flags (at, flag) WHERE status = 'pending';
CREATE INDEX flags_case ON flags (case_ref, at, flag) WHERE case_ref IS NOT NULL;
CREATE INDEX flags_unqueued ON flags (case_ref) WHERE case_ref IS NOT NULL AND queued_at IS NULL;
CREATE INDEX flags_at ON flags (at);

CREATE TABLE opinions (
    seq               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id                TEXT    NOT NULL UNIQUE,
    case_ref          TEXT    NOT NULL REFERENCES cases (ref),
    person            TEXT    NOT NULL,
    role              TEXT    NOT NULL,
    at                INTEGER NOT NULL,
    action            TEXT    NOT NULL,
    days              INTEGER NOT NULL,
    policies          TEXT    NOT NULL,
    entity_tier       TEXT    NOT NULL,
    mitigations       TEXT    NOT NULL,
    claim             INTEGER NOT NULL,
    evidence_revision INTEGER NOT NULL,
    relied            INTEGER NOT NULL,
    form              TEXT    NOT NULL,
    digest            TEXT    NOT NULL,
    notice            TEXT
) STRICT;

CREATE INDEX opinions_case ON opinions (case_ref, seq);

CREATE TABLE comments (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    case_ref TEXT    NOT NULL REFERENCES cases (ref),
    person   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    text     TEXT    NOT NULL
) STRICT;

CREATE INDEX comments_case ON comments (case_ref, seq);

CREATE TABLE decisions (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    case_ref   TEXT    NOT NULL REFERENCES cases (ref),
    decision   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    counter    INTEGER NOT NULL,
    event      TEXT    NOT NULL DEFAULT '',
    hash       TEXT    NOT NULL DEFAULT '',
    bundle     TEXT,
    why        TEXT    NOT NULL DEFAULT '',
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX decisions_case ON decisions (case_ref, seq);

CREATE TABLE strikes (
    decision   TEXT    NOT NULL PRIMARY KEY REFERENCES decisions (id),
    account    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX strikes_account ON strikes (account, at);

CREATE TABLE acts (
    decision    TEXT    NOT NULL REFERENCES decisions (id),
    number      INTEGER NOT NULL,
    direction   TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    target      INTEGER NOT NULL,
    until       INTEGER,
    state       TEXT    NOT NULL,
    undo        TEXT    NOT NULL DEFAULT '',
    undo_digest TEXT    NOT NULL DEFAULT '',
    planned_at  INTEGER NOT NULL,
    started_at  INTEGER,
    ended_at    INTEGER,
    reference   TEXT    NOT NULL DEFAULT '',
    why         TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (decision, number, direction),
    CHECK (direction IN ('do', 'undo')),
    CHECK ((state = 'planned') = (ended_at IS NULL))
) STRICT;

CREATE TABLE notices (
    number   TEXT    NOT NULL PRIMARY KEY,
    decision TEXT    NOT NULL UNIQUE REFERENCES decisions (id),
    case_ref TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    state_at INTEGER NOT NULL
) STRICT;

CREATE TABLE people (
    person TEXT    NOT NULL PRIMARY KEY,
    login  TEXT    NOT NULL UNIQUE,
    name   TEXT    NOT NULL,
    roles  TEXT    NOT NULL,
    team   TEXT    NOT NULL DEFAULT '',
    active INTEGER NOT NULL,
    CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE tokens (
    hash       TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    person     TEXT    NOT NULL REFERENCES people (person),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    revoked    INTEGER NOT NULL DEFAULT 0,
    CHECK (length(hash) = 64),
    CHECK (revoked IN (0, 1))
) STRICT;

-- Views and refusals share one sequence and one running hash: each row holds the hash over itself
-- and every row of both tables before it, and its number within its own table.
CREATE TABLE views (
    seq      INTEGER NOT NULL PRIMARY KEY,
    number   INTEGER NOT NULL,
    person   TEXT    NOT NULL,
    case_ref TEXT    NOT NULL,
    purpose  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

CREATE INDEX views_case ON views (case_ref, seq);

CREATE TABLE refusals (
    seq      INTEGER NOT NULL PRIMARY KEY,
    number   INTEGER NOT NULL,
    person   TEXT    NOT NULL,
    case_ref TEXT    NOT NULL,
    verb     TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

CREATE TABLE ledger_outbox (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    type         TEXT    NOT NULL,
    actor_person TEXT    NOT NULL,
    actor_role   TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    seq          INTEGER UNIQUE,
    fixed        BLOB,
    log_index    INTEGER,
    CHECK ((seq IS NULL) = (fixed IS NULL)),
    CHECK (log_index IS NULL OR seq IS NOT NULL)
) STRICT;

CREATE INDEX ledger_outbox_unappended ON ledger_outbox (id) WHERE log_index IS NULL;

CREATE TABLE index_outbox (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    case_ref TEXT UNIQUE,
    decision TEXT UNIQUE,
    revision INTEGER NOT NULL,
    CHECK ((case_ref IS NULL) <> (decision IS NULL))
) STRICT;

-- +engine sqlite
-- +goose StatementBegin
CREATE TRIGGER views_stand BEFORE UPDATE ON views
BEGIN SELECT RAISE(ABORT, 'views are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER refusals_stand BEFORE UPDATE ON refusals
BEGIN SELECT RAISE(ABORT, 'refusals are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER views_stay BEFORE DELETE ON views
BEGIN SELECT RAISE(ABORT, 'views are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER refusals_stay BEFORE DELETE ON refusals
BEGIN SELECT RAISE(ABORT, 'refusals are append-only'); END;
-- +goose StatementEnd

-- +engine postgres
-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% are append-only', TG_TABLE_NAME; END;
$$;
-- +goose StatementEnd
CREATE TRIGGER views_stand BEFORE UPDATE OR DELETE OR TRUNCATE ON views EXECUTE FUNCTION append_only();
CREATE TRIGGER refusals_stand BEFORE UPDATE OR DELETE OR TRUNCATE ON refusals EXECUTE FUNCTION append_only();

-- +engine any
