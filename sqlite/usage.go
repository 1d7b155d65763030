package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"outcrop"
	"outcrop/ledger"
)

// Usage is the store of settled usage records (ledger.Store). Records that it
// returns share their Tags with others: nobody may change them.
type Usage struct{ db *DB }

// Usage returns the table of usage records.
func (db *DB) Usage() *Usage { return &Usage{db} }

const (
	usageBatchRecords = 500                // records read or moved at a time
	usageWatermark    = "ledger.watermark" // row of table meta
	usageFlushed      = "ledger.flushed"   // likewise: the watermark of the last Flush
)

// Append adds records and raises the watermark in one transaction. A record
// whose invocation is there already is left out.
func (u *Usage) Append(ctx context.Context, records []outcrop.UsageRecord, watermark outcrop.Seq) error {
	u.db.usageMu.Lock()
	defer u.db.usageMu.Unlock()
	err := u.append(ctx, records, watermark, false)
	if errors.Is(err, errTwice) {
		err = u.append(ctx, records, watermark, true)
	}
	if err != nil {
		return fmt.Errorf("append usage: %w", err)
	}
	return nil
}

func (u *Usage) append(ctx context.Context, records []outcrop.UsageRecord, watermark outcrop.Seq, careful bool) error {
	err := u.db.derive(ctx, func(tx *sql.Tx) error {
		if err := u.db.usage.insert(ctx, tx, records, careful); err != nil {
			return err
		}
		_, err := tx.StmtContext(ctx, u.db.usage.mark).ExecContext(ctx, usageWatermark, strconv.FormatUint(uint64(watermark), 10))
		return err
	})
	if err != nil {
		u.db.usage.forget() // shapes of a transaction that was rolled back have no rows
	}
	return err
}

// Flush returns when everything that was appended is on disk: the commit of
// any other transaction syncs those before it.
func (u *Usage) Flush(ctx context.Context) error {
	mark, err := u.Watermark(ctx)
	if err != nil {
		return err
	}
	return u.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", usageFlushed, strconv.FormatUint(uint64(mark), 10))
		return err
	})
}

// Watermark is the Seq up to which everything was appended.
func (u *Usage) Watermark(ctx context.Context) (outcrop.Seq, error) {
	var text string
	err := u.db.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, usageWatermark).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read usage watermark: %w", err)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return outcrop.Seq(n), err
}

// After returns up to limit records with a greater Seq, in order.
func (u *Usage) After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rows, err := u.db.read.QueryContext(ctx, `SELECT `+usageColumns+` FROM usage_records WHERE seq > ? ORDER BY seq LIMIT ?`, int64(after), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	raw, err := rawUsage(rows, make([]rawRecord, 0, min(limit, usageBatchRecords)))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	return u.decodeAll(ctx, raw)
}

// A rawRecord is one row, not yet decoded.
type rawRecord struct {
	seq, shape int64
	invocation any
	own        []byte
}

// rawUsage reads all rows and closes them, so that whoever decodes holds no
// connection while it waits for another.
func rawUsage(rows *sql.Rows, raw []rawRecord) ([]rawRecord, error) {
	defer rows.Close()
	for rows.Next() {
		var r rawRecord
		if err := rows.Scan(&r.seq, &r.invocation, &r.shape, &r.own); err != nil {
			return nil, err
		}
		raw = append(raw, r)
	}
	return raw, rows.Err()
}

func (u *Usage) decodeAll(ctx context.Context, raw []rawRecord) ([]outcrop.UsageRecord, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	records := make([]outcrop.UsageRecord, len(raw))
	for i := range raw {
		var err error
		if records[i], err = u.decode(ctx, &raw[i]); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
	}
	return records, nil
}

// ByInvocation returns one record, or an error of kind NotFound.
func (u *Usage) ByInvocation(ctx context.Context, id outcrop.InvocationID) (outcrop.UsageRecord, error) {
	var raw rawRecord
	err := u.db.read.QueryRowContext(ctx, `SELECT `+usageColumns+` FROM usage_records WHERE invocation = ?`, packID(id)).
		Scan(&raw.seq, &raw.invocation, &raw.shape, &raw.own)
	if errors.Is(err, sql.ErrNoRows) {
		return outcrop.UsageRecord{}, outcrop.Errorf(outcrop.NotFound, "no usage record of invocation %s", id)
	}
	if err != nil {
		return outcrop.UsageRecord{}, fmt.Errorf("read usage: %w", err)
	}
	return u.decode(ctx, &raw)
}

func (u *Usage) decode(ctx context.Context, raw *rawRecord) (outcrop.UsageRecord, error) {
	r, err := u.db.shapes.record(ctx, u.db.read, raw.shape)
	if err != nil {
		return r, fmt.Errorf("shape %d of record %d: %w", raw.shape, raw.seq, err)
	}
	r.Seq, r.Invocation = outcrop.Seq(raw.seq), unpackID(raw.invocation)
	if err := ledger.Decode(&r, raw.own); err != nil {
		return r, fmt.Errorf("record %d: %w", raw.seq, err)
	}
	return r, nil
}
