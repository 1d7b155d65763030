-- +goose Up
-- Alarms (package metrics/alarm): body is JSON.
CREATE TABLE alarms (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID, STRICT;

-- at is nanoseconds since 1970.
CREATE TABLE alarm_history (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    type    TEXT NOT NULL,
    summary TEXT NOT NULL,
    data    TEXT NOT NULL
) STRICT;
CREATE INDEX alarm_history_place ON alarm_history (account, region, id);

-- Dashboards belong to an account, in no Region. modified is nanoseconds since 1970.
CREATE TABLE dashboards (
    account  TEXT NOT NULL,
    name     TEXT NOT NULL,
    body     TEXT NOT NULL,
    modified INTEGER NOT NULL,
    tags     TEXT NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE dashboards;
DROP TABLE alarm_history;
DROP TABLE alarms;
