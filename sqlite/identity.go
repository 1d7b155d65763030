package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/sealing"
)

// Identities is the identity.Store in db.
func (db *DB) Identities() identity.Store { return identities{db} }

type identities struct{ db *DB }

func (s identities) Add(ctx context.Context, b identity.Batch) error {
	entries, err := b.All()
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, e := range entries {
			if err := addEntry(ctx, tx, e); err != nil {
				return err
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

func (s identities) User(ctx context.Context, account outcrop.AccountID, name string) (identity.User, error) {
	e, err := s.Entry(ctx, userKind, string(account), strings.ToLower(name))
	if err != nil {
		return identity.User{}, err
	}
	return identity.UserOf(e)
}

// userKind is the kind of entry that has keys.
const userKind identity.EntryKind = "user"

// userOf reads the user whose entry's body was read beside one of its keys.
func userOf(id string, body []byte) (identity.User, error) {
	return identity.UserOf(identity.Entry{ID: id, Kind: userKind, Body: body})
}

// Columns of keys, scanned by accessKeyRow and apiKeyRow.
const (
	accessKeyColumns = `k.id, k.user_id, k.sealed, k.active, k.created`
	apiKeyColumns    = `k.id, k.user_id, k.alias, k.digest, k.active, k.created, k.expires`
)

type accessKeyRow struct {
	identity.AccessKey
	created int64
}

func (k *accessKeyRow) fields() []any {
	return []any{&k.ID, &k.UserID, &k.Sealed, &k.Active, &k.created}
}

func (k *accessKeyRow) key() identity.AccessKey {
	k.Created = time.Unix(k.created, 0).UTC()
	return k.AccessKey
}

type apiKeyRow struct {
	identity.APIKey
	digest  []byte
	created int64
	expires sql.Null[int64]
}

func (k *apiKeyRow) fields() []any {
	return []any{&k.ID, &k.UserID, &k.Alias, &k.digest, &k.Active, &k.created, &k.expires}
}

func (k *apiKeyRow) key() identity.APIKey {
	copy(k.Digest[:], k.digest) // 32 bytes: the table checks it
	k.Created = time.Unix(k.created, 0).UTC()
	if k.expires.Valid {
		k.Expires = time.Unix(k.expires.V, 0).UTC()
	}
	return k.APIKey
}

func (s identities) AccessKey(ctx context.Context, id string) (identity.AccessKey, identity.User, error) {
	var k accessKeyRow
	var body []byte
	row := s.db.read.QueryRowContext(ctx, `SELECT `+accessKeyColumns+`, e.body
		FROM access_keys k JOIN entries e ON e.id = k.user_id WHERE k.id = ?`, id)
	if err := row.Scan(append(k.fields(), &body)...); err != nil {
		return identity.AccessKey{}, identity.User{}, absent(err, "access key")
	}
	u, err := userOf(k.UserID, body)
	return k.key(), u, err
}

func (s identities) APIKey(ctx context.Context, alias string) (identity.APIKey, identity.User, error) {
	var k apiKeyRow
	var body []byte
	row := s.db.read.QueryRowContext(ctx, `SELECT `+apiKeyColumns+`, e.body
		FROM api_keys k JOIN entries e ON e.id = k.user_id WHERE k.alias = ?`, alias)
	if err := row.Scan(append(k.fields(), &body)...); err != nil {
		return identity.APIKey{}, identity.User{}, absent(err, "API key")
	}
	u, err := userOf(k.UserID, body)
	return k.key(), u, err
}

func (s identities) AccessKeys(ctx context.Context) ([]identity.AccessKey, error) {
	return s.accessKeys(ctx, `ORDER BY k.id`)
}

func (s identities) AccessKeysOf(ctx context.Context, user string) ([]identity.AccessKey, error) {
	return s.accessKeys(ctx, `WHERE k.user_id = ? ORDER BY k.created, k.id`, user)
}

func (s identities) accessKeys(ctx context.Context, which string, args ...any) ([]identity.AccessKey, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+accessKeyColumns+` FROM access_keys k `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list access keys: %w", err)
	}
	defer rows.Close()
	var all []identity.AccessKey
	for rows.Next() {
		var k accessKeyRow
		if err := rows.Scan(k.fields()...); err != nil {
			return nil, fmt.Errorf("list access keys: %w", err)
		}
		all = append(all, k.key())
	}
	return all, rows.Err()
}

func (s identities) APIKeysOf(ctx context.Context, user string) ([]identity.APIKey, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+apiKeyColumns+` FROM api_keys k WHERE k.user_id = ? ORDER BY k.created, k.id`, user)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	defer rows.Close()
	var all []identity.APIKey
	for rows.Next() {
		var k apiKeyRow
		if err := rows.Scan(k.fields()...); err != nil {
			return nil, fmt.Errorf("list API keys: %w", err)
		}
		all = append(all, k.key())
	}
	return all, rows.Err()
}

func (s identities) Reseal(ctx context.Context, id string, from, to sealing.Sealed) error {
	return s.alter(ctx, id,
		`UPDATE access_keys SET sealed = CASE sealed WHEN ?2 THEN ?3 ELSE sealed END WHERE id = ?1`, from, to)
}

func (s identities) Deactivate(ctx context.Context, id string) error {
	return s.either(ctx, id, `UPDATE access_keys SET active = 0 WHERE id = ?1`, `UPDATE api_keys SET active = 0 WHERE id = ?1`)
}

func (s identities) Activate(ctx context.Context, id string) error {
	return s.either(ctx, id, `UPDATE access_keys SET active = 1 WHERE id = ?1`, `UPDATE api_keys SET active = 1 WHERE id = ?1`)
}

func (s identities) Remove(ctx context.Context, id string) error {
	if _, err := s.db.write.ExecContext(ctx, `DELETE FROM last_uses WHERE id = ?`, id); err != nil {
		return fmt.Errorf("forget last use: %w", err)
	}
	return s.either(ctx, id, `DELETE FROM access_keys WHERE id = ?1`, `DELETE FROM api_keys WHERE id = ?1`)
}

// either tries access keys and then API keys.
func (s identities) either(ctx context.Context, id, access, api string) error {
	err := s.alter(ctx, id, access)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return s.alter(ctx, id, api)
	}
	return err
}

func (s identities) Renew(ctx context.Context, id string, digest [32]byte) error {
	return s.alter(ctx, id, `UPDATE api_keys SET digest = ?2 WHERE id = ?1`, digest[:])
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
