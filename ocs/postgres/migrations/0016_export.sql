-- 0016_export: months of records that were closed for billing. Closing gives every record of a month a number for good, in
-- one unbroken sequence over all months. Numbers are kept by run and not by row: the row of a call is never written again.
-- A run lists its records by eight octets each, so that a row that comes later is told from those that were numbered.
-- Only closing and export read these tables, no transaction of charging does; they lie on one node.

-- +goose Up

CREATE TABLE export_month (
    month         text COLLATE "C" NOT NULL, -- 2026-10
    starts_at     timestamptz      NOT NULL,
    ends_at       timestamptz      NOT NULL,
    zone          text             NOT NULL, -- whose month
    per_file      integer          NOT NULL, -- records of a file, about
    begun_at      timestamptz      NOT NULL,
    sealed_at     timestamptz      NULL,     -- null: not all of it has numbers
    anonymised_at timestamptz      NULL,     -- since then it cannot be told again as it was
    dropped_at    timestamptz      NULL,
    CONSTRAINT export_month_pkey PRIMARY KEY (month),
    CONSTRAINT export_month_not_empty CHECK (starts_at < ends_at),
    CONSTRAINT export_month_per_file_positive CHECK (per_file > 0)
);

-- A run of records that follow each other: by time, then by key.
CREATE TABLE export_run (
    month     text COLLATE "C" NOT NULL,
    run       integer          NOT NULL, -- from 0
    file      bigint           NOT NULL, -- number of the file, in one sequence over all months
    source    text             NOT NULL,
    starts_at timestamptz      NOT NULL, -- of the period that its rows belong to: an earlier one than the month's for corrections
    ends_at   timestamptz      NOT NULL,
    first     bigint           NOT NULL, -- number of its first record
    records   integer          NOT NULL,
    source_rows integer        NOT NULL, -- rows that they are made of
    first_key json             NOT NULL,
    last_key  json             NOT NULL,
    late      boolean          NOT NULL, -- corrections
    prints    bytea            NOT NULL, -- eight octets of each record's key, hashed
    told      json             NULL,     -- what is told of its records and may change elsewhere; of corrections their keys
    CONSTRAINT export_run_pkey PRIMARY KEY (month, run),
    CONSTRAINT export_run_source_known CHECK (source IN ('cdr', 'posting')),
    CONSTRAINT export_run_counts CHECK (records > 0 AND octet_length(prints) = 8 * records)
);
ALTER TABLE export_run ALTER COLUMN prints SET STORAGE EXTERNAL; -- hashes do not compress
CREATE UNIQUE INDEX export_run_first ON export_run (first);
