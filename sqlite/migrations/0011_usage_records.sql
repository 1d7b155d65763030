-- +goose Up
-- One row for each settled invocation, in the ledger's own encoding
-- (docs/formats/ledger.md). What many records share stands once, as a shape.
-- An invocation that is a UUID is its 16 bytes.
CREATE TABLE usage_shapes (
    id    INTEGER PRIMARY KEY,
    shape BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE usage_records (
    seq        INTEGER PRIMARY KEY,
    invocation ANY NOT NULL UNIQUE,
    shape      INTEGER NOT NULL,
    own        BLOB NOT NULL
) STRICT;

-- When the records of a stretch of Seq began, so that a period is found
-- without an index of every record. Times are nanoseconds since 1970.
CREATE TABLE usage_blocks (
    last     INTEGER PRIMARY KEY,
    records  INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE usage_blocks;
DROP TABLE usage_records;
DROP TABLE usage_shapes;
