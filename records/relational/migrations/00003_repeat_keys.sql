-- A row that is only ever added has a key of the call that added it, so that the call can be repeated.
-- Rows from before have none.

-- +goose Up

ALTER TABLE views ADD COLUMN repeat_key TEXT;
ALTER TABLE refusals ADD COLUMN repeat_key TEXT;
ALTER TABLE ledger_outbox ADD COLUMN repeat_key TEXT;

CREATE UNIQUE INDEX views_repeat ON views (repeat_key);
CREATE UNIQUE INDEX refusals_repeat ON refusals (repeat_key);
CREATE UNIQUE INDEX ledger_outbox_repeat ON ledger_outbox (repeat_key);
