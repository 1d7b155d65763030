package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"outcrop"
)

// SaveInvocationLogging keeps where an account logs its calls in a Region, in
// place of an earlier configuration; nil takes it away.
func (db *DB) SaveInvocationLogging(ctx context.Context, a outcrop.AccountID, r outcrop.Region, c *outcrop.InvocationLogging) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		if c == nil {
			_, err := tx.ExecContext(ctx, "DELETE FROM invocation_logging WHERE account = ? AND region = ?", a, r)
			return err
		}
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO invocation_logging VALUES (?, ?, ?)", a, r, string(text))
		return err
	})
}

// InvocationLoggings are the configurations of all accounts and Regions.
func (db *DB) InvocationLoggings(ctx context.Context) (map[outcrop.LoggingPlace]outcrop.InvocationLogging, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT account, region, config FROM invocation_logging")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[outcrop.LoggingPlace]outcrop.InvocationLogging{}
	for rows.Next() {
		var p outcrop.LoggingPlace
		var text string
		if err := rows.Scan(&p.Account, &p.Region, &text); err != nil {
			return nil, err
		}
		var c outcrop.InvocationLogging
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, err
		}
		all[p] = c
	}
	return all, rows.Err()
}
