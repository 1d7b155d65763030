-- +goose Up
-- Exports of the bill (cost/cur). What they are is JSON: only what is looked
-- for stands in columns of its own.
CREATE TABLE cost_exports (
    arn     TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    name    TEXT NOT NULL,
    export  TEXT NOT NULL,
    UNIQUE (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cost_executions (
    arn       TEXT NOT NULL REFERENCES cost_exports (arn) ON DELETE CASCADE,
    id        TEXT NOT NULL,
    created   INTEGER NOT NULL,
    execution TEXT NOT NULL,
    PRIMARY KEY (arn, id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE cost_executions;
DROP TABLE cost_exports;
