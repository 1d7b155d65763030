-- +goose Up
-- Who may knock (package identity). Times are Unix seconds, as IAM's are.
CREATE TABLE users (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name    TEXT NOT NULL COLLATE NOCASE,
    created INTEGER NOT NULL,
    UNIQUE (account, name)
) WITHOUT ROWID, STRICT;

-- sealed is encrypted with an envelope key that is not in this file.
CREATE TABLE access_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    sealed  TEXT NOT NULL,
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX access_keys_user ON access_keys (user_id);

-- digest is the SHA-256 of the secret part of a Bedrock API key.
CREATE TABLE api_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    alias   TEXT NOT NULL UNIQUE,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER -- NULL when it does not
) WITHOUT ROWID, STRICT;
CREATE INDEX api_keys_user ON api_keys (user_id);

-- +goose Down
DROP TABLE api_keys;
DROP TABLE access_keys;
DROP TABLE users;
