package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"outcrop"
	"outcrop/quota"
)

// Quotas is the store of what accounts set their quotas to (quota.Store).
type Quotas struct{ db *DB }

// Quotas returns the tables of quotas.
func (db *DB) Quotas() *Quotas { return &Quotas{db} }

// QuotaValues returns every value that was set.
func (s *Quotas) QuotaValues(ctx context.Context) (map[quota.Set]float64, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT account, region, code, value FROM quota_values`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := map[quota.Set]float64{}
	for rows.Next() {
		var k quota.Set
		var value float64
		if err := rows.Scan(&k.Account, &k.Region, &k.Code, &value); err != nil {
			return nil, err
		}
		values[k] = value
	}
	return values, rows.Err()
}

// PutQuotaRequest keeps a request and, once it is approved, its value.
func (s *Quotas) PutQuotaRequest(ctx context.Context, r quota.Request) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO quota_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Account, r.Region, r.Code, r.Value, r.Status, r.Who, r.Created.Unix(), r.Updated.Unix())
		if err != nil || r.Status != quota.Approved {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO quota_values VALUES (?, ?, ?, ?)`, r.Account, r.Region, r.Code, r.Value)
		return err
	})
}

// QuotaRequests returns the requests of an account in a Region, newest first.
func (s *Quotas) QuotaRequests(ctx context.Context, a outcrop.AccountID, region outcrop.Region) ([]quota.Request, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, code, value, status, who, created, updated FROM quota_requests
		WHERE account = ? AND region = ? ORDER BY created DESC, id LIMIT 10000`, a, region)
	if err != nil {
		return nil, fmt.Errorf("read quota requests: %w", err)
	}
	defer rows.Close()
	list := []quota.Request{}
	for rows.Next() {
		r := quota.Request{Set: quota.Set{Account: a, Region: region}}
		var created, updated int64
		if err := rows.Scan(&r.ID, &r.Code, &r.Value, &r.Status, &r.Who, &created, &updated); err != nil {
			return nil, err
		}
		r.Created, r.Updated = time.Unix(created, 0).UTC(), time.Unix(updated, 0).UTC()
		list = append(list, r)
	}
	return list, rows.Err()
}
