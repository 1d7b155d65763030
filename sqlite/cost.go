package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Costs is the DB as package cost sees it.
type Costs struct{ db *DB }

var _ cost.Store = Costs{}

// Costs opens the rollups and cost allocation tags.
func (db *DB) Costs() Costs { return Costs{db} }

const (
	costWatermark = "cost.watermark" // row of meta
	lineColumns   = "account, region, model, geography, operation, profile, tags, tier, kind, price, rate, priced, estimated"
)

// Watermark is cost.Rollups'.
func (s Costs) Watermark(ctx context.Context) (outcrop.Seq, error) {
	return costMark(ctx, s.db.read)
}

// A rower is a database or a transaction.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func costMark(ctx context.Context, q rower) (mark outcrop.Seq, err error) {
	err = q.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?", costWatermark).Scan(&mark)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return mark, err
}

func setCostMark(ctx context.Context, tx *sql.Tx, mark outcrop.Seq) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", costWatermark, fmt.Sprint(mark))
	return err
}

// Fold is cost.Rollups'.
func (s Costs) Fold(ctx context.Context, b cost.Batch) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		mark, err := costMark(ctx, tx)
		if err != nil {
			return err
		}
		if mark != b.From {
			return cost.ErrMoved
		}
		return errors.Join(foldRollups(ctx, tx, b.Rollups), foldTags(ctx, tx, b.TagsUsed), setCostMark(ctx, tx, b.To))
	})
}

func foldRollups(ctx context.Context, tx *sql.Tx, rollups map[cost.RollupKey]cost.Amount) error {
	add, err := tx.PrepareContext(ctx, `INSERT INTO cost_rollups (account, hour, line, tokens, invocations) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, invocations = invocations + excluded.invocations`)
	if err != nil {
		return err
	}
	defer add.Close()
	ids, err := newLineIDs(ctx, tx)
	if err != nil {
		return err
	}
	defer ids.close()
	for key, sum := range rollups {
		id, err := ids.of(ctx, key.Line)
		if err != nil {
			return fmt.Errorf("find cost line: %w", err)
		}
		if _, err := add.ExecContext(ctx, key.Line.Account, key.Hour, id, int64(sum.Tokens), int64(sum.Invocations)); err != nil {
			return err
		}
	}
	return nil
}

// lineIDs finds or makes the rows of lines. It lives for one transaction: one
// that is rolled back must leave no ids behind.
type lineIDs struct {
	known      map[cost.Line]int64
	find, make *sql.Stmt
}

func newLineIDs(ctx context.Context, tx *sql.Tx) (*lineIDs, error) {
	find, err := tx.PrepareContext(ctx, `SELECT id FROM cost_lines WHERE account = ? AND region = ? AND model = ? AND geography = ?
		AND operation = ? AND profile = ? AND tags = ? AND tier = ? AND kind = ? AND price = ? AND rate = ? AND priced = ? AND estimated = ?`)
	if err != nil {
		return nil, err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO cost_lines ("+lineColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, errors.Join(err, find.Close())
	}
	return &lineIDs{map[cost.Line]int64{}, find, insert}, nil
}

func (l *lineIDs) close() { l.find.Close(); l.make.Close() }

func (l *lineIDs) of(ctx context.Context, line cost.Line) (int64, error) {
	if id, ok := l.known[line]; ok {
		return id, nil
	}
	values := []any{line.Account, line.Region, line.Model, line.Geography, line.Operation, line.Profile, line.Tags,
		line.Tier, line.Kind, line.Price, int64(line.Rate), line.Priced, line.Estimated}
	var id int64
	err := l.find.QueryRowContext(ctx, values...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var done sql.Result
		if done, err = l.make.ExecContext(ctx, values...); err == nil {
			id, err = done.LastInsertId()
		}
	}
	l.known[line] = id
	return id, err
}

func foldTags(ctx context.Context, tx *sql.Tx, used map[cost.TagUse]time.Time) error {
	for use, at := range used {
		_, err := tx.ExecContext(ctx, `INSERT INTO cost_tags (account, key, status, used_hour) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET used_hour = max(coalesce(used_hour, excluded.used_hour), excluded.used_hour)`,
			use.Account, use.Key, cost.Inactive, cost.HourOf(at))
		if err != nil {
			return fmt.Errorf("note tag key: %w", err)
		}
	}
	return nil
}

// Sums is cost.Rollups'. One read transaction sees one moment.
func (s Costs) Sums(ctx context.Context, account outcrop.AccountID, periods []cost.Period) iter.Seq2[cost.Sum, error] {
	return func(yield func(cost.Sum, error) bool) {
		tx, err := s.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			yield(cost.Sum{}, err)
			return
		}
		defer tx.Rollback()
		lines, err := accountLines(ctx, tx, account)
		if err != nil {
			yield(cost.Sum{}, err)
			return
		}
		for i, p := range periods {
			more, err := sumPeriod(ctx, tx, account, p, func(id int64, a cost.Amount) bool {
				return yield(cost.Sum{Period: i, Line: lines[id], Amount: a}, nil)
			})
			if err != nil {
				yield(cost.Sum{}, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func accountLines(ctx context.Context, tx *sql.Tx, account outcrop.AccountID) (map[int64]*cost.Line, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, "+lineColumns+" FROM cost_lines WHERE account = ?", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	lines := map[int64]*cost.Line{}
	for rows.Next() {
		var id, rate int64
		l := new(cost.Line)
		if err := rows.Scan(&id, &l.Account, &l.Region, &l.Model, &l.Geography, &l.Operation, &l.Profile, &l.Tags,
			&l.Tier, &l.Kind, &l.Price, &rate, &l.Priced, &l.Estimated); err != nil {
			return nil, err
		}
		l.Rate = outcrop.Rate(rate)
		lines[id] = l
	}
	return lines, rows.Err()
}

// sumPeriod adds up one period by line. more is false when yield stopped it.
func sumPeriod(ctx context.Context, tx *sql.Tx, account outcrop.AccountID, p cost.Period, yield func(int64, cost.Amount) bool) (more bool, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT line, sum(tokens), sum(invocations) FROM cost_rollups
		WHERE account = ? AND hour >= ? AND hour < ? GROUP BY line`, account, cost.HourOf(p.Start), cost.HourOf(p.End))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, tokens, invocations int64
		if err := rows.Scan(&id, &tokens, &invocations); err != nil {
			return false, err
		}
		if !yield(id, cost.Amount{Tokens: outcrop.Tokens(tokens), Invocations: uint64(invocations)}) {
			return false, nil
		}
	}
	return true, rows.Err()
}

// Totals is cost.Rollups'.
func (s Costs) Totals(ctx context.Context) (t cost.Totals, err error) {
	tx, err := s.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return t, err
	}
	defer tx.Rollback()
	if t.Watermark, err = costMark(ctx, tx); err != nil {
		return t, err
	}
	err = tx.QueryRowContext(ctx, "SELECT coalesce(sum(invocations), 0), coalesce(sum(tokens), 0) FROM cost_rollups").Scan(&t.Records, &t.Tokens)
	return t, err
}

// Reset is cost.Rollups'.
func (s Costs) Reset(ctx context.Context) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, step := range []string{"DELETE FROM cost_rollups", "DELETE FROM cost_lines", "UPDATE cost_tags SET used_hour = NULL"} {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		return setCostMark(ctx, tx, 0)
	})
}
