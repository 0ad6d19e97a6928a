-- 0004_transfer: minutes that move between subscribers, and what must be written with them: the record, the answer, the
-- counts, the texts and the audit. Documents are json, read and written whole.

-- +goose Up

-- One transfer, for good. It lies with its sender, whose slot is in the reference.
CREATE TABLE transfer (
    part        smallint         NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    sender_id   uuid             NOT NULL,
    receiver_id uuid             NULL,     -- maybe in another slot; null: it was refused because there is none
    kind        text             NOT NULL,
    status      text             NOT NULL,
    seconds     bigint           NOT NULL, -- asked for
    created_at  timestamptz      NOT NULL,
    due_at      timestamptz      NULL,     -- while pending: when it lapses
    document    json             NOT NULL,
    checks      json             NOT NULL, -- every rule of the decision made last
    CONSTRAINT transfer_pkey PRIMARY KEY (part, reference),
    CONSTRAINT transfer_status_known CHECK
        (status IN ('pending', 'completed', 'failed', 'reversed', 'reversal-pending', 'cancelled', 'expired')),
    CONSTRAINT transfer_pending_is_due CHECK ((status = 'pending') = (due_at IS NOT NULL))
) WITH (fillfactor = 70, toast_tuple_target = 8160); -- its checks are long, and not worth compressing
CREATE INDEX transfer_sender ON transfer (sender_id, created_at);
CREATE INDEX transfer_receiver ON transfer (receiver_id, created_at);
CREATE INDEX transfer_due ON transfer (due_at) WHERE due_at IS NOT NULL;

-- A request that was answered, refused ones too: the same one gets the same answer for ever.
CREATE TABLE transfer_answer (
    part          smallint         NOT NULL,
    key           bytea            NOT NULL, -- SHA-256 of caller, subscriber_id and reference, so that one column finds it
    caller        text COLLATE "C" NOT NULL,
    subscriber_id uuid             NOT NULL, -- who acted
    reference     text COLLATE "C" NOT NULL, -- the client's
    fingerprint   text             NOT NULL, -- of the content that a copy must share
    at            timestamptz      NOT NULL,
    answer        json             NOT NULL,
    CONSTRAINT transfer_answer_pkey PRIMARY KEY (part, key)
);

CREATE TABLE transfer_quote (
    part       smallint         NOT NULL,
    id         text COLLATE "C" NOT NULL,
    expires_at timestamptz      NOT NULL,
    document   json             NOT NULL,
    CONSTRAINT transfer_quote_pkey PRIMARY KEY (part, id)
);
CREATE INDEX transfer_quote_expires ON transfer_quote (expires_at);

-- What was counted for a limit from start on. Rows are added to, also below zero.
CREATE TABLE transfer_counter (
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    rule          text COLLATE "C" NOT NULL,
    other         text COLLATE "C" NOT NULL, -- the receiver of a pair, else empty
    start         timestamptz      NOT NULL,
    count         bigint           NOT NULL,
    seconds       bigint           NOT NULL,
    CONSTRAINT transfer_counter_pkey PRIMARY KEY (part, subscriber_id, rule, other, start)
) WITH (fillfactor = 70);
CREATE INDEX transfer_counter_start ON transfer_counter USING brin (start);

-- What transfers want to know of a subscriber beyond charging, and its PIN. No row: nothing is known, and there is no PIN.
CREATE TABLE party (
    part             smallint         NOT NULL,
    subscriber_id    uuid             NOT NULL,
    document         json             NOT NULL, -- profile
    blocks           uuid[]           NOT NULL, -- from whom it takes nothing
    imsi             text COLLATE "C" NOT NULL, -- that was used last; empty: not seen yet
    sim_changed_at   timestamptz      NULL,     -- when another was seen
    pin_hash         text             NOT NULL, -- argon2id, of a keyed digest; empty: no PIN
    pin_must_change  boolean          NOT NULL, -- set by somebody else
    pin_tries        integer          NOT NULL, -- since the last right one or the last lock
    pin_locks        integer          NOT NULL, -- since the last right one
    pin_locked_until timestamptz      NULL,
    pin_changed_at   timestamptz      NULL,
    pin_resets       integer          NOT NULL, -- since pin_resets_since
    pin_resets_since timestamptz      NULL,
    CONSTRAINT party_pkey PRIMARY KEY (part, subscriber_id)
) WITH (fillfactor = 70);
CREATE INDEX party_subscriber_id ON party (subscriber_id);

