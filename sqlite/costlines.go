package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"outcrop"
	"outcrop/cost"
)

const lineColumns = "account, region, model, geography, operation, profile, tags, principal, session, input, tier, kind, price, rate, priced, estimated"

// costLines remembers which line has which id. Ids are never used twice, so
// that what is remembered stays true.
type costLines struct {
	mu   sync.Mutex
	ids  map[cost.Line]int64
	byID map[int64]*cost.Line
}

// maxLinesRemembered bounds costLines; beyond it lines are read again.
const maxLinesRemembered = 1_000_000

func newCostLines() *costLines {
	c := new(costLines)
	c.forget()
	return c
}

func (c *costLines) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids, c.byID = map[cost.Line]int64{}, map[int64]*cost.Line{}
}

func (c *costLines) know(fresh map[cost.Line]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for line, id := range fresh {
		c.add(id, &line)
	}
}

func (c *costLines) add(id int64, l *cost.Line) {
	if len(c.byID) >= maxLinesRemembered {
		clear(c.ids)
		clear(c.byID)
	}
	c.ids[*l], c.byID[id] = id, l
}

func (c *costLines) id(l *cost.Line) (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.ids[*l]
	return id, ok
}

// find is the line of an id. The first that is not remembered brings all of
// its account that are younger.
func (c *costLines) find(ctx context.Context, tx *sql.Tx, account outcrop.AccountID, id int64) (*cost.Line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.byID[id]; l != nil {
		return l, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, "+lineColumns+" FROM cost_lines WHERE account = ? AND id >= ? ORDER BY id LIMIT 20000", account, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found *cost.Line
	for rows.Next() {
		at, l, err := scanLine(rows)
		if err != nil {
			return nil, err
		}
		if at == id {
			found = l
		}
		if c.byID[at] == nil {
			c.add(at, l)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("cost line %d is missing", id)
	}
	return found, nil
}

func scanLine(rows *sql.Rows) (id int64, l *cost.Line, err error) {
	l = new(cost.Line)
	var rate int64
	err = rows.Scan(&id, &l.Account, &l.Region, &l.Model, &l.Geography, &l.Operation, &l.Profile, &l.Tags, &l.Principal, &l.Session,
		&l.Input, &l.Tier, &l.Kind, &l.Price, &rate, &l.Priced, &l.Estimated)
	l.Rate = outcrop.Rate(rate)
	return id, l, err
}

// A lineMaker finds or makes the rows of lines within one transaction.
type lineMaker struct {
	cache        *costLines
	fresh        map[cost.Line]int64 // not yet in the cache
	find, insert *sql.Stmt
}

func (m *lineMaker) close() {
	for _, s := range []*sql.Stmt{m.find, m.insert} {
		if s != nil {
			s.Close()
		}
	}
}

func (m *lineMaker) id(ctx context.Context, tx *sql.Tx, l *cost.Line) (int64, error) {
	if id, ok := m.cache.id(l); ok {
		return id, nil
	}
	if id, ok := m.fresh[*l]; ok {
		return id, nil
	}
	if err := m.prepare(ctx, tx); err != nil {
		return 0, err
	}
	digest, err := lineDigest(l)
	if err != nil {
		return 0, err
	}
	var id int64
	err = m.find.QueryRowContext(ctx, digest).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var done sql.Result
		if done, err = m.insert.ExecContext(ctx, digest, l.Account, l.Region, l.Model, l.Geography, l.Operation, l.Profile, l.Tags, l.Principal, l.Session,
			l.Input, l.Tier, l.Kind, l.Price, int64(l.Rate), l.Priced, l.Estimated); err == nil {
			id, err = done.LastInsertId()
		}
	}
	if err == nil {
		m.fresh[*l] = id
	}
	return id, err
}

func (m *lineMaker) prepare(ctx context.Context, tx *sql.Tx) (err error) {
	if m.insert != nil {
		return nil
	}
	if m.find, err = tx.PrepareContext(ctx, "SELECT id FROM cost_lines WHERE digest = ?"); err != nil {
		return err
	}
	m.insert, err = tx.PrepareContext(ctx, "INSERT INTO cost_lines (digest, "+lineColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	return err
}

// lineDigest is what tells two lines apart.
func lineDigest(l *cost.Line) ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
