package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"outcrop"
)

// A usageCount tells, in the transaction that adds records, how many began in
// which hour, and in which stretch of time those of one stretch of Seq began.
type usageCount struct {
	hours            map[int64]int64
	last             outcrop.Seq
	records          int64
	earliest, latest int64
}

const hourNanos = int64(3600_000_000_000)

func (c *usageCount) begin() {
	if c.hours == nil {
		c.hours = map[int64]int64{}
	}
	clear(c.hours)
	c.records, c.last = 0, 0
}

func (c *usageCount) add(records []outcrop.UsageRecord) {
	for i := range records {
		at := nanos(records[i].Started)
		if c.records == 0 {
			c.earliest, c.latest = at, at
		}
		c.earliest, c.latest = min(c.earliest, at), max(c.latest, at)
		c.hours[floorDiv(at, hourNanos)]++
		c.records++
		c.last = max(c.last, records[i].Seq)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

const (
	countHour  = `INSERT INTO usage_hours (hour, records) VALUES (?, ?) ON CONFLICT DO UPDATE SET records = records + excluded.records`
	widenBlock = `UPDATE usage_blocks SET last = ?1, records = records + ?2, earliest = min(earliest, ?3), latest = max(latest, ?4)
		WHERE last = (SELECT max(last) FROM usage_blocks) AND last < ?1 AND records + ?2 <= ?5`
	beginBlock = `INSERT INTO usage_blocks (last, records, earliest, latest) VALUES (?, ?, ?, ?)`
)

func (c *usageCount) write(ctx context.Context, tx *sql.Tx, w *usageWriter) error {
	if c.records == 0 {
		return nil
	}
	for hour, n := range c.hours {
		_, err := tx.StmtContext(ctx, w.hour).ExecContext(ctx, hour, n)
		if err != nil {
			return fmt.Errorf("count hour: %w", err)
		}
	}
	return c.block(ctx, tx, w)
}

// block widens the last block, or begins one.
func (c *usageCount) block(ctx context.Context, tx *sql.Tx, w *usageWriter) error {
	done, err := tx.StmtContext(ctx, w.widen).ExecContext(ctx, int64(c.last), c.records, c.earliest, c.latest, blockRecords)
	if err != nil {
		return fmt.Errorf("note block: %w", err)
	}
	if n, err := done.RowsAffected(); n > 0 || err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, w.begin).ExecContext(ctx, int64(c.last), c.records, c.earliest, c.latest)
	if err != nil {
		return fmt.Errorf("note block: %w", err)
	}
	return nil
}
