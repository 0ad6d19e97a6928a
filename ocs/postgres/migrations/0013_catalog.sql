-- 0013_catalog: which catalogue all servers go by, and who put it in force. Every version that was ever in force stays: a
-- running call finishes by the one that it began with, and a CDR is explained by it.

-- +goose Up

ALTER TABLE catalog_version ADD COLUMN saved_by text NOT NULL DEFAULT '';

CREATE TABLE catalog_in_force (
    one        boolean          NOT NULL,
    version    text COLLATE "C" NOT NULL, -- empty: that of each server's configuration
    before     text COLLATE "C" NOT NULL, -- what was in force before it, for a rollback; empty: nothing was put in force
    changed_at timestamptz      NULL,
    changed_by text             NOT NULL,
    CONSTRAINT catalog_in_force_pkey PRIMARY KEY (one),
    CONSTRAINT catalog_in_force_is_one CHECK (one)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_reference_table('catalog_in_force');
    END IF;
END
$$;
-- +goose StatementEnd

INSERT INTO catalog_in_force (one, version, before, changed_at, changed_by) VALUES (true, '', '', NULL, '')
    ON CONFLICT (one) DO NOTHING;
