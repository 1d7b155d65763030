package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"outcrop"
	"outcrop/budget"
)

// Budgets is the store of budgets, of what was counted against them, and of
// messages that wait (budget.Store).
type Budgets struct{ db *DB }

// Budgets returns the tables of budgets.
func (db *DB) Budgets() *Budgets { return &Budgets{db} }

// Budgets returns everything that is kept.
func (s *Budgets) Budgets(ctx context.Context) ([]budget.Saved, error) {
	hours, err := s.spending(ctx)
	if err != nil {
		return nil, fmt.Errorf("read spending: %w", err)
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT body, seq FROM budgets ORDER BY account, name`)
	if err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	defer rows.Close()
	var all []budget.Saved
	for rows.Next() {
		var body []byte
		var saved budget.Saved
		if err := rows.Scan(&body, &saved.Seq); err != nil {
			return nil, fmt.Errorf("read budgets: %w", err)
		}
		if err := json.Unmarshal(body, &saved.Budget); err != nil {
			return nil, fmt.Errorf("read budgets: %w", err)
		}
		saved.Hours = hours[saved.Budget.Key]
		all = append(all, saved)
	}
	return all, rows.Err()
}

func (s *Budgets) spending(ctx context.Context) (map[budget.Key]map[int64]outcrop.Money, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT account, name, hour, amount FROM budget_spending`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[budget.Key]map[int64]outcrop.Money{}
	for rows.Next() {
		var k budget.Key
		var hour int64
		var amount string
		if err := rows.Scan(&k.Account, &k.Name, &hour, &amount); err != nil {
			return nil, err
		}
		if all[k] == nil {
			all[k] = map[int64]outcrop.Money{}
		}
		if all[k][hour], err = outcrop.ParseMoney(amount); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

// PutBudget keeps a budget, new or changed. With recount, what was counted is
// dropped.
func (s *Budgets) PutBudget(ctx context.Context, b *budget.Budget, recount bool) error {
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO budgets VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET body = excluded.body`, b.Account, b.Name, string(body))
		if err != nil || !recount {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE budgets SET seq = 0 WHERE account = ? AND name = ?`, b.Account, b.Name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM budget_spending WHERE account = ? AND name = ?`, b.Account, b.Name)
		return err
	})
}

// DeleteBudget drops a budget and what was counted.
func (s *Budgets) DeleteBudget(ctx context.Context, k budget.Key) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM budgets WHERE account = ? AND name = ?`, k.Account, k.Name)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM budget_spending WHERE account = ? AND name = ?`, k.Account, k.Name)
		return err
	})
}

// Count keeps what hours come to and how far was counted, in one transaction.
func (s *Budgets) Count(ctx context.Context, c budget.Counted) error {
	keys, err := json.Marshal(c.Budgets)
	if err != nil {
		return err
	}
	return s.db.derive(ctx, func(tx *sql.Tx) error {
		if err := putHours(ctx, tx, c.Hours); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE budgets SET seq = ? WHERE (account, name) IN (SELECT value ->> 'Account', value ->> 'Name' FROM json_each(?))`, int64(c.Seq), string(keys))
		return err
	})
}

func putHours(ctx context.Context, tx *sql.Tx, hours []budget.HourTotal) error {
	if len(hours) == 0 {
		return nil
	}
	put, err := tx.PrepareContext(ctx, `INSERT OR REPLACE INTO budget_spending VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer put.Close()
	for i := range hours {
		h := &hours[i]
		if _, err := put.ExecContext(ctx, h.Account, h.Name, h.Hour, h.Total.String()); err != nil {
			return err
		}
	}
	return nil
}

// QueueDeliveries keeps messages until they are sent.
func (s *Budgets) QueueDeliveries(ctx context.Context, list []budget.Delivery) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for i := range list {
			body, err := json.Marshal(&list[i])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO budget_deliveries (due, body) VALUES (?, ?)`, list[i].Due.UnixMilli(), string(body)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DueDeliveries returns messages whose time has come, oldest first.
func (s *Budgets) DueDeliveries(ctx context.Context, now time.Time, limit int) ([]budget.Delivery, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, body FROM budget_deliveries WHERE due <= ? ORDER BY due, id LIMIT ?`, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []budget.Delivery
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		var d budget.Delivery
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, err
		}
		d.ID = id
		list = append(list, d)
	}
	return list, rows.Err()
}

// PutDelivery keeps a message after an attempt that failed.
func (s *Budgets) PutDelivery(ctx context.Context, d budget.Delivery) error {
	body, err := json.Marshal(&d)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE budget_deliveries SET due = ?, body = ? WHERE id = ?`, d.Due.UnixMilli(), string(body), d.ID)
		return err
	})
}

// DropDelivery forgets a message.
func (s *Budgets) DropDelivery(ctx context.Context, id int64) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM budget_deliveries WHERE id = ?`, id)
		return err
	})
}
