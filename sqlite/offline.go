package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"outcrop"
	"outcrop/offline"
)

// OfflineJobs is the DB as package offline sees it.
type OfflineJobs struct{ db *DB }

var _ offline.Store = OfflineJobs{}

// OfflineJobs opens the invocations in the background.
func (db *DB) OfflineJobs() OfflineJobs { return OfflineJobs{db} }

// Add is offline.Store's.
func (s OfflineJobs) Add(ctx context.Context, job *offline.Job) (kept *offline.Job, err error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		if job.Token != "" {
			var there string
			err := tx.QueryRowContext(ctx, "SELECT job FROM offline_jobs WHERE account = ? AND region = ? AND token = ?", job.Caller.Account, job.Caller.Region, job.Token).Scan(&there)
			if err == nil {
				kept = new(offline.Job)
				return json.Unmarshal([]byte(there), kept)
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		kept = job
		token := sql.NullString{String: job.Token, Valid: job.Token != ""}
		_, err := tx.ExecContext(ctx, "INSERT INTO offline_jobs (account, region, id, token, open, submitted, job) VALUES (?, ?, ?, ?, 1, ?, ?)",
			job.Caller.Account, job.Caller.Region, job.ID, token, job.Submitted.UnixMicro(), string(text))
		return err
	})
	return kept, err
}

// Update is offline.Store's.
func (s OfflineJobs) Update(ctx context.Context, job *offline.Job) error {
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_jobs SET job = ?, open = ? WHERE account = ? AND region = ? AND id = ?",
			string(text), job.Status == offline.InProgress, job.Caller.Account, job.Caller.Region, job.ID)
		return err
	})
}

// Job is offline.Store's.
func (s OfflineJobs) Job(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) (*offline.Job, error) {
	found, err := jsonRows[*offline.Job](ctx, s.db.read, "SELECT job FROM offline_jobs WHERE account = ? AND region = ? AND id = ?", account, region, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Jobs is offline.Store's.
func (s OfflineJobs) Jobs(ctx context.Context, account outcrop.AccountID, region outcrop.Region) ([]*offline.Job, error) {
	return jsonRows[*offline.Job](ctx, s.db.read, "SELECT json_remove(job, '$.Input') FROM offline_jobs WHERE account = ? AND region = ? ORDER BY submitted, id", account, region)
}

// Open is offline.Store's.
func (s OfflineJobs) Open(ctx context.Context) ([]*offline.Job, error) {
	return jsonRows[*offline.Job](ctx, s.db.read, "SELECT job FROM offline_jobs WHERE open = 1 ORDER BY submitted, id")
}
