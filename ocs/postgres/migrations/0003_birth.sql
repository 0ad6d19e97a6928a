-- 0003_birth: when this database began to keep sessions. The servers on it tell this time as their Origin-State-Id: it
-- must be the same for all of them and over restarts, and rise only when the sessions are gone (RFC 6733 8.16).

-- +goose Up

CREATE TABLE birth (
    one boolean     NOT NULL,
    at  timestamptz NOT NULL,
    CONSTRAINT birth_pkey PRIMARY KEY (one),
    CONSTRAINT birth_is_one CHECK (one)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_reference_table('birth');
    END IF;
END
$$;
-- +goose StatementEnd
