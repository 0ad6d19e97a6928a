-- 0011_lean_transfer: what is only kept as it was written, and never looked into by a statement, is text: a json column has it
-- parsed to the end first, three kilobytes of it for every transfer.

-- +goose Up

ALTER TABLE transfer ALTER COLUMN checks TYPE text;
ALTER TABLE transfer_answer ALTER COLUMN answer TYPE text;
