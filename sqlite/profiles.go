package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"outcrop"
	"outcrop/profile"
)

var _ profile.Store = (*DB)(nil)

// CreateProfile is profile.Store's.
func (db *DB) CreateProfile(ctx context.Context, c profile.Creation) (kept *outcrop.InferenceProfile, err error) {
	err = db.update(ctx, func(tx *sql.Tx) error {
		if kept, err = repeated(ctx, tx, c); kept != nil || err != nil {
			return err
		}
		if err := hasRoom(ctx, tx, c); err != nil {
			return err
		}
		kept = c.Profile
		return insertProfile(ctx, tx, c)
	})
	if err != nil {
		return nil, err
	}
	return copyProfile(kept), nil
}

// repeated finds the profile that the same request made before, after it has
// forgotten the tokens that are too old.
func repeated(ctx context.Context, tx *sql.Tx, c profile.Creation) (*outcrop.InferenceProfile, error) {
	if c.Token == "" {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM profile_tokens WHERE used_at < ?", c.TokensSince.UnixMicro()); err != nil {
		return nil, err
	}
	var fingerprint, id string
	err := tx.QueryRowContext(ctx, "SELECT fingerprint, profile FROM profile_tokens WHERE account = ? AND region = ? AND token = ?",
		c.Key.Account, c.Key.Region, c.Token).Scan(&fingerprint, &id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case fingerprint != c.Fingerprint:
		return nil, profile.ErrTokenReused
	}
	return oneProfile(ctx, tx, profile.Key{Account: c.Key.Account, Region: c.Key.Region, ID: id})
}

// hasRoom checks what the schema does not.
func hasRoom(ctx context.Context, tx *sql.Tx, c profile.Creation) error {
	const query = `SELECT
		coalesce((SELECT n FROM profile_counts WHERE account = ?1 AND region = ?2), 0),
		?5 AND EXISTS (SELECT 1 FROM profiles WHERE account = ?1 AND region = ?2 AND name = ?3),
		EXISTS (SELECT 1 FROM profiles WHERE account = ?1 AND region = ?2 AND id = ?4)`
	var n int
	var nameTaken, idTaken bool
	err := tx.QueryRowContext(ctx, query, c.Key.Account, c.Key.Region, c.Profile.Name, c.Key.ID, c.UniqueName).Scan(&n, &nameTaken, &idTaken)
	switch {
	case err != nil:
		return err
	case n >= c.Quota:
		return profile.ErrQuota
	case nameTaken:
		return profile.ErrNameTaken
	case idTaken:
		return profile.ErrIDTaken
	}
	return nil
}

func insertProfile(ctx context.Context, tx *sql.Tx, c profile.Creation) error {
	p, k := c.Profile, c.Key
	tags, err := json.Marshal(p.Tags)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO profiles (account, region, "+profileColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		k.Account, k.Region, k.ID, p.Name, p.Description, p.Geography, p.Source, p.Model,
		join(p.Models, func(a outcrop.ARN) string { return string(a) }),
		join(p.Destinations, func(d outcrop.Destination) string { return string(d.Region) }),
		string(tags), p.CreatedAt.UnixMicro(), p.UpdatedAt.UnixMicro())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO profile_counts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", k.Account, k.Region)
	if err != nil || c.Token == "" {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO profile_tokens VALUES (?, ?, ?, ?, ?, ?)",
		k.Account, k.Region, c.Token, c.Fingerprint, k.ID, p.CreatedAt.UnixMicro())
	return err
}

// Profile is profile.Store's.
func (db *DB) Profile(ctx context.Context, k profile.Key) (*outcrop.InferenceProfile, error) {
	return oneProfile(ctx, db.read, k)
}

// A querier is a transaction, or a pool.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func oneProfile(ctx context.Context, q querier, k profile.Key) (*outcrop.InferenceProfile, error) {
	row := q.QueryRowContext(ctx, "SELECT "+packedProfile+" FROM profiles WHERE account = ? AND region = ? AND id = ?", k.Account, k.Region, k.ID)
	var packed string
	switch err := row.Scan(&packed); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, profile.ErrNotFound
	case err != nil:
		return nil, err
	}
	p := new(outcrop.InferenceProfile)
	return p, new(profileReader).read(p, packed, k.Account, k.Region)
}

