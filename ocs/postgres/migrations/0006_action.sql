-- 0006_action: what clients do to balances by TMF654: top-ups, adjustments, reservations. Transfers have a table of their
-- own. Further the keys that make a request safe to repeat, and who wants to be told of events.

-- +goose Up

-- One action, for good. Its document is the client's: what it said that decides nothing, to be told again.
CREATE TABLE action (
    part          smallint    NOT NULL,
    subscriber_id uuid        NOT NULL,
    id            uuid        NOT NULL,
    kind          text        NOT NULL,
    status        text        NOT NULL,
    caller        text        NOT NULL,
    unit          text        NOT NULL,
    units         bigint      NOT NULL, -- signed: what the balance gains; of a reservation what it holds
    bucket_id     uuid        NULL,     -- the one that was named; null: the server chooses
    holds         json        NOT NULL, -- what a reservation holds, by bucket
    requested_at  timestamptz NOT NULL,
    ended_at      timestamptz NULL,     -- when it was done, or came to nothing
    starts_at     timestamptz NULL,     -- not to be done before
    expires_at    timestamptz NULL,     -- of the units that it brings, or of what it holds
    due_at        timestamptz NULL,     -- while it waits: when the sweep does it or gives it up
    done          integer     NOT NULL, -- how often it was done: a top-up may recur
    document      json        NOT NULL,
    CONSTRAINT action_pkey PRIMARY KEY (part, subscriber_id, id),
    CONSTRAINT action_kind_known CHECK (kind IN ('topup', 'adjust', 'reserve')),
    CONSTRAINT action_status_known CHECK (status IN ('created', 'failed', 'cancelled', 'completed')),
    CONSTRAINT action_waits_for_something CHECK (due_at IS NULL OR status = 'created')
);
CREATE INDEX action_id ON action (id);
CREATE INDEX action_requested_at ON action (requested_at, id);
CREATE INDEX action_due ON action (due_at) WHERE due_at IS NOT NULL;

-- A key that a client gave its request. It is looked up before the subscriber is known, so part is not in its key.
CREATE TABLE request_key (
    key         text COLLATE "C" NOT NULL,
    caller      text COLLATE "C" NOT NULL,
    fingerprint bytea            NOT NULL, -- SHA-256 of what was asked for
    answer      json             NULL,     -- what it was answered; null: being worked on, or lost while it was
    at          timestamptz      NOT NULL,
    CONSTRAINT request_key_pkey PRIMARY KEY (key, caller)
);

-- Who wants to be told of events, and of which. The table is small, and belongs to no slot.
CREATE TABLE subscription (
    id         uuid        NOT NULL,
    caller     text        NOT NULL,
    callback   text        NOT NULL,
    query      text        NOT NULL, -- empty: everything
    created_at timestamptz NOT NULL,
    CONSTRAINT subscription_pkey PRIMARY KEY (id)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('action', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('request_key', 'key');
        PERFORM create_reference_table('subscription');
    END IF;
END
$$;
-- +goose StatementEnd
