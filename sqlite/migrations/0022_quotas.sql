-- +goose Up
-- What an account has set its quotas to in a Region (package quota); a quota
-- without a row has its default.
CREATE TABLE quota_values (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    code    TEXT NOT NULL,
    value   REAL NOT NULL,
    PRIMARY KEY (account, region, code)
) WITHOUT ROWID, STRICT;

-- Requests for other values. created and updated are Unix seconds.
CREATE TABLE quota_requests (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    code    TEXT NOT NULL,
    value   REAL NOT NULL,
    status  TEXT NOT NULL, -- PENDING, APPROVED or DENIED
    who     TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX quota_requests_account ON quota_requests (account, region, created);

-- +goose Down
DROP TABLE quota_requests;
DROP TABLE quota_values;
