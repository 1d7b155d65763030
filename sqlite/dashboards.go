package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"outcrop"
)

// PutDashboard creates or replaces a dashboard; one that is there keeps its tags.
func (db *DB) PutDashboard(ctx context.Context, d outcrop.Dashboard) error {
	tags, err := json.Marshal(d.Tags)
	if err != nil {
		return fmt.Errorf("write dashboard: %w", err)
	}
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO dashboards (account, name, body, modified, tags) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET body = excluded.body, modified = excluded.modified`, d.Account, d.Name, d.Body, d.Modified.UnixNano(), string(tags))
		return err
	})
}

// Dashboards of an account whose names begin with prefix, by name.
func (db *DB) Dashboards(ctx context.Context, account outcrop.AccountID, prefix string) ([]outcrop.Dashboard, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT name, body, modified, tags FROM dashboards WHERE account = ? AND substr(name, 1, length(?)) = ? ORDER BY name", account, prefix, prefix)
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	defer rows.Close()
	var all []outcrop.Dashboard
	for rows.Next() {
		d := outcrop.Dashboard{Account: account}
		var modified int64
		var tags string
		err := rows.Scan(&d.Name, &d.Body, &modified, &tags)
		if err == nil {
			err = json.Unmarshal([]byte(tags), &d.Tags)
		}
		if err != nil {
			return nil, fmt.Errorf("list dashboards: %w", err)
		}
		d.Modified = time.Unix(0, modified).UTC()
		all = append(all, d)
	}
	return all, rows.Err()
}

// DeleteDashboards deletes dashboards, all or, when one is not there, none; it
// returns the name of the missing one.
func (db *DB) DeleteDashboards(ctx context.Context, account outcrop.AccountID, names []string) (missing string, err error) {
	errMissing := errors.New("no such dashboard")
	err = db.update(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			done, err := tx.ExecContext(ctx, "DELETE FROM dashboards WHERE account = ? AND name = ?", account, name)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				missing = name
				return errors.Join(errMissing, err)
			}
		}
		return nil
	})
	if missing != "" && errors.Is(err, errMissing) {
		return missing, nil
	}
	return "", err
}
