package sqlite

import (
	"context"
	"database/sql"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Tags is cost.TagStates'.
func (s Costs) Tags(ctx context.Context, account outcrop.AccountID) ([]cost.TagState, error) {
	rows, err := s.db.read.QueryContext(ctx, "SELECT key, status, updated_at, used_hour FROM cost_tags WHERE account = ? ORDER BY key", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []cost.TagState
	for rows.Next() {
		var state cost.TagState
		var updated, used sql.NullInt64
		if err := rows.Scan(&state.Key, &state.Status, &updated, &used); err != nil {
			return nil, err
		}
		if updated.Valid {
			state.Updated = time.Unix(updated.Int64, 0).UTC()
		}
		if used.Valid {
			state.Used = cost.HourTime(used.Int64)
		}
		out = append(out, state)
	}
	return out, rows.Err()
}

// SetTags is cost.TagStates'.
func (s Costs) SetTags(ctx context.Context, account outcrop.AccountID, states []cost.TagState) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, state := range states {
			updated := sql.NullInt64{Int64: state.Updated.Unix(), Valid: !state.Updated.IsZero()}
			_, err := tx.ExecContext(ctx, `INSERT INTO cost_tags (account, key, status, updated_at) VALUES (?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at`,
				account, state.Key, state.Status, updated)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
