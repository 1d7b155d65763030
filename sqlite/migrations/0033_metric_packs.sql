-- +goose Up
-- Samples of one lane and an hour or a day in one row (docs/formats/metrics.md).
-- form is 0 for the minutes of an hour, 1 for those of a day, 2 for a day's 5
-- minutes and 3 for its hours; origin is as before. A sample is in one pack
-- only. The migration after this one moves what metric_rows has.
CREATE TABLE metric_packs (
    lane   INTEGER NOT NULL REFERENCES metric_lanes (id),
    form   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    pack   BLOB NOT NULL,
    PRIMARY KEY (lane, form, start, origin)
) WITHOUT ROWID, STRICT;

-- When each metric of a lane was last recorded, in seconds since 1970, to ten
-- minutes: a JSON object by name.
CREATE TABLE metric_activity (
    lane   INTEGER NOT NULL REFERENCES metric_lanes (id),
    origin INTEGER NOT NULL,
    names  TEXT NOT NULL,
    PRIMARY KEY (lane, origin)
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE metric_activity;
DROP TABLE metric_packs;
