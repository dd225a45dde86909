-- What people did with a case beside judging it, with the address of the sealed words of why.

-- +goose Up

CREATE TABLE handlings (
    seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id        TEXT    NOT NULL UNIQUE,
    case_ref  TEXT    NOT NULL REFERENCES cases (ref),
    what      TEXT    NOT NULL,
    person    TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    queue     TEXT    NOT NULL,
    to_person TEXT    NOT NULL,
    deadline  TEXT    NOT NULL,
    until     INTEGER,
    words     TEXT    NOT NULL
) STRICT;

CREATE INDEX handlings_case ON handlings (case_ref, seq);
