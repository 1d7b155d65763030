-- +goose Up
-- Small facts about this installation, such as a reader's watermark.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE meta;
