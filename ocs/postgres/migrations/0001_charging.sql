-- 0001_charging: all that a charging decision reads and writes, and the catalogues that it was made by.
--
-- part is a slot, 0 to 255, a fixed function of the subscriber's id (spec/store S1). It comes first in every key, so that
-- a table can be spread by it. Keys are looked up by the column after it through an index of that column alone: Postgres
-- before 17 searches a two-column index once for every combination of two lists, 3,600 times for a batch of 60.
-- Times are given by the server, never by now(). Ids are made by the server.

-- +goose Up

CREATE TABLE subscriber (
    part             smallint         NOT NULL,
    id               uuid             NOT NULL,
    state            text             NOT NULL,
    plan             text             NOT NULL,
    identity_version bigint           NOT NULL, -- rises when its identities change; a cached one is then seen to be stale
    msisdn           text COLLATE "C" NOT NULL, -- E.164 digits
    imsi             text COLLATE "C" NOT NULL, -- empty when not known
    created_at       timestamptz      NOT NULL,
    CONSTRAINT subscriber_pkey PRIMARY KEY (part, id),
    CONSTRAINT subscriber_part_is_a_slot CHECK (part BETWEEN 0 AND 255),
    CONSTRAINT subscriber_state_known CHECK (state IN ('active', 'blocked', 'closed'))
);
CREATE INDEX subscriber_id ON subscriber (id);
CREATE INDEX subscriber_msisdn ON subscriber (msisdn);

-- One name belongs to one subscriber. It is looked up before the slot is known, so part is not in its key.
CREATE TABLE identity (
    value         text COLLATE "C" NOT NULL,
    kind          smallint         NOT NULL, -- Subscription-Id-Type, RFC 8506 8.47
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    version       bigint           NOT NULL, -- identity_version of the subscriber when this was written
    CONSTRAINT identity_pkey PRIMARY KEY (value, kind)
);

