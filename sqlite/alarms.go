package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"outcrop"
	"outcrop/metrics/alarm"
)

// Alarms is the DB as package alarm sees it.
type Alarms struct{ db *DB }

var _ alarm.Store = Alarms{}

// Alarms opens the alarms and their history.
func (db *DB) Alarms() Alarms { return Alarms{db} }

// PutAlarm is alarm.Store's.
func (s Alarms) PutAlarm(ctx context.Context, a *alarm.Alarm) error {
	return s.db.update(ctx, func(tx *sql.Tx) error { return putAlarm(ctx, tx, a) })
}

func putAlarm(ctx context.Context, tx *sql.Tx, a *alarm.Alarm) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write alarm: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO alarms (account, region, name, body) VALUES (?, ?, ?, ?)", a.Account, a.Region, a.Name, string(body))
	return err
}

// MoveAlarm is alarm.Store's.
func (s Alarms) MoveAlarm(ctx context.Context, a *alarm.Alarm) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		var body string
		err := tx.QueryRowContext(ctx, "SELECT body FROM alarms WHERE account = ? AND region = ? AND name = ?", a.Account, a.Region, a.Name).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // deleted meanwhile
		}
		var have alarm.Alarm
		if err == nil {
			err = json.Unmarshal([]byte(body), &have)
		}
		if err != nil {
			return fmt.Errorf("read alarm: %w", err)
		}
		have.Key = a.Key
		have.State, have.Reason, have.ReasonData, have.Updated, have.Transitioned = a.State, a.Reason, a.ReasonData, a.Updated, a.Transitioned
		return putAlarm(ctx, tx, &have)
	})
}

// DeleteAlarms is alarm.Store's.
func (s Alarms) DeleteAlarms(ctx context.Context, account outcrop.AccountID, region outcrop.Region, names []string) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, "DELETE FROM alarms WHERE account = ? AND region = ? AND name = ?", account, region, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Alarms is alarm.Store's.
func (s Alarms) Alarms(ctx context.Context, account outcrop.AccountID, region outcrop.Region) ([]alarm.Alarm, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT account, region, name, body FROM alarms
		WHERE (? = '' OR account = ?) AND (? = '' OR region = ?) ORDER BY account, region, name`, account, account, region, region)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	defer rows.Close()
	var all []alarm.Alarm
	for rows.Next() {
		var k alarm.Key
		var body string
		if err := rows.Scan(&k.Account, &k.Region, &k.Name, &body); err != nil {
			return nil, fmt.Errorf("list alarms: %w", err)
		}
		var a alarm.Alarm
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			return nil, fmt.Errorf("alarm %s: %w", k.Name, err)
		}
		a.Key = k
		all = append(all, a)
	}
	return all, rows.Err()
}

// Note is alarm.Store's.
func (s Alarms) Note(ctx context.Context, e alarm.Entry, keep time.Duration) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO alarm_history (account, region, name, at, type, summary, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
			e.Account, e.Region, e.Name, e.Time.UnixNano(), e.Type, e.Summary, e.Data)
		if err != nil {
			return fmt.Errorf("note alarm: %w", err)
		}
		// Ids grow as times do: the oldest are first.
		_, err = tx.ExecContext(ctx, "DELETE FROM alarm_history WHERE id IN (SELECT id FROM alarm_history ORDER BY id LIMIT 100) AND at < ?", e.Time.Add(-keep).UnixNano())
		return err
	})
}

// History is alarm.Store's.
func (s Alarms) History(ctx context.Context, q alarm.HistoryQuery) ([]alarm.Entry, []int64, error) {
	where, args := []string{"account = ?", "region = ?"}, []any{q.Account, q.Region}
	also := func(condition string, value any) { where, args = append(where, condition), append(args, value) }
	if q.Name != "" {
		also("name = ?", q.Name)
	}
	if q.Type != "" {
		also("type = ?", q.Type)
	}
	if !q.Start.IsZero() {
		also("at >= ?", q.Start.UnixNano())
	}
	if !q.End.IsZero() {
		also("at <= ?", q.End.UnixNano())
	}
	order, beyond := "DESC", "id < ?"
	if q.Ascending {
		order, beyond = "ASC", "id > ?"
	}
	if q.After != 0 {
		also(beyond, q.After)
	}
	rows, err := s.db.read.QueryContext(ctx, "SELECT id, account, region, name, at, type, summary, data FROM alarm_history WHERE "+
		strings.Join(where, " AND ")+" ORDER BY id "+order+" LIMIT ?", append(args, q.Limit)...)
	if err != nil {
		return nil, nil, fmt.Errorf("read alarm history: %w", err)
	}
	defer rows.Close()
	var entries []alarm.Entry
	var places []int64
	for rows.Next() {
		var e alarm.Entry
		var id, at int64
		if err := rows.Scan(&id, &e.Account, &e.Region, &e.Name, &at, &e.Type, &e.Summary, &e.Data); err != nil {
			return nil, nil, fmt.Errorf("read alarm history: %w", err)
		}
		e.Time = time.Unix(0, at).UTC()
		entries, places = append(entries, e), append(places, id)
	}
	return entries, places, rows.Err()
}
