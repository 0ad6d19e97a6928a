-- 0012_names: the names of a subscriber beside MSISDN and IMSI (Subscription-Id-Types 2, 3 and 4), to be shown. Requests find
-- a subscriber by table identity, which always had room for them; it has no index by subscriber.

-- +goose Up

ALTER TABLE subscriber
    ADD COLUMN sip_uri    text NOT NULL DEFAULT '', -- sip:user@domain; empty when there is none, as the next two
    ADD COLUMN nai        text NOT NULL DEFAULT '', -- network access identifier
    ADD COLUMN private_id text NOT NULL DEFAULT ''; -- of the network's own
