package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"outcrop"
	"outcrop/ledger"
)

// A shapeCache knows the records that shapes decode to.
type shapeCache struct {
	mu    sync.RWMutex
	known map[int64]*outcrop.UsageRecord
}

// record is a record with everything that shape id tells.
func (c *shapeCache) record(ctx context.Context, db *sql.DB, id int64) (outcrop.UsageRecord, error) {
	c.mu.RLock()
	r := c.known[id]
	c.mu.RUnlock()
	if r != nil {
		return *r, nil
	}
	var shape []byte
	if err := db.QueryRowContext(ctx, `SELECT shape FROM usage_shapes WHERE id = ?`, id).Scan(&shape); err != nil {
		return outcrop.UsageRecord{}, err
	}
	r = new(outcrop.UsageRecord)
	if err := ledger.Decode(r, shape); err != nil {
		return outcrop.UsageRecord{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= shapesCached {
		c.known = map[int64]*outcrop.UsageRecord{}
	}
	c.known[id] = r
	return *r, nil
}
