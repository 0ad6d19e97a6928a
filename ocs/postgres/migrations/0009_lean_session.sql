-- 0009_lean_session: what every request of a call writes becomes smaller. A json column has its text parsed to the end for
-- every value, only to be kept as the text that it is; text is not. The conditions of a call hardly ever change, so they stand
-- apart from the document that changes with every request, and are written only when they do.
--
-- conditions is null where they still are in the document, as the version before this one writes them.

-- +goose Up

ALTER TABLE session ALTER COLUMN document TYPE text, ADD COLUMN conditions text NULL;
ALTER TABLE rated_event ALTER COLUMN taken TYPE text;
