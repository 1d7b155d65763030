package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Costs is the DB as package cost sees it.
type Costs struct {
	db    *DB
	lines *costLines
}

var _ cost.Store = Costs{}

// Costs opens the rollups and cost allocation tags.
func (db *DB) Costs() Costs { return Costs{db, newCostLines()} }

const costWatermark = "cost.watermark" // row of meta

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

// Counted is how many records that began in whole hours from ≤ hour < to were
// folded.
func (s Costs) Counted(ctx context.Context, from, to time.Time) (n uint64, err error) {
	err = s.db.read.QueryRowContext(ctx, "SELECT coalesce(sum(invocations), 0) FROM cost_rollups WHERE hour >= ? AND hour < ?",
		cost.HourOf(from), cost.HourOf(to)).Scan(&n)
	return n, err
}

// Fold is cost.Rollups'.
func (s Costs) Fold(ctx context.Context, b cost.Batch) error {
	fresh := map[cost.Line]int64{}
	err := s.db.derive(ctx, func(tx *sql.Tx) error {
		mark, err := costMark(ctx, tx)
		if err != nil {
			return err
		}
		if mark != b.From {
			return cost.ErrMoved
		}
		hours, days, err := s.rows(ctx, tx, b.Rollups, fresh)
		if err != nil {
			return err
		}
		for _, step := range []func() error{
			func() error { return addRows(ctx, tx, "cost_rollups", "hour", hours) },
			func() error { return addRows(ctx, tx, "cost_days", "day", days) },
			func() error { return foldTags(ctx, tx, b.TagsUsed) },
			func() error { return setCostMark(ctx, tx, b.To) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.lines.know(fresh) // ids of a transaction that was rolled back never were
	}
	return err
}

// A costRow is a row of cost_rollups or cost_days.
type costRow struct {
	account outcrop.AccountID
	at      int64
	line    int64
	cost.Amount
}

// rows are the rollups of a batch, and their sums by day, in order of their
// keys.
func (s Costs) rows(ctx context.Context, tx *sql.Tx, rollups map[cost.RollupKey]cost.Amount, fresh map[cost.Line]int64) (hours, days []costRow, err error) {
	type dayKey struct{ day, line int64 }
	byDay := make(map[dayKey]int, len(rollups))
	maker := &lineMaker{cache: s.lines, fresh: fresh}
	defer maker.close()
	for key, sum := range rollups {
		id, err := maker.id(ctx, tx, &key.Line)
		if err != nil {
			return nil, nil, fmt.Errorf("find cost line: %w", err)
		}
		hours = append(hours, costRow{key.Line.Account, key.Hour, id, sum})
		day := dayKey{cost.DayOf(key.Hour), id}
		at, ok := byDay[day]
		if !ok {
			at = len(days)
			byDay[day] = at
			days = append(days, costRow{account: key.Line.Account, at: day.day, line: id})
		}
		days[at].Tokens += sum.Tokens
		days[at].Invocations += sum.Invocations
	}
	for _, rows := range [][]costRow{hours, days} {
		slices.SortFunc(rows, func(a, b costRow) int {
			return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line))
		})
	}
	return hours, days, nil
}

// rowsAtOnce is how many rows one statement adds.
const rowsAtOnce = 64

// addRows adds amounts to a table of sums.
func addRows(ctx context.Context, tx *sql.Tx, table, at string, rows []costRow) error {
	for len(rows) > 0 {
		n := 1
		if len(rows) >= rowsAtOnce {
			n = rowsAtOnce
		}
		err := addSome(ctx, tx, table, at, n, rows[:len(rows)-len(rows)%n])
		if err != nil {
			return fmt.Errorf("add to %s: %w", table, err)
		}
		rows = rows[len(rows)-len(rows)%n:]
	}
	return nil
}

// addSome adds rows n at a time; their number is a multiple of n.
func addSome(ctx context.Context, tx *sql.Tx, table, at string, n int, rows []costRow) error {
	values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?), ", n), ", ")
	add, err := tx.PrepareContext(ctx, "INSERT INTO "+table+" (account, "+at+", line, tokens, invocations) VALUES "+values+
		" ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, invocations = invocations + excluded.invocations")
	if err != nil {
		return err
	}
	defer add.Close()
	args := make([]any, 0, 5*n)
	for ; len(rows) > 0; rows = rows[n:] {
		args = args[:0]
		for _, r := range rows[:n] {
			args = append(args, r.account, r.at, r.line, int64(r.Tokens), int64(r.Invocations))
		}
		if _, err := add.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
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

// Hours is cost.Rollups'.
func (s Costs) Hours(ctx context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[cost.Rollup, error] {
	return s.walk(ctx, "SELECT hour, line, tokens, invocations FROM cost_rollups WHERE account = ? AND hour >= ? AND hour < ? ORDER BY hour, line", account, from, to)
}

// Days is cost.Rollups'.
func (s Costs) Days(ctx context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[cost.Rollup, error] {
	return s.walk(ctx, "SELECT day, line, tokens, invocations FROM cost_days WHERE account = ? AND day >= ? AND day < ? ORDER BY day, line", account, from, to)
}

// walk reads rollups. One read transaction sees one moment.
func (s Costs) walk(ctx context.Context, query string, account outcrop.AccountID, from, to int64) iter.Seq2[cost.Rollup, error] {
	return func(yield func(cost.Rollup, error) bool) {
		if err := s.walkRows(ctx, query, account, from, to, func(r cost.Rollup) bool { return yield(r, nil) }); err != nil {
			yield(cost.Rollup{}, err)
		}
	}
}

func (s Costs) walkRows(ctx context.Context, query string, account outcrop.AccountID, from, to int64, yield func(cost.Rollup) bool) error {
	tx, err := s.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, query, account, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at, id, tokens, invocations int64
		if err := rows.Scan(&at, &id, &tokens, &invocations); err != nil {
			return err
		}
		line, err := s.lines.find(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if !yield(cost.Rollup{At: at, Line: line, Amount: cost.Amount{Tokens: outcrop.Tokens(tokens), Invocations: uint64(invocations)}}) {
			return nil
		}
	}
	return rows.Err()
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
	defer s.lines.forget()
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for _, step := range []string{"DELETE FROM cost_rollups", "DELETE FROM cost_days", "DELETE FROM cost_lines", "UPDATE cost_tags SET used_hour = NULL"} {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		return setCostMark(ctx, tx, 0)
	})
}
