-- 0008_care: who may use the API, what waits for a second person, and what each has moved today. All three are small and
-- belong to no slot.

-- +goose Up

-- The secret of a key is 256 random bits, so its plain hash gives nothing away.
CREATE TABLE api_key (
    id         text COLLATE "C" NOT NULL, -- part of the key, and no secret
    name       text             NOT NULL, -- of the person or program that has it
    role       text             NOT NULL,
    hash       bytea            NOT NULL, -- SHA-256 of the secret
    created_at timestamptz      NOT NULL,
    created_by text             NOT NULL,
    expires_at timestamptz      NULL,     -- first instant at which it opens nothing; null: never
    revoked_at timestamptz      NULL,
    revoked_by text             NOT NULL,
    CONSTRAINT api_key_pkey PRIMARY KEY (id),
    CONSTRAINT api_key_hash_is_whole CHECK (octet_length(hash) = 32)
);

-- An act that one person may not do alone. It is done under its id, so that doing it again changes nothing.
CREATE TABLE approval (
    id           uuid        NOT NULL,
    action       text        NOT NULL, -- which act
    subject      text        NOT NULL, -- id of the subscriber; empty: none
    unit         text        NOT NULL,
    units        bigint      NOT NULL, -- what the act moves, without its sign
    reason       text        NOT NULL,
    request      json        NOT NULL, -- all that the act needs; never a number
    fingerprint  bytea       NOT NULL, -- SHA-256 of what was asked for
    asked_key    text        NOT NULL,
    asked_by     text        NOT NULL,
    asked_role   text        NOT NULL,
    asked_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL, -- first instant at which it can no longer be confirmed
    state        text        NOT NULL,
    decided_key  text        NOT NULL,
    decided_by   text        NOT NULL,
    decided_role text        NOT NULL,
    decided_at   timestamptz NULL,
    note         text        NOT NULL, -- of who decided
    result       json        NOT NULL, -- of the act
    CONSTRAINT approval_pkey PRIMARY KEY (id),
    CONSTRAINT approval_state_known CHECK (state IN ('pending', 'confirmed', 'done', 'failed', 'rejected')),
    CONSTRAINT approval_decided_by_another CHECK (decided_key <> asked_key OR state IN ('pending', 'rejected'))
);
CREATE INDEX approval_asked_at ON approval (asked_at, id);
CREATE INDEX approval_waiting ON approval (asked_at, id) WHERE state IN ('pending', 'confirmed');

-- What one key has moved alone in one day.
CREATE TABLE care_count (
    key   text COLLATE "C" NOT NULL,
    day   date             NOT NULL, -- UTC
    unit  text             NOT NULL,
    units bigint           NOT NULL,
    CONSTRAINT care_count_pkey PRIMARY KEY (key, day, unit)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_reference_table('api_key');
        PERFORM create_reference_table('approval');
        PERFORM create_reference_table('care_count');
    END IF;
END
$$;
-- +goose StatementEnd
