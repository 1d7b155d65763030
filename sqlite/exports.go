package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"outcrop"
	"outcrop/cost/cur"
)

// Exports is the DB as package cur sees it.
type Exports struct{ db *DB }

var _ cur.Store = Exports{}

// Exports opens the exports of bills.
func (db *DB) Exports() Exports { return Exports{db} }

// Exports is cur.Store's.
func (s Exports) Exports(ctx context.Context, account outcrop.AccountID) ([]cur.Export, error) {
	return jsonRows[cur.Export](ctx, s.db.read, `SELECT export FROM cost_exports WHERE ? IN ('', account) ORDER BY name, account`, account)
}

// jsonRows reads one column of JSON.
func jsonRows[T any](ctx context.Context, db *sql.DB, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var one T
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return nil, fmt.Errorf("read %T: %w", one, err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// Put is cur.Store's.
func (s Exports) Put(ctx context.Context, e cur.Export) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		var other string
		err := tx.QueryRowContext(ctx, `SELECT arn FROM cost_exports WHERE account = ? AND name = ? AND arn <> ?`, e.Account, e.Name, e.ARN).Scan(&other)
		if err == nil {
			return cur.ErrTaken(e.Name)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO cost_exports (arn, account, name, export) VALUES (?, ?, ?, ?)
			ON CONFLICT (arn) DO UPDATE SET name = excluded.name, export = excluded.export`, e.ARN, e.Account, e.Name, string(text))
		return err
	})
}

// Delete is cur.Store's.
func (s Exports) Delete(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM cost_exports WHERE account = ? AND arn = ?`, account, arn)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, cur.ErrNoExport(arn))
		}
		return nil
	})
}

// Executions is cur.Store's.
func (s Exports) Executions(ctx context.Context, arn outcrop.ARN) ([]cur.Execution, error) {
	return jsonRows[cur.Execution](ctx, s.db.read, `SELECT execution FROM cost_executions WHERE arn = ? ORDER BY created DESC, id`, arn)
}

// PutExecution is cur.Store's.
func (s Exports) PutExecution(ctx context.Context, e cur.Execution) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO cost_executions (arn, id, created, execution) VALUES (?, ?, ?, ?)`,
			e.Export.ARN, e.ID, e.Created.UnixNano(), string(text))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM cost_executions WHERE arn = ?1 AND id NOT IN
			(SELECT id FROM cost_executions WHERE arn = ?1 ORDER BY created DESC, id LIMIT ?2)`, e.Export.ARN, cur.KeptExecutions)
		return err
	})
}
