-- A platform that does not keep numbers apart tells somebody twice if it is asked twice. What may have been
-- delivered is found here by its number, also a ruling's notice, which has no row of its own.

-- +goose Up

CREATE TABLE deliveries (
    number   TEXT    NOT NULL PRIMARY KEY,
    state    TEXT    NOT NULL, -- planned: begun, and what became of it is not known; '' where nothing was begun after all
    state_at INTEGER NOT NULL
);
