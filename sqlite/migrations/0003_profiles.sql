-- +goose Up
-- Application inference profiles. Times are microseconds since 1970 (UTC).
-- Models are ARNs and destinations are Regions, in AWS's order, separated by
-- single spaces: every profile has one model.
CREATE TABLE profiles (
    row          INTEGER PRIMARY KEY,
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    geography    TEXT NOT NULL,
    source       TEXT NOT NULL,
    model        TEXT NOT NULL,
    models       TEXT NOT NULL,
    destinations TEXT NOT NULL,
    tags         TEXT NOT NULL, -- a JSON object
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (account, region, id)
) STRICT;

CREATE INDEX profiles_in_order ON profiles (account, region, created_at, id);
CREATE INDEX profiles_by_name ON profiles (account, region, name);

-- How many profiles an account has in a Region, so that the quota costs one
-- look-up and not a count.
CREATE TABLE profile_counts (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, region)
) WITHOUT ROWID, STRICT;

-- clientRequestTokens of the last day and what they made.
CREATE TABLE profile_tokens (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    token       TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    profile     TEXT NOT NULL,
    used_at     INTEGER NOT NULL,
    PRIMARY KEY (account, region, token),
    FOREIGN KEY (account, region, profile) REFERENCES profiles (account, region, id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;

CREATE INDEX profile_tokens_by_profile ON profile_tokens (account, region, profile);
CREATE INDEX profile_tokens_by_age ON profile_tokens (used_at);

-- What an account agreed to, by model: an agreement that was made or deleted.
-- A model without a row is enabled automatically.
CREATE TABLE model_agreements (
    account    TEXT NOT NULL,
    model      TEXT NOT NULL,
    active     INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (account, model)
) WITHOUT ROWID, STRICT;

-- The use-case form that an account handed in.
CREATE TABLE use_case_forms (
    account TEXT PRIMARY KEY,
    form    BLOB NOT NULL
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE use_case_forms;
DROP TABLE model_agreements;
DROP TABLE profile_tokens;
DROP TABLE profile_counts;
DROP TABLE profiles;
