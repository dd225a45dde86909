-- What deciding well needs: deadlines and ranks in the queue, opinions that are blind until they may
-- be seen, who took part, referrals, appeals, switches and breakers, tellings, glass that was broken.
-- Rows of version 1 stay valid: what they have nothing of is empty, 0 or NULL.

-- +goose Up

-- overdue_at is the deadline that a waiting case is held to: that of its first touch, or once
-- somebody has held it (touched) that of its decision. assessed_hour is no projection's: it is the last
-- hour in which the case was counted as assessed.
ALTER TABLE cases ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN raised INTEGER NOT NULL DEFAULT 0 CHECK (raised IN (0, 1));
ALTER TABLE cases ADD COLUMN threat INTEGER NOT NULL DEFAULT 0 CHECK (threat IN (0, 1));
ALTER TABLE cases ADD COLUMN not_before INTEGER;
ALTER TABLE cases ADD COLUMN assigned_to TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN missed TEXT;
ALTER TABLE cases ADD COLUMN restricted TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN attached TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN decide_by INTEGER;
ALTER TABLE cases ADD COLUMN touched INTEGER NOT NULL DEFAULT 0 CHECK (touched IN (0, 1));
ALTER TABLE cases ADD COLUMN overdue_at INTEGER;
ALTER TABLE cases ADD COLUMN assessed_hour INTEGER;

UPDATE cases SET rank = severity, overdue_at = due_at, touched = CASE WHEN claim IS NULL THEN 0 ELSE 1 END;

-- The order of a queue. What stands behind the reference is there so that counting reads the index alone.
DROP INDEX cases_queue;
CREATE INDEX cases_queue ON cases (queue, rank DESC, confidence DESC, due_at, ref, severity, opened_at, overdue_at, not_before)
    WHERE state = 'queued';
-- Threats to life come first for everybody, whatever their queue.
CREATE INDEX cases_threat ON cases (rank DESC, confidence DESC, due_at, ref) WHERE state = 'queued' AND threat = 1;
CREATE INDEX cases_snoozed ON cases (queue, not_before) WHERE state = 'queued' AND not_before IS NOT NULL;
CREATE INDEX cases_open ON cases (ref) WHERE state <> 'closed';

-- Whoever took part in a case. round is 0 but for opinions.
CREATE TABLE parts (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    case_ref TEXT    NOT NULL REFERENCES cases (ref),
    person   TEXT    NOT NULL,
    part     TEXT    NOT NULL,
    round    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    UNIQUE (case_ref, person, part, round),
    CHECK (part IN ('flag', 'claim', 'opinion')),
    CHECK (part = 'opinion' OR round = 0)
) STRICT;

-- Nobody but its author sees a blind opinion. It is shown by its row in opinions; then it says when.
CREATE TABLE blind_opinions (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    case_ref TEXT    NOT NULL REFERENCES cases (ref),
    person   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    sealed   TEXT    NOT NULL,
    shown_at INTEGER,
    void     INTEGER NOT NULL DEFAULT 0,
    CHECK (void IN (0, 1))
) STRICT;

CREATE INDEX blind_opinions_case ON blind_opinions (case_ref, seq);

-- A void opinion counts no more.
ALTER TABLE opinions ADD COLUMN emergency INTEGER NOT NULL DEFAULT 0 CHECK (emergency IN (0, 1));
ALTER TABLE opinions ADD COLUMN void INTEGER NOT NULL DEFAULT 0 CHECK (void IN (0, 1));

CREATE TABLE referrals (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    case_ref TEXT    NOT NULL REFERENCES cases (ref),
    kind     TEXT    NOT NULL,
    person   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    note     TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    event    TEXT    NOT NULL
) STRICT;

CREATE INDEX referrals_case ON referrals (case_ref, seq);

-- item is a keyed digest of a piece of evidence that the decision had before it.
CREATE TABLE decided_items (
    account  TEXT    NOT NULL,
    item     TEXT    NOT NULL,
    decision TEXT    NOT NULL REFERENCES decisions (id),
    at       INTEGER NOT NULL,
    PRIMARY KEY (account, item, decision)
) STRICT;