-- Who sells, pays out or runs a shop. It is found by its code before the slot is known. The table is small.
CREATE TABLE role (
    code          text COLLATE "C" NOT NULL,
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    kind          text             NOT NULL,
    parent        text COLLATE "C" NOT NULL, -- code of the agent above; empty: none
    owner_id      uuid             NULL,     -- the person behind it
    closed        boolean          NOT NULL,
    created_at    timestamptz      NOT NULL,
    CONSTRAINT role_pkey PRIMARY KEY (code),
    CONSTRAINT role_kind_known CHECK (kind IN ('merchant', 'agent', 'trader'))
);
CREATE INDEX role_subscriber_id ON role (subscriber_id);

-- What is to be sent because of something that was committed, with it. Rows that were sent are deleted; what was given up
-- stays.
CREATE TABLE outbox (
    part          smallint    NOT NULL,
    id            uuid        NOT NULL, -- told to the receiver: a copy has the same; its slot is part
    kind          text        NOT NULL, -- text, event
    receiver      text        NOT NULL, -- MSISDN of a text, URL of an event
    body          text        NOT NULL,
    secret        text        NOT NULL, -- signs an event; empty: the one of all
    reference     text        NOT NULL, -- of the transfer that it tells of
    created_at    timestamptz NOT NULL,
    due_at        timestamptz NULL,     -- when it is tried next, also the end of a claim; null: given up
    tries         integer     NOT NULL,
    problem       text        NOT NULL, -- of the last try
    CONSTRAINT outbox_pkey PRIMARY KEY (part, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outbox_due ON outbox (kind, due_at) WHERE due_at IS NOT NULL;

-- Every act. Rows are only ever added. The hashes are for a chain that is not made yet.
CREATE TABLE audit (
    part      smallint         NOT NULL,
    id        uuid             NOT NULL, -- version 7: in the order of time
    at        timestamptz      NOT NULL,
    actor     text             NOT NULL,
    role      text             NOT NULL, -- sender, receiver, operator, system
    channel   text             NOT NULL,
    action    text             NOT NULL,
    subject   text COLLATE "C" NOT NULL, -- id of a subscriber, code of a role, or empty; never a number
    reference text COLLATE "C" NOT NULL, -- of the transfer; empty: none
    before    json             NOT NULL,
    after     json             NOT NULL,
    policy    text             NOT NULL, -- version that it was decided by
    prev_hash bytea            NULL,
    hash      bytea            NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (part, id)
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_subject ON audit (subject, id);

CREATE TABLE policy_version (
    version  text COLLATE "C" NOT NULL,
    document text             NOT NULL,
    saved_at timestamptz      NOT NULL,
    saved_by text             NOT NULL,
    CONSTRAINT policy_version_pkey PRIMARY KEY (version)
);

-- The policy that is in force, and the kill switch. Every transfer is decided under a share of this lock.
CREATE TABLE policy_in_force (
    one          boolean          NOT NULL,
    version      text COLLATE "C" NOT NULL, -- empty: that of the server
    stopped_at   timestamptz      NULL,     -- null: transfers go on
    stop_reason  text             NOT NULL,
    changed_at   timestamptz      NULL,
    changed_by   text             NOT NULL,
    CONSTRAINT policy_in_force_pkey PRIMARY KEY (one),
    CONSTRAINT policy_in_force_is_one CHECK (one)
);

-- Lots that came from one: gyro bucket trace. Granted ones are found by their id.
CREATE INDEX bucket_root ON bucket (root) WHERE hops > 0;

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('transfer', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('transfer_answer', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('transfer_quote', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('transfer_counter', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('party', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('outbox', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('audit', 'part', colocate_with => 'subscriber');
        PERFORM create_reference_table('role');
        PERFORM create_reference_table('policy_version');
        PERFORM create_reference_table('policy_in_force');
    END IF;
END
$$;
-- +goose StatementEnd

INSERT INTO policy_in_force (one, version, stopped_at, stop_reason, changed_at, changed_by)
VALUES (true, '', NULL, '', NULL, '');