-- A lot of units of one origin, class and expiry. A drained one stays: it proves where the units went.
CREATE TABLE bucket (
    part          smallint    NOT NULL,
    id            uuid        NOT NULL,
    subscriber_id uuid        NOT NULL,
    unit          text        NOT NULL, -- seconds, octets, events or a currency
    class         text        NOT NULL,
    priority      integer     NOT NULL, -- smaller is used first
    balance       bigint      NOT NULL, -- of unit, not yet charged
    reserved      bigint      NOT NULL, -- part of balance, held by open sessions
    expires_at    timestamptz NULL,     -- first instant at which it no longer counts; null: never
    created_at    timestamptz NOT NULL,
    root          uuid        NOT NULL, -- bucket that the units were first granted in; itself unless they were moved
    parent        uuid        NULL,     -- bucket that they were moved from last, maybe in another slot
    hops          integer     NOT NULL, -- how often they were moved
    CONSTRAINT bucket_pkey PRIMARY KEY (part, id),
    CONSTRAINT bucket_reserved_within_balance CHECK (reserved BETWEEN 0 AND balance),
    CONSTRAINT bucket_hops_not_negative CHECK (hops >= 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05); -- balance and reserved change with every request: HOT
CREATE INDEX bucket_subscriber_id ON bucket (subscriber_id);

-- One call, from its first request until it is forgotten. What no statement asks for is one document: the conditions, the
-- quotas with what they reserve, the answers that were given (RFC 8506 8.2). It is json and not jsonb: it is only ever
-- read and written whole by charging, and json is kept as it came.
CREATE TABLE session (
    part            smallint         NOT NULL,
    subscriber_id   uuid             NOT NULL,
    session_id      text COLLATE "C" NOT NULL, -- Session-Id, compared octet by octet
    sub_session     text COLLATE "C" NOT NULL, -- CC-Sub-Session-Id, empty when absent
    state           text             NOT NULL,
    origin_host     text             NOT NULL,
    origin_state_id bigint           NOT NULL, -- Unsigned32
    started_at      timestamptz      NOT NULL,
    due_at          timestamptz      NOT NULL, -- open: when supervision ends it; ended: when it may be forgotten
    sweep_at        timestamptz      NOT NULL, -- when the sweep looks at it next, never after due_at but for a moment
    resting         boolean          NOT NULL, -- the sweep has seen that it ended
    document        json             NOT NULL,
    CONSTRAINT session_pkey PRIMARY KEY (part, subscriber_id, session_id, sub_session),
    CONSTRAINT session_state_known CHECK (state IN ('open', 'ended', 'expired', 'refused'))
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05); -- it grows with every answer
-- No index names a column that charging changes, so that its updates stay HOT (spec/store S15). sweep_at and resting are
-- such columns by name only: charging leaves them as they are unless a session becomes due earlier or begins anew.
CREATE INDEX session_session_id ON session (session_id);
CREATE INDEX session_sweep ON session (resting, sweep_at);

-- One report of usage with its price. Written once.
CREATE TABLE rated_event (
    part           smallint         NOT NULL,
    subscriber_id  uuid             NOT NULL,
    rated_at       timestamptz      NOT NULL,
    session_id     text COLLATE "C" NOT NULL,
    sub_session    text COLLATE "C" NOT NULL,
    request_type   smallint         NOT NULL,
    request_number bigint           NOT NULL, -- Unsigned32
    line           integer          NOT NULL, -- which report of the request, from 0
    service        text             NOT NULL,
    rating_group   bigint           NULL,
    tariff         text             NOT NULL,
    plan           text             NOT NULL,
    catalog        text             NOT NULL,
    measure        text             NOT NULL,
    used           bigint           NOT NULL, -- of measure
    unit           text             NOT NULL,
    charged        bigint           NOT NULL, -- of unit
    overrun        bigint           NOT NULL, -- of unit: due and not covered
    taken          json             NOT NULL, -- charged, by bucket
    late           boolean          NOT NULL, -- reported after the session had ended
    CONSTRAINT rated_event_pkey PRIMARY KEY
        (part, subscriber_id, rated_at, session_id, sub_session, request_type, request_number, line),
    CONSTRAINT rated_event_not_negative CHECK (used >= 0 AND charged >= 0 AND overrun >= 0)
) PARTITION BY RANGE (rated_at);
CREATE INDEX rated_event_rated_at ON rated_event USING brin (rated_at);
CREATE TABLE rated_event_other PARTITION OF rated_event DEFAULT; -- so that a clock that jumped loses nothing

-- What is told of a finished call; number above 1 amends.
CREATE TABLE cdr (
    part              smallint         NOT NULL,
    subscriber_id     uuid             NOT NULL,
    ended_at          timestamptz      NOT NULL,
    session_id        text COLLATE "C" NOT NULL,
    sub_session       text COLLATE "C" NOT NULL,
    number            integer          NOT NULL,
    msisdn            text             NOT NULL,
    cause             text             NOT NULL,
    service           text             NOT NULL,
    origin_host       text             NOT NULL,
    origin_realm      text             NOT NULL,
    origin_state_id   bigint           NOT NULL,
    origin_peer       text             NOT NULL,
    other_party       text             NOT NULL,
    started_at        timestamptz      NOT NULL,
    termination_cause bigint           NULL, -- Unsigned32, as sent
    conditions        json             NOT NULL,
    lines             json             NOT NULL,
    missing_numbers   json             NOT NULL,
    CONSTRAINT cdr_pkey PRIMARY KEY (part, subscriber_id, ended_at, session_id, sub_session, number),
    CONSTRAINT cdr_number_positive CHECK (number >= 1)
) PARTITION BY RANGE (ended_at);
CREATE INDEX cdr_ended_at ON cdr (ended_at);
CREATE TABLE cdr_other PARTITION OF cdr DEFAULT;

-- One leg of a movement that is not a call. The legs of a movement sum to zero.
CREATE TABLE posting (
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    posted_at     timestamptz      NOT NULL,
    movement      text COLLATE "C" NOT NULL,
    leg           integer          NOT NULL,
    kind          text             NOT NULL,
    account       text             NOT NULL,
    bucket_id     uuid             NULL, -- of a lot account
    unit          text             NOT NULL,
    units         bigint           NOT NULL, -- signed: what the account gains
    reason        text             NOT NULL,
    CONSTRAINT posting_pkey PRIMARY KEY (part, subscriber_id, posted_at, movement, leg)
) PARTITION BY RANGE (posted_at);
CREATE INDEX posting_posted_at ON posting USING brin (posted_at);
CREATE TABLE posting_other PARTITION OF posting DEFAULT;

-- A movement that was made, so that repeating it changes nothing.
CREATE TABLE movement (
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    id            text COLLATE "C" NOT NULL, -- the caller's
    fingerprint   bytea            NOT NULL, -- SHA-256 of what was asked for
    at            timestamptz      NOT NULL,
    CONSTRAINT movement_pkey PRIMARY KEY (part, subscriber_id, id)
);

CREATE TABLE catalog_version (
    version  text COLLATE "C" NOT NULL,
    document text             NOT NULL,
    saved_at timestamptz      NOT NULL,
    CONSTRAINT catalog_version_pkey PRIMARY KEY (version)
);

-- On Citus the tables are spread by slot; foreign keys come after that (spec/store S4).
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('subscriber', 'part');
        PERFORM create_distributed_table('bucket', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('session', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('rated_event', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('cdr', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('posting', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('movement', 'part', colocate_with => 'subscriber');
        PERFORM create_distributed_table('identity', 'value');
        PERFORM create_reference_table('catalog_version');
    END IF;
END
$$;
-- +goose StatementEnd

ALTER TABLE bucket ADD CONSTRAINT bucket_has_a_subscriber
    FOREIGN KEY (part, subscriber_id) REFERENCES subscriber (part, id);