-- hash is a keyed hash of a handle; at is when the account was last seen with it.
CREATE TABLE account_handles (
    platform TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (platform, hash, account)
) STRICT;

CREATE INDEX account_handles_hash ON account_handles (hash, at DESC, account);

-- A forgotten handle is nobody's any more: the account has it back.
ALTER TABLE taken_down_handles ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0 CHECK (forgotten IN (0, 1));

CREATE INDEX taken_down_handles_account ON taken_down_handles (account);

ALTER TABLE strikes ADD COLUMN taken_back_at INTEGER;

ALTER TABLE acts ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE acts ADD COLUMN last_error TEXT NOT NULL DEFAULT '';
ALTER TABLE acts ADD COLUMN tried_at INTEGER;
ALTER TABLE acts ADD COLUMN settled_by TEXT NOT NULL DEFAULT '';
ALTER TABLE acts ADD COLUMN settled_at INTEGER CHECK (settled_at IS NULL OR state IN ('done', 'failed'));

CREATE INDEX acts_pending ON acts (planned_at, decision, number, direction) WHERE state IN ('planned', 'uncertain', 'failed');

-- A decision is appealed once in each way, for ever.
CREATE TABLE appeals (
    id            TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    decision      TEXT    NOT NULL REFERENCES decisions (id),
    case_ref      TEXT    NOT NULL,
    platform      TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    notice        TEXT    NOT NULL DEFAULT '',
    complaint     TEXT    NOT NULL DEFAULT '',
    digest        TEXT    NOT NULL DEFAULT '',
    opened_person TEXT    NOT NULL,
    opened_role   TEXT    NOT NULL,
    opened_at     INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    revision      INTEGER NOT NULL DEFAULT 0,
    late          INTEGER NOT NULL DEFAULT 0,
    claim         TEXT,
    ruling        TEXT,
    event         TEXT    NOT NULL DEFAULT '',
    hash          TEXT    NOT NULL DEFAULT '',
    bundle        TEXT,
    why           TEXT    NOT NULL DEFAULT '',
    ended_at      INTEGER,
    UNIQUE (decision, kind),
    CHECK (late IN (0, 1)),
    CHECK ((state IN ('rejected', 'reinstated', 'incomplete')) = (ended_at IS NOT NULL))
) STRICT;

CREATE INDEX appeals_due ON appeals (due_at, id);
CREATE INDEX appeals_state ON appeals (state, due_at, id);

-- A switch that nobody ever set has no time. Its row is there only to be locked.
CREATE TABLE switches (
    name      TEXT    NOT NULL PRIMARY KEY,
    is_on     INTEGER NOT NULL,
    by_person TEXT    NOT NULL DEFAULT '',
    by_role   TEXT    NOT NULL DEFAULT '',
    at        INTEGER,
    reason    BLOB,
    CHECK (is_on IN (0, 1))
) STRICT;

-- counted and assessed count from the beginning of hour, or from when the breaker was armed in it:
-- then base is how many cases had been assessed in the hour before.
CREATE TABLE breakers (
    rule       TEXT    NOT NULL PRIMARY KEY,
    hour       INTEGER NOT NULL,
    counted    INTEGER NOT NULL DEFAULT 0,
    base       INTEGER NOT NULL DEFAULT 0,
    tripped_at INTEGER,
    why        TEXT    NOT NULL DEFAULT '',
    armed_by   TEXT    NOT NULL DEFAULT '',
    armed_at   INTEGER
) STRICT;

-- What a breaker answered, so that a repeat gets the same answer.
CREATE TABLE automatic_counts (
    rule     TEXT    NOT NULL REFERENCES breakers (rule),
    case_ref TEXT    NOT NULL REFERENCES cases (ref),
    at       INTEGER NOT NULL,
    leave    INTEGER NOT NULL,
    tripped  INTEGER NOT NULL,
    PRIMARY KEY (rule, case_ref),
    CHECK (leave IN (0, 1)),
    CHECK (tripped IN (0, 1))
) STRICT;

CREATE TABLE assessed_hours (
    hour  INTEGER NOT NULL PRIMARY KEY,
    cases INTEGER NOT NULL
) STRICT;

