-- +goose Up
-- Samples by minute, 5 minutes and hour (package metrics; docs/formats/metrics.md
-- has the blocks). Ids are never used twice: a reader may hold one while its lane
-- expires.
CREATE TABLE metric_lanes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    namespace  TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    UNIQUE (account, region, namespace, dimensions)
) STRICT;

-- step is 0 for minutes, 1 for 5 minutes, 2 for hours; start is seconds since
-- 1970; origin is 0 for what is folded from the ledger and can be folded again.
CREATE TABLE metric_rows (
    lane   INTEGER NOT NULL REFERENCES metric_lanes (id),
    step   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    block  BLOB NOT NULL,
    PRIMARY KEY (lane, step, start, origin)
) WITHOUT ROWID, STRICT;

-- When a metric was last recorded, in seconds since 1970, to ten minutes.
CREATE TABLE metric_names (
    lane   INTEGER NOT NULL REFERENCES metric_lanes (id),
    name   TEXT NOT NULL,
    origin INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (lane, name, origin)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE metric_names;
DROP TABLE metric_rows;
DROP TABLE metric_lanes;
