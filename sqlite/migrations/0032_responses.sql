-- +goose Up
-- Stored answers of OpenAI's responses API (compatapi), for thirty days.
CREATE TABLE responses (
    id      TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    created INTEGER NOT NULL,
    object  TEXT NOT NULL,
    input   TEXT NOT NULL,
    output  TEXT NOT NULL
) STRICT;
CREATE INDEX responses_by_age ON responses (created);

-- +goose Down
DROP TABLE responses;
