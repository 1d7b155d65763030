-- +goose Up
-- Budgets; body is JSON of package budget. seq is how far the ledger has been
-- counted against one.
CREATE TABLE budgets (
    account TEXT NOT NULL,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID, STRICT;

-- A fold of the ledger that can be dropped and counted again: what was spent
-- in each hour since 1970-01-01T00:00Z, an exact decimal of the budget's unit.
CREATE TABLE budget_spending (
    account TEXT NOT NULL,
    name    TEXT NOT NULL,
    hour    INTEGER NOT NULL,
    amount  TEXT NOT NULL,
    PRIMARY KEY (account, name, hour)
) WITHOUT ROWID, STRICT;

-- Messages that wait for their subscribers; due is Unix milliseconds.
CREATE TABLE budget_deliveries (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    due  INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX budget_deliveries_due ON budget_deliveries (due);

-- +goose Down
DROP TABLE budget_deliveries;
DROP TABLE budget_spending;
DROP TABLE budgets;
