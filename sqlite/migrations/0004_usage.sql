-- +goose Up
-- One row for each settled invocation. Times are nanoseconds since 1970.
-- Tokens of an unknown kind are NULL, which is not zero; so is a rate nobody
-- quoted (pico-dollars per token). Tags and metadata are JSON objects.
CREATE TABLE usage (
    seq              INTEGER PRIMARY KEY,
    invocation       TEXT NOT NULL UNIQUE,
    operation        TEXT NOT NULL,
    account          TEXT NOT NULL,
    principal        TEXT,
    access_key       TEXT,
    sdk_attempt      TEXT,
    started          INTEGER,
    first_byte       INTEGER,
    ended            INTEGER,
    region           TEXT NOT NULL,
    served_in        TEXT,
    upstream         TEXT,
    attempts         INTEGER NOT NULL,
    model_ref        TEXT,
    metric_id        TEXT,
    profile          TEXT,
    model            TEXT,
    geography        TEXT,
    input            INTEGER,
    output           INTEGER,
    cache_read       INTEGER,
    cache_write_5m   INTEGER,
    cache_write_1h   INTEGER,
    estimated        INTEGER NOT NULL,
    price            TEXT,
    rate_input       INTEGER,
    rate_output      INTEGER,
    rate_cache_read  INTEGER,
    rate_cache_5m    INTEGER,
    rate_cache_1h    INTEGER,
    tags             TEXT,
    metadata         TEXT,
    tier             TEXT,
    status           INTEGER NOT NULL,
    error            TEXT,
    stop_reason      TEXT,
    hung_up          INTEGER NOT NULL,
    recovered        INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE usage;
