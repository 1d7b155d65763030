package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"outcrop"
	"outcrop/identity"
)

// Identities is the identity.Store in db.
func (db *DB) Identities() identity.Store { return identities{db} }

type identities struct{ db *DB }

func (s identities) Add(ctx context.Context, b identity.Batch) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, u := range b.Users {
			if err := insert(ctx, tx, `INSERT INTO users (id, account, name, created) VALUES (?, ?, ?, ?)`,
				u.ID, u.Account, u.Name, u.Created.Unix()); err != nil {
				return fmt.Errorf("add user: %w", err)
			}
		}
		for _, k := range b.AccessKeys {
			if err := insert(ctx, tx, `INSERT INTO access_keys (id, user_id, sealed, active, created) VALUES (?, ?, ?, ?, ?)`,
				k.ID, k.UserID, k.Sealed, k.Active, k.Created.Unix()); err != nil {
				return fmt.Errorf("add access key: %w", err)
			}
		}
		for _, k := range b.APIKeys {
			expires := sql.Null[int64]{V: k.Expires.Unix(), Valid: !k.Expires.IsZero()}
			if err := insert(ctx, tx, `INSERT INTO api_keys (id, user_id, alias, digest, active, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				k.ID, k.UserID, k.Alias, k.Digest[:], k.Active, k.Created.Unix(), expires); err != nil {
				return fmt.Errorf("add API key: %w", err)
			}
		}
		return nil
	})
}

// insert tells a taken name from a missing owner. The driver's message names
// columns only, never values.
func insert(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return outcrop.Errorf(outcrop.Conflict, "name or id is taken").Because(err)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return outcrop.Errorf(outcrop.NotFound, "owner is unknown").Because(err)
	}
	return err
}

// userColumns are scanned by userRow.
const userColumns = `u.id, u.account, u.name, u.created`

// A userRow scans a User.
type userRow struct {
	identity.User
	created int64
}

func (u *userRow) fields() []any { return []any{&u.ID, &u.Account, &u.Name, &u.created} }

func (u *userRow) user() identity.User {
	u.Created = time.Unix(u.created, 0).UTC()
	return u.User
}

func (s identities) User(ctx context.Context, account outcrop.AccountID, name string) (identity.User, error) {
	var u userRow
	row := s.db.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u WHERE u.account = ? AND u.name = ?`, account, name)
	if err := row.Scan(u.fields()...); err != nil {
		return identity.User{}, absent(err, "user")
	}
	return u.user(), nil
}

func (s identities) AccessKey(ctx context.Context, id string) (identity.AccessKey, identity.User, error) {
	var k identity.AccessKey
	var u userRow
	var created int64
	row := s.db.read.QueryRowContext(ctx, `SELECT k.id, k.user_id, k.sealed, k.active, k.created, `+userColumns+`
		FROM access_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`, id)
	if err := row.Scan(append([]any{&k.ID, &k.UserID, &k.Sealed, &k.Active, &created}, u.fields()...)...); err != nil {
		return identity.AccessKey{}, identity.User{}, absent(err, "access key")
	}
	k.Created = time.Unix(created, 0).UTC()
	return k, u.user(), nil
}

func (s identities) APIKey(ctx context.Context, alias string) (identity.APIKey, identity.User, error) {
	var k identity.APIKey
	var u userRow
	var digest []byte
	var created int64
	var expires sql.Null[int64]
	row := s.db.read.QueryRowContext(ctx, `SELECT k.id, k.user_id, k.alias, k.digest, k.active, k.created, k.expires, `+userColumns+`
		FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.alias = ?`, alias)
	if err := row.Scan(append([]any{&k.ID, &k.UserID, &k.Alias, &digest, &k.Active, &created, &expires}, u.fields()...)...); err != nil {
		return identity.APIKey{}, identity.User{}, absent(err, "API key")
	}
	copy(k.Digest[:], digest) // 32 bytes: the table checks it
	k.Created = time.Unix(created, 0).UTC()
	if expires.Valid {
		k.Expires = time.Unix(expires.V, 0).UTC()
	}
	return k, u.user(), nil
}

func (s identities) AccessKeys(ctx context.Context) ([]identity.AccessKey, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, user_id, sealed, active, created FROM access_keys ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list access keys: %w", err)
	}
	defer rows.Close()
	var all []identity.AccessKey
	for rows.Next() {
		var k identity.AccessKey
		var created int64
		if err := rows.Scan(&k.ID, &k.UserID, &k.Sealed, &k.Active, &created); err != nil {
			return nil, fmt.Errorf("list access keys: %w", err)
		}
		k.Created = time.Unix(created, 0).UTC()
		all = append(all, k)
	}
	return all, rows.Err()
}

func (s identities) Reseal(ctx context.Context, id string, from, to identity.Sealed) error {
	return s.alter(ctx, id,
		`UPDATE access_keys SET sealed = CASE sealed WHEN ?2 THEN ?3 ELSE sealed END WHERE id = ?1`, from, to)
}

func (s identities) Deactivate(ctx context.Context, id string) error {
	err := s.alter(ctx, id, `UPDATE access_keys SET active = 0 WHERE id = ?1`)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return s.alter(ctx, id, `UPDATE api_keys SET active = 0 WHERE id = ?1`)
	}
	return err
}

func (s identities) Remove(ctx context.Context, id string) error {
	err := s.alter(ctx, id, `DELETE FROM access_keys WHERE id = ?1`)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return s.alter(ctx, id, `DELETE FROM api_keys WHERE id = ?1`)
	}
	return err
}

// alter runs a statement whose first argument is id and which touches one row.
func (s identities) alter(ctx context.Context, id, query string, args ...any) error {
	result, err := s.db.write.ExecContext(ctx, query, append([]any{id}, args...)...)
	if err != nil {
		return fmt.Errorf("alter key: %w", err)
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return outcrop.Errorf(outcrop.NotFound, "key is unknown")
	}
	return err
}

// absent tells a row that is not there from a failure.
func absent(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return outcrop.Errorf(outcrop.NotFound, "%s is unknown", what)
	}
	return fmt.Errorf("find %s: %w", what, err)
}
