-- +goose Up
-- Upstreams that an operator has drained; an enabled one has no row.
CREATE TABLE drained_upstreams (
    name    TEXT PRIMARY KEY,
    drained INTEGER NOT NULL -- microseconds since 1970
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE drained_upstreams;
