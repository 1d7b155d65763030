-- +goose Up
-- A fold of the ledger (package cost): it can be dropped and folded again.
-- What tokens must share to be added. rate is pico-dollars per token as 64
-- bits; priced is 0 where no price is known; kind 255 is a record without
-- tokens. Ids are never used twice, so that a dropped line stays dropped.
CREATE TABLE cost_lines (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    model     TEXT NOT NULL,
    geography TEXT NOT NULL,
    operation TEXT NOT NULL,
    profile   TEXT NOT NULL,
    tags      TEXT NOT NULL, -- a JSON object in order of key, or empty
    tier      TEXT NOT NULL,
    kind      INTEGER NOT NULL,
    price     TEXT NOT NULL,
    rate      INTEGER NOT NULL,
    priced    INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    UNIQUE (account, profile, kind, model, tags, region, geography, operation, tier, price, rate, priced, estimated)
) STRICT;

-- hour counts from 1970-01-01T00:00Z.
CREATE TABLE cost_rollups (
    account     TEXT NOT NULL,
    hour        INTEGER NOT NULL,
    line        INTEGER NOT NULL REFERENCES cost_lines (id),
    tokens      INTEGER NOT NULL,
    invocations INTEGER NOT NULL,
    PRIMARY KEY (account, hour, line)
) WITHOUT ROWID, STRICT;

-- Tag keys and whether they are cost allocation tags. updated_at is seconds
-- since 1970 and used_hour an hour as above; NULL is never.
CREATE TABLE cost_tags (
    account    TEXT NOT NULL,
    key        TEXT NOT NULL,
    status     TEXT NOT NULL,
    updated_at INTEGER,
    used_hour  INTEGER,
    PRIMARY KEY (account, key)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE cost_tags;
DROP TABLE cost_rollups;
DROP TABLE cost_lines;
