-- +goose Up
-- A page of profiles is read from the index that puts them in order: it holds
-- each as one text (packedProfile in profiles_read.go, word for word).
DROP INDEX profiles_in_order;
CREATE INDEX profiles_listed ON profiles (account, region, created_at, id,
    concat_ws(char(31), id, name, description, geography, source, model, models, destinations, tags, created_at, updated_at));

-- +goose Down
DROP INDEX profiles_listed;
CREATE INDEX profiles_in_order ON profiles (account, region, created_at, id);
