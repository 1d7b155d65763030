package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// SetDrained keeps that an operator took an upstream out, or back in.
func (db *DB) SetDrained(ctx context.Context, upstream string, drained bool, at time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		statement, args := "DELETE FROM drained_upstreams WHERE name = ?", []any{upstream}
		if drained {
			statement, args = "INSERT OR IGNORE INTO drained_upstreams VALUES (?, ?)", []any{upstream, at.UnixMicro()}
		}
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

// Drained are the upstreams that an operator has taken out.
func (db *DB) Drained(ctx context.Context) (upstreams []string, err error) {
	rows, err := db.read.QueryContext(ctx, "SELECT name FROM drained_upstreams ORDER BY name")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		upstreams = append(upstreams, name)
	}
	return upstreams, rows.Err()
}
