-- Decisions whose takedown may have something left to do are found without a look at every decision.
-- Of those from before it is not known, so that all that may have are marked.

-- +goose Up

ALTER TABLE decisions ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0;
UPDATE decisions SET unfinished = 1 WHERE state IN ('recorded', 'executing', 'uncertain', 'done');

CREATE INDEX decisions_unfinished ON decisions (id) WHERE unfinished = 1;
CREATE INDEX notices_planned ON notices (decision) WHERE state = 'planned';
