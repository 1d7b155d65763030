package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"outcrop/profile"
)

var _ profile.BindingStore = (*DB)(nil)

// PutBinding is profile.BindingStore's.
func (db *DB) PutBinding(ctx context.Context, b profile.Binding) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO model_bindings (account, region, model, principal, profile, created) VALUES (?, ?, ?, ?, ?, ?)",
			b.Account, b.Region, b.ModelID, b.Principal, b.Profile, b.Created.UnixMicro())
		return err
	})
}

// DeleteBinding is profile.BindingStore's.
func (db *DB) DeleteBinding(ctx context.Context, k profile.BindingKey) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM model_bindings WHERE account = ? AND region = ? AND model = ? AND principal = ?", k.Account, k.Region, k.ModelID, k.Principal)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return profile.ErrNotFound
	})
}

// Bindings is profile.BindingStore's.
func (db *DB) Bindings(ctx context.Context) ([]profile.Binding, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT account, region, model, principal, profile, created FROM model_bindings")
	if err != nil {
		return nil, fmt.Errorf("list bindings: %w", err)
	}
	defer rows.Close()
	var list []profile.Binding
	for rows.Next() {
		var b profile.Binding
		var created int64
		if err := rows.Scan(&b.Account, &b.Region, &b.ModelID, &b.Principal, &b.Profile, &created); err != nil {
			return nil, fmt.Errorf("list bindings: %w", err)
		}
		b.Created = time.UnixMicro(created).UTC()
		list = append(list, b)
	}
	return list, rows.Err()
}
