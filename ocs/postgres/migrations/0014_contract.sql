-- 0014_contract: plans that live. A contract is the plan of a subscriber as it runs; a bucket tells when its expiry is looked at,
-- and below which balance its contract wants to be told.

-- +goose Up

CREATE TABLE contract (
    part          smallint    NOT NULL,
    subscriber_id uuid        NOT NULL,
    id            uuid        NOT NULL, -- with period it names what is posted
    plan          text        NOT NULL,
    state         text        NOT NULL,
    period        integer     NOT NULL, -- of those begun, from 1; rises only
    ends_at       timestamptz NULL,     -- of the running period
    due_at        timestamptz NULL,     -- when something is to be done next; null: never
    document      json        NOT NULL,
    CONSTRAINT contract_pkey PRIMARY KEY (part, subscriber_id),
    CONSTRAINT contract_state_known CHECK (state IN ('new', 'waiting', 'active', 'grace', 'ended')),
    CONSTRAINT contract_period_not_negative CHECK (period >= 0)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05); -- all of them change every month
CREATE INDEX contract_subscriber_id ON contract (subscriber_id);
CREATE INDEX contract_due ON contract (due_at) WHERE due_at IS NOT NULL;

-- Charging writes none of these, so that its updates stay HOT (spec/store S15).
ALTER TABLE bucket
    ADD COLUMN watch          bigint      NOT NULL DEFAULT 0, -- a balance below it makes the contract due; 0: none does
    ADD COLUMN expiry_look_at timestamptz NULL,               -- when its expiry is looked at; null: it never was
    ADD COLUMN expiry_booked  boolean     NOT NULL DEFAULT false; -- it expired, and nothing is left in it
CREATE INDEX bucket_expires ON bucket (expires_at)
    WHERE expires_at IS NOT NULL AND expiry_look_at IS NULL AND NOT expiry_booked;
CREATE INDEX bucket_expiry_look ON bucket (expiry_look_at) WHERE expiry_look_at IS NOT NULL AND NOT expiry_booked;

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        PERFORM create_distributed_table('contract', 'part', colocate_with => 'subscriber');
    END IF;
END
$$;
-- +goose StatementEnd
