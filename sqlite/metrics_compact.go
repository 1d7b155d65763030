package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"outcrop/metrics"
)

// compactPacks are moved in one transaction; folds go on between two.
const compactPacks = 256

// sealAfter the end of a day its hours are put together.
const sealAfter = hourSeconds

// Compact is metrics.Store's. It also puts hours of days that are over into one
// pack for the day.
func (s *Metrics) Compact(ctx context.Context, now int64) error {
	for {
		n, err := s.compactSome(ctx, now)
		if err != nil {
			return err
		}
		if n < compactPacks {
			return s.dropEmpty(ctx)
		}
	}
}

func (s *Metrics) compactSome(ctx context.Context, now int64) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		found := noMetricIDs()
		w, err := newMetricWriter(ctx, tx, &s.known, &found, 0)
		if err != nil {
			return err
		}
		defer w.close()
		due, err := duePacks(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("find old metrics: %w", err)
		}
		n = len(due)
		return w.move(ctx, due, now)
	})
	return n, err
}

// duePacks finds packs that are not where they belong at now.
func duePacks(ctx context.Context, tx *sql.Tx, now int64) ([]packKey, error) {
	before := [packForms]int64{floorTo(now-sealAfter, metrics.Day)}
	for step := range metrics.Steps {
		before[dayForm(step)] = now - int64(step.Keep()/time.Second) - metrics.Day + 1
	}
	var due []packKey
	for form, start := range before {
		rows, err := tx.QueryContext(ctx, `SELECT p.lane, p.form, p.start, p.origin FROM metric_lanes l
			JOIN metric_packs p ON p.lane = l.id AND p.form = ? AND p.start < ? LIMIT ?`, form, start, compactPacks-len(due))
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var key packKey
			if err := rows.Scan(&key.lane, &key.form, &key.start, &key.origin); err != nil {
				return nil, err
			}
			due = append(due, key)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// move takes packs away and puts what they hold where it belongs at now.
func (w *metricWriter) move(ctx context.Context, due []packKey, now int64) error {
	still := context.WithoutCancel(ctx)
	moved := map[packKey][]packed{}
	for _, key := range due {
		pack, err := w.pack(still, key)
		if err != nil {
			return err
		}
		err = unpack(key.form, key.start, pack, func(start int64, block []byte) bool {
			if step, begins, ok := key.form.step().Home(start, now); ok {
				into(moved, packKey{lane: key.lane, form: dayForm(step), origin: key.origin}, begins, block)
			}
			return true
		})
		if err != nil {
			return err
		}
		if _, err := w.drop.ExecContext(still, key.lane, key.form, key.start, key.origin); err != nil {
			return fmt.Errorf("drop metrics: %w", err)
		}
	}
	return w.packs(ctx, moved)
}

// dropEmpty forgets lanes that have nothing left.
func (s *Metrics) dropEmpty(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		for _, text := range []string{
			"DELETE FROM metric_activity WHERE NOT EXISTS (SELECT 1 FROM metric_packs p WHERE p.lane = metric_activity.lane)",
			"DELETE FROM metric_lanes WHERE NOT EXISTS (SELECT 1 FROM metric_packs p WHERE p.lane = id)",
		} {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	s.known = noMetricIDs()
	return err
}