// ProfilePage is profile.Store's.
func (db *DB) ProfilePage(ctx context.Context, a outcrop.AccountID, r outcrop.Region, after profile.Position, limit int) ([]*outcrop.InferenceProfile, error) {
	row := db.read.QueryRowContext(ctx, "SELECT coalesce(group_concat(packed, '"+profileSeparator+"'), '') FROM (SELECT "+packedProfile+` AS packed FROM profiles
		WHERE account = ? AND region = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?)`,
		a, r, after.Created.UnixMicro(), after.ID, limit)
	var page string
	if err := row.Scan(&page); err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	list, err := readPage(page, a, r)
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	slices.SortFunc(list, inOrder) // in which SQLite joins them, but does not promise to
	return list, nil
}

func inOrder(a, b *outcrop.InferenceProfile) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

// DeleteProfile is profile.Store's. Tokens go by cascade.
func (db *DB) DeleteProfile(ctx context.Context, k profile.Key) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM profiles WHERE account = ? AND region = ? AND id = ?", k.Account, k.Region, k.ID)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(profile.ErrNotFound, err)
		}
		_, err = tx.ExecContext(ctx, "UPDATE profile_counts SET n = n - 1 WHERE account = ? AND region = ?", k.Account, k.Region)
		return err
	})
}

// ChangeProfileTags is profile.Store's.
func (db *DB) ChangeProfileTags(ctx context.Context, k profile.Key, change func(outcrop.Tags) (outcrop.Tags, error)) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		p, err := oneProfile(ctx, tx, k)
		if err != nil {
			return err
		}
		changed, err := change(p.Tags)
		if err != nil {
			return err
		}
		tags, err := json.Marshal(changed)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE profiles SET tags = ? WHERE account = ? AND region = ? AND id = ?", string(tags), k.Account, k.Region, k.ID)
		return err
	})
}

// copyProfile gives the caller lists of its own.
func copyProfile(p *outcrop.InferenceProfile) *outcrop.InferenceProfile {
	c := *p
	c.Models, c.Destinations, c.Tags = append([]outcrop.ARN(nil), p.Models...), append([]outcrop.Destination(nil), p.Destinations...), p.Tags.Clone()
	return &c
}

// TagKeysInUse lists the tag keys on an account's application profiles, in
// order: a key can be activated for billing before the first call carries it.
// Those that hold a profile's defaults are not for billing.
func (db *DB) TagKeysInUse(ctx context.Context, a outcrop.AccountID) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT DISTINCT t.key FROM profiles, json_each(profiles.tags) AS t WHERE account = ? AND t.key IS NOT NULL AND substr(t.key, 1, length(?)) <> ? ORDER BY t.key", a, profile.DefaultPrefix, profile.DefaultPrefix)
	if err != nil {
		return nil, fmt.Errorf("list tag keys: %w", err)
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("list tag keys: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// ProfileTags are the tags that an account's application profiles have now.
func (db *DB) ProfileTags(ctx context.Context, a outcrop.AccountID) (map[outcrop.ARN]outcrop.Tags, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT region, id, tags FROM profiles WHERE account = ?", a)
	if err != nil {
		return nil, fmt.Errorf("list profile tags: %w", err)
	}
	defer rows.Close()
	all := map[outcrop.ARN]outcrop.Tags{}
	for rows.Next() {
		var region outcrop.Region
		var id, text string
		if err := rows.Scan(&region, &id, &text); err != nil {
			return nil, fmt.Errorf("list profile tags: %w", err)
		}
		var tags outcrop.Tags
		if err := json.Unmarshal([]byte(text), &tags); err != nil {
			return nil, fmt.Errorf("read tags of profile %s: %w", id, err)
		}
		all[outcrop.ApplicationProfileARN(region, a, id)] = tags
	}
	return all, rows.Err()
}
