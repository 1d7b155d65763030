-- +goose Up
-- What there is besides keys (package identity): users, groups, roles,
-- policies, providers, accounts and the organisation. body is JSON of that
-- package; what changes together is one row. key is a lower-case name.
CREATE TABLE entries (
    id      TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    scope   TEXT NOT NULL, -- the account; empty in the organisation
    key     TEXT NOT NULL,
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (kind, scope, key)
) STRICT;

-- What an entry leans on, such as policy:arn or group:id.
CREATE TABLE entry_links (
    link  TEXT NOT NULL,
    entry TEXT NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    PRIMARY KEY (link, entry)
) WITHOUT ROWID, STRICT;
CREATE INDEX entry_links_entry ON entry_links (entry);

-- When an access key or role was last used; at is Unix seconds.
CREATE TABLE last_uses (
    id      TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    service TEXT NOT NULL,
    region  TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- Users move in with the rest, and each account's administrator is given what
-- until now every user could do.
INSERT INTO entries (id, kind, scope, key, body, version)
SELECT id, 'user', account, lower(name), json_patch(
    json_object('ID', id, 'Account', account, 'Name', name, 'Path', '/', 'Created', strftime('%Y-%m-%dT%H:%M:%SZ', created, 'unixepoch')),
    CASE lower(name) WHEN 'admin' THEN json_object('attached', json_array('arn:aws:iam::aws:policy/AdministratorAccess')) ELSE '{}' END), 1
FROM users;

INSERT INTO entry_links (link, entry)
SELECT 'policy:arn:aws:iam::aws:policy/administratoraccess', id FROM users WHERE lower(name) = 'admin';

INSERT INTO entries (id, kind, scope, key, body, version)
SELECT 'account:' || account, 'account', '', account,
    json_object('ID', account, 'Name', account, 'Created', strftime('%Y-%m-%dT%H:%M:%SZ', min(created), 'unixepoch')), 1
FROM users GROUP BY account;

-- Keys follow their users.
CREATE TABLE moved_access_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES entries (id),
    sealed  TEXT NOT NULL,
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO moved_access_keys SELECT id, user_id, sealed, active, created FROM access_keys;
DROP TABLE access_keys;
ALTER TABLE moved_access_keys RENAME TO access_keys;
CREATE INDEX access_keys_user ON access_keys (user_id);

CREATE TABLE moved_api_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES entries (id),
    alias   TEXT NOT NULL UNIQUE,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER -- NULL when it does not
) WITHOUT ROWID, STRICT;
INSERT INTO moved_api_keys SELECT id, user_id, alias, digest, active, created, expires FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE moved_api_keys RENAME TO api_keys;
CREATE INDEX api_keys_user ON api_keys (user_id);

DROP TABLE users;

-- +goose Down
CREATE TABLE users (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name    TEXT NOT NULL COLLATE NOCASE,
    created INTEGER NOT NULL,
    UNIQUE (account, name)
) WITHOUT ROWID, STRICT;
INSERT INTO users SELECT id, scope, body ->> 'Name', CAST(strftime('%s', body ->> 'Created') AS INTEGER) FROM entries WHERE kind = 'user';

CREATE TABLE moved_access_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    sealed  TEXT NOT NULL,
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO moved_access_keys SELECT id, user_id, sealed, active, created FROM access_keys;
DROP TABLE access_keys;
ALTER TABLE moved_access_keys RENAME TO access_keys;
CREATE INDEX access_keys_user ON access_keys (user_id);

CREATE TABLE moved_api_keys (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    alias   TEXT NOT NULL UNIQUE,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),
    active  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER
) WITHOUT ROWID, STRICT;
INSERT INTO moved_api_keys SELECT id, user_id, alias, digest, active, created, expires FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE moved_api_keys RENAME TO api_keys;
CREATE INDEX api_keys_user ON api_keys (user_id);

DROP TABLE last_uses;
DROP TABLE entry_links;
DROP TABLE entries;
