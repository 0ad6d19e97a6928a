-- 0015_identity_rest: names that were given up rest before somebody else may have them, so that nobody gets the calls, texts
-- and minutes of a stranger. And services that a subscriber is barred from.

-- +goose Up

-- barred is a set of bits, ocs.Bars. A version before this one writes none, and serves all.
ALTER TABLE subscriber ADD COLUMN barred smallint NOT NULL DEFAULT 0;

CREATE TABLE identity_rest (
    value         text COLLATE "C" NOT NULL,
    kind          smallint         NOT NULL, -- Subscription-Id-Type, RFC 8506 8.47
    subscriber_id uuid             NOT NULL, -- who had it last, and may have it back
    given_up_at   timestamptz      NOT NULL,
    free_at       timestamptz      NOT NULL, -- first instant at which anybody may have it
    CONSTRAINT identity_rest_pkey PRIMARY KEY (value, kind)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('identity_rest', 'value', colocate_with => 'identity');
    END IF;
END
$$;
-- +goose StatementEnd

-- Customer care looks for the texts to a number.
CREATE INDEX outbox_receiver ON outbox (receiver);
