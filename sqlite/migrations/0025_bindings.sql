-- +goose Up
-- Plain model ids that stand for application profiles (profile.Binding). An
-- empty principal is everybody in the account.
CREATE TABLE model_bindings (
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    model     TEXT NOT NULL,
    principal TEXT NOT NULL,
    profile   TEXT NOT NULL, -- ARN
    created   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (account, region, model, principal)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE model_bindings;