CREATE TABLE tellings (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    kind     TEXT    NOT NULL,
    page     INTEGER NOT NULL,
    team     TEXT    NOT NULL DEFAULT '',
    queue    TEXT    NOT NULL DEFAULT '',
    platform TEXT    NOT NULL DEFAULT '',
    case_ref TEXT    NOT NULL DEFAULT '',
    subject  TEXT    NOT NULL DEFAULT '',
    due_at   INTEGER,
    at       INTEGER NOT NULL,
    routed   INTEGER NOT NULL DEFAULT 0,
    CHECK (page IN (0, 1)),
    CHECK (routed IN (0, 1))
) STRICT;

CREATE INDEX tellings_unrouted ON tellings (seq) WHERE routed = 0;

-- One state for each telling and channel. While it waits, place orders it among the others of its
-- page and failed: what has failed by the time of its next try, the rest as they were put.
CREATE TABLE telling_channels (
    telling  INTEGER NOT NULL REFERENCES tellings (seq),
    channel  TEXT    NOT NULL,
    page     INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    failed   INTEGER NOT NULL DEFAULT 0,
    place    INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    code     TEXT    NOT NULL DEFAULT '',
    at       INTEGER,
    PRIMARY KEY (telling, channel),
    CHECK (state IN ('waiting', 'dropped', 'sent', 'undelivered')),
    CHECK (failed IN (0, 1))
) STRICT;

CREATE INDEX telling_channels_waiting ON telling_channels (channel, page DESC, failed, place, telling) WHERE state = 'waiting';

CREATE TABLE break_glass (
    id          TEXT    NOT NULL PRIMARY KEY,
    person      TEXT    NOT NULL,
    case_ref    TEXT    NOT NULL REFERENCES cases (ref),
    at          INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    reason      BLOB    NOT NULL,
    reviewed_by TEXT    NOT NULL DEFAULT '',
    reviewed_at INTEGER,
    justified   INTEGER NOT NULL DEFAULT 0,
    CHECK (reviewed_by <> person),
    CHECK ((reviewed_at IS NULL) = (reviewed_by = '')),
    CHECK (justified IN (0, 1))
) STRICT;

CREATE INDEX break_glass_at ON break_glass (at DESC, id DESC);
CREATE INDEX break_glass_open ON break_glass (at DESC, id DESC) WHERE reviewed_at IS NULL;
CREATE INDEX break_glass_person ON break_glass (person, case_ref, until);

CREATE INDEX tokens_person ON tokens (person);

-- A flag whose account was erased before it was taken in is closed as erased. sweep_at is from when a
-- pending one is looked after again: first when it was written, later and later with every try.

-- +engine postgres
ALTER TABLE flags DROP CONSTRAINT flags_status_check;
ALTER TABLE flags ADD CONSTRAINT flags_status_check CHECK (status IN ('pending', 'accepted', 'erased'));
ALTER TABLE flags ADD COLUMN sweeps BIGINT NOT NULL DEFAULT 0, ADD COLUMN swept_at BIGINT, ADD COLUMN sweep_at BIGINT NOT NULL DEFAULT 0;
UPDATE flags SET sweep_at = at;
DROP INDEX flags_pending;

-- +engine sqlite
-- SQLite changes no constraint of a table: its rows move into another, which takes its name.
CREATE TABLE flags_2 (
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
    sweeps      INTEGER NOT NULL DEFAULT 0,
    swept_at    INTEGER,
    sweep_at    INTEGER NOT NULL DEFAULT 0,
    CHECK (status IN ('pending', 'accepted', 'erased')),
    CHECK ((status = 'accepted') = (case_ref IS NOT NULL))
) STRICT;
INSERT INTO flags_2 (flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at, reopens, sweep_at)
    SELECT flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at, reopens, at FROM flags;
DROP TABLE flags;
ALTER TABLE flags_2 RENAME TO flags;
CREATE INDEX flags_case ON flags (case_ref, at, flag) WHERE case_ref IS NOT NULL;
CREATE INDEX flags_unqueued ON flags (case_ref) WHERE case_ref IS NOT NULL AND queued_at IS NULL;
CREATE INDEX flags_at ON flags (at);

-- +engine any
CREATE INDEX flags_pending ON flags (sweep_at, flag) WHERE status = 'pending';
