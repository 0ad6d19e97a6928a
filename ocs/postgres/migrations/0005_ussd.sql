-- 0005_ussd: where a person is in the dialogue of a dialled code, so that any server can go on with it. A row lives for
-- minutes. It holds no PIN; key is drawn anew when a gateway uses the name of a session again, since references of transfers
-- are made of it. One table on one node: it is small, and no transaction of charging touches it.

-- +goose Up

CREATE TABLE ussd_session (
    gateway    text        NOT NULL,
    session    text        NOT NULL, -- hash of the gateway's name of it and of the number
    key        text        NOT NULL,
    version    bigint      NOT NULL, -- counts what was stored, so that of two servers one is told that it came second
    document   jsonb       NOT NULL,
    touched_at timestamptz NOT NULL,
    CONSTRAINT ussd_session_pkey PRIMARY KEY (gateway, session)
);

CREATE INDEX ussd_session_touched_at ON ussd_session (touched_at);
