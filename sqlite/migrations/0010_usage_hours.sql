-- +goose Up
-- How many invocations that began in an hour (since 1970) were settled, counted
-- when their records were added: audits compare it with the records that are
-- there.
CREATE TABLE usage_hours (
    hour    INTEGER PRIMARY KEY,
    records INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE usage_hours;
