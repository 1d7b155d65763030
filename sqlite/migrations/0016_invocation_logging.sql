-- +goose Up
CREATE TABLE invocation_logging (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    config  TEXT NOT NULL, -- JSON
    PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE invocation_logging;
