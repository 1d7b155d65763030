package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"outcrop"
)

// PutResponse stores an answer, and lets go of those older than keep.
func (db *DB) PutResponse(ctx context.Context, r outcrop.StoredResponse, keep time.Duration) error {
	input, err := json.Marshal(r.Input)
	if err != nil {
		return err
	}
	output, err := json.Marshal(r.Output)
	if err != nil {
		return err
	}
	return db.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM responses WHERE created < ?`, r.Created.Add(-keep).UnixNano()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO responses (id, account, region, created, object, input, output) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Account, r.Region, r.Created.UnixNano(), string(r.Object), string(input), string(output))
		return err
	})
}

// Response finds a stored answer; NotFound when the account has none of the id
// in the Region.
func (db *DB) Response(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) (outcrop.StoredResponse, error) {
	r := outcrop.StoredResponse{ID: id, Account: account, Region: region}
	var created int64
	var object, input, output string
	err := db.read.QueryRowContext(ctx, `SELECT created, object, input, output FROM responses WHERE id = ? AND account = ? AND region = ?`, id, account, region).
		Scan(&created, &object, &input, &output)
	if errors.Is(err, sql.ErrNoRows) {
		return r, outcrop.Errorf(outcrop.NotFound, "Response with id '%s' not found.", id)
	}
	if err != nil {
		return r, err
	}
	r.Created, r.Object = time.Unix(0, created).UTC(), []byte(object)
	return r, errors.Join(json.Unmarshal([]byte(input), &r.Input), json.Unmarshal([]byte(output), &r.Output))
}

// DeleteResponse forgets a stored answer; NotFound when there is none.
func (db *DB) DeleteResponse(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM responses WHERE id = ? AND account = ? AND region = ?`, id, account, region)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, outcrop.Errorf(outcrop.NotFound, "Response with id '%s' not found.", id))
		}
		return nil
	})
}
