-- 0007_pin_asked: the latest tries of a PIN with the requests that made them, so that copies of one request which come to
-- several servers at once count one try together. A version that does not know the column counts each of them.

-- +goose Up

ALTER TABLE party ADD COLUMN pin_asked json NOT NULL DEFAULT '[]';
