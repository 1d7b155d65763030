-- +goose Up
-- Lines know who called, with which session tags, and how long the request
-- was; days have sums of their own. Both are folds of the ledger: they are
-- dropped here and folded again at the next start.
DROP TABLE cost_rollups;
DROP TABLE cost_lines;
DELETE FROM meta WHERE name = 'cost.watermark';

-- digest is SHA-256 of all columns: what tells two lines apart, in one short
-- key.
CREATE TABLE cost_lines (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    digest    BLOB NOT NULL UNIQUE,
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    model     TEXT NOT NULL,
    geography TEXT NOT NULL,
    operation TEXT NOT NULL,
    profile   TEXT NOT NULL,
    tags      TEXT NOT NULL, -- a JSON object in order of key, or empty
    principal TEXT NOT NULL,
    session   TEXT NOT NULL, -- tags of the caller's session, likewise
    input     INTEGER NOT NULL, -- class of the request's length
    tier      TEXT NOT NULL,
    kind      INTEGER NOT NULL,
    price     TEXT NOT NULL,
    rate      INTEGER NOT NULL,
    priced    INTEGER NOT NULL,
    estimated INTEGER NOT NULL
) STRICT;
CREATE INDEX cost_lines_account ON cost_lines (account, id);

-- hour and day count from 1970-01-01T00:00Z.
CREATE TABLE cost_rollups (
    account     TEXT NOT NULL,
    hour        INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    tokens      INTEGER NOT NULL,
    invocations INTEGER NOT NULL,
    PRIMARY KEY (account, hour, line)
) WITHOUT ROWID, STRICT;

CREATE TABLE cost_days (
    account     TEXT NOT NULL,
    day         INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    tokens      INTEGER NOT NULL,
    invocations INTEGER NOT NULL,
    PRIMARY KEY (account, day, line)
) WITHOUT ROWID, STRICT;

-- What an account has defined: versions of its history, cost categories,
-- anomaly monitors. These are no fold and cannot be made again.
CREATE TABLE cost_documents (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    body    BLOB NOT NULL, -- JSON
    UNIQUE (account, kind, id)
) STRICT;

-- +goose Down
DROP TABLE cost_documents;
DROP TABLE cost_days;
DROP TABLE cost_rollups;
DROP TABLE cost_lines;
