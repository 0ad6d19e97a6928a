-- 0002_client: the Origin-State-Id that each client told last (RFC 6733 8.16). When it rises, the client has restarted and
-- lost its sessions: they are closed 30 s later. The table is small, and belongs to no slot.

-- +goose Up

CREATE TABLE client (
    origin_host  text COLLATE "C" NOT NULL,
    state_id     bigint           NOT NULL, -- Unsigned32, never 0
    told_at      timestamptz      NOT NULL,
    restarted_at timestamptz      NULL,     -- of a restart whose sessions are not closed yet
    CONSTRAINT client_pkey PRIMARY KEY (origin_host)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_reference_table('client');
    END IF;
END
$$;
-- +goose StatementEnd
