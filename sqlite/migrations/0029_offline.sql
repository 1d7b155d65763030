-- +goose Up
-- Invocations in the background (offline.Job). What they are is JSON: only
-- what is looked for stands in columns of its own.
CREATE TABLE offline_jobs (
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    id        TEXT NOT NULL,
    token     TEXT, -- NULL when none was given
    open      INTEGER NOT NULL, -- 1 until it has ended
    submitted INTEGER NOT NULL, -- microseconds since 1970
    job       TEXT NOT NULL,
    PRIMARY KEY (account, region, id),
    UNIQUE (account, region, token)
) WITHOUT ROWID, STRICT;
CREATE INDEX offline_jobs_open ON offline_jobs (submitted) WHERE open = 1;

-- +goose Down
DROP TABLE offline_jobs;
