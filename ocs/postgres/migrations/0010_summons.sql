-- 0010_summons: clients that are to be called back to a session of theirs: to ask anew for quota (RAR) or to end it (ASR).
-- A row is written with what it is about, a top-up or a blocked subscriber, so that neither is without the other; it is
-- sent by whichever server has a connection that leads to the client, and deleted when that is over. The table is empty
-- most of the time.

-- +goose Up

CREATE TABLE summons (
    part          smallint         NOT NULL,
    subscriber_id uuid             NOT NULL,
    session_id    text COLLATE "C" NOT NULL,
    sub_session   text COLLATE "C" NOT NULL,
    kind          text             NOT NULL,
    reason        text             NOT NULL,
    rating_group  bigint           NULL, -- Unsigned32; null: not only this one
    service_id    bigint           NULL, -- likewise
    pool          bigint           NULL, -- likewise
    origin_host   text COLLATE "C" NOT NULL, -- of the client, in lower case
    origin_realm  text COLLATE "C" NOT NULL, -- likewise
    peer          text COLLATE "C" NOT NULL, -- that brought the last request, likewise
    asked_at      timestamptz      NOT NULL,
    due_at        timestamptz      NOT NULL,
    round         integer          NOT NULL, -- how often the client said that it comes, and did not
    sent          integer          NOT NULL, -- copies in this round
    sent_at       timestamptz      NULL,     -- the first of them
    end_to_end    bigint           NOT NULL, -- Unsigned32, of all copies
    CONSTRAINT summons_pkey PRIMARY KEY (part, subscriber_id, session_id, sub_session, kind),
    CONSTRAINT summons_kind_known CHECK (kind IN ('reauthorise', 'abort'))
);
CREATE INDEX summons_due ON summons (due_at);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('summons', 'part', colocate_with => 'subscriber');
    END IF;
END
$$;
-- +goose StatementEnd
