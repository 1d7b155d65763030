package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"outcrop"
)

// Scan returns up to limit records that began in a period, in order of Seq,
// from the first after after on; zero times are open. next is where to go on:
// the scan is over when it is the watermark or more. It looks at a bounded
// number of records, so it may return none and not be over.
func (u *Usage) Scan(ctx context.Context, after outcrop.Seq, from, to time.Time, limit int) (records []outcrop.UsageRecord, next outcrop.Seq, err error) {
	start, end, err := u.block(ctx, after, from, to)
	if errors.Is(err, sql.ErrNoRows) {
		next, err = u.Watermark(ctx)
		return nil, max(next, after), err
	}
	if err != nil {
		return nil, 0, fmt.Errorf("find usage: %w", err)
	}
	all, err := u.between(ctx, max(after, start), end, limit)
	if err != nil {
		return nil, 0, err
	}
	next = end
	if len(all) == limit && limit > 0 {
		next = all[limit-1].Seq
	}
	for i := range all {
		if within(all[i].Started, from, to) {
			records = append(records, all[i])
		}
	}
	return records, next, nil
}

func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

// block finds the first block after after that may have records of a period.
func (u *Usage) block(ctx context.Context, after outcrop.Seq, from, to time.Time) (start, end outcrop.Seq, err error) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		low = from.UnixNano()
	}
	if !to.IsZero() {
		high = to.UnixNano()
	}
	err = u.db.read.QueryRowContext(ctx, `SELECT b.last, coalesce((SELECT max(p.last) FROM usage_blocks p WHERE p.last < b.last), 0)
		FROM usage_blocks b WHERE b.last > ? AND b.latest >= ? AND b.earliest < ? ORDER BY b.last LIMIT 1`, int64(after), low, high).Scan(&end, &start)
	return start, end, err
}

// between returns up to limit records with after < Seq ≤ last.
func (u *Usage) between(ctx context.Context, after, last outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rows, err := u.db.read.QueryContext(ctx, `SELECT `+usageColumns+` FROM usage_records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`, int64(after), int64(last), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	raw, err := rawUsage(rows, make([]rawRecord, 0, min(max(limit, 0), usageBatchRecords)))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	return u.decodeAll(ctx, raw)
}

// Settled is how many invocations that began in whole hours from ≤ hour < to
// were settled, as it was counted when their records were added.
func (u *Usage) Settled(ctx context.Context, from, to time.Time) (n uint64, err error) {
	err = u.db.read.QueryRowContext(ctx, `SELECT coalesce(sum(records), 0) FROM usage_hours WHERE hour >= ? AND hour < ?`,
		floorDiv(from.UnixNano(), hourNanos), floorDiv(to.UnixNano(), hourNanos)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count settled invocations: %w", err)
	}
	return n, nil
}

// Present is how many records of a period there are. It counts rows, and looks
// into those of blocks that lie across an end of the period.
func (u *Usage) Present(ctx context.Context, from, to time.Time) (n uint64, err error) {
	tx, err := u.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, fmt.Errorf("count usage: %w", err)
	}
	defer tx.Rollback()
	whole, across, err := blocksOf(ctx, tx, from.UnixNano(), to.UnixNano())
	if err != nil {
		return 0, fmt.Errorf("count usage: %w", err)
	}
	for _, b := range whole {
		var rows uint64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM usage_records WHERE seq > ? AND seq <= ?`, b.after, b.last).Scan(&rows); err != nil {
			return 0, fmt.Errorf("count usage: %w", err)
		}
		n += rows
	}
	if err := tx.Rollback(); err != nil { // what follows needs the connection
		return 0, err
	}
	for _, b := range across {
		records, err := u.between(ctx, outcrop.Seq(b.after), outcrop.Seq(b.last), math.MaxInt32)
		if err != nil {
			return 0, err
		}
		for i := range records {
			if within(records[i].Started, from, to) {
				n++
			}
		}
	}
	return n, nil
}

// A stretch is the records with after < Seq ≤ last.
type stretch struct{ after, last int64 }

// blocksOf lists the blocks that lie in a period, adjoining ones as one, and
// those that lie across an end of it.
func blocksOf(ctx context.Context, tx *sql.Tx, from, to int64) (whole, across []stretch, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT last, earliest, latest, lag(last, 1, 0) OVER (ORDER BY last) FROM usage_blocks ORDER BY last`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b stretch
		var earliest, latest int64
		if err := rows.Scan(&b.last, &earliest, &latest, &b.after); err != nil {
			return nil, nil, err
		}
		switch {
		case latest < from || earliest >= to:
		case earliest < from || latest >= to:
			across = append(across, b)
		case len(whole) > 0 && whole[len(whole)-1].last == b.after:
			whole[len(whole)-1].last = b.last
		default:
			whole = append(whole, b)
		}
	}
	return whole, across, rows.Err()
}
